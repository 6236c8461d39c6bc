"""Reading matches on a real Redis."""

from __future__ import annotations

from db.live.matches import StoredMatch
from db.live.store import LiveStore
from tests.support.live import apply, goal


def test_reading_keeps_the_order_and_says_what_is_not_there(live: LiveStore) -> None:
    apply(live, goal("a", 1))
    matches = live.matches.read(["nobody", "a"])
    assert (matches[0], matches[1] and matches[1].id, live.matches.read([])) == (None, "a", [])
    assert live.matches.load("nobody") == StoredMatch(None, "0")
