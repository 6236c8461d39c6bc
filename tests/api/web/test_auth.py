"""Client addresses behind trusted proxies, and what wrong tokens cost."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from api.web import auth
from db.live.limits import Rate
from tests.api.conftest import Site

WRONG = "A" * 43


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        (" 203.0.113.9:4711 ", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("[::ffff:203.0.113.9]:80", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2:3:4:5:6]:443", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ('"203.0.113.9"', "203.0.113.9"),
        ("unknown", "unknown"),
        ("", "unknown"),
    ],
)
def test_an_address_is_understood_however_a_router_writes_it(text: str, address: str) -> None:
    assert auth.address_of(text) == address


@pytest.mark.parametrize(
    ("hops", "entries", "address"),
    [
        (1, "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (2, "evil, 198.51.100.1, 203.0.113.9", "198.51.100.1"),
        (2, "203.0.113.9", "unknown"),
    ],
)
def test_the_client_is_as_many_entries_from_the_end_as_there_are_trusted_hops(
    make_site: Callable[..., Site], sqlite_url: str, hops: int, entries: str, address: str
) -> None:
    site = make_site(sqlite_url, client_address_header="X-Forwarded-For", client_address_hops=hops)
    with site.app.test_request_context("/", headers={"X-Forwarded-For": entries}):
        assert auth.address() == address


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "WRONG_TOKENS", Rate("wrong_tokens", burst=3, every_s=60))


def test_wrong_tokens_of_one_address_are_bounded_and_right_ones_are_not(site: Site, strict: None) -> None:
    token = site.client.post("/api/users").get_json()["token"]
    assert site.get("/api/me", Authorization=f"Bearer {token}").status_code == 200
    statuses = [site.get("/api/me", Authorization=f"Bearer {WRONG}").status_code for _ in range(6)]
    assert statuses == [401, 401, 401, 401, 429, 429]
    assert site.get("/api/me", Authorization=f"Bearer {WRONG}").headers["Retry-After"] == "10"
    assert site.get("/api/me", Authorization=f"Bearer {token}").status_code == 200


def test_what_cannot_be_a_token_costs_no_query(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(site.services.accounts), "by_token", lambda *_, **__: pytest.fail("asked"))
    for token in ("x", "A" * 42, "A" * 44, "A" * 42 + "!"):
        assert site.get("/api/me", Authorization=f"Bearer {token}").status_code == 401
