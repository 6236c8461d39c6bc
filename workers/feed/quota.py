"""How many requests a provider allows in a minute: never more in any sixty seconds, restarts included."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

WINDOW_S = 60.0


class Quota:
    """times: of earlier requests, seconds since the epoch, as `times` gave them before a restart."""

    def __init__(self, per_minute: int, times: Iterable[float] = ()) -> None:
        self.per_minute = per_minute
        self._times = deque(times, maxlen=per_minute)

    @property
    def times(self) -> list[float]:
        return list(self._times)

    def wait_s(self, now_s: float) -> float:
        """Seconds until the next request is allowed; 0 if it is now. A clock that was set back forgets nothing."""
        if len(self._times) < self.per_minute:
            return 0.0
        return max(0.0, self._times[0] + WINDOW_S - now_s) if self._times[0] <= now_s else WINDOW_S

    def left(self, now_s: float) -> int:
        return self.per_minute - sum(now_s - at < WINDOW_S for at in self._times)

    def take(self, now_s: float) -> None:
        self._times.append(now_s)
