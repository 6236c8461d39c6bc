"""When a sender says that something was so, and the one order of all that a source says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple
from zlib import crc32


@dataclass(frozen=True, slots=True)
class Stamp:
    """When a provider said something.

    at: ms since the epoch, the sender's own time; 0 where the message bears none.
    sequence: the sender's counter, if it keeps one.
    source: whose stamp it is; stamps compare within one source only.
    clock: minute * 100 + added minute, which orders what one moment saw.
    """

    at: int
    sequence: int | float | None = None
    source: str = ""
    clock: int = 0

    @property
    def undated(self) -> bool:
        return self.at == 0 and self.sequence is None

    def newer(self, other: Stamp | None) -> bool:
        if other is None:
            return True
        if self.sequence is not None and other.sequence is not None and self.source == other.source:
            return (self.sequence, self.at, self.clock) > (other.sequence, other.at, other.clock)
        return (self.at, self.clock) > (other.at, other.clock)


class Mark(NamedTuple):
    """A stamp as the ledger keeps it: without its source, which the ledger has once.

    at, sequence, clock: as in Stamp.
    minute: of the match, added minutes included; -1 where it is not told.
    origin: crc32 of the id of the event that bears it; 0 for a message that tells of no event.
    """

    at: int
    sequence: int | float | None = None
    clock: int = 0
    minute: int = -1
    origin: int = 0

    @property
    def undated(self) -> bool:
        return self.at == 0 and self.sequence is None


Key = tuple[float, float, int]


def mark_of(stamp: Stamp, minute: int | None = None, added_minute: int | None = None, event_id: str = "") -> Mark:
    played = -1 if minute is None else minute + (added_minute or 0)
    return Mark(stamp.at, stamp.sequence, stamp.clock, played, origin_of(event_id))


def origin_of(event_id: str) -> int:
    return crc32(event_id.encode()) if event_id else 0


def stamp_of(mark: Mark, source: str) -> Stamp:
    return Stamp(mark.at, mark.sequence, source, mark.clock)


def by_time(mark: Mark) -> Key:
    return (mark.at, -1.0 if mark.sequence is None else mark.sequence, mark.clock)


def by_sequence(mark: Mark) -> Key:
    return (-1.0 if mark.sequence is None else mark.sequence, mark.at, mark.clock)
