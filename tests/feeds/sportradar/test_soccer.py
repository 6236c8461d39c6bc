"""Sportradar soccer as its current data dictionary has it: the shoot-out, and which documents are complete."""

from __future__ import annotations

import json
from typing import Any

import pytest

from db.domain import Match, Score, Side
from feeds import FEEDS
from tests.support.feeds import RECEIVED, match_after, sportradar_updates


def played(*messages: Any) -> Match:
    return match_after(sportradar_updates(*messages))


def at(second: int) -> str:
    return f"2024-07-05T21:{second // 60:02}:{second % 60:02}+00:00"


def status(home: int | None, away: int | None, word: str = "2nd_half", **fields: Any) -> dict[str, Any]:
    return {"status": "live", "match_status": word, "home_score": home, "away_score": away, **fields}


def goal(id_: Any, second: int, side: str | None = "home", **fields: Any) -> dict[str, Any]:
    clock = {"match_time": 60, "match_clock": "59:30", "period": 2, "period_type": "regular_period"}
    return {"id": id_, "type": "score_change", "time": at(second), "competitor": side, **clock, **fields}


def card(id_: Any, second: int) -> dict[str, Any]:
    return {"id": id_, "type": "red_card", "time": at(second), "competitor": "home", "match_time": 60}


def document(second: int, timeline: Any, state: dict[str, Any]) -> dict[str, Any]:
    head = {"id": "sr:sport_event:9"}
    return {"generated_at": at(second), "sport_event": head, "sport_event_status": state, "timeline": timeline}


