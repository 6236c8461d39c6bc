"""One goal told under two ids: both make the same score in the same minute. In every order."""

from __future__ import annotations

from db.domain import Kind
from notify.content.news import news_of
from tests.support.stories.documents import Phone
from tests.support.stories.ends import assert_ends, board, cancelled, goal
from tests.support.stories.play import BASE_MS, event, steps


def test_a_goal_told_again_under_another_id_is_one_goal() -> None:
    assert_ends(
        goal("g", 600, "home", "1-0", minute=10),
        goal("other", 640, "home", "1-0", minute=10),
        score="1-0",
        stands=["g"],
        void=["other"],
    )


def test_the_next_goal_makes_its_own_number() -> None:
    assert_ends(
        goal("g1", 600, "home", "1-0", minute=10),
        goal("other", 640, "home", "1-0", minute=10, player="Ann"),
        goal("g2", 2000, "home", "2-0", minute=33),
        score="2-0",
        stands=["g1", "g2"],
    )


def test_one_without_an_id_is_the_same_goal_as_one_with_an_id() -> None:
    assert_ends(
        goal("g", 600, "home", "1-0", minute=10),
        goal(None, 620, "home", "1-0", minute=10, player="Ann"),
        score="1-0",
        goals=1,
    )


def test_a_scoreboard_that_counts_more_makes_it_a_goal_of_its_own() -> None:
    assert_ends(
        goal("g1", 600, "home", "1-0", minute=10),
        goal("g2", 640, "home", "1-0", minute=10),
        board(645, "2-0", minute=10),
        score="2-0",
        stands=["g1", "g2"],
    )


def test_a_scoreboard_of_the_next_goal_counts_that_goal() -> None:
    assert_ends(
        goal("g1", 600, "home", "1-0", minute=10),
        goal("other", 640, "home", "1-0", minute=10),
        board(1195, "2-0", minute=20),
        goal("g2", 1200, "home", "2-0", minute=20),
        score="2-0",
        stands=["g1", "g2"],
    )


def test_the_next_goal_knows_that_they_were_two() -> None:
    assert_ends(
        goal("g1", 600, "home", "1-0", minute=10),
        goal("g2", 640, "home", "1-0", minute=10),
        goal("g3", 1200, "home", "3-0", minute=20),
        score="3-0",
        stands=["g1", "g2", "g3"],
    )


def test_it_stands_where_the_other_is_taken_back_by_name() -> None:
    assert_ends(
        goal("g", 600, "home", "1-0", minute=10),
        goal("other", 640, "home", "1-0", minute=10),
        event("entered_twice", 700, event_id="e", voids="g"),
        score="1-0",
        stands=["other"],
        void=["g"],
    )


def test_taken_back_itself_it_takes_nothing_along() -> None:
    assert_ends(
        goal("g", 600, "home", "1-0", minute=10),
        goal("other", 640, "home", "1-0", minute=10),
        cancelled(700, voids="other"),
        score="1-0",
        stands=["g"],
        void=["other"],
    )


def test_a_cancellation_that_names_none_takes_both() -> None:
    assert_ends(
        goal("g", 600, "home", "1-0", minute=10),
        goal("other", 640, "home", "1-0", minute=10),
        cancelled(700, team="home"),
        score="0-0",
        void=["g", "other"],
    )


def test_a_cancellation_after_which_the_score_is_what_it_was_takes_the_second() -> None:
    """Its sender counted both: the score beside the second one lagged."""
    assert_ends(
        goal("g1", 600, "home", "1-0", minute=10),
        goal("g2", 650, "home", "1-0", minute=11),
        cancelled(700, "1-0", team="home"),
        score="1-0",
        stands=["g1"],
        void=["g2"],
    )


def test_a_falling_scoreboard_takes_both() -> None:
    assert_ends(
        goal("g", 600, "home", "1-0", minute=10),
        goal("other", 640, "home", "1-0", minute=10),
        board(720, "0-0", minute=12),
        board(1800, "1-0", minute=30),
        goal("next", 1803, "home", "1-0", minute=30),
        score="1-0",
        stands=["next"],
        void=["g", "other"],
    )


def test_goals_of_two_scorers_are_two() -> None:
    """The score beside the second one lags. Its sender tells scores with goals alone, and corrects none."""
    assert_ends(
        goal("g1", 600, "home", "1-0", minute=10, player="Ann"),
        goal("g2", 650, "home", "1-0", minute=11, player="Bea"),
        score="2-0",
        stands=["g1", "g2"],
    )


def test_goals_of_other_minutes_are_two() -> None:
    """The score beside the second one lags."""
    assert_ends(
        goal("g1", 600, "home", "1-0", minute=10), goal("g2", 1800, "home", "1-0", minute=30), score="2-0", goals=2
    )


def test_a_kick_told_twice_is_one_by_its_total() -> None:
    totals = {"home": 1, "away": 0}
    assert_ends(
        event("shootout_goal", 7860, "1-1", event_id="k", team="home", minute=120, shootout=totals),
        event("shootout_goal", 7880, "1-1", event_id="other", team="home", minute=120, shootout=totals),
        shootout="1-0",
        score="1-1",
    )


def test_kicks_that_bear_the_score_of_the_match_are_kicks_of_their_own() -> None:
    kicks = [event("shootout_goal", 7860 + n * 60, "1-1", event_id=f"k{n}", team="home", minute=120) for n in range(3)]
    assert_ends(*kicks, shootout="3-0", score="1-1")


def test_it_is_announced_once_and_never_as_cancelled() -> None:
    story = [
        goal("g", 600, "home", "1-0", minute=10),
        goal("other", 640, "home", "1-0", minute=10),
        board(900, "1-0", minute=15),
    ]
    kinds = [item.kind for match, facts in steps(story) for item in news_of(match, facts)]
    assert kinds.count(Kind.GOAL) == 1
    assert Kind.GOAL_CANCELLED not in kinds


def test_taken_back_by_one_of_its_ids_it_is_not_announced_again() -> None:
    """The score stays, and so does what followers were told; without the goal they hear of the cancellation."""
    story = [
        goal("g", 600, "home", "1-0", minute=10),
        goal("other", 640, "home", "1-0", minute=10),
        event("entered_twice", 700, "1-0", event_id="e", voids="g", minute=11),
        cancelled(800, "0-0", voids="other", minute=12),
    ]
    phone = Phone()
    told = []
    for message, (match, facts) in zip(story, steps(story), strict=True):
        phone.hear(match, facts, BASE_MS + round(message.received * 1000))
        told.append([kind for kind in phone.kinds if kind in (Kind.GOAL, Kind.GOAL_CANCELLED)])
    assert told == [[Kind.GOAL], [Kind.GOAL], [Kind.GOAL], [Kind.GOAL, Kind.GOAL_CANCELLED]]
