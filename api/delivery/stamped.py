"""Values that are kept as long as what they were made from is the same."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

T = TypeVar("T")

# Documents of 10 KB, as tables are, and the same compressed.
KEPT_MAX = 500
# s. After this long one is made anew all the same: it may depend on names of teams, which have no version.
FRESH_S = 60.0


class StampedCache:
    """By name. stamp: what the value was made from; another stamp, another value."""

    def __init__(self, limit: int = KEPT_MAX, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = limit
        self.clock = clock
        self.kept: OrderedDict[Hashable, tuple[object, float, Any]] = OrderedDict()

    def get(self, name: Hashable, stamp: object, work_out: Callable[[], T]) -> T:
        kept, now = self.kept.get(name), self.clock()
        if kept is not None and kept[0] == stamp and now < kept[1]:
            return cast(T, kept[2])
        value = work_out()
        self.kept[name] = (stamp, now + FRESH_S, value)
        self.kept.move_to_end(name)
        if len(self.kept) > self.limit:
            self.kept.popitem(last=False)
        return value
