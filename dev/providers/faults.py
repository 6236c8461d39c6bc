"""What a provider does wrong, as recorded ones do, and what it counts of its clients."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field


@dataclass
class ProviderFaults:
    """cut_every_s: seconds after which a stream is cut, in the middle of a message; 0 for never.

    is_stalled: connections stay open and say nothing, heartbeats neither.
    is_down: every request is refused with 503.
    repeat: how often each stream message is sent.
    """

    cut_every_s: float = 0.0
    is_stalled: bool = False
    is_down: bool = False
    repeat: int = 1


@dataclass
class Limit:
    """A quota: so many requests in any window; those beyond are answered 429 and counted."""

    requests: int
    window_s: float
    exceeded: int = 0
    total: int = 0
    _times: deque[float] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self) -> bool:
        with self._lock:
            now = time.monotonic()
            while self._times and now - self._times[0] >= self.window_s:
                self._times.popleft()
            self.total += 1
            if len(self._times) >= self.requests:
                self.exceeded += 1
                return False
            self._times.append(now)
            return True

    @property
    def left(self) -> int:
        return max(0, self.requests - len(self._times))
