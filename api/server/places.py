"""How many connections a process keeps: decided once for each, when it is accepted."""

from __future__ import annotations

import resource
from contextlib import suppress

# Files besides clients: Redis, SQL, logs, what gunicorn keeps.
SPARE_FILES = 200
# Connections that are served although all places are taken, each for one answer, are a twentieth of them; more wait to
# be accepted. Of 20,000 that is 1,000.
OVERFLOW_SHARE, OVERFLOW_MIN = 20, 20


def places(wanted: int) -> int:
    """How many connections this process may keep at once: `wanted`, or what the system has files for.

    Raises the limit of open files as far as it may. Without files, `accept` would fail in a loop.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + overflow(wanted) + SPARE_FILES
    if soft < needed:
        for limit in ((needed, max(needed, hard)), (hard, hard)):
            with suppress(ValueError, OSError):
                resource.setrlimit(resource.RLIMIT_NOFILE, limit)
                break
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0] - SPARE_FILES
    return min(wanted, files - overflow(files))


def overflow(places: int) -> int:
    return max(places // OVERFLOW_SHARE, OVERFLOW_MIN)


class Places:
    """total: connections that may stay.
    taken: those that are there.
    extra: those beside them, who have one answer and go.
    """

    def __init__(self, total: int) -> None:
        self.total = total
        self.taken = 0
        self.extra = 0

    @property
    def free(self) -> bool:
        """Whoever comes now has a place."""
        return self.taken < self.total

    @property
    def exhausted(self) -> bool:
        """Nobody more is accepted for now."""
        return not self.free and self.extra >= overflow(self.total)

    def take(self, place: bool) -> None:
        self._count(place, 1)

    def give_back(self, place: bool) -> None:
        self._count(place, -1)

    def _count(self, place: bool, by: int) -> None:
        if place:
            self.taken += by
        else:
            self.extra += by
