"""The generic format, right in part: what is wrong refuses its match, and the rest is read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from db.domain.errors import Fault, Refused
from feeds.fields import AHEAD_MS
from feeds.generic.parse import FAULTS_MAX, parse, read
from feeds.result import ParseResult

AT = 1_767_225_600_000


def event(match_id: Any, **fields: Any) -> dict[str, Any]:
    entry = {"home_score": 1, "away_score": 0, "minute": 10, "event_type": "goal", "timestamp": "2026-01-01T00:00:00Z"}
    return {"match_id": match_id, **entry, **fields}


def parsed(*events: Any, matches: list[Any] | None = None) -> ParseResult:
    return read(json.dumps({"events": list(events), "matches": matches or []}).encode(), received_at=AT)


def matches_of(result: ParseResult) -> list[str]:
    return [update.match_id for update in result.updates]


def places(result: ParseResult) -> list[tuple[str, int]]:
    return [(entry.list, entry.index) for entry in result.refused]


def test_what_is_right_is_read_and_nothing_refused() -> None:
    assert parsed(event("a"), event("b"), matches=[{"id": "c"}]).refused == ()


def test_a_fault_refuses_its_match_and_no_other() -> None:
    result = parsed(event("a"), event("b", minute=-1), event("b"), event("c"), matches=[{"id": "b"}, {"id": "c"}])
    assert matches_of(result) == ["c", "a", "c"]
    assert places(result) == [("events", 1), ("events", 2), ("matches", 0)]


def test_a_fault_of_a_match_refuses_its_events() -> None:
    result = parsed(event("a"), event("b"), matches=[{"id": "a", "home_team": 7}])
    assert matches_of(result) == ["b"]
    assert places(result) == [("events", 0), ("matches", 0)]


def test_one_match_is_one_match_however_its_id_is_written() -> None:
    result = parsed(event(7, minute=-1), event("7"), event(7.0), event("8"))
    assert matches_of(result) == ["8"]


def test_an_entry_whose_match_nobody_can_tell_refuses_itself_alone() -> None:
    result = parsed(event("a"), event("a b"), "goal", event(None), event("a b"), matches=[{}, {"id": "a"}])
    assert matches_of(result) == ["a", "a"]
    assert places(result) == [("events", 1), ("events", 2), ("events", 3), ("events", 4), ("matches", 0)]


def test_each_fault_is_named_where_it_is() -> None:
    result = parsed(event("a"), event("b", player={"id": "x y", "name": "A"}, minute=-1), matches=[{"id": "b"}])
    [wrong, companion] = result.refused
    assert [(fault.field, fault.index) for fault in wrong.faults] == [("minute", None), ("player.id", None)]
    assert companion.faults == ()


def test_a_time_too_far_ahead_refuses_its_match() -> None:
    late = "2026-01-02T00:00:00.001Z"
    assert AHEAD_MS == 24 * 60 * 60 * 1000
    result = parsed(event("a", timestamp=late), event("a"), event("b", timestamp="2026-01-02T00:00:00Z"))
    assert matches_of(result) == ["b"]
    assert result.refused[0].faults == (Fault("timestamp", "lies more than a day ahead of our clock"),)


def test_the_rest_is_a_body_of_what_was_refused_alone() -> None:
    wrong, companion = event("b", minute=-1, detail="Zoë \ud800"), event("b")
    result = parsed(event("a"), wrong, companion, matches=[{"id": "c"}, {"id": "b"}])
    assert json.loads(result.rest) == {"events": [wrong, companion], "matches": [{"id": "b"}]}
    assert "Zoë".encode() in result.rest
    assert result.refusal
    assert [(fault.field, fault.index) for fault in result.refusal.faults] == [
        ("events[0].minute", 0),
        ("events[0].detail", 0),
    ]


def test_what_is_refused_alone_is_refused_with_the_same_words() -> None:
    result = parsed(event("a"), event("b", minute=-1), "x", event("b"), matches=[{"id": ""}])
    assert result.refusal
    with pytest.raises(Refused) as again:
        read(result.rest, received_at=AT)
    assert (again.value.message, again.value.faults) == (result.refusal.message, result.refusal.faults)


def test_an_endless_number_in_the_rest_leaves_it_json() -> None:
    body = json.dumps({"events": [event("a"), event("b", x="X"), event("b", minute=-1)]}).replace('"X"', "1e999")
    result = read(body.encode(), received_at=AT)
    assert matches_of(result) == ["a"]
    with pytest.raises(Refused) as again:
        read(result.rest, received_at=AT)
    assert again.value.code == "invalid"


def test_deep_values_that_nobody_reads_do_not_make_the_rest_a_bug() -> None:
    for levels in range(300, 1_200, 7):
        deep = "[" * levels + "]" * levels
        body = json.dumps({"events": [event("a"), event("b", x="X"), event("b", minute=-1)]}).replace('"X"', deep)
        try:
            result = read(body.encode(), received_at=AT)
        except Refused as refused:
            assert refused.code == "not_json"  # noqa: PT017 - either outcome is right
        else:
            assert matches_of(result) == ["a"]


def test_the_first_faults_are_named_and_the_rest_counted() -> None:
    result = parsed(event("a"), *[event(f"b{n}", minute=-1) for n in range(FAULTS_MAX + 50)])
    assert len(result.refused) == FAULTS_MAX + 50
    assert result.refusal
    assert len(result.refusal.faults) == FAULTS_MAX
    assert "150" in result.refusal.message


def test_where_nothing_is_right_the_body_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        parsed(event("a", minute=-1), event("a"), matches=[{}])
    assert refused.value.code == "invalid"
    assert [(result.field, result.index) for result in refused.value.faults] == [
        ("events[0].minute", 0),
        ("matches[0].id", 0),
    ]


def test_who_needs_all_of_a_body_gets_all_or_a_refusal() -> None:
    body = json.dumps({"events": [event("a"), event("b", minute=-1)]}).encode()
    with pytest.raises(Refused) as refused:
        parse(body, received_at=AT)
    assert [(result.field, result.index) for result in refused.value.faults] == [("events[1].minute", 1)]
