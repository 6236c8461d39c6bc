"""What followers hear: notices, each of one kind, and the alert that tells several together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import or_

from db.domain.match import Event, Match
from db.domain.words import Kind

# A kind's place is its bit in a stored mask: add at the end, never reorder.
_PLACES = (
    Kind.KICKOFF,
    Kind.GOAL,
    Kind.GOAL_CANCELLED,
    Kind.PENALTY_MISSED,
    Kind.RED_CARD,
    Kind.HALF_TIME,
    Kind.FULL_TIME,
    Kind.EXTRA_TIME,
    Kind.SHOOTOUT,
    Kind.INTERRUPTED,
    Kind.POSTPONED,
    Kind.LINEUPS,
    Kind.REMINDER,
)
BITS = {kind: 1 << place for place, kind in enumerate(_PLACES)}

# What most apps switch on for a new follow; the rest is asked for.
DEFAULT_KINDS = frozenset(Kind) - {Kind.PENALTY_MISSED, Kind.INTERRUPTED, Kind.LINEUPS, Kind.REMINDER}


@dataclass(frozen=True, slots=True)
class Notice:
    """One fact worth telling. fact_id names it within its match and kind, the same however often it is heard.

    event: the timeline entry behind it, None for those of the match itself. at: when it happened by the sender's
    clock (ms), our own where the sender's is not known.
    """

    kind: Kind
    fact_id: str
    at: int
    event: Event | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    """Notices of one match that are told in one message. match: as it stands after the last of them, without its
    other events. id: the same for the same notices, whoever works it out."""

    id: str
    match: Match
    notices: tuple[Notice, ...]
    told_at: int

    @property
    def mask(self) -> int:
        return mask_of(notice.kind for notice in self.notices)

    def wanted(self, mask: int) -> tuple[Notice, ...]:
        """The notices a follower of these kinds wants of it."""
        return tuple(notice for notice in self.notices if BITS[notice.kind] & mask)


def mask_of(kinds: Iterable[Kind]) -> int:
    """Kinds as the one number that is stored, compared and grouped by."""
    return reduce(or_, (BITS[kind] for kind in kinds), 0)


def kinds_of(mask: int) -> list[Kind]:
    return [kind for kind, bit in BITS.items() if bit & mask]
