"""What follows from what providers say: scores, status, voided and restored events, in any order and any number."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.domain import Fact, FactKind, Match, Person, Phase, Score, Side, Stamp, Status, Update, is_visible, reduce
from feeds.generic.parse import parse

BASE = 1_700_000_000_000
SECOND = 1_000


def stamp(second: float) -> Stamp:
    return Stamp(BASE + int(second * SECOND), source="generic")


def told(type_: str, second: float, **fields: Any) -> Update:
    """One event through the generic feed: the six fields every sender has, and what the test adds."""
    event = {"home_score": None, "away_score": None, "minute": None} | fields
    moment = f"2023-11-14T{22 + int(second) // 3600:02}:{int(second) // 60 % 60:02}:{second % 60:06.3f}Z"
    event |= {"match_id": "m", "event_type": type_, "timestamp": moment}
    [update] = parse(json.dumps({"events": [event]}).encode(), received_at=BASE + 86_400_000)
    return update


def goal(id_: str, second: float, score: str, team: str = "home", **fields: Any) -> Update:
    home, away = map(int, score.split("-"))
    return told("goal", second, event_id=id_, home_score=home, away_score=away, team=team, **fields)


def bare_goal(id_: str, second: float, team: str = "home", **fields: Any) -> Update:
    return told("goal", second, event_id=id_, team=team, **fields)


def board(second: float, score: str, **fields: Any) -> Update:
    home, away = map(int, score.split("-"))
    return told("score", second, home_score=home, away_score=away, **fields)


def play(*updates: Update, match: Match | None = None) -> tuple[Match, list[Fact]]:
    facts: list[Fact] = []
    for update in updates:
        match, new = reduce(match, update)
        facts += new
    assert match is not None
    return match, facts


def kinds(facts: list[Fact]) -> list[str]:
    return [f"{fact.kind.value} {fact.event_id}" if fact.event_id else fact.kind.value for fact in facts]


def shown(match: Match) -> tuple[Any, ...]:
    """All that a reader sees."""
    events = [(e.id, e.type, e.team, e.minute, e.added_minute, e.player, e.voided) for e in match.timeline]
    clock = (match.minute, match.added_minute, match.period, match.clock)
    decided = match.decided_by if match.phase is Phase.FINISHED else None
    return match.score, match.shootout, match.status, decided, clock, events


def line(match: Match) -> str | None:
    return f"{match.score.home}-{match.score.away}" if match.score else None


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
    match, _ = play(board(10, "1-0"), told("goal", 20, event_id="g", home_score=1, away_score=1))
    assert match.events["g"].team is Side.AWAY


def test_a_goal_of_neither_side_is_shown_and_counts_for_none() -> None:
    match, _ = play(told("goal", 20, event_id="g"))
    assert (match.score, [event.id for event in match.timeline]) == (None, ["g"])


def test_a_scoreboard_that_knows_one_side_only_is_not_believed() -> None:
    match, _ = play(board(10, "1-0"), told("score", 20, home_score=2))
    assert line(match) == "1-0"


# Own goals, kicks, stoppage.


def test_an_own_goal_counts_for_the_side_that_gains() -> None:
    match, _ = play(told("own_goal", 60, event_id="og", team="away"))
    assert line(match) == "0-1"


def test_kicks_stand_beside_the_score() -> None:
    match, _ = play(
        board(0, "3-3", minute=120),
        told("shootout_start", 10),
        told("shootout_goal", 20, event_id="k1", team="home"),
        told("shootout_missed", 30, event_id="k2", team="away"),
        told("shootout_goal", 40, event_id="k3", team="home"),
    )
    assert (line(match), match.shootout, match.status) == ("3-3", Score(2, 0), Status.SHOOTOUT)


def test_a_shootout_begins_at_nothing_to_nothing() -> None:
    match, _ = play(board(0, "0-0"), told("shootout_start", 10))
    assert match.shootout == Score(0, 0)


def test_the_provider_s_count_of_kicks_beats_ours() -> None:
    kick = told("shootout_goal", 20, event_id="k1", team="home", shootout={"home": 4, "away": 2})
    match, _ = play(told("shootout_start", 10), kick, told("full_time", 30))
    assert (match.shootout, match.decided_by) == (Score(4, 2), "penalties")


def test_a_voided_kick_does_not_count() -> None:
    kick = told("shootout_goal", 20, event_id="k1", team="home")
    match, _ = play(told("shootout_start", 10), kick, told("var_review", 30, event_id="v", voids="k1"))
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
    match, _ = play(told("second_half", 20), board(30, "0-0", status="all_over_now"), match=match)
    assert match.status is Status.SECOND_HALF


def test_an_unknown_event_type_is_kept_and_shown() -> None:
    match, facts = play(told("streaker", 10, event_id="s", detail="fast"))
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
    match, _ = play(told(type_, 10))
    assert match.status is status


def test_play_resumes_in_the_period_it_stopped_in() -> None:
    match, _ = play(told("kickoff", 0), told("interrupted", 10, minute=60), told("resumed", 20, minute=60))
    assert match.status is Status.SECOND_HALF


def test_a_goal_after_the_break_ends_it() -> None:
    match, _ = play(told("half_time", 10, minute=45), goal("g", 900, "1-0", minute=47))
    assert match.status is Status.SECOND_HALF


def test_a_goal_of_before_the_break_entered_during_it_does_not_end_it() -> None:
    match, _ = play(told("half_time", 10, minute=45), goal("g", 12, "1-0", minute="45+3"))
    assert (match.status, line(match)) == (Status.HALF_TIME, "1-0")


def test_a_half_time_told_late_does_not_stop_the_second_half() -> None:
    match, _ = play(told("kickoff", 0), goal("g", 900, "1-0", minute=47), told("half_time", 10))
    assert match.status is Status.SECOND_HALF


def test_a_card_does_not_start_a_match() -> None:
    match, _ = play(told("yellow_card", 10, event_id="c", minute=3))
    assert match.status is Status.SCHEDULED


def test_another_sport_is_simply_live() -> None:
    body = {"matches": [{"id": "m", "sport": "basketball"}]}
    [info] = parse(json.dumps(body).encode(), received_at=BASE)
    match, _ = play(info, told("kickoff", 10), board(20, "88-91"), told("full_time", 30))
    assert (line(match), match.status, match.decided_by) == ("88-91", Status.FINISHED, "regular")


@pytest.mark.parametrize(
    ("updates", "decided"),
    [
        ((told("full_time", 30),), "regular"),
        ((told("extra_time", 20), told("full_time", 30)), "extra_time"),
        ((board(20, "1-1", minute=119), told("full_time", 30)), "extra_time"),
        ((told("shootout_start", 20), told("full_time", 30)), "penalties"),
    ],
)
def test_a_finished_match_says_how_it_was_decided(updates: tuple[Update, ...], decided: str) -> None:
    match, _ = play(*updates)
    assert match.decided_by == decided


def test_an_undated_fixture_list_never_takes_a_match_back_to_scheduled() -> None:
    body = {"matches": [{"id": "m", "home_team": "A", "status": "scheduled"}]}
    [fixture] = parse(json.dumps(body).encode(), received_at=BASE)
    match, _ = play(told("kickoff", 10), fixture)
    assert (match.status, match.home and match.home.name) == (Status.FIRST_HALF, "A")


# Corrections.


def test_a_cancelled_goal_is_voided_not_erased() -> None:
    match, facts = play(
        goal("g1", 60, "1-0"),
        told("goal_cancelled", 90, event_id="c", voids="g1", home_score=0, away_score=0),
    )
    assert line(match) == "0-0"
    assert [(event.id, event.voided) for event in match.timeline if event.id == "g1"] == [("g1", True)]
    assert kinds(facts)[-3:] == ["voided g1", "added c", "score"]


def test_a_cancelled_goal_told_without_a_score_lowers_it_too() -> None:
    match, _ = play(goal("g1", 60, "1-0"), told("goal_cancelled", 90, event_id="c", voids="g1"))
    assert line(match) == "0-0"


def test_a_cancellation_that_names_no_goal_takes_the_last_of_that_side() -> None:
    match, _ = play(
        goal("h1", 60, "1-0"), goal("a1", 70, "1-1", "away"), told("goal_cancelled", 90, event_id="c", team="home")
    )
    assert (line(match), match.events["h1"].voided, match.events["a1"].voided) == ("0-1", True, False)


def test_a_cancellation_that_names_no_goal_and_is_told_twice_takes_one_goal() -> None:
    cancelled = told("goal_cancelled", 90, event_id="c", team="home")
    later = told("goal_cancelled", 95, event_id="c", team="home")
    match, _ = play(bare_goal("h1", 60), bare_goal("h2", 70), cancelled, cancelled, later)
    assert (line(match), match.events["h1"].voided, match.events["h2"].voided) == ("1-0", False, True)


def test_a_goal_cancelled_before_it_is_told_never_counts() -> None:
    match, facts = play(told("var_review", 90, event_id="v", voids="g1"), bare_goal("g1", 60))
    assert (match.score, match.events["g1"].voided) == (None, True)
    assert "voided g1" in kinds(facts)
    assert "added g1" not in kinds(facts)


def test_a_goal_the_scoreboard_never_counted_takes_nothing_from_it_when_cancelled_before_it_is_told() -> None:
    match, _ = play(
        board(10, "1-0", minute=1), told("var_review", 930, event_id="v", voids="g"), bare_goal("g", 900, minute=15)
    )
    assert (line(match), match.events["g"].voided) == ("1-0", True)


def test_a_cancelled_goal_may_be_restored() -> None:
    match, facts = play(
        goal("g1", 60, "1-0"),
        told("var_review", 90, event_id="v", voids="g1", home_score=0, away_score=0),
        goal("g1", 120, "1-0"),
    )
    assert (line(match), match.events["g1"].voided) == ("1-0", False)
    assert "restored g1" in kinds(facts)


def test_a_repeat_of_a_cancelled_goal_does_not_restore_it() -> None:
    first = goal("g1", 60, "1-0")
    match, _ = play(first, told("var_review", 90, event_id="v", voids="g1", home_score=0, away_score=0))
    again, facts = reduce(match, first)
    assert (line(again), facts) == ("0-0", ())


def test_a_score_that_simply_drops_takes_back_the_last_goal() -> None:
    match, facts = play(goal("g1", 60, "1-0"), goal("g2", 70, "2-0"), board(90, "1-0"))
    assert (line(match), match.events["g1"].voided, match.events["g2"].voided) == ("1-0", False, True)
    assert kinds(facts)[-2:] == ["voided g2", "score"]


def test_a_score_lowered_below_what_goals_tell_is_believed() -> None:
    match, _ = play(board(60, "3-0"), board(90, "1-0"))
    assert line(match) == "1-0"


def test_a_new_scorer_is_a_quiet_edit() -> None:
    match, facts = play(
        goal("g1", 60, "1-0", minute=10, player="A"),
        board(100, "1-0", minute=20),
        goal("g1", 200, "1-0", minute=11, player="B"),
    )
    assert kinds(facts)[-1] == "edited g1"
    assert [fact.event_id for fact in facts if fact.kind is FactKind.ADDED] == ["g1"]
    assert (line(match), match.minute) == ("1-0", 20)
    assert match.events["g1"].player == Person("B")


def test_an_older_edit_does_not_replace_a_newer_one() -> None:
    match, _ = play(goal("g1", 60, "1-0", player="A"), goal("g1", 90, "1-0", player="C"))
    match, facts = reduce(match, goal("g1", 80, "1-0", player="B"))
    assert (match.events["g1"].player, facts) == (Person("C"), ())


def test_a_yellow_card_may_turn_red() -> None:
    match, facts = play(told("yellow_card", 10, event_id="c"), told("red_card", 20, event_id="c"))
    assert match.events["c"].type == "red_card"
    assert facts[-1] == Fact(FactKind.EDITED, "c", was="yellow_card")


def test_a_goal_may_change_sides() -> None:
    match, _ = play(bare_goal("g", 10), told("own_goal", 20, event_id="g", team="away"))
    assert line(match) == "0-1"


def test_a_goal_edited_into_something_else_no_longer_counts() -> None:
    match, _ = play(bare_goal("g", 10), told("penalty_missed", 20, event_id="g", team="home"))
    assert match.score in (None, Score(0, 0))


def test_a_goal_edited_with_another_score_corrects_the_scoreboard() -> None:
    match, _ = play(goal("g", 10, "1-0"), goal("g", 20, "0-1", team="away"))
    assert line(match) == "0-1"


def test_authority_may_set_a_score_that_no_goals_make() -> None:
    match, _ = play(goal("g", 10, "0-1", "away"), told("full_time", 20), board(3_000, "3-0", status="awarded"))
    assert (line(match), match.status, match.events["g"].voided) == ("3-0", Status.AWARDED, False)


def test_a_replaced_match_names_its_successor() -> None:
    body = {"matches": [{"id": "m", "replaced_by": "n", "status": "postponed"}]}
    [update] = parse(json.dumps(body).encode(), received_at=BASE)
    match, facts = play(told("kickoff", 10), update)
    assert match.replaced_by == "n"
    assert FactKind.INFO in {fact.kind for fact in facts}


def test_what_nobody_said_stays_as_it_was() -> None:
    first = {"matches": [{"id": "m", "home_team": "A", "venue": "Park", "competition": "Cup"}]}
    second = {"matches": [{"id": "m", "home_team": "B"}]}
    match, _ = play(*(u for body in (first, second) for u in parse(json.dumps(body).encode(), received_at=BASE)))
    assert (match.home and match.home.name, match.venue, match.competition and match.competition.id) == (
        "B",
        "Park",
        "cup",
    )


# Properties.

TYPES = ["goal", "own_goal", "penalty_goal", "yellow_card", "half_time", "second_half", "full_time", "streaker"]


@st.composite
def stories(draw: st.DrawFn) -> list[Update]:
    """A match told by events with distinct ids and stamps, each with the score of its moment; some goals taken back."""
    home = away = 0
    updates, standing = [], []
    for n in range(draw(st.integers(1, 10))):
        second, minute = 10 * n + 1, min(n * 9 + 1, 90)
        type_ = draw(st.sampled_from(TYPES))
        if type_ in ("goal", "own_goal", "penalty_goal"):
            team = draw(st.sampled_from(["home", "away"]))
            home, away = home + (team == "home"), away + (team == "away")
            standing.append((f"e{n}", team))
            updates.append(
                told(type_, second, event_id=f"e{n}", team=team, minute=minute, home_score=home, away_score=away)
            )
        else:
            updates.append(told(type_, second, event_id=f"e{n}", minute=minute, home_score=home, away_score=away))
        if standing and draw(st.integers(0, 3)) == 0:
            gone, team = standing.pop()
            home, away = home - (team == "home"), away - (team == "away")
            cancelled = {"event_id": f"c{n}", "voids": gone, "home_score": home, "away_score": away, "team": team}
            updates.append(told("goal_cancelled", second + 5, minute=minute, **cancelled))
    return updates


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_any_order_of_arrival_ends_in_the_same_match(data: st.DataObject) -> None:
    story = data.draw(stories())
    ordered, _ = play(*story)
    mixed, _ = play(*data.draw(st.permutations(story)))
    assert shown(mixed) == shown(ordered)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_repeats_change_nothing(data: st.DataObject) -> None:
    story = data.draw(stories())
    again = data.draw(st.lists(st.sampled_from(story), max_size=8))
    match, _ = play(*story)
    repeated, facts = play(*again, match=match) if again else (match, [])
    assert (shown(repeated), facts) == (shown(match), [])


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_no_event_is_added_twice_and_nothing_told_again_is_a_fact(data: st.DataObject) -> None:
    story = data.draw(st.permutations(data.draw(stories())))
    match, facts = play(*story)
    added = [fact.event_id for fact in facts if fact.kind is FactKind.ADDED]
    assert len(added) == len(set(added))
    assert play(*story, match=match)[1] == []


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_the_facts_tell_exactly_what_changed(data: st.DataObject) -> None:
    match: Match | None = None
    for update in data.draw(st.permutations(data.draw(stories()))):
        before = match
        match, facts = reduce(match, update)
        changed = {fact.kind for fact in facts}
        assert (FactKind.SCORE in changed) == ((before.score if before else None) != match.score)
        assert (FactKind.STATUS in changed) == (before is None or before.status != match.status)
        assert len(facts) == len(set(facts))


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_told_in_order_the_score_is_always_the_newest_scoreboard(data: st.DataObject) -> None:
    match: Match | None = None
    for update in sorted(data.draw(stories()), key=lambda update: update.stamp.at):
        match, _ = reduce(match, update)
        assert match.score == update.score
