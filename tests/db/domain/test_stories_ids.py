"""Goals of senders that give their events no ids, in short stories, in every order."""

from __future__ import annotations

from tests.support.stories.ends import assert_ends, goal
from tests.support.stories.play import entry, event


def test_a_scorer_filled_in_later_makes_no_second_goal() -> None:
    assert_ends(
        goal(None, 1400, "home", "1-0", minute=23),
        goal(None, 1440, "home", "1-0", minute=23, player="Ann"),
        score="1-0",
        goals=1,
    )


def test_a_minute_filled_in_later_makes_no_second_goal() -> None:
    assert_ends(goal(None, 1400, "home", "1-0"), goal(None, 1440, "home", "1-0", minute=23), score="1-0", goals=1)


def test_a_scorer_filled_in_later_makes_no_second_goal_without_scores() -> None:
    assert_ends(
        goal(None, 1400, "home", minute=23),
        goal(None, 1440, "home", minute=23, player="Ann"),
        score="1-0",
        goals=1,
    )


def test_two_goals_of_one_minute_without_scorers_and_scores_are_two() -> None:
    """Nothing else tells them apart from a repeat, but a repeat of the same words would add something."""
    assert_ends(goal(None, 1390, "home", minute=23), goal(None, 1430, "home", minute=23), score="2-0", goals=2)


def test_two_goals_of_one_minute_with_scores_are_two() -> None:
    assert_ends(
        goal(None, 1390, "home", "1-0", minute=23), goal(None, 1430, "home", "2-0", minute=23), score="2-0", goals=2
    )


def test_a_minute_corrected_by_one_makes_no_second_goal() -> None:
    assert_ends(
        goal(None, 1400, "home", "1-0", minute=23, player="Ann"),
        goal(None, 1440, "home", "1-0", minute=24, player="Ann"),
        score="1-0",
        goals=1,
    )


def test_an_early_goal_told_again_late_does_not_turn_the_clock_back() -> None:
    assert_ends(
        goal(None, 600, "home", "1-0", minute=10),
        goal(None, 4200, "home", "2-0", minute=60),
        goal(None, 4400, "home", "1-0", minute=10, player="Ann"),
        score="2-0",
        goals=2,
        minute=60,
    )


def test_a_goal_told_again_in_a_break_does_not_end_it() -> None:
    assert_ends(
        entry(0, sport="ice_hockey"),
        goal(None, 1100, "home", "1-0"),
        event("score", 1200, "1-0", status="pause"),
        goal(None, 1300, "home", "1-0", player="Ann"),
        status="pause",
        goals=1,
    )
