"""Slow start: how many readers a web process that has just begun may hold."""

from __future__ import annotations

import time
from collections.abc import Callable

# Held at once in any case: they take 50 ms of the loop to arrive (bench/again.py, 50 µs each).
AT_ONCE = 1_000


class Ramp:
    """A limit that grows evenly to the whole within `lasting_s` of `begin`.

    A balancer sends newcomers to the process that has the fewest, and whoever a process that ends sends away comes to
    the one that replaces it: all in the same second, in which nobody would be released. lasting_s: 0 for no ramp.
    clock_s: never goes back.
    """

    def __init__(self, lasting_s: float, clock_s: Callable[[], float] = time.monotonic) -> None:
        self.lasting_s, self.clock_s = lasting_s, clock_s
        self.begun_at: float | None = None

    def begin(self) -> None:
        """The process hears of changes, so that it is ready for readers. Only the first time counts."""
        if self.begun_at is None:
            self.begun_at = self.clock_s()

    @property
    def left_s(self) -> float:
        """Until it is over; all of it before it has begun."""
        gone_s = 0.0 if self.begun_at is None else self.clock_s() - self.begun_at
        return max(0.0, self.lasting_s - gone_s)

    def limit(self, most: int) -> int:
        """Of the `most` that may be held once it is over, those that may be held now."""
        left_s = self.left_s
        if not left_s:
            return most
        return min(most, max(AT_ONCE, round(most * (1 - left_s / self.lasting_s))))
