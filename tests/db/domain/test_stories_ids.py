"""Goals of senders that give their events no ids, in short stories, in every order."""

from __future__ import annotations

from tests.support.stories.ends import assert_ends, goal


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
