"""What a CDN must be able to do for us: take a chunk of keys and say what became of it. Never raises for what the CDN
does; it says so in its outcome."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar

T = TypeVar("T")

# A purge is worth its wait only while the lifetime of a live score runs: connect and total, in seconds.
CONNECT_S, TOTAL_S = 0.5, 1.5


class Result(StrEnum):
    DONE = "done"
    LATER = "later"  # out of reach, over its limit, or its answer was not understood: the same call may succeed
    REFUSED = "refused"  # wrong credentials, zone or request: a person must look


@dataclass(frozen=True, slots=True)
class Outcome:
    """reason: our words, safe to log. retry_after_s: what the CDN asked for, if it did."""

    result: Result
    reason: str = ""
    retry_after_s: float | None = None


DONE = Outcome(Result.DONE)


def later(reason: str, retry_after_s: float | None = None) -> Outcome:
    return Outcome(Result.LATER, reason, retry_after_s)


def no_answer() -> Outcome:
    """A read's time limit and that of the whole call end at nearly the same moment: one reason for both, or the log
    would tell a CDN that hangs as two failures."""
    return later(f"no answer in {TOTAL_S} s")


def refused(reason: str) -> Outcome:
    return Outcome(Result.REFUSED, reason)


@dataclass(slots=True)
class Budget:
    """A token bucket of calls. The vendors count per account; of three workers or more one alone purges, so a process
    may count for its dyno."""

    per_s: float
    burst: float
    left: float = -1.0
    at_s: float = 0.0

    def take(self, now_s: float) -> float:
        """Take one call. Returns 0, or the seconds until one is free, in which case nothing was taken."""
        self.left = self.burst if self.left < 0 else min(self.burst, self.left + (now_s - self.at_s) * self.per_s)
        self.at_s = now_s
        if self.left < 1:
            return (1 - self.left) / self.per_s
        self.left -= 1
        return 0.0


class Backend(Protocol):
    """most: keys a call may hold. soft: it can mark keys stale instead of dropping them. floor_s: answers that live no
    longer than this are left to expire, for its purge is no faster. rebound: a second purge two seconds later is worth
    its price for live scores too, not only for what lasts."""

    name: str
    most: int
    soft: bool
    floor_s: int
    rebound: bool
    budget: Budget

    def purge(self, keys: Sequence[str], *, soft: bool) -> Outcome: ...


def within(seconds: float, call: Callable[[], T], late: Callable[[], T]) -> T:
    """The call's value, or `late()` once the time is up. requests bounds each read, not their sum: a server that sends
    a byte now and then would hold a purge for ever. The thread left behind has to end by itself."""
    box: queue.SimpleQueue[Callable[[], T]] = queue.SimpleQueue()
    threading.Thread(target=lambda: box.put(_kept(call)), daemon=True, name="purge-call").start()
    try:
        kept = box.get(timeout=seconds)
    except queue.Empty:
        return late()
    return kept()


def _kept(call: Callable[[], T]) -> Callable[[], T]:
    """What the call returned or raised, for another thread to return or raise."""
    try:
        value = call()
    except Exception as error:
        bug = error

        def throw() -> T:
            raise bug

        return throw
    return lambda: value
