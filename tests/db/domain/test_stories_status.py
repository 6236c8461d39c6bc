"""Status, clock, shoot-out and how a match was decided, in short stories, in every order."""

from __future__ import annotations

from typing import Any

from tests.support.stories.ends import NIL, assert_ends, board, cancelled, goal
from tests.support.stories.play import Message, entry, event


def whistle(kind: str, at: float, name: str | None = None, **fields: Any) -> Message:
    return event(kind, at, event_id=name or kind, **fields)


# Whistles.


def test_a_full_time_whistled_too_early_and_again_under_its_id() -> None:
    assert_ends(
        whistle("kickoff", 0, minute=0),
        whistle("full_time", 5400, minute=90),
        whistle("resumed", 5460, minute=90),
        whistle("full_time", 5700, minute=90),
        status="finished",
        decided="regular",
    )


def test_a_match_resumed_after_its_full_time_goes_on() -> None:
    assert_ends(
        whistle("kickoff", 0, minute=0),
        whistle("full_time", 5400, minute=90),
        whistle("resumed", 5460, minute=90),
        status="second_half",
    )


def test_a_half_time_told_again_in_the_second_half_with_details_stops_nothing() -> None:
    assert_ends(
        whistle("half_time", 2700, minute=45),
        whistle("second_half", 3600, minute=45),
        whistle("half_time", 3700, minute=45, detail="two minutes were added"),
        status="second_half",
    )


def test_a_half_time_without_an_id_told_again_in_the_second_half_stops_nothing() -> None:
    assert_ends(
        event("half_time", 2_800, "1-0", minute=45),
        event("second_half", 3_700, "1-0", minute=46),
        event("half_time", 3_720, "1-0", minute=45, detail="one minute added"),
        status="second_half",
        score="1-0",
    )


def test_an_end_without_an_id_is_whistled_again_after_play_was_resumed() -> None:
    assert_ends(
        event("full_time", 5_500, "1-0", minute=90),
        event("resumed", 5_560, "1-0", minute=90, added_minute=6),
        event("full_time", 5_700, "1-0", minute=90),
        status="finished",
        score="1-0",
    )


def test_a_goal_of_the_second_half_goes_before_a_half_time_told_late() -> None:
    assert_ends(
        whistle("kickoff", 0, minute=0),
        whistle("half_time", 2820, minute=45),
        goal("g", 3900, "home", "1-0", minute=50),
        status="second_half",
        score="1-0",
    )


def test_a_goal_of_the_first_half_entered_during_half_time_does_not_end_it() -> None:
    assert_ends(
        whistle("kickoff", 0, minute=0),
        whistle("half_time", 2820, minute=45),
        goal("g", 2900, "home", "1-0", minute=44),
        status="half_time",
        score="1-0",
    )


def test_full_time_may_follow_half_time() -> None:
    assert_ends(whistle("half_time", 2820), board(5800, "0-0", status="finished"), status="finished", score="0-0")


def test_kicks_may_follow_the_second_half() -> None:
    """Cups without extra time."""
    assert_ends(
        whistle("second_half", 3600, minute=45),
        whistle("shootout_start", 5900, minute=90),
        event("shootout_goal", 5960, event_id="k1", team="away"),
        whistle("full_time", 6300, minute=90),
        status="finished",
        shootout="0-1",
        decided="penalties",
    )


def test_goals_alone_say_how_far_play_has_come() -> None:
    assert_ends(goal("g1", 600, "home", minute=10), goal("g2", 4200, "home", minute=55), status="second_half")


def test_an_interrupted_match_goes_on() -> None:
    assert_ends(
        whistle("kickoff", 0, minute=0),
        whistle("interrupted", 1800, minute=30),
        whistle("resumed", 2400, minute=30),
        status="first_half",
    )


def test_an_interrupted_match_is_abandoned_and_keeps_its_score() -> None:
    assert_ends(
        goal("g", 600, "home", "1-0", minute=10),
        whistle("interrupted", 1800, minute=30),
        whistle("abandoned", 4000, minute=30),
        status="abandoned",
        score="1-0",
        stands=["g"],
    )


