"""Goals, scoreboards and corrections in short stories: each ends as a fan would say it does, in every order.

Unless a story is about them, its stamps lie further apart than a scoreboard lags behind a goal.
"""

from __future__ import annotations

from tests.support.stories.ends import NIL, assert_ends, board, cancelled, goal
from tests.support.stories.play import event

# Told, taken back, restored.


def test_a_goal_told_again_after_its_voiding_stands() -> None:
    assert_ends(
        goal("g", 60, "home", "1-0"),
        cancelled(120, "0-0", voids="g"),
        goal("g", 180, "home", "1-0"),
        score="1-0",
        stands=["g"],
    )


def test_a_repeat_of_before_the_voiding_restores_nothing() -> None:
    assert_ends(
        goal("g", 60, "home", "1-0"),
        goal("g", 90, "home", "1-0"),
        cancelled(120, "0-0", voids="g"),
        score="0-0",
        void=["g"],
    )


def test_a_goal_voided_twice_and_restored_between_is_void() -> None:
    assert_ends(
        goal("g", 60, "home", "1-0"),
        cancelled(120, "0-0", voids="g"),
        goal("g", 180, "home", "1-0"),
        cancelled(240, "0-0", voids="g"),
        score="0-0",
        void=["g"],
    )


def test_a_named_goal_is_taken_back_though_another_came_later() -> None:
    assert_ends(
        goal("g1", 60, "home", "1-0"),
        goal("g2", 300, "home", "2-0"),
        cancelled(360, voids="g1"),
        score="1-0",
        stands=["g2"],
        void=["g1"],
    )


def test_a_video_review_that_names_the_goal_takes_it_back() -> None:
    assert_ends(
        goal("g", 60, "home", "1-0", minute=1),
        event("var_review", 90, "1-0", event_id="v1", minute=2),
        event("var_review", 150, "0-0", event_id="v2", minute=3, voids="g", detail="no goal"),
        score="0-0",
        void=["g"],
    )


def test_a_goal_whose_type_becomes_another_no_longer_counts() -> None:
    """Opta's deleted event, and a disallowed goal of its own type: the same id, another type."""
    assert_ends(
        goal("g", 60, "home", "1-0"),
        event("disallowed_goal", 120, "0-0", event_id="g", team="home"),
        score="0-0",
        stands=[],
    )


def test_a_goal_whose_type_becomes_another_counts_no_more_without_scores_either() -> None:
    assert_ends(
        goal("g1", 60, "home"),
        goal("g2", 300, "home"),
        event("disallowed_goal", 360, event_id="g1", team="home"),
        score="1-0",
        stands=["g2"],
    )


# Cancellations without a name.


def test_a_cancellation_with_nothing_but_its_side_takes_the_goal_before_it() -> None:
    assert_ends(goal("g", 60, "home"), cancelled(120, team="home"), score=NIL, void=["g"])


def test_a_cancellation_with_its_side_takes_the_last_goal_of_that_side() -> None:
    assert_ends(
        goal("h", 60, "home"),
        goal("a", 300, "away"),
        cancelled(360, team="home"),
        score="0-1",
        stands=["a"],
        void=["h"],
    )


def test_a_cancellation_does_not_reach_a_goal_of_after_it() -> None:
    assert_ends(
        goal("g1", 60, "home"),
        cancelled(120, team="home"),
        goal("g2", 300, "home"),
        score="1-0",
        stands=["g2"],
        void=["g1"],
    )


def test_a_cancellation_told_again_under_its_id_takes_one_goal() -> None:
    assert_ends(
        goal("g1", 60, "home"),
        cancelled(120, team="home", event_id="c"),
        goal("g2", 300, "home"),
        cancelled(360, team="home", event_id="c"),
        score="1-0",
        stands=["g2"],
        void=["g1"],
    )


def test_a_cancellation_with_side_and_score_takes_the_last_goal() -> None:
    assert_ends(
        goal("g1", 60, "home", "1-0"),
        goal("g2", 300, "home", "2-0"),
        cancelled(360, "1-0", team="home"),
        score="1-0",
        stands=["g1"],
        void=["g2"],
    )


def test_a_cancellation_with_a_score_alone_takes_the_goal_of_the_side_that_falls() -> None:
    assert_ends(
        goal("h", 60, "home", "1-0"),
        goal("a", 300, "away", "1-1"),
        cancelled(360, "0-1"),
        score="0-1",
        stands=["a"],
        void=["h"],
    )


