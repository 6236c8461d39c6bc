"""The nouns: stamps order, cursors are read and written, events know their place and whether they count."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.domain import ID_PATTERN, Cursor, Event, Match, Score, Side, Stamp, Status

STAMPS = st.builds(
    Stamp,
    st.integers(0, 5),
    st.none() | st.integers(0, 3).map(float),
    st.sampled_from(["", "a", "b"]),
    st.integers(0, 3),
)


def event(id_: str = "e", **fields: object) -> Event:
    at = Stamp(1_000)
    return Event(id_, "goal", at, since=at, **fields)  # type: ignore[arg-type]


@given(st.integers(0, 10**15 - 1), st.integers(0, 10**9 - 1))
def test_a_cursor_is_read_back_as_it_was_written(version: int, slot: int) -> None:
    assert Cursor.parse(str(Cursor(version, slot))) == Cursor(version, slot)


@pytest.mark.parametrize(
    "text",
    ["", "1", ".", "1.", ".1", "-1.0", "1.-1", "1.0.0", "1,0", " 1.0", "1.0\n", "１.0", "1e3.0", "9" * 16 + ".0"],
)
def test_what_is_no_cursor_is_none(text: str) -> None:
    assert Cursor.parse(text) is None


@given(STAMPS, STAMPS)
def test_of_two_stamps_at_most_one_is_newer(first: Stamp, second: Stamp) -> None:
    assert not (first.newer(second) and second.newer(first))
    assert first.newer(None)


def test_a_sequence_decides_only_within_its_source() -> None:
    early, late = Stamp(10, 2.0, "a"), Stamp(5, 3.0, "a")
    assert late.newer(early)
    assert early.newer(Stamp(5, 3.0, "b"))


def test_within_one_moment_the_match_clock_decides() -> None:
    assert Stamp(10, clock=4502).newer(Stamp(10, clock=4501))


def test_a_score_never_falls_below_nothing() -> None:
    assert Score(0, 1).plus(Side.HOME, -1) == Score(0, 1)
    assert Score(0, 1).plus(Side.AWAY, 1) == Score(0, 2)
    assert [Score(3, 4).of(side) for side in Side] == [3, 4]


def test_an_event_is_void_until_it_is_told_anew() -> None:
    voided = event(team=Side.HOME, void_at=Stamp(2_000))
    assert (voided.voided, voided.counts) == (True, False)
    told_anew = Event("e", "goal", Stamp(3_000), since=Stamp(3_000), void_at=Stamp(2_000), team=Side.HOME)
    assert (told_anew.voided, told_anew.counts) == (False, True)


def test_a_goal_of_nobody_counts_for_nobody() -> None:
    assert not event(team=None).counts


def test_the_timeline_runs_by_the_match_clock() -> None:
    events = {
        "late": event("late", minute=90, added_minute=6, period=2),
        "first": event("first", minute=45, added_minute=2, period=1),
        "second": event("second", minute=46, period=2),
        "unknown": event("unknown"),
        "extra": event("extra", minute=91, period=3),
        "stoppage": event("stoppage", minute=90, added_minute=1),
    }
    order = [entry.id for entry in Match("m", events=events).timeline]
    assert order == ["unknown", "first", "second", "stoppage", "late", "extra"]


def test_a_tombstone_is_not_shown() -> None:
    ghost = Event("g", "", Stamp(0), since=Stamp(0), void_at=Stamp(9))
    assert Match("m", events={"g": ghost}).timeline == []


def test_a_new_match_claims_no_score() -> None:
    fresh = Match("m")
    assert (fresh.score, fresh.shootout, fresh.status, fresh.phase) == (None, None, Status.SCHEDULED, "scheduled")


@pytest.mark.parametrize("text", [".", "..", "", "a/b", "a b", "é", "a\n", "x" * 65])
def test_what_is_no_id(text: str) -> None:
    assert ID_PATTERN.fullmatch(text) is None


@pytest.mark.parametrize("text", ["...", ".a", "a.", "..a", "sr:match:1", "x" * 64])
def test_what_is_an_id(text: str) -> None:
    assert ID_PATTERN.fullmatch(text)
