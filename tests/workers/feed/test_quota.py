"""The quota of a provider: never more requests in any sixty seconds."""

from __future__ import annotations

import random

import pytest

from workers.feed.quota import WINDOW_S, Quota


@pytest.mark.parametrize("restart", [False, True])
def test_no_window_has_more_than_allowed(restart: bool) -> None:
    rng, now, times = random.Random(5), 1_000.0, []
    quota = Quota(10)
    for n in range(500):
        now += rng.choice([0.0, 0.1, 3.0])
        now += quota.wait_s(now)
        quota.take(now)
        times.append(now)
        if restart and n % 7 == 0:
            quota = Quota(10, quota.times)
    for first, eleventh in zip(times, times[10:], strict=False):
        assert eleventh - first >= WINDOW_S - 1e-6


def test_a_clock_that_was_set_back_forgets_nothing() -> None:
    quota = Quota(1, [1_000.0])
    assert quota.wait_s(900.0) == WINDOW_S
    assert quota.wait_s(1_060.0) == 0.0


def test_what_is_left() -> None:
    quota = Quota(3, [10.0, 50.0])
    assert quota.left(60.0) == 1
    assert quota.left(75.0) == 2
