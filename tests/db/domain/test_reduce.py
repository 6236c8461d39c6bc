"""What follows from what providers say: scores, status and kicks."""

from __future__ import annotations

import json

import pytest

from db.domain import Fact, FactKind, Score, Side, Status, Update, is_visible, reduce
from feeds.generic.parse import parse
from tests.support.updates import BASE, bare_goal, board, goal, kinds, line, play, update_of

# First sight, repeats, lateness.


def test_first_sight_makes_the_match() -> None:
    match, facts = play(goal("g1", 60, "1-0", minute=1))
    assert (line(match), match.status, match.minute) == ("1-0", Status.FIRST_HALF, 1)
    assert kinds(facts) == ["added g1", "score", "status", "info"]


def test_a_match_told_before_its_play_has_no_score() -> None:
    body = {"matches": [{"id": "m", "home_team": "A", "away_team": "B", "status": "scheduled"}]}
    match, _ = play(*parse(json.dumps(body).encode(), received_at=BASE))
    assert (match.score, match.home and match.home.name, match.away and match.away.id) == (None, "A", "b")


def test_a_repeat_changes_nothing_and_is_not_visible() -> None:
    update = goal("g1", 60, "1-0", minute=1)
    match, _ = play(update)
    again, facts = reduce(match, update)
    assert (again, facts) == (match, ())
    assert not is_visible(match, again, facts)


def test_a_late_goal_takes_its_place_and_leaves_the_newer_score() -> None:
    match, facts = play(goal("g2", 600, "2-0", minute=10), goal("g1", 60, "1-0", minute=1))
    assert (line(match), match.minute) == ("2-0", 10)
    assert [event.id for event in match.timeline] == ["g1", "g2"]
    assert kinds(facts)[-1] == "added g1"


def test_a_late_scoreboard_never_lowers_a_newer_one() -> None:
    match, facts = play(board(600, "2-1"), board(300, "1-1"))
    assert line(match) == "2-1"
    assert kinds(facts) == ["score", "status", "info"]


def test_goals_alone_make_a_score() -> None:
    match, _ = play(bare_goal("a", 60), bare_goal("b", 120, "away"), bare_goal("c", 180))
    assert line(match) == "2-1"


def test_a_goal_newer_than_the_scoreboard_is_added_to_it() -> None:
    match, _ = play(board(100, "3-0"), bare_goal("g", 200, "away"))
    assert line(match) == "3-1"
    match, _ = play(board(200, "3-1"), bare_goal("g", 100, "away"))
    assert line(match) == "3-1"


def test_a_goal_without_its_side_goes_to_the_side_it_raises() -> None:
    match, _ = play(board(10, "1-0"), update_of("goal", 20, event_id="g", home_score=1, away_score=1))
    assert match.events["g"].team is Side.AWAY


def test_a_goal_of_neither_side_is_shown_and_counts_for_none() -> None:
    match, _ = play(update_of("goal", 20, event_id="g"))
    assert (match.score, [event.id for event in match.timeline]) == (None, ["g"])


def test_a_scoreboard_that_knows_one_side_only_is_not_believed() -> None:
    match, _ = play(board(10, "1-0"), update_of("score", 20, home_score=2))
    assert line(match) == "1-0"


# Own goals, kicks, stoppage.


def test_an_own_goal_counts_for_the_side_that_gains() -> None:
    match, _ = play(update_of("own_goal", 60, event_id="og", team="away"))
    assert line(match) == "0-1"


def test_kicks_stand_beside_the_score() -> None:
    match, _ = play(
        board(0, "3-3", minute=120),
        update_of("shootout_start", 10),
        update_of("shootout_goal", 20, event_id="k1", team="home"),
        update_of("shootout_missed", 30, event_id="k2", team="away"),
        update_of("shootout_goal", 40, event_id="k3", team="home"),
    )
    assert (line(match), match.shootout, match.status) == ("3-3", Score(2, 0), Status.SHOOTOUT)


