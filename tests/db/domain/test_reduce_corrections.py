"""Corrections: voided and restored events, lowered scores, edits, and what nobody said."""

from __future__ import annotations

import json

from db.domain import Fact, FactKind, Person, Score, Status, reduce
from feeds.generic.parse import parse
from tests.support.updates import BASE, bare_goal, board, goal, kinds, line, play, update_of


def test_a_cancelled_goal_is_voided_not_erased() -> None:
    match, facts = play(
        goal("g1", 60, "1-0"),
        update_of("goal_cancelled", 90, event_id="c", voids="g1", home_score=0, away_score=0),
    )
    assert line(match) == "0-0"
    assert [(event.id, event.voided) for event in match.timeline if event.id == "g1"] == [("g1", True)]
    assert kinds(facts)[-3:] == ["voided g1", "added c", "score"]


def test_a_cancelled_goal_told_without_a_score_lowers_it_too() -> None:
    match, _ = play(goal("g1", 60, "1-0"), update_of("goal_cancelled", 90, event_id="c", voids="g1"))
    assert line(match) == "0-0"


def test_a_cancellation_that_names_no_goal_takes_the_last_of_that_side() -> None:
    match, _ = play(
        goal("h1", 60, "1-0"), goal("a1", 70, "1-1", "away"), update_of("goal_cancelled", 90, event_id="c", team="home")
    )
    assert (line(match), match.events["h1"].voided, match.events["a1"].voided) == ("0-1", True, False)


def test_a_cancellation_that_names_no_goal_and_is_told_twice_takes_one_goal() -> None:
    cancelled = update_of("goal_cancelled", 90, event_id="c", team="home")
    later = update_of("goal_cancelled", 95, event_id="c", team="home")
    match, _ = play(bare_goal("h1", 60), bare_goal("h2", 70), cancelled, cancelled, later)
    assert (line(match), match.events["h1"].voided, match.events["h2"].voided) == ("1-0", False, True)


def test_a_goal_cancelled_before_it_is_told_never_counts() -> None:
    match, facts = play(update_of("var_review", 90, event_id="v", voids="g1"), bare_goal("g1", 60))
    assert (match.score, match.events["g1"].voided) == (None, True)
    assert "voided g1" in kinds(facts)
    assert "added g1" not in kinds(facts)


def test_a_goal_the_scoreboard_never_counted_takes_nothing_from_it_when_cancelled_before_it_is_told() -> None:
    match, _ = play(
        board(10, "1-0", minute=1),
        update_of("var_review", 930, event_id="v", voids="g"),
        bare_goal("g", 900, minute=15),
    )
    assert (line(match), match.events["g"].voided) == ("1-0", True)


def test_a_cancelled_goal_may_be_restored() -> None:
    match, facts = play(
        goal("g1", 60, "1-0"),
        update_of("var_review", 90, event_id="v", voids="g1", home_score=0, away_score=0),
        goal("g1", 120, "1-0"),
    )
    assert (line(match), match.events["g1"].voided) == ("1-0", False)
    assert "restored g1" in kinds(facts)


def test_a_repeat_of_a_cancelled_goal_does_not_restore_it() -> None:
    first = goal("g1", 60, "1-0")
    match, _ = play(first, update_of("var_review", 90, event_id="v", voids="g1", home_score=0, away_score=0))
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
    match, facts = play(update_of("yellow_card", 10, event_id="c"), update_of("red_card", 20, event_id="c"))
    assert match.events["c"].type == "red_card"
    assert facts[-1] == Fact(FactKind.EDITED, "c", was="yellow_card")


def test_a_goal_may_change_sides() -> None:
    match, _ = play(bare_goal("g", 10), update_of("own_goal", 20, event_id="g", team="away"))
    assert line(match) == "0-1"


def test_a_goal_edited_into_something_else_no_longer_counts() -> None:
    match, _ = play(bare_goal("g", 10), update_of("penalty_missed", 20, event_id="g", team="home"))
    assert match.score in (None, Score(0, 0))


def test_a_goal_edited_with_another_score_corrects_the_scoreboard() -> None:
    match, _ = play(goal("g", 10, "1-0"), goal("g", 20, "0-1", team="away"))
    assert line(match) == "0-1"


def test_authority_may_set_a_score_that_no_goals_make() -> None:
    match, _ = play(goal("g", 10, "0-1", "away"), update_of("full_time", 20), board(3_000, "3-0", status="awarded"))
    assert (line(match), match.status, match.events["g"].voided) == ("3-0", Status.AWARDED, False)


def test_a_replaced_match_names_its_successor() -> None:
    body = {"matches": [{"id": "m", "replaced_by": "n", "status": "postponed"}]}
    [update] = parse(json.dumps(body).encode(), received_at=BASE)
    match, facts = play(update_of("kickoff", 10), update)
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
