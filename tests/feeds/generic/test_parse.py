"""The generic feed: fields, faults with index and path, ids made from content, minutes as senders write them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.domain import ID_PATTERN, Competition, Person, Score, Side, Status, Team, Update
from db.domain.errors import Fault, Refused
from feeds.fields import AHEAD_MS
from feeds.generic.match_entry import slug
from feeds.generic.parse import FAULTS_MAX, parse
from tests.support.feeds import EVENT, EVENT_AT, generic_event, generic_updates


def event_id(**fields: Any) -> str:
    result = generic_event(**fields).event
    assert result
    return result.id


def match(**fields: Any) -> Update:
    [update] = generic_updates({"matches": [{"id": "m"} | fields]})
    return update


def faults(body: Any) -> tuple[Fault, ...]:
    with pytest.raises(Refused) as refused:
        generic_updates(body)
    assert refused.value.code == "invalid"
    return refused.value.faults


def test_the_six_fields_are_enough() -> None:
    update = generic_event()
    assert (update.match_id, update.score, update.minute, update.received_at) == ("m", Score(1, 0), 10, EVENT_AT)
    assert (update.stamp.at, update.stamp.sequence, update.stamp.clock) == (EVENT_AT, None, 1_000)
    assert update.event
    assert (update.event.type, update.event.home_score, update.event.created_at) == ("goal", 1, EVENT_AT)
    assert (update.event.team, update.event.player, update.status, update.voids) == (None, None, None, None)


def test_every_optional_field_is_read() -> None:
    update = generic_event(
        event_id="e1",
        sequence=7,
        added_minute=3,
        period=2,
        status="second_half",
        team="away",
        player={"id": "p", "name": " Zoë "},
        assist="Ann",
        detail="header",
        shootout={"home": 4, "away": 2},
        voids="e0",
    )
    assert (update.stamp.sequence, update.added_minute, update.period) == (7.0, 3, 2)
    assert (update.status, update.shootout, update.voids) == (Status.SECOND_HALF, Score(4, 2), "e0")
    assert update.event
    assert (update.event.id, update.event.team, update.event.detail) == ("e1", Side.AWAY, "header")
    assert (update.event.player, update.event.assist) == (Person("Zoë", "p"), Person("Ann"))


@pytest.mark.parametrize(
    ("minute", "read"),
    [
        (0, (0, None)),
        (90, (90, None)),
        ("90", (90, None)),
        ("90+6", (90, 6)),
        ("90+6'", (90, 6)),
        (" 45'", (45, None)),
        (None, (None, None)),
    ],
)
def test_a_minute_may_be_written_in_several_ways(minute: Any, read: tuple[Any, Any]) -> None:
    update = generic_event(minute=minute)
    assert (update.minute, update.added_minute) == read


def test_an_added_minute_of_its_own_beats_the_one_in_the_minute() -> None:
    assert generic_event(minute="90+2", added_minute=4).added_minute == 4


@pytest.mark.parametrize("minute", [-1, 1_000, 1.5, True, "ninety", "90+", "90+123", "+3", [90], "٩٠"])
def test_what_is_no_minute_is_refused(minute: Any) -> None:
    [fault] = faults({"events": [EVENT, EVENT | {"minute": minute}]})
    assert (fault.index, fault.field) == (1, "events[1].minute")


def test_a_score_not_known_is_none_not_nothing() -> None:
    assert generic_event(home_score=None, away_score=None).score is None
    assert generic_event(home_score=1, away_score=None).score is None


def test_a_time_in_any_zone_is_one_moment() -> None:
    assert generic_event(timestamp="2026-01-01T02:00:00+02:00").stamp == generic_event().stamp
    assert generic_event(timestamp="2026-01-01T00:00:00.250Z").stamp.at == EVENT_AT + 250


def test_a_sender_s_clock_may_run_ahead_by_a_day_and_no_more() -> None:
    assert AHEAD_MS == 24 * 60 * 60 * 1000
    assert generic_updates({"events": [{**EVENT, "timestamp": "2026-01-02T00:00:00Z"}]})
    [fault] = faults({"events": [EVENT, {**EVENT, "timestamp": "2026-01-02T00:00:01Z"}]})
    assert (fault.index, fault.field) == (1, "events[1].timestamp")


def test_words_are_read_without_regard_to_case() -> None:
    update = generic_event(event_type=" GOAL ", status="Second_Half")
    assert update.event
    assert (update.event.type, update.status) == ("goal", Status.SECOND_HALF)


def test_a_word_never_heard_of_is_passed_on() -> None:
    update = generic_event(event_type="streaker", status="cooling_break")
    assert update.event
    assert (update.event.type, update.status, update.status_word) == ("streaker", None, "cooling_break")


def test_a_bare_score_is_no_moment_of_the_match() -> None:
    assert generic_event(event_type="score").event is None
    assert generic_event(event_type="score", detail="third quarter").event is not None


# Ids made from content.


def test_the_same_telling_of_a_goal_has_one_id_and_another_telling_another() -> None:
    """Which tellings are of one goal is found where all of them are known."""
    assert event_id(player="A") == event_id(player="A", sequence=9)
    assert event_id(player="A") != event_id(player="A", timestamp="2026-01-01T00:00:09Z")


@pytest.mark.parametrize(
    "other",
    [
        {"match_id": "n"},
        {"home_score": 2},
        {"minute": 11},
        {"minute": "10+1"},
        {"team": "home"},
        {"player": "B"},
        {"event_type": "own_goal"},
        {"period": 2},
    ],
)
def test_another_goal_has_another_id(other: dict[str, Any]) -> None:
    assert event_id(player="A") != event_id(**({"player": "A"} | other))


def test_nameless_moments_are_told_apart_by_their_time() -> None:
    card = {"event_type": "yellow_card"}
    assert event_id(**card) == event_id(**card, home_score=3)
    assert event_id(**card) != event_id(**card, timestamp="2026-01-01T00:00:01Z")


def test_kicks_are_told_apart_by_the_count() -> None:
    kick = {"event_type": "shootout_goal", "player": "A"}
    assert event_id(**kick, shootout={"home": 1, "away": 0}) != event_id(**kick, shootout={"home": 2, "away": 0})


@given(st.text(min_size=1, max_size=200).filter(lambda name: name.strip() and name.isprintable()))
def test_an_id_made_from_any_name_is_an_id(name: str) -> None:
    assert ID_PATTERN.fullmatch(slug(name))
    assert slug(name) == slug(name)


@pytest.mark.parametrize(
    ("name", "id_"), [("Côte d'Ivoire", "cote-d-ivoire"), ("1. FC Köln", "1-fc-koln"), ("日本", slug("日本"))]
)
def test_an_id_is_made_from_a_name(name: str, id_: str) -> None:
    assert slug(name) == id_
    assert slug("日本") != slug("中国")


# Matches.


def test_a_match_may_name_its_teams_or_identify_them() -> None:
    info = match(home_team="A", away_team={"id": "b", "name": "B"}, competition={"name": "Cup Final"}).info
    assert info
    assert (info.home, info.away, info.competition) == (
        Team("a", "A"),
        Team("b", "B"),
        Competition("cup-final", "Cup Final"),
    )


def test_every_field_of_a_match_is_read() -> None:
    update = match(
        start_time="2026-01-01T01:00:00+01:00",
        venue=" Park ",
        status="Postponed",
        sport="Basketball",
        coverage="live",
        replaced_by="n",
    )
    assert (update.status, update.stamp.undated) == (Status.POSTPONED, True)
    assert update.info
    assert (update.info.start_time, update.info.venue, update.info.sport) == (EVENT_AT, "Park", "basketball")
    assert (update.info.coverage, update.info.replaced_by, update.info.home) == ("live", "n", None)


def test_matches_come_before_their_events_whatever_the_order() -> None:
    updates = generic_updates({"events": [EVENT], "matches": [{"id": "m"}]})
    assert [update.info is not None for update in updates] == [True, False]


# Faults.


def test_a_fault_is_named_by_path_and_index() -> None:
    wrong = {"shootout": {"home": 1}, "player": {"id": "a b", "name": ""}}
    result = faults({"events": [EVENT, EVENT | wrong], "matches": [{}]})
    assert [(fault.field, fault.index) for fault in result] == [
        ("events[1].player.name", 1),
        ("events[1].player.id", 1),
        ("events[1].shootout.away", 1),
        ("matches[0].id", 0),
    ]
    assert all(fault.message and "\n" not in fault.message for fault in result)


def test_faults_are_bounded() -> None:
    assert len(faults({"events": [{}] * 1_000})) == FAULTS_MAX


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([*EVENT, "event_id", "sequence", "team", "player", "shootout", "voids", "status", "period"]), JSON
)
def test_whatever_a_field_holds_is_read_or_refused_never_a_bug(name: str, value: Any) -> None:
    try:
        [update] = generic_updates({"events": [EVENT | {name: value}]})
    except Refused as refused:
        assert refused.code in ("invalid", "not_json")  # noqa: PT017 - either outcome is right
    else:
        assert ID_PATTERN.fullmatch(update.match_id)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with pytest.raises(Refused):
        parse(body, received_at=EVENT_AT)
