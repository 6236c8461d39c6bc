"""The circuit breaker: a host that does not answer is left alone for a while, then tried with one request."""

from __future__ import annotations

# A lost connection fails all its streams at once, and the next one works within a second. Only failures that go on for
# this long without a success mean that the host is away.
PATIENCE_S = 3.0
# First pause, doubled up to the last: a goal expires in five minutes, so a host that is back is noticed within one.
PAUSE_S, PAUSE_MAX_S = 5.0, 60.0


class Breaker:
    """Closed: all may pass. Open: none. After that, until one succeeds: one at a time.

    Times are seconds of any one clock, passed in.
    """

    def __init__(self) -> None:
        self.failing_since: float | None = None
        self.open_until = 0.0
        self.pause_s = PAUSE_S
        self.closed = True

    def succeeded(self, now: float) -> None:
        """Ignored while it is open: the answer was on its way before."""
        if self.is_open(now):
            return
        self.failing_since = None
        self.pause_s = PAUSE_S
        self.closed = True

    def failed(self, now: float) -> bool:
        """Count a failure; True when it opens the breaker."""
        if self.failing_since is None:
            self.failing_since = now
        if self.is_open(now) or now - self.failing_since < PATIENCE_S:
            return False
        self.open(now, self.pause_s)
        return True

    def open(self, now: float, pause_s: float) -> None:
        self.closed = False
        self.open_until = now + pause_s
        self.pause_s = min(self.pause_s * 2, PAUSE_MAX_S)

    def is_open(self, now: float) -> bool:
        return now < self.open_until

    def wait_s(self, now: float) -> float:
        return max(0.0, self.open_until - now)