def push(event: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
    payload = {"sport_event_status": state, "event": event}
    return {"payload": payload, "metadata": {"sport_event_id": "sr:sport_event_id:9"}}


def present(timeline: Any, state: dict[str, Any]) -> set[str] | None:
    ids = sportradar_updates(document(100, timeline, state))[-1].present
    return None if ids is None else set(ids)


# The shoot-out.

PERIODS = [
    {"type": "regular_period", "number": 1, "home_score": 1, "away_score": 0},
    {"type": "regular_period", "number": 2, "home_score": 0, "away_score": 1},
    {"type": "overtime", "number": 1, "home_score": 0, "away_score": 0},
]


def kicks(home: int, away: int) -> list[dict[str, Any]]:
    return [*PERIODS, {"type": "penalties", "home_score": home, "away_score": away}]


def test_the_shootout_is_read_from_the_periods_of_the_status_object() -> None:
    state = {"status": "closed", "match_status": "ap", "home_score": 1, "away_score": 1, "period_scores": kicks(5, 3)}
    match = played(document(100, [goal(1, 10), goal(2, 20, "away")], state))
    assert (match.score, match.shootout, match.decided_by) == (Score(1, 1), Score(5, 3), "penalties")


def test_periods_without_penalties_tell_no_shootout() -> None:
    assert played(document(100, [], status(1, 1, period_scores=PERIODS))).shootout is None


@pytest.mark.parametrize("periods", [None, {}, "penalties", [7], [{"type": "penalties"}]])
def test_periods_that_cannot_be_read_tell_no_shootout(periods: Any) -> None:
    assert played(document(100, [], status(1, 1, period_scores=periods))).shootout is None


def test_the_older_fields_are_still_read() -> None:
    state = status(1, 1, "penalties", shootout_home_score=2, shootout_away_score=1)
    assert played(document(100, [], state)).shootout == Score(2, 1)


def test_the_status_beside_an_old_kick_told_again_is_believed() -> None:
    def kick(id_: int, second: int, home: int, away: int, **fields: Any) -> dict[str, Any]:
        totals = {"shootout_home_score": home, "shootout_away_score": away}
        kind = {"type": "penalty_shootout", "status": "scored", "period_type": "penalties"}
        return {"id": id_, "time": at(second), "competitor": "home", **kind, **totals, **fields}

    again = kick(1, 10, 1, 0, updated=True, updated_time=at(40))
    messages = [
        push(kick(1, 10, 1, 0), status(1, 1, "penalties", period_scores=kicks(1, 0))),
        push(kick(2, 20, 2, 0), status(1, 1, "penalties", period_scores=kicks(2, 0))),
        push(again, status(1, 1, "penalties", period_scores=kicks(2, 0))),
    ]
    assert played(*messages).shootout == Score(2, 0)
    assert {update.shootout for update in sportradar_updates(messages[-1])} == {None, Score(2, 0)}


# Which documents are complete.


def test_a_complete_timeline_lists_the_ids_of_its_goals_and_red_cards() -> None:
    timeline = [goal(1, 10), card(2, 20), {"id": 3, "type": "throw_in", "time": at(30)}]
    assert present(timeline, status(1, 0)) == {"1", "2"}


def test_an_empty_timeline_is_not_complete() -> None:
    assert present([], status(0, 0)) is None
    assert present([], status(1, 0)) is None


def test_an_empty_timeline_takes_no_goal_back() -> None:
    match = played(push(goal(1, 10), status(1, 0)), document(100, [], status(1, 0)))
    assert (match.score, match.events["1"].voided) == (Score(1, 0), False)


@pytest.mark.parametrize(
    ("timeline", "state"),
    [
        ([goal(1, 10)], status(2, 0)),
        ([goal(1, 10), goal(2, 20)], status(1, 0)),
        ([card(2, 20)], status(1, 0)),
        ([goal(1, 10, "away")], status(1, 0)),
        ([goal(1, 10)], status(None, None)),
        ([goal(1, 10)], {}),
    ],
)
def test_a_timeline_whose_goals_are_not_its_score_is_not_complete(timeline: Any, state: dict[str, Any]) -> None:
    assert present(timeline, state) is None


def test_a_timeline_that_lags_behind_its_own_score_takes_no_goal_back() -> None:
    lagging = document(100, [card(2, 5)], status(1, 0))
    match = played(push(goal(1, 10), status(1, 0)), lagging)
    assert (match.score, match.events["1"].voided) == (Score(1, 0), False)


def test_goals_without_a_side_are_counted_together() -> None:
    assert present([goal(1, 10, None), goal(2, 20, "away")], status(1, 1)) == {"1", "2"}
    assert present([goal(1, 10, None), goal(2, 20, "away")], status(1, 0)) is None


def test_kicks_of_a_shootout_are_no_goals_of_the_score() -> None:
    in_shootout = goal(3, 30, period_type="penalties", period=5)
    timeline = [goal(1, 10), goal(2, 20, "away"), in_shootout]
    assert present(timeline, status(1, 1)) == {"1", "2"}
    assert present(timeline, status(1, 1, period_scores=kicks(1, 0))) == {"1", "2", "3"}
    assert present(timeline, status(1, 1, period_scores=kicks(1, 1))) == {"1", "2"}


def test_a_goal_listed_twice_is_one_goal() -> None:
    assert present([goal(1, 10), goal(1, 10)], status(1, 0)) == {"1"}


@pytest.mark.parametrize("entry", [7, None, {"type": "red_card"}, {"id": "?", "type": "red_card"}])
def test_a_timeline_with_an_entry_that_cannot_be_read_is_not_complete(entry: Any) -> None:
    assert present([goal(1, 10), entry], status(1, 0)) is None


# Framing and sport.


@pytest.mark.parametrize("provider", ["sportradar", "statsperform"])
def test_a_byte_order_mark_before_the_body_is_skipped(provider: str) -> None:
    bodies = {
        "sportradar": document(100, [goal(1, 10)], status(1, 0)),
        "statsperform": {"matchInfo": {"id": "abc"}, "liveData": {"matchDetails": {"matchStatus": "Playing"}}},
    }
    body = json.dumps(bodies[provider]).encode()
    feed = FEEDS[provider]
    assert feed(b"\xef\xbb\xbf" + body, received_at=RECEIVED) == feed(body, received_at=RECEIVED)


@pytest.mark.parametrize(
    ("sport", "name"),
    [("sr:sport:1", "football"), ("sr:sport:4", "ice_hockey"), ("sr:sport:999", "other"), (None, None), (7, None)],
)
def test_the_sport_of_a_document_is_its_own(sport: Any, name: str | None) -> None:
    lagging = document(100, [], status(0, 0))
    lagging["sport_event"]["sport_event_context"] = {"sport": {"id": sport}}
    info = sportradar_updates(lagging)[-1].info
    assert info
    assert info.sport == name


def test_an_own_goal_counts_for_the_side_it_is_told_for() -> None:
    match = played(document(100, [goal(1, 10, "away", method="own_goal")], status(0, 1)))
    assert (match.events["1"].team, match.score) == (Side.AWAY, Score(0, 1))
    assert present([goal(1, 10, "away", method="own_goal")], status(0, 1)) == {"1"}
