"""How much of what is made up, shuffled or long is told: little by `make test`, more by `make faults`."""

import os
from collections.abc import Sequence
from typing import TypeVar

import pytest

T = TypeVar("T")

# `make faults` sets 5,000.
STORIES = int(os.environ.get("STORIES", "300"))
IN_FULL = STORIES > 1_000

in_full = pytest.mark.skipif(not IN_FULL, reason="what it shows is shown on a smaller scale; make faults runs it")


def some(cases: Sequence[T], count: int) -> Sequence[T]:
    """The first `count`; all where thousands of stories are told."""
    return cases if IN_FULL else cases[:count]


def scaled(count: int, in_full: int) -> int:
    return in_full if IN_FULL else count
