"""Metadata, timelines and the decoded board: worked out once a version for all who ask."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, cast

from api.delivery.answer import RenderedAnswer


class HasVersion(Protocol):
    @property
    def version(self) -> int: ...


V = TypeVar("V", bound=HasVersion)

# Bodies kept by one process: a board page asks for two of each live match. 1,000 bodies of 10 KB are 10 MB.
KEPT_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Detail:
    """An answer about a match.

    version: of the match.
    answer: with the lifetime of its phase and the keys it is purged by.
    replaced_by: the match under which this one continues.
    """

    version: int
    answer: RenderedAnswer
    replaced_by: str | None = None


class Details:
    """Values by name and version. Two requests for the same one at once work it out once."""

    def __init__(self, limit: int = KEPT_MAX) -> None:
        self.limit = limit
        self.kept: OrderedDict[Hashable, Any] = OrderedDict()
        self.locks: dict[Hashable, threading.Lock] = {}

    def get(self, name: Hashable, version: int | None, work_out: Callable[[], V]) -> V:
        """The value of this version, or of a newer one.

        version: None where it is not known, as while Redis is away. Then it is worked out, once for all who wait.
        """
        before = self.kept.get(name)
        if _serves(before, version):
            return cast(V, before)
        lock = self.locks.setdefault(name, threading.Lock())
        try:
            with lock:
                kept = self.kept.get(name)
                if not _serves(kept, version) and (version is not None or kept is before):
                    kept = self._keep(name, work_out())
                return cast(V, kept)
        finally:
            self.locks.pop(name, None)

    def _keep(self, name: Hashable, value: V) -> V:
        self.kept[name] = value
        self.kept.move_to_end(name)
        if len(self.kept) > self.limit:
            self.kept.popitem(last=False)
        return value


def _serves(kept: HasVersion | None, version: int | None) -> bool:
    return kept is not None and version is not None and kept.version >= version
