"""The vocabulary: every status has a phase, and senders' words find theirs."""

from __future__ import annotations

import pytest

from db.domain import EVENT_TYPES, Phase, Side, Status, phase_of, status_of
from db.domain.vocabulary import IMPLIES, IN_PLAY, KICKS, SCORING


def test_every_status_has_a_phase() -> None:
    assert {phase_of(status) for status in Status} == set(Phase)


@pytest.mark.parametrize("status", Status)
def test_a_canonical_word_is_its_own_status(status: Status) -> None:
    assert status_of(status.value) is status
    assert status_of(f" {status.value.upper().replace('_', ' ')} ") is status


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("1st_half", Status.FIRST_HALF),
        ("Halftime", Status.HALF_TIME),
        ("2nd-half", Status.SECOND_HALF),
        ("awaiting_penalties", Status.BREAK_BEFORE_PENS),
        ("AET", Status.FINISHED),
        ("canceled", Status.CANCELLED),
        ("Timed", Status.SCHEDULED),
        ("in progress", Status.LIVE),
        ("full_time", Status.FINISHED),
    ],
)
def test_senders_words_are_understood(word: str, status: Status) -> None:
    assert status_of(word) is status


@pytest.mark.parametrize("word", ["", "hydration_break", "☃", "x" * 10_000])
def test_a_word_never_heard_of_is_no_status(word: str) -> None:
    assert status_of(word) is None


def test_kicks_raise_no_score_and_every_group_is_of_the_contract() -> None:
    assert not KICKS & SCORING
    assert KICKS | SCORING | IN_PLAY | set(IMPLIES) <= EVENT_TYPES
    assert len(EVENT_TYPES) == 27


def test_each_side_has_another() -> None:
    assert [side.other for side in Side] == [Side.AWAY, Side.HOME]
