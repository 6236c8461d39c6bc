"""The board on a real Redis."""

from __future__ import annotations

from db.domain import Match, Status
from db.live.store import LiveStore
from tests.support.live import board


def test_live_matches_come_by_their_start(live: LiveStore) -> None:
    for match_id, start in (("later", 2_000), ("sooner", 1_000)):
        held = live.matches.load(match_id)
        live.commits.commit(held, Match(match_id, status=Status.LIVE, start_time=start), (), (), visible=True)
    assert board(live) == ["sooner", "later"]
