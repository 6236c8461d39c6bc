"""How near in time a scoreboard and a goal may be, in short stories, in every order."""

from __future__ import annotations

from tests.support.stories.ends import assert_ends, board, goal
from tests.support.stories.play import event


def test_of_one_time_the_higher_number_knows_of_the_goal() -> None:
    """A sender that counts its messages may put the same time on all of them."""
    assert_ends(
        goal("g", 0, "home", "1-0", sequence=2),
        board(0, "0-0", sequence=3),
        event("half_time", 0, "0-0", event_id="ht", sequence=5),
        score="0-0",
        status="half_time",
        void=["g"],
    )


def test_of_one_time_the_later_minute_knows_of_the_goal() -> None:
    assert_ends(
        goal("g", 0, "home", "1-0", minute=10),
        board(0, "0-0", minute=12),
        event("half_time", 0, "0-0", event_id="ht", minute=45),
        score="0-0",
        status="half_time",
        void=["g"],
    )


def test_two_minutes_later_by_the_match_clock_it_knows_of_the_goal() -> None:
    """A match that is played fast: a second for each minute."""
    assert_ends(
        goal("g1", 10, "home", "1-0", minute=10),
        event("var_review", 12, "0-0", event_id="v", minute=12),
        goal("g2", 30, "home", "1-0", minute=30),
        score="1-0",
        stands=["g2"],
        void=["g1"],
    )


def test_of_one_time_a_higher_number_brings_the_goal_back() -> None:
    assert_ends(
        goal("g", 0, "home", "1-0", sequence=2),
        board(0, "0-0", sequence=3),
        board(0, "1-0", sequence=4),
        score="1-0",
        stands=["g"],
        void=[],
    )


def test_a_goal_told_anew_with_another_score_a_moment_later_knows_of_itself() -> None:
    """A slip of the hand, put right at once."""
    assert_ends(
        goal("g", 600, "home", "10-0", minute=10),
        goal("g", 603, "home", "1-0", minute=10),
        score="1-0",
        stands=["g"],
    )
