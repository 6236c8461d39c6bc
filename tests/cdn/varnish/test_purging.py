"""Purges at the admin port of a real Varnish."""

from __future__ import annotations

import pytest
import requests

from tests.cdn.varnish.paths import SCORE
from tests.conftest import wait_until
from tests.support.edge import Origin, Varnish, score


class TestPurging:
    def test_a_purged_score_is_fetched_anew(self, edge: Varnish, origin: Origin) -> None:
        origin.replies[SCORE] = score(1, ttl=60)
        edge.get(SCORE)
        origin.replies[SCORE] = score(2, ttl=60)
        assert edge.version() == 1
        answer = edge.purge("live match-m1 day-2026-11-25")
        assert (answer.status_code, answer.headers["X-Purged"]) == (200, "1")
        assert edge.version() == 2

    def test_a_purged_list_is_served_once_more_while_it_is_fetched(self, edge: Varnish, origin: Origin) -> None:
        path = "/api/matches?date=2026-11-25"
        origin.replies[path] = score(1, ttl=60, key="day-2026-11-25")
        edge.get(path)
        origin.replies[path] = score(2, ttl=60, key="day-2026-11-25")
        edge.purge("day-2026-11-25")
        assert edge.version(path) == 1
        wait_until(lambda: edge.version(path) == 2, "the fetched list")

    def test_a_key_nobody_cached_is_no_error(self, edge: Varnish) -> None:
        answer = edge.purge("match-nobody")
        assert (answer.status_code, answer.headers["X-Purged"]) == (200, "0")

    def test_a_hundred_keys_of_the_longest_kind_fit_one_purge(self, edge: Varnish, origin: Origin) -> None:
        origin.replies[SCORE] = score(1, ttl=60)
        edge.get(SCORE)
        keys = [f"competition-x-{n:040d}"[:64].ljust(64, "a") for n in range(99)] + ["match-m1"]
        assert edge.purge(" ".join(keys)).headers["X-Purged"] == "1"

    @pytest.mark.parametrize("secret", ["", "wrong", "the purge secret of the test"])
    def test_a_wrong_secret_purges_nothing(self, edge: Varnish, origin: Origin, secret: str) -> None:
        origin.replies[SCORE] = score(1, ttl=60)
        edge.get(SCORE)
        assert edge.purge("match-m1", secret=secret).status_code == 403
        assert edge.get(SCORE).headers["X-Cache"] == "HIT"

    def test_readers_cannot_purge_with_any_secret(self, edge: Varnish, origin: Origin) -> None:
        origin.replies[SCORE] = score(1, ttl=60)
        edge.get(SCORE)
        assert edge.purge("match-m1", url=edge.url).status_code == 403
        assert edge.get(SCORE, method="PURGE").status_code == 405
        assert edge.get(SCORE).headers["X-Cache"] == "HIT"

    def test_the_purge_port_serves_nothing_else(self, edge: Varnish, origin: Origin) -> None:
        origin.replies[SCORE] = score(1)
        assert requests.get(edge.admin + SCORE, timeout=5).status_code == 403
        assert edge.purge("").status_code == 400
