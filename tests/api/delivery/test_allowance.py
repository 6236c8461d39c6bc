"""How much a client may say."""

from __future__ import annotations

import pytest

from api.delivery.allowance import Allowance

AT_ONCE, PER_S = 1_000, 100


@pytest.fixture
def allowance() -> Allowance:
    return Allowance(AT_ONCE, PER_S)


def test_so_much_is_heard_at_once(allowance: Allowance) -> None:
    assert [allowance.pause_s(100, 50.0) for _ in range(10)] == [0.0] * 10


def test_whoever_says_more_is_heard_no_faster_than_the_pace(allowance: Allowance) -> None:
    now = 50.0
    for _ in range(110):
        now += allowance.pause_s(100, now)
    assert now == pytest.approx(50 + (11_000 - AT_ONCE) / PER_S)


def test_who_was_silent_may_say_as_much_as_at_first_and_no_more(allowance: Allowance) -> None:
    allowance.pause_s(AT_ONCE, 50.0)
    assert allowance.pause_s(AT_ONCE, 1_000.0) == 0
    assert allowance.pause_s(100, 1_000.0) == pytest.approx(1)
