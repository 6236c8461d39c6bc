"""Lifetimes in each CDN's words."""

from __future__ import annotations

import pytest

from cdn import headers
from cdn.backends.registry import NEEDS
from cdn.headers import DIALECTS, FINAL, LIVE, WAIT, dialect
from db.domain import Phase
from db.domain.errors import Refused

TAGS = ("match-m1", "live")


def test_any_shared_cache_understands_the_generic_one() -> None:
    cache_control = "public, max-age=1, s-maxage=2, stale-while-revalidate=1, stale-if-error=60"
    assert dialect("null").headers(LIVE, TAGS) == {"Cache-Control": cache_control}


@pytest.mark.parametrize("cdn", ["varnish", "fastly"])
def test_fastly_and_varnish_read_surrogate_control_and_keys_between_spaces(cdn: str) -> None:
    assert dialect(cdn).headers(LIVE, TAGS) == {
        "Cache-Control": "public, max-age=1",
        "Surrogate-Control": "max-age=2, stale-while-revalidate=1, stale-if-error=60",
        "Surrogate-Key": "match-m1 live",
    }


def test_cloudflare_reads_its_own_field_and_no_s_maxage() -> None:
    headers = dialect("cloudflare").headers(LIVE, TAGS)
    assert headers == {
        "Cache-Control": "public, max-age=1",
        "CDN-Cache-Control": "max-age=2, stale-while-revalidate=1, stale-if-error=60",
        "Cache-Tag": "match-m1,live",
    }


def test_bunny_and_cloudfront_read_cache_control_and_a_field_of_keys() -> None:
    assert dialect("bunny").headers(LIVE, TAGS)["CDN-Tag"] == "match-m1,live"
    assert dialect("cloudfront").headers(LIVE, TAGS)["Cache-Tag"] == "match-m1,live"


@pytest.mark.parametrize("cdn", DIALECTS)
def test_only_one_cdns_fields_are_sent(cdn: str) -> None:
    """Cloudflare ignores Cache-Control where Surrogate-Control stands."""
    names = set(dialect(cdn).headers(LIVE, TAGS))
    targeted = names & {"Surrogate-Control", "CDN-Cache-Control"}
    keyed = names & {"Surrogate-Key", "Cache-Tag", "CDN-Tag"}
    assert len(targeted) <= 1
    assert len(keyed) == (0 if cdn == "null" else 1)


def test_without_purges_nothing_lives_long() -> None:
    assert "s-maxage=30" in dialect("null").headers(FINAL)["Cache-Control"]
    assert "max-age=600" in dialect("varnish").headers(FINAL)["Surrogate-Control"]


def test_a_held_answer_has_no_stale_allowance_and_no_browser_keeps_it() -> None:
    assert WAIT.headers() == {"Cache-Control": "public, max-age=0, s-maxage=20"}


def test_a_live_score_outlives_a_lost_purge_by_three_seconds_at_most() -> None:
    assert headers.for_phase(Phase.LIVE).lifetime_s == headers.for_phase(Phase.BREAK).lifetime_s == 3


def test_a_dialect_for_each_backend_and_no_other() -> None:
    assert set(DIALECTS) == set(NEEDS)
    with pytest.raises(Refused, match="varnish"):
        dialect("akamai")
