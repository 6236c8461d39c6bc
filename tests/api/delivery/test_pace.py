"""A client is listened to at its pace."""

from __future__ import annotations

import pytest

from api.delivery.pace import Pace

AT_ONCE, PER_S = 1_000, 100


@pytest.fixture
def pace() -> Pace:
    return Pace(AT_ONCE, PER_S)


def test_so_much_is_heard_at_once(pace: Pace) -> None:
    assert [pace.pause_s(100, 50.0) for _ in range(10)] == [0.0] * 10


def test_whoever_says_more_is_heard_no_faster_than_the_pace(pace: Pace) -> None:
    now = 50.0
    for _ in range(110):
        now += pace.pause_s(100, now)
    assert now == pytest.approx(50 + (11_000 - AT_ONCE) / PER_S)


def test_who_was_silent_may_say_as_much_as_at_first_and_no_more(pace: Pace) -> None:
    pace.pause_s(AT_ONCE, 50.0)
    assert pace.pause_s(AT_ONCE, 1_000.0) == 0
    assert pace.pause_s(100, 1_000.0) == pytest.approx(1)
