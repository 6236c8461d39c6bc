"""A value that is worked out at most once in a while, by one request for all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class BriefValue(Generic[T]):
    """Kept for `seconds`. Requests that come while it is worked out wait for that one result."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.lock = threading.Lock()
        self.kept: tuple[float, T] | None = None

    def get(self, work_out: Callable[[], T]) -> T:
        with self.lock:
            if self.kept is None or time.monotonic() - self.kept[0] >= self.seconds:
                self.kept = (time.monotonic(), work_out())
            return self.kept[1]
