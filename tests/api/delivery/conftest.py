"""A clock in the test's hands, and a hub that runs by it."""

from __future__ import annotations

import pytest

from tests.support.hub import V1, Clock, CountingHub, score


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def hub(clock: Clock) -> CountingHub:
    """In which the match `m` is known at V1."""
    made = CountingHub(10, clock.later)
    made.watch("m")
    made.know(score(V1))
    return made
