"""Small bounded memories of one process: a full one forgets its oldest entry."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class BoundedDict(Generic[K, V]):
    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.entries: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K, default: V) -> V:
        return self.entries.get(key, default)

    def put(self, key: K, value: V) -> None:
        self.entries[key] = value
        self.entries.move_to_end(key)
        if len(self.entries) > self.limit:
            self.entries.popitem(last=False)


class BoundedSet(Generic[K]):
    def __init__(self, limit: int) -> None:
        self.entries: BoundedDict[K, None] = BoundedDict(limit)

    def __contains__(self, key: K) -> bool:
        return key in self.entries.entries

    def add(self, key: K) -> None:
        self.entries.put(key, None)