def test_an_abandoned_match_played_anew_under_one_id_starts_at_nothing() -> None:
    assert_ends(
        whistle("kickoff", 0, minute=0),
        goal("g1", 600, "home", "1-0", minute=10),
        whistle("abandoned", 1800, minute=30),
        whistle("kickoff", 90_000, minute=0),
        goal("g2", 90_600, "away", "0-1", minute=10),
        score="0-1",
        status="first_half",
    )


def test_an_abandoned_match_that_kicks_off_anew_has_no_goals() -> None:
    assert_ends(
        goal("g1", 600, "home", "1-0", minute=10),
        whistle("abandoned", 1800, minute=30),
        whistle("kickoff", 90_000, "kickoff-2", minute=0),
        score=NIL,
        status="first_half",
    )


def test_a_postponed_match_is_scheduled_again() -> None:
    first, second = "2026-11-25T20:00:00Z", "2026-12-02T20:00:00Z"
    assert_ends(
        entry(0, status="scheduled", start_time=first),
        entry(60, status="postponed", start_time=first),
        entry(120, status="scheduled", start_time=second),
        status="scheduled",
    )


def test_a_match_postponed_before_its_start_stays_so() -> None:
    start = "2026-11-25T20:00:00Z"
    assert_ends(
        entry(0, status="scheduled", start_time=start),
        whistle("postponed", 60),
        entry(120, status="scheduled", start_time=start),
        status="postponed",
    )


def test_a_match_that_goes_on_under_another_id_is_replaced() -> None:
    assert_ends(entry(0, status="scheduled"), entry(60, status="replaced", replaced_by="story-2"), status="replaced")


def test_a_match_that_the_provider_removes_is_removed() -> None:
    assert_ends(entry(0, status="scheduled"), entry(60, status="removed"), status="removed")


def test_a_match_list_that_still_says_live_does_not_reopen_a_match() -> None:
    assert_ends(
        whistle("kickoff", 0, minute=0),
        entry(600, status="live"),
        whistle("full_time", 5700, minute=90),
        entry(5800, status="live"),
        status="finished",
    )


def test_a_match_list_ends_a_match_that_no_whistle_ended() -> None:
    assert_ends(
        whistle("kickoff", 0, minute=0), whistle("second_half", 3600, minute=45), entry(5800, status="finished"),
        status="finished",
    )  # fmt: skip


def test_basketball_has_no_first_half() -> None:
    assert_ends(whistle("kickoff", 60), entry(30, sport="basketball"), status="live")


def test_a_word_never_heard_of_changes_nothing_in_play() -> None:
    assert_ends(whistle("second_half", 3600, minute=45), board(3900, "0-0", status="monsoon"), status="second_half")


# The clock.


def test_a_scorer_filled_in_late_does_not_turn_the_clock_back() -> None:
    assert_ends(
        goal("g", 600, "home", minute=10),
        event("yellow_card", 4200, event_id="y", team="home", minute=70),
        goal("g", 4260, "home", minute=10, player="Ann"),
        minute=70,
        stands=["g"],
    )


def test_a_minute_corrected_is_the_clock_s_minute() -> None:
    assert_ends(
        goal("g", 2690, "home", "1-0", minute=44),
        goal("g", 2720, "home", "1-0", minute="45+1"),
        minute=45,
        added=1,
    )


# The timeline.


def test_a_yellow_card_becomes_a_red_one() -> None:
    assert_ends(
        event("yellow_card", 600, "0-0", event_id="c", team="home", player="Ann", minute=10),
        event("red_card", 660, "0-0", event_id="c", team="home", player="Ann", minute=10),
        score="0-0",
        types=["red_card"],
    )


# Shoot-outs and decisions.


def test_a_kick_after_one_that_told_totals_counts() -> None:
    assert_ends(
        whistle("shootout_start", 7800, minute=120),
        event("shootout_goal", 7860, event_id="k1", team="home", shootout={"home": 1, "away": 0}),
        event("shootout_goal", 7920, event_id="k2", team="away"),
        shootout="1-1",
        score=NIL,
    )


