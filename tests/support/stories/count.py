"""How much of what is made up, shuffled or long is told: little by `make test`, more by `make faults`."""

import os
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

# `make faults` sets 5,000.
STORIES = int(os.environ.get("STORIES", "300"))


def some(cases: Sequence[T], count: int) -> Sequence[T]:
    """The first `count`; all where thousands of stories are told."""
    return cases if STORIES > 1_000 else cases[:count]