def test_a_cancellation_with_neither_side_nor_score_takes_the_last_goal_of_both() -> None:
    assert_ends(goal("h", 60, "home"), goal("a", 300, "away"), cancelled(360), score="1-0", stands=["h"], void=["a"])


def test_a_goal_told_again_after_a_cancellation_without_a_name_is_restored() -> None:
    assert_ends(
        goal("g", 60, "home", "1-0"),
        cancelled(120, "0-0", team="home"),
        goal("g", 240, "home", "1-0"),
        score="1-0",
        stands=["g"],
    )


# Scoreboards.


def test_a_score_that_falls_silently_takes_the_last_goal() -> None:
    assert_ends(goal("g", 60, "home", "1-0"), board(120, "0-0"), score="0-0", void=["g"])


def test_a_goal_after_a_silent_fall_does_not_bring_the_lost_one_back() -> None:
    assert_ends(
        goal("g1", 60, "home", "1-0"),
        board(120, "0-0"),
        goal("g2", 600, "home", "1-0"),
        score="1-0",
        stands=["g2"],
        void=["g1"],
    )


def test_a_score_that_rises_again_brings_the_lost_goal_back() -> None:
    """A slip of the scoreboard: nobody ever said that the goal was no goal."""
    assert_ends(goal("g", 60, "home", "1-0"), board(120, "0-0"), board(150, "1-0"), score="1-0", stands=["g"], void=[])


def test_a_score_that_falls_on_a_video_review_takes_the_goal() -> None:
    assert_ends(goal("g", 60, "home", "1-0"), event("var_review", 120, "0-0", event_id="v"), score="0-0", void=["g"])


def test_a_score_that_falls_on_a_card_takes_the_goal() -> None:
    assert_ends(
        goal("g", 60, "home", "1-0"),
        event("yellow_card", 150, "0-0", event_id="y", team="away"),
        score="0-0",
        void=["g"],
    )


def test_a_fall_of_what_the_scoreboard_alone_knew_leaves_the_named_goal() -> None:
    assert_ends(goal("g", 60, "home", "1-0"), board(300, "2-0"), board(360, "1-0"), score="1-0", stands=["g"])


def test_a_goal_told_after_its_scoreboard_counts_once() -> None:
    assert_ends(board(100, "1-0", minute=2), goal("g", 105, "home", minute=2), score="1-0", stands=["g"])


def test_goals_told_a_minute_after_their_scoreboards_count_once() -> None:
    """Both were shown by the scoreboard; their minutes say which is which."""
    assert_ends(
        board(180, "1-0", minute=3),
        board(480, "2-0", minute=8),
        goal("g1", 240, "home", minute=3),
        goal("g2", 540, "home", minute=8),
        score="2-0",
        stands=["g1", "g2"],
    )


def test_a_scoreboard_slower_than_the_goal_takes_nothing() -> None:
    assert_ends(goal("g", 100, "home", "1-0"), board(103, "0-0"), board(110, "1-0"), score="1-0", stands=["g"], void=[])


def test_a_goal_that_bears_the_score_of_before_it_counts() -> None:
    assert_ends(goal("g", 100, "home", "0-0"), board(106, "1-0"), score="1-0", stands=["g"], void=[])


def test_a_card_told_late_with_the_score_of_its_moment_takes_nothing() -> None:
    """The first stamp of the card is of before the goal; its repeat only adds who got it."""
    assert_ends(
        event("yellow_card", 30, "0-0", event_id="y", team="away"),
        goal("g", 60, "home", "1-0"),
        event("yellow_card", 150, "0-0", event_id="y", team="away", player="Ann"),
        score="1-0",
        stands=["g"],
        void=[],
    )


def test_a_goal_missed_altogether_is_in_the_score() -> None:
    assert_ends(goal("g2", 300, "home", "2-0"), board(400, "2-0"), score="2-0", stands=["g2"])


def test_authority_sets_a_score_that_no_goals_make() -> None:
    assert_ends(
        goal("g", 600, "home", "1-0"),
        event("full_time", 5700, "1-0", event_id="ft"),
        event("awarded", 200_000, "0-3", event_id="awarded"),
        score="0-3",
        status="awarded",
        stands=["g"],
        void=[],
    )