def test_a_shootout_begins_at_nothing_to_nothing() -> None:
    match, _ = play(board(0, "0-0"), update_of("shootout_start", 10))
    assert match.shootout == Score(0, 0)


def test_the_provider_s_count_of_kicks_beats_ours() -> None:
    kick = update_of("shootout_goal", 20, event_id="k1", team="home", shootout={"home": 4, "away": 2})
    match, _ = play(update_of("shootout_start", 10), kick, update_of("full_time", 30))
    assert (match.shootout, match.decided_by) == (Score(4, 2), "penalties")


def test_a_voided_kick_does_not_count() -> None:
    kick = update_of("shootout_goal", 20, event_id="k1", team="home")
    match, _ = play(update_of("shootout_start", 10), kick, update_of("var_review", 30, event_id="v", voids="k1"))
    assert match.shootout == Score(0, 0)


def test_stoppage_time_is_a_minute_and_an_added_one() -> None:
    match, _ = play(goal("g", 5_700, "1-0", minute="90+6"))
    assert (match.minute, match.added_minute, match.status) == (90, 6, Status.SECOND_HALF)
    assert (match.events["g"].minute, match.events["g"].added_minute) == (90, 6)


@pytest.mark.parametrize(
    ("minute", "status"),
    [
        (1, Status.FIRST_HALF),
        ("45+2", Status.FIRST_HALF),
        (46, Status.SECOND_HALF),
        ("90+11", Status.SECOND_HALF),
        (91, Status.ET_FIRST),
        ("105+1", Status.ET_FIRST),
        (106, Status.ET_SECOND),
        ("120+3", Status.ET_SECOND),
    ],
)
def test_a_goal_says_which_period_is_played(minute: int | str, status: Status) -> None:
    match, _ = play(goal("g", 60, "1-0", minute=minute))
    assert match.status is status


# Status.


def test_where_nobody_says_the_status_the_furthest_goal_does() -> None:
    early, late = goal("a", 60, "1-0", minute=1), goal("b", 4_000, "2-0", minute=50)
    assert play(early, late)[0].status is play(late, early)[0].status is Status.SECOND_HALF


def test_a_late_goal_does_not_reopen_a_match_that_a_fixture_list_calls_finished() -> None:
    [result] = parse(json.dumps({"matches": [{"id": "m", "status": "finished"}]}).encode(), received_at=BASE)
    match, _ = play(result, goal("g", 60, "1-0", minute=80))
    assert (match.status, line(match)) == (Status.FINISHED, "1-0")


def test_a_word_never_heard_of_starts_a_match_and_never_ends_it() -> None:
    match, _ = play(board(10, "0-0", status="hydration_break"))
    assert match.status is Status.LIVE
    match, _ = play(update_of("second_half", 20), board(30, "0-0", status="all_over_now"), match=match)
    assert match.status is Status.SECOND_HALF


def test_an_unknown_event_type_is_kept_and_shown() -> None:
    match, facts = play(update_of("streaker", 10, event_id="s", detail="fast"))
    assert [(event.type, event.detail) for event in match.timeline] == [("streaker", "fast")]
    assert (match.status, match.score) == (Status.SCHEDULED, None)
    assert "added s" in kinds(facts)


JUMPS = [
    ("second_half", "finished"),
    ("first_half", "second_half"),
    ("finished", "second_half"),
    ("postponed", "scheduled"),
    ("interrupted", "live"),
    ("interrupted", "abandoned"),
    ("finished", "awarded"),
    ("second_half", "shootout"),
    ("scheduled", "finished"),
    ("suspended", "second_half"),
    ("cancelled", "scheduled"),
    ("abandoned", "awarded"),
]


@pytest.mark.parametrize(("before", "after"), JUMPS)
def test_no_jump_of_status_is_forbidden(before: str, after: str) -> None:
    match, facts = play(board(10, "1-1", status=before), board(20, "1-1", status=after))
    assert match.status.value == after
    assert facts[-1] == Fact(FactKind.STATUS, was=before)


