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


def test_of_one_time_and_one_minute_a_scoreboard_may_lag() -> None:
    """Times in whole seconds, and two messages of one second."""
    assert_ends(
        goal("g", 600, "home", "1-0", minute=10, sequence=2),
        board(600, "0-0", minute=10, sequence=3),
        score="1-0",
        stands=["g"],
    )


def test_a_score_that_rises_much_later_is_another_goal() -> None:
    """The goal it lost half an hour ago was not taken back by mistake."""
    assert_ends(
        goal("g1", 600, "home", "1-0", minute=10),
        board(700, "0-0", minute=11),
        board(2400, "1-0", minute=40),
        score="1-0",
        stands=[],
        void=["g1"],
    )


def test_a_goal_told_again_after_such_a_rise_explains_it() -> None:
    assert_ends(
        goal("g", 600, "home", "1-0", minute=10),
        board(660, "0-0", minute=11),
        board(1000, "1-0", minute=17),
        goal("g", 1020, "home", "1-0", minute=10),
        score="1-0",
        stands=["g"],
    )


def test_a_goal_of_added_time_whose_scoreboard_stands_still() -> None:
    """Many scoreboards stop at minute 45."""
    assert_ends(
        board(2880, "1-0", minute=45),
        goal("g", 2920, "home", "1-0", minute=45, added_minute=4),
        score="1-0",
        stands=["g"],
    )


def test_the_last_goal_is_not_the_one_of_the_first_half_s_added_time() -> None:
    assert_ends(
        goal("g1", 2950, "away", "0-1", minute=45, added_minute=5),
        goal("g2", 3800, "away", "0-2", minute=47),
        event("goal_cancelled", 3875, "0-1", event_id="c", team="away", minute=48),
        score="0-1",
        stands=["g1"],
    )


def test_a_goal_counted_through_added_time_whose_scoreboard_stands_still() -> None:
    """Minute 99 of the second half, while the scoreboard says 90."""
    assert_ends(
        board(6944, "0-1", minute=90),
        goal("g", 6965, "away", minute=99),
        event("full_time", 6977, "0-1", event_id="ft", minute=90),
        score="0-1",
        stands=["g"],
    )


def test_an_old_event_told_anew_with_the_score_of_now_is_of_no_minute() -> None:
    """A corner of minute 40, edited as a goal falls in minute 45."""
    assert_ends(
        goal("g1", 1800, "home", "1-0", minute=30),
        event("corner", 2400, "1-0", event_id="c", minute=40),
        event("corner", 2663, "2-0", event_id="c", minute=40),
        goal("g2", 2675, "home", "2-0", minute=45),
        board(2690, "2-0", minute=45),
        score="2-0",
        stands=["g1", "g2"],
    )


def test_of_one_time_and_one_minute_a_scoreboard_may_not_know_of_a_cancellation() -> None:
    assert_ends(
        goal("g", 600, "home", "1-0", minute=10, sequence=2),
        event("goal_cancelled", 660, "0-0", event_id="c", team="home", minute=11, sequence=3),
        board(660, "1-0", minute=11, sequence=4),
        score="0-0",
        void=["g"],
    )