def test_kicks_and_totals_explain_each_other() -> None:
    assert_ends(
        goal("g", 600, "home", "1-0", minute=10),
        event("shootout_goal", 7860, "1-0", event_id="k1", team="home"),
        board(7861, "1-0", shootout={"home": 1, "away": 0}),
        event("shootout_missed", 7920, "1-0", event_id="k2", team="away"),
        event("shootout_goal", 7980, "1-0", event_id="k3", team="home"),
        board(7981, "1-0", shootout={"home": 2, "away": 0}),
        shootout="2-0",
        score="1-0",
    )


def test_a_goal_of_the_fifth_period_is_a_kick() -> None:
    assert_ends(
        goal("g", 600, "home", "1-0", minute=10, period=1),
        goal("h", 1200, "away", "1-1", minute=20, period=1),
        whistle("shootout_start", 7800, minute=120),
        goal("k", 7860, "home", "1-1", minute=120, period=5),
        score="1-1",
        shootout="1-0",
    )


def test_a_kick_taken_back_by_name_does_not_count() -> None:
    assert_ends(
        event("shootout_goal", 7860, event_id="k1", team="home"),
        event("shootout_goal", 7920, event_id="k2", team="away"),
        cancelled(7980, voids="k1"),
        shootout="0-1",
    )


def test_a_cancellation_during_the_kicks_takes_a_kick() -> None:
    assert_ends(
        goal("g", 600, "home", minute=10),
        whistle("shootout_start", 7800, minute=120),
        event("shootout_goal", 7860, event_id="k1", team="home"),
        cancelled(7890, team="home"),
        shootout="0-0",
        score="1-0",
        stands=["g"],
    )


def test_a_shootout_ends_a_match_on_penalties() -> None:
    assert_ends(
        goal("g", 600, "home", "1-0", minute=10),
        goal("h", 1200, "away", "1-1", minute=20),
        whistle("shootout_start", 7800, minute=120),
        board(8400, "1-1", shootout={"home": 4, "away": 3}),
        whistle("full_time", 8460, minute=120, shootout={"home": 4, "away": 3}),
        score="1-1",
        shootout="4-3",
        status="finished",
        decided="penalties",
    )


def test_totals_of_nothing_are_no_shootout() -> None:
    nothing = {"home": 0, "away": 0}
    assert_ends(
        whistle("kickoff", 0, minute=0, shootout=nothing),
        goal("g", 600, "home", "1-0", minute=10, shootout=nothing),
        whistle("full_time", 5700, minute=90, shootout=nothing),
        status="finished",
        decided="regular",
        shootout=None,
    )


def test_the_word_aet_says_that_extra_time_decided() -> None:
    assert_ends(board(5700, "1-1"), board(7800, "2-1", status="aet"), status="finished", decided="extra_time")


def test_the_word_ap_says_that_penalties_decided() -> None:
    assert_ends(board(5700, "1-1"), board(8400, "1-1", status="ap"), status="finished", decided="penalties")


def test_the_word_aet_is_not_forgotten_when_the_result_is_confirmed() -> None:
    assert_ends(
        board(7800, "2-1", status="aet"),
        board(8400, "2-1", status="finished"),
        status="finished",
        decided="extra_time",
    )


def test_extra_time_told_by_status_alone_decided_the_match() -> None:
    assert_ends(
        board(5700, "1-1", status="second_half"),
        board(6000, "1-1", status="et_first"),
        board(7800, "2-1", status="finished"),
        score="2-1",
        decided="extra_time",
    )


# Other sports.


def test_baskets_make_a_score_of_their_own_size() -> None:
    assert_ends(
        entry(0, sport="basketball"),
        board(30, "2-0"),
        board(60, "2-3"),
        board(90, "4-3"),
        board(150, "4-2"),
        score="4-2",
    )


def test_the_winner_of_a_shootout_on_ice_gets_one_goal_more() -> None:
    assert_ends(
        entry(0, sport="ice_hockey"),
        goal("g", 600, "home", "1-0"),
        goal("h", 1200, "away", "1-1"),
        board(4500, "2-1", status="finished"),
        score="2-1",
        status="finished",
        stands=["g", "h"],
    )
