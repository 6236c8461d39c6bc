"""Senders' words for event types, statuses and sports, as the generic feed reads them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from db.domain import EVENT_TYPES, Status, Update
from feeds.generic.parse import parse
from feeds.generic.vocabulary import event_type_of, standing_of

AT = 1_767_225_600_000


def event(**fields: Any) -> Update:
    entry = {"home_score": 1, "away_score": 0, "minute": 10, "event_type": "goal", "timestamp": "2026-01-01T00:00:00Z"}
    [update] = parse(json.dumps({"events": [{"match_id": "m"} | entry | fields]}).encode(), received_at=AT)
    return update


def match(**fields: Any) -> Update:
    [update] = parse(json.dumps({"matches": [{"id": "m"} | fields]}).encode(), received_at=AT)
    return update


@pytest.mark.parametrize("type_", sorted(EVENT_TYPES))
def test_a_type_of_ours_is_itself_in_any_spelling(type_: str) -> None:
    title = type_.replace("_", " ").title()
    camel = title[0].lower() + title[1:].replace(" ", "")
    for written in (
        type_,
        type_.upper(),
        title,
        type_.replace("_", "-"),
        camel,
        f" {title} ",
        type_.replace("_", " - "),
    ):
        assert event_type_of(written) == type_, written


@pytest.mark.parametrize(
    ("written", "type_"),
    [
        ("Kick Off", "kickoff"),
        ("1H", "kickoff"),
        ("match_started", "kickoff"),
        ("HT", "half_time"),
        ("Half-Time", "half_time"),
        ("2H", "second_half"),
        ("Start 2nd Half", "second_half"),
        ("FT", "full_time"),
        ("Match Ended", "full_time"),
        ("Own Goal", "own_goal"),
        ("Normal Goal", "goal"),
        ("Goal - Header", "goal"),
        ("Penalty - Scored", "penalty_goal"),
        ("Penalty - Saved", "penalty_missed"),
        ("Missed Penalty", "penalty_missed"),
        ("goal-cancelled", "goal_cancelled"),
        ("Goal Canceled", "goal_cancelled"),
        ("Goal Disallowed - offside", "goal_cancelled"),
        ("Yellow Card", "yellow_card"),
        ("yellow_red_card", "second_yellow"),
        ("RED", "red_card"),
        ("subst", "substitution"),
        ("VAR", "var_review"),
        ("Match Abandoned", "abandoned"),
    ],
)
def test_a_senders_type_is_one_of_ours(written: str, type_: str) -> None:
    update = event(event_type=written)
    assert update.event
    assert update.event.type == type_


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("Throw In", "throw_in"),
        ("shot-on-target", "shot_on_target"),
        ("Penalty", "penalty"),
        ("v.a.r. over", "v.a.r._over"),
    ],
)
def test_a_type_that_may_mean_several_things_is_stored_as_sent(written: str, stored: str) -> None:
    update = event(event_type=written)
    assert update.event
    assert update.event.type == stored


STATUSES: dict[Status, list[str]] = {
    Status.SCHEDULED: ["NS", "Not Started", "Fixture", "TIMED", "STATUS_SCHEDULED", "pre"],
    Status.TIME_TBD: ["TBD", "Time To Be Defined"],
    Status.DELAYED: ["STATUS_DELAYED", "start_delayed"],
    Status.LIVE: ["LIVE", "In Play", "IN_PLAY", "Playing", "in", "Q3"],
    Status.FIRST_HALF: ["1H", "First Half", "1st half", "STATUS_FIRST_HALF", "first-half"],
    Status.HALF_TIME: ["HT", "Half-Time", "halftime", "PAUSED", "STATUS_HALFTIME"],
    Status.SECOND_HALF: ["2H", "Second Half", "2nd_half", "Second Half, 2nd Half Started"],
    Status.BREAK_BEFORE_ET: ["BT", "awaiting_extra_time"],
    Status.ET_FIRST: ["ET", "Extra Time", "EXTRA_TIME", "OT"],
    Status.ET_HALF_TIME: ["extra_time_halftime", "STATUS_HALFTIME_ET"],
    Status.BREAK_BEFORE_PENS: ["awaiting penalties"],
    Status.SHOOTOUT: ["P", "PENALTY_SHOOTOUT", "penalties", "Penalty In Progress", "STATUS_SHOOTOUT"],
    Status.INTERRUPTED: ["INT", "Match Interrupted"],
    Status.SUSPENDED: ["SUSP", "STATUS_SUSPENDED"],
    Status.FINISHED: ["FT", "Full Time", "Match Finished", "Played", "STATUS_FULL_TIME", "Final", "closed"],
    Status.POSTPONED: ["PST", "Postp.", "STATUS_POSTPONED"],
    Status.CANCELLED: ["CANC", "Canceled", "STATUS_CANCELED"],
    Status.ABANDONED: ["ABD", "Match Abandoned"],
    Status.AWARDED: ["AWD", "Technical Loss"],
    Status.WALKOVER: ["WO", "WalkOver", "w/o"],
}


@pytest.mark.parametrize(("written", "status"), [(word, of) for of, words in STATUSES.items() for word in words])
def test_a_senders_status_is_one_of_ours(written: str, status: Status) -> None:
    update, of_match = event(status=written), match(status=written)
    assert (update.status, update.status_word, update.decided_by) == (status, None, None)
    assert (of_match.status, of_match.status_word) == (status, None)


@pytest.mark.parametrize(
    ("written", "decided_by"),
    [
        ("AET", "extra_time"),
        ("a.e.t.", "extra_time"),
        ("After Extra Time", "extra_time"),
        ("STATUS_FINAL_AET", "extra_time"),
        ("AP", "penalties"),
        ("PEN", "penalties"),
        ("after penalties", "penalties"),
        ("STATUS_FINAL_PEN", "penalties"),
    ],
)
def test_a_status_may_say_how_the_match_was_decided(written: str, decided_by: str) -> None:
    for update in (event(status=written), match(status=written)):
        assert (update.status, update.decided_by) == (Status.FINISHED, decided_by)


def test_an_event_after_extra_time_is_the_end_and_says_how() -> None:
    update = event(event_type="AET")
    assert update.event
    assert (update.event.type, update.decided_by) == ("full_time", "extra_time")


def test_a_penalty_is_not_the_end_of_the_match() -> None:
    """As a status PEN is; as an event it may be any kick."""
    update = event(event_type="PEN")
    assert update.event
    assert (update.event.type, update.status, update.decided_by) == ("pen", None, None)


def test_the_status_goes_before_what_the_type_says_of_the_decision() -> None:
    assert event(event_type="AET", status="AP").decided_by == "penalties"


@pytest.mark.parametrize(("written", "word"), [("Cooling Break", "cooling_break"), ("drinks--break", "drinks_break")])
def test_a_status_never_heard_of_is_passed_on_in_our_spelling(written: str, word: str) -> None:
    assert (event(status=written).status, event(status=written).status_word) == (None, word)
    assert match(status=written).status_word == word


@pytest.mark.parametrize("status", [*Status])
def test_a_status_of_ours_is_itself_in_any_spelling(status: Status) -> None:
    for written in (
        status,
        status.upper(),
        status.replace("_", " ").title(),
        status.replace("_", ""),
        f"STATUS_{status}",
    ):
        assert standing_of(written) == (status, None), written


def test_soccer_is_football() -> None:
    info = match(sport="Soccer").info
    assert info
    assert info.sport == "football"