@pytest.mark.parametrize(("before", "after"), JUMPS)
def test_an_older_status_never_comes_back(before: str, after: str) -> None:
    match, _ = play(board(20, "1-1", status=after), board(10, "1-1", status=before))
    assert match.status.value == after


@pytest.mark.parametrize(
    ("type_", "status"),
    [
        ("kickoff", Status.FIRST_HALF),
        ("half_time", Status.HALF_TIME),
        ("second_half", Status.SECOND_HALF),
        ("extra_time", Status.ET_FIRST),
        ("extra_half_time", Status.ET_HALF_TIME),
        ("extra_second_half", Status.ET_SECOND),
        ("shootout_start", Status.SHOOTOUT),
        ("full_time", Status.FINISHED),
        ("interrupted", Status.INTERRUPTED),
        ("postponed", Status.POSTPONED),
        ("cancelled", Status.CANCELLED),
        ("abandoned", Status.ABANDONED),
        ("awarded", Status.AWARDED),
    ],
)
def test_an_event_says_where_the_match_stands(type_: str, status: Status) -> None:
    match, _ = play(update_of(type_, 10))
    assert match.status is status


def test_play_resumes_in_the_period_it_stopped_in() -> None:
    match, _ = play(
        update_of("kickoff", 0), update_of("interrupted", 10, minute=60), update_of("resumed", 20, minute=60)
    )
    assert match.status is Status.SECOND_HALF


def test_a_goal_after_the_break_ends_it() -> None:
    match, _ = play(update_of("half_time", 10, minute=45), goal("g", 900, "1-0", minute=47))
    assert match.status is Status.SECOND_HALF


def test_a_goal_of_before_the_break_entered_during_it_does_not_end_it() -> None:
    match, _ = play(update_of("half_time", 10, minute=45), goal("g", 12, "1-0", minute="45+3"))
    assert (match.status, line(match)) == (Status.HALF_TIME, "1-0")


def test_a_half_time_told_late_does_not_stop_the_second_half() -> None:
    match, _ = play(update_of("kickoff", 0), goal("g", 900, "1-0", minute=47), update_of("half_time", 10))
    assert match.status is Status.SECOND_HALF


def test_a_card_does_not_start_a_match() -> None:
    match, _ = play(update_of("yellow_card", 10, event_id="c", minute=3))
    assert match.status is Status.SCHEDULED


def test_another_sport_is_simply_live() -> None:
    body = {"matches": [{"id": "m", "sport": "basketball"}]}
    [info] = parse(json.dumps(body).encode(), received_at=BASE)
    match, _ = play(info, update_of("kickoff", 10), board(20, "88-91"), update_of("full_time", 30))
    assert (line(match), match.status, match.decided_by) == ("88-91", Status.FINISHED, "regular")


@pytest.mark.parametrize(
    ("updates", "decided"),
    [
        ((update_of("full_time", 30),), "regular"),
        ((update_of("extra_time", 20), update_of("full_time", 30)), "extra_time"),
        ((board(20, "1-1", minute=119), update_of("full_time", 30)), "extra_time"),
        ((update_of("shootout_start", 20), update_of("full_time", 30)), "penalties"),
    ],
)
def test_a_finished_match_says_how_it_was_decided(updates: tuple[Update, ...], decided: str) -> None:
    match, _ = play(*updates)
    assert match.decided_by == decided


def test_an_undated_fixture_list_never_takes_a_match_back_to_scheduled() -> None:
    body = {"matches": [{"id": "m", "home_team": "A", "status": "scheduled"}]}
    [fixture] = parse(json.dumps(body).encode(), received_at=BASE)
    match, _ = play(update_of("kickoff", 10), fixture)
    assert (match.status, match.home and match.home.name) == (Status.FIRST_HALF, "A")