def test_a_result_confirmed_after_the_award_keeps_its_score() -> None:
    assert_ends(
        goal("g", 600, "home", "1-0"),
        board(90_000, "0-3", status="awarded"),
        board(95_000, "0-3", status="finished"),
        score="0-3",
        status=("awarded", "finished"),
        stands=["g"],
    )


# Two at once, sides, numbers.


def test_two_goals_of_one_second_and_minute_are_two() -> None:
    assert_ends(
        goal("g1", 300, "home", "1-0", minute=5), goal("g2", 300, "home", "2-0", minute=5), score="2-0", goals=2
    )


def test_a_goal_without_its_side_goes_to_the_side_it_raised() -> None:
    assert_ends(goal("h", 60, None, "1-0"), goal("a", 300, None, "1-1"), score="1-1", stands=["h", "a"])


def test_a_repeat_without_the_side_does_not_erase_it() -> None:
    assert_ends(goal("g", 60, "home"), goal("g", 120, None, player="Ann"), score="1-0", stands=["g"])


def test_an_own_goal_counts_for_the_side_that_gains() -> None:
    assert_ends(event("own_goal", 60, "0-1", event_id="g", team="away", player="Ann"), score="0-1", stands=["g"])


def test_a_goal_that_turns_out_an_own_goal_is_one_goal() -> None:
    assert_ends(
        goal("g", 60, "home", "1-0", player="Ann"),
        event("own_goal", 120, "1-0", event_id="g", team="home", player="Zoe"),
        score="1-0",
        stands=["g"],
    )


def test_a_goal_that_changes_sides_without_scores() -> None:
    assert_ends(goal("g", 60, "home"), goal("g", 120, "away"), score="0-1", stands=["g"])


def test_the_first_goal_credited_to_the_other_side_after_the_second() -> None:
    assert_ends(
        goal("g1", 60, "home", "1-0"),
        goal("g2", 300, "home", "2-0"),
        goal("g1", 360, "away", "0-1"),
        score="1-1",
        stands=["g1", "g2"],
    )


def test_the_first_goal_credited_to_the_other_side_with_the_score_of_now() -> None:
    assert_ends(
        goal("g1", 60, "home", "1-0"),
        goal("g2", 300, "home", "2-0"),
        goal("g1", 360, "away", "1-1"),
        score="1-1",
        stands=["g1", "g2"],
    )


def test_scores_filled_in_later_speak_of_their_own_moment() -> None:
    assert_ends(
        goal("g1", 60, "home"),
        goal("g2", 300, "home", "2-0"),
        goal("g1", 360, "home", "1-0", player="Ann"),
        score="2-0",
        stands=["g1", "g2"],
    )


def test_a_scorer_changed_days_later_changes_nothing_else() -> None:
    assert_ends(
        goal("g1", 600, "home", "1-0", player="Ann", minute=10),
        goal("g2", 1200, "home", "2-0", minute=20),
        event("full_time", 5700, "2-0", event_id="ft", minute=90),
        goal("g1", 260_000, "home", "1-0", player="Bea", minute=10),
        score="2-0",
        status="finished",
        minute=90,
        stands=["g1", "g2"],
    )


def test_messages_with_and_without_a_sequence_go_by_their_time() -> None:
    assert_ends(board(60, "1-0", sequence=2), board(120, "2-0"), board(180, "3-0", sequence=1), score="3-0")


def test_where_all_messages_have_a_sequence_it_decides() -> None:
    """All bear the time of the goal; only the counter says which was told last."""
    assert_ends(
        goal("g", 60, "home", "1-0", sequence=1),
        cancelled(60, "0-0", sequence=2, voids="g"),
        goal("g", 60, "home", "1-0", sequence=3),
        score="1-0",
        stands=["g"],
    )


def test_a_miss_from_the_spot_raises_nothing() -> None:
    assert_ends(
        event("penalty_missed", 600, "0-0", event_id="p", team="home", minute=10),
        goal("g", 1200, "home", "1-0", minute=20),
        score="1-0",
        stands=["g"],
    )


def test_a_sequence_of_nanoseconds_orders_what_lies_a_nanosecond_apart() -> None:
    first = 1_795_600_000_000_000_001
    assert_ends(
        event("score", 60, "1-0", sequence=first),
        event("score", 60, "2-0", sequence=first + 1),
        event("score", 60, "1-0", sequence=first + 2),
        score="1-0",
    )
