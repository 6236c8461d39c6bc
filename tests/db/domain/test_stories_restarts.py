"""Play that begins or goes on after a break or a stop, in short stories, in every order."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.stories.ends import assert_ends, board, goal
from tests.support.stories.play import Message, entry, event


def whistle(kind: str, at: float, **fields: Any) -> Message:
    return event(kind, at, event_id=f"{kind}-{at}", **fields)


@pytest.mark.parametrize("minute", [None, 45, 46])
@pytest.mark.parametrize("kind", ["kickoff", "resumed"])
def test_after_half_time_the_second_half_begins(kind: str, minute: int | None) -> None:
    assert_ends(
        whistle("kickoff", 0, minute=0),
        whistle("half_time", 2800, minute=45),
        whistle(kind, 3700, minute=minute),
        status="second_half",
    )


def test_a_kick_off_says_its_period_where_no_break_was_told() -> None:
    assert_ends(whistle("kickoff", 0, minute=0), whistle("kickoff", 3700, minute=46), status="second_half")
    assert_ends(whistle("kickoff", 0), whistle("kickoff", 3700, period=2), status="second_half")


def test_a_kick_off_before_extra_time_begins_it() -> None:
    assert_ends(
        board(5700, "1-1", minute=90, status="break_before_et"),
        whistle("kickoff", 5900, minute=90),
        status="et_first",
    )


def test_a_half_time_whistled_too_early_goes_on_in_added_time() -> None:
    assert_ends(
        whistle("kickoff", 0, minute=0),
        whistle("half_time", 2800, minute=45),
        whistle("resumed", 2830, minute="45+2"),
        status="first_half",
    )


def test_a_first_kick_off_told_again_in_the_second_half_stops_nothing() -> None:
    assert_ends(
        event("kickoff", 0, event_id="k", minute=0),
        whistle("half_time", 2800, minute=45),
        whistle("second_half", 3700, minute=45),
        event("kickoff", 3800, event_id="k", minute=0, detail="late"),
        status="second_half",
    )


def test_a_first_kick_off_told_again_at_half_time_begins_nothing() -> None:
    assert_ends(
        event("kickoff", 0, event_id="k"),
        whistle("half_time", 2800),
        event("kickoff", 2900, event_id="k", detail="late"),
        status="half_time",
    )


@pytest.mark.parametrize("score", ["1-0", None])
def test_an_abandoned_match_that_is_resumed_keeps_its_goals(score: str | None) -> None:
    assert_ends(
        goal("g1", 600, "home", score, minute=10),
        whistle("abandoned", 1800, minute=30),
        whistle("resumed", 90_000, minute=30),
        goal("g2", 90_600, "home", "2-0" if score else None, minute=40),
        status="first_half",
        score="2-0",
        stands=["g1", "g2"],
    )


def test_other_sports_are_in_play_after_any_break() -> None:
    assert_ends(
        entry(0, sport="basketball"),
        board(2800, "40-38", status="half_time"),
        whistle("kickoff", 3700),
        status="live",
    )


def test_a_goal_of_the_fifth_period_of_another_sport_is_a_goal() -> None:
    assert_ends(
        entry(0, sport="ice_hockey"),
        goal("g1", 900, "home", "1-0", period=1),
        goal("g2", 5900, "home", "2-0", period=5),
        score="2-0",
        shootout=None,
        types=["goal", "goal"],
    )
