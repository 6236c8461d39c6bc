"""The generic format as senders spell it: numbers as ids, strings as numbers, empty fields."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.domain import Person, Score, Side, Update
from db.domain.errors import Fault, Refused
from feeds.generic.parse import parse, read
from tests.support.feeds import EVENT, EVENT_AT, generic_event, generic_updates


def match(**fields: Any) -> Update:
    [update] = generic_updates({"matches": [{"id": "m"} | fields]})
    return update


def fault(**fields: Any) -> Fault:
    with pytest.raises(Refused) as refused:
        generic_event(**fields)
    [only] = refused.value.faults
    return only


# Ids.


@pytest.mark.parametrize(("written", "id_"), [(7, "7"), (10**18, str(10**18)), (7.0, "7"), (0, "0"), ("sr:1", "sr:1")])
def test_a_number_is_an_id(written: Any, id_: str) -> None:
    update = generic_event(match_id=written, event_id=written, voids=written, player={"id": written, "name": "A"})
    assert (update.match_id, update.voids) == (id_, id_)
    assert update.event
    assert (update.event.id, update.event.player) == (id_, Person("A", id_))


def test_numbers_identify_matches_teams_and_competitions() -> None:
    teams = {"home_team": {"id": 3, "name": "A"}, "away_team": {"id": 4, "name": "B"}}
    update = match(id=1, replaced_by=2, competition={"id": 5, "name": "C"}, **teams)
    info = update.info
    assert info
    assert info.home
    assert info.away
    assert info.competition
    ids = (update.match_id, info.replaced_by, info.home.id, info.away.id, info.competition.id)
    assert ids == ("1", "2", "3", "4", "5")


@pytest.mark.parametrize("id_", [True, 1.5, 10**64, ".", "..", " m", [1], {"id": 1}, 2.0**60])
def test_what_is_no_id_is_refused(id_: Any) -> None:
    assert fault(match_id=id_).field == "events[0].match_id"
    assert fault(voids=id_).field == "events[0].voids"


def test_a_match_is_not_replaced_by_itself() -> None:
    """Its readers would be sent round in a circle."""
    with pytest.raises(Refused) as refused:
        match(id=7, replaced_by="7")
    assert [item.field for item in refused.value.faults] == ["matches[0].replaced_by"]


# Numbers.


@pytest.mark.parametrize(("written", "goals"), [(2, 2), ("2", 2), (" 2 ", 2), (2.0, 2), ("02", 2)])
def test_a_score_may_be_a_string_or_an_integral_float(written: Any, goals: int) -> None:
    update = generic_event(home_score=written, away_score=written, shootout={"home": written, "away": 0})
    assert (update.score, update.shootout) == (Score(goals, goals), Score(goals, 0))


@pytest.mark.parametrize(
    ("written", "minute"),
    [
        ("90+6", (90, 6)),
        ("90 + 6", (90, 6)),
        ("90'+6'", (90, 6)),
        ("45’", (45, None)),
        (90.0, (90, None)),
        ("", (None, None)),
        (" ", (None, None)),
    ],
)
def test_a_minute_is_read_as_feeds_print_it(written: Any, minute: tuple[Any, Any]) -> None:
    update = generic_event(minute=written)
    assert (update.minute, update.added_minute) == minute


def test_added_minute_period_and_sequence_may_be_strings() -> None:
    update = generic_event(added_minute="3", period="2", sequence="7")
    assert (update.added_minute, update.period, update.stamp.sequence) == (3, 2, 7.0)


@pytest.mark.parametrize("value", [True, "x", "nan", "inf", "1e9", -1, "-1", [1], "1_000"])
def test_what_is_no_counter_is_refused(value: Any) -> None:
    assert fault(sequence=value).field == "events[0].sequence"


@pytest.mark.parametrize("value", [True, 1.5, "1.5", "-1", "one", "1_0", "٣", "2-1", [2], 10_000, "10000"])
def test_what_is_no_score_is_refused(value: Any) -> None:
    assert fault(home_score=value).field == "events[0].home_score"


# Times.


@pytest.mark.parametrize(
    "written", ["2026-01-01 00:00:00Z", "2026-01-01T00:00Z", "2026-01-01t00:00:00z", "2026-01-01T00:00:00.000000000Z"]
)
def test_a_time_may_be_written_in_several_ways(written: str) -> None:
    assert generic_event(timestamp=written).stamp.at == EVENT_AT


@pytest.mark.parametrize(
    "written",
    [
        EVENT_AT // 1000,
        EVENT_AT,
        str(EVENT_AT),
        str(EVENT_AT // 1000),
        f"{EVENT_AT // 1000}.5",
        EVENT_AT / 1000,
        True,
        "",
    ],
)
def test_seconds_and_milliseconds_are_told_apart_from_a_time(written: Any) -> None:
    refused = fault(timestamp=written)
    assert refused.field == "events[0].timestamp"
    assert "RFC 3339" in refused.message


# Empty fields.

EMPTY: dict[str, list[Any]] = {
    "player": ["", "  ", {}, {"name": ""}, {"id": "", "name": None}, None],
    "assist": ["", {}],
    "team": ["", " ", None],
    "detail": ["", " "],
    "status": ["", " "],
    "event_id": ["", None],
    "voids": [""],
    "sequence": [""],
    "added_minute": ["", None],
    "period": [""],
    "shootout": ["", {}, {"home": None, "away": None}],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in EMPTY.items() for value in values])
def test_an_empty_field_of_an_event_says_nothing(name: str, value: Any) -> None:
    assert generic_event(**{name: value}) == generic_event()


@pytest.mark.parametrize("value", ["", " ", None, {}])
@pytest.mark.parametrize(
    "name",
    ["home_team", "away_team", "competition", "venue", "start_time", "status", "sport", "coverage", "replaced_by"],
)
def test_an_empty_field_of_a_match_says_nothing(name: str, value: Any) -> None:
    assert match(**{name: value}) == match()


def test_an_empty_score_is_not_known() -> None:
    assert generic_event(home_score="", away_score="").score is None


def test_an_empty_list_beside_the_other_may_be_null() -> None:
    assert len(generic_updates({"events": [EVENT], "matches": None})) == 1
    assert len(generic_updates({"events": None, "matches": [{"id": "m"}]})) == 1


@pytest.mark.parametrize("name", ["match_id", "event_type", "timestamp"])
def test_what_an_event_needs_is_not_empty(name: str) -> None:
    assert fault(**{name: ""}).field == f"events[0].{name}"


# Sides.


@pytest.mark.parametrize(("written", "side"), [("Home", Side.HOME), ("HOME", Side.HOME), (" away ", Side.AWAY)])
def test_a_side_is_read_in_any_case(written: str, side: Side) -> None:
    update = generic_event(team=written)
    assert update.event
    assert update.event.team is side


# The body.


def test_a_byte_order_mark_is_no_part_of_the_body() -> None:
    body = json.dumps({"events": [EVENT]}).encode()
    assert parse(b"\xef\xbb\xbf" + body, received_at=EVENT_AT) == parse(body, received_at=EVENT_AT)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_a_body_that_is_not_utf_8_is_not_json(encoding: str) -> None:
    with pytest.raises(Refused) as refused:
        parse(json.dumps({"events": [EVENT]}).encode(encoding), received_at=EVENT_AT)
    assert refused.value.code == "not_json"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
EVENT_FIELDS = [*EVENT, *EMPTY]
MATCH_FIELDS = ["id", "home_team", "competition", "start_time", "venue", "status", "sport", "coverage", "replaced_by"]


def entries(sound: dict[str, Any], names: list[str]) -> st.SearchStrategy[Any]:
    changed = st.dictionaries(st.sampled_from(names), JSON, max_size=4)
    return changed | changed.map(lambda fields: sound | fields) | JSON


BODIES = st.fixed_dictionaries(
    {},
    optional={
        "events": st.lists(entries(EVENT, EVENT_FIELDS), max_size=4) | JSON,
        "matches": st.lists(entries({"id": "m"}, MATCH_FIELDS), max_size=4) | JSON,
    },
)


@settings(max_examples=200, deadline=None)
@given(BODIES | st.dictionaries(st.sampled_from(["events", "matches", "x"]), JSON))
def test_any_object_is_read_or_refused_and_what_is_refused_of_it_is_refused_alone(body: dict[str, Any]) -> None:
    raw = json.dumps(body).encode()
    try:
        parsed = read(raw, received_at=EVENT_AT)
    except Refused as refused:
        assert refused.code in ("invalid", "not_json")  # noqa: PT017 - either outcome is right
        return
    counted = sum(len(body.get(name) or []) for name in ("events", "matches"))
    assert len(parsed.updates) + len(parsed.refused) == counted
    assert {update.match_id for update in parsed.updates} <= {item.match_id for item in parsed.updates}
    if parsed.refused:
        with pytest.raises(Refused):
            read(parsed.rest, received_at=EVENT_AT)
