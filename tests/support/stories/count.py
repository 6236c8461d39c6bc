"""How much of what is made up, shuffled, killed or long is run: little by `make test`, all by `make faults`."""

import os
from collections.abc import Callable, Sequence
from typing import TypeVar

import pytest

T = TypeVar("T")
Test = TypeVar("Test", bound=Callable[..., None])

# `make faults` sets 5,000.
STORIES = int(os.environ.get("STORIES", "150"))
IN_FULL = STORIES > 1_000

_skipped = pytest.mark.skipif(not IN_FULL, reason="what it shows is shown on a smaller scale; make faults runs it")


def in_full(test: Test) -> Test:
    """Runs in `make faults` alone."""
    marked: Test = pytest.mark.faults(_skipped(test))
    return marked


def some(cases: Sequence[T], count: int) -> Sequence[T]:
    """The first `count`; all where thousands of stories are told."""
    return cases if IN_FULL else cases[:count]


def scaled(count: int, in_full: int) -> int:
    return in_full if IN_FULL else count
