"""What lists show of a match, when readers of the board are told, and when those of a match begin to wait."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import pytest

from api.delivery.render import SPREAD_MS, score, summary
from db.domain import (
    Competition,
    Event,
    Ledger,
    Match,
    Phase,
    Score,
    ScorelineEntry,
    Stamp,
    Status,
    Team,
    is_listed_alike,
    phase_of,
)
from db.domain.record import replace

STAMP = Stamp(1, source="s")
MATCH = Match("m", 1, 1, status=Status.FINISHED, decided_by="regular", minute=90, minute_at=1, score=Score(1, 0))
# Another value of each field.
OTHER: dict[str, Any] = {
    "version": 2,
    "updated_at": 2,
    "events_version": 2,
    "sport": "baseball",
    "home": Team("h", "Home"),
    "away": Team("a", "Away"),
    "competition": Competition("c", "Cup"),
    "venue": "Wembley",
    "start_time": 2,
    "stage": "Final",
    "round": "1",
    "leg": 2,
    "coverage": "full",
    "replaced_by": "n",
    "info_at": STAMP,
    "status": Status.SECOND_HALF,
    "decided_by": "penalties",
    "status_at": STAMP,
    "told": Score(2, 0),
    "told_at": STAMP,
    "kicks_told": Score(2, 0),
    "kicks_told_at": STAMP,
    "minute": 91,
    "added_minute": 1,
    "period": 2,
    "clock": "4:12",
    "clock_at": STAMP,
    "minute_at": 2,
    "score": Score(2, 0),
    "shootout": Score(4, 2),
    "scorers": (ScorelineEntry("goal"),),
    "cards": (ScorelineEntry("red_card"),),
    "events": {"e": Event("e", "goal", STAMP, since=STAMP)},
    "source": "s",
    "first": "s",
    "elsewhere": {"t": {}},
    "ledgers": {"s": Ledger()},
}
# What a list shows and no reader of the board is told of.
QUIET = ("version", "updated_at", "minute", "added_minute", "minute_at")


@pytest.mark.parametrize("name", [field.name for field in fields(Match) if field.name != "id"])
def test_readers_of_the_board_are_told_what_a_list_shows_but_for_versions_and_minutes(name: str) -> None:
    other = replace(MATCH, **{name: OTHER[name]})
    one, two = ({key: value for key, value in summary(match).items() if key not in QUIET} for match in (MATCH, other))
    assert is_listed_alike(MATCH, other) == (one == two)


def test_a_match_that_is_new_or_gets_a_clock_is_told() -> None:
    assert not is_listed_alike(None, MATCH)
    assert not is_listed_alike(replace(MATCH, minute=None), MATCH)


@pytest.mark.parametrize("status", Status)
def test_readers_spread_their_first_wait_until_the_match_begins_and_never_in_play(status: Status) -> None:
    body = json.loads(score(replace(MATCH, status=status)).json)
    assert body["spread_ms"] == (SPREAD_MS if phase_of(status) is Phase.SCHEDULED else 0)
