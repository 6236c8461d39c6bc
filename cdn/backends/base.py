"""The interface of a purge backend: it takes a chunk of keys and returns an outcome.

What the CDN does is in the outcome and never raised.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar

T = TypeVar("T")

# Seconds to connect, and for the whole call: a purge is useful only while a live score's lifetime (2 s) runs.
CONNECT_S, TOTAL_S = 0.5, 1.5


class PurgeResult(StrEnum):
    DONE = "done"
    LATER = "later"  # unreachable, over its limit, or its answer was not understood: the same call may succeed
    REFUSED = "refused"  # wrong credentials, zone or request: an operator must look


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one purge call.

    result: done, later or refused.
    reason: for the log; never contains a secret.
    retry_after_s: the pause that the CDN asked for, if it did.
    """

    result: PurgeResult
    reason: str = ""
    retry_after_s: float | None = None


DONE = Outcome(PurgeResult.DONE)


def later(reason: str, retry_after_s: float | None = None) -> Outcome:
    return Outcome(PurgeResult.LATER, reason, retry_after_s)


def no_answer() -> Outcome:
    """One reason for a read's time limit and for that of the whole call, which end at nearly the same moment.

    Otherwise the log would report a CDN that hangs as two failures.
    """
    return later(f"no answer in {TOTAL_S} s")


def refused(reason: str) -> Outcome:
    return Outcome(PurgeResult.REFUSED, reason)


@dataclass(slots=True)
class Budget:
    """A token bucket of calls.

    Vendors count per account. Of three workers or more only one purges, so a process may count for its dyno.

    per_s: calls that become free each second.
    burst: calls that may be made at once.
    left: calls free at `at_s`; negative before the first call.
    at_s: when `left` was counted.
    """

    per_s: float
    burst: float
    left: float = -1.0
    at_s: float = 0.0

    def take(self, now_s: float) -> float:
        """Take one call. Returns 0, or the seconds until one is free; then nothing was taken."""
        self.left = self.burst if self.left < 0 else min(self.burst, self.left + (now_s - self.at_s) * self.per_s)
        self.at_s = now_s
        if self.left < 1:
            return (1 - self.left) / self.per_s
        self.left -= 1
        return 0.0


class Backend(Protocol):
    """One CDN.

    name: the value of the setting CDN.
    max_keys: keys in one call at most.
    soft: it can mark keys stale instead of dropping them.
    floor_s: answers that live no longer than this are left to expire; its purge is no faster.
    rebound_above_s: answers that live longer than this are purged a second time two seconds later; infinite for never.
    budget: the calls that the vendor allows.
    """

    name: str
    max_keys: int
    soft: bool
    floor_s: int
    rebound_above_s: float
    budget: Budget

    def purge(self, keys: Sequence[str], *, soft: bool) -> Outcome: ...


def within(seconds: float, call: Callable[[], T], on_timeout: Callable[[], T]) -> T:
    """The call's value, or `on_timeout()` once the time is up.

    requests bounds each read, not their sum: a server that sends a byte now and then would hold a purge for ever. The
    thread left behind must end by itself.
    """
    results: queue.SimpleQueue[Callable[[], T]] = queue.SimpleQueue()
    threading.Thread(target=lambda: results.put(_captured(call)), daemon=True, name="purge-call").start()
    try:
        result = results.get(timeout=seconds)
    except queue.Empty:
        return on_timeout()
    return result()


def _captured(call: Callable[[], T]) -> Callable[[], T]:
    """What the call returned or raised, for another thread to return or raise."""
    try:
        value = call()
    except Exception as error:
        bug = error

        def throw() -> T:
            raise bug

        return throw
    return lambda: value
