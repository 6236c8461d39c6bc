"""What followers can hear of: the kinds of notice, the notices themselves, and the alert that tells them together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from operator import or_

from db.domain.match import Event, Match


class Kind(StrEnum):
    """What a follower picks. A kind's place here is its bit in a stored mask: add at the end, never reorder."""

    KICKOFF = "kickoff"
    GOAL = "goal"
    GOAL_CANCELLED = "goal_cancelled"
    PENALTY_MISSED = "penalty_missed"
    RED_CARD = "red_card"
    HALF_TIME = "half_time"
    FULL_TIME = "full_time"
    EXTRA_TIME = "extra_time"
    SHOOTOUT = "shootout"
    SHOOTOUT_KICK = "shootout_kick"
    CALLED_OFF = "called_off"  # postponed, cancelled, abandoned
    LINEUPS = "lineups"
    REMINDER = "reminder"

    @property
    def bit(self) -> int:
        return _BITS[self]


_BITS = {kind: 1 << place for place, kind in enumerate(Kind)}

# What most apps switch on for a new follow; the rest is asked for.
DEFAULT_KINDS = frozenset(Kind) - {Kind.SHOOTOUT_KICK, Kind.PENALTY_MISSED, Kind.LINEUPS, Kind.REMINDER}


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
        return tuple(notice for notice in self.notices if notice.kind.bit & mask)


def mask_of(kinds: Iterable[Kind]) -> int:
    """Kinds as the one number that is stored, compared and grouped by."""
    return reduce(or_, (kind.bit for kind in kinds), 0)


def kinds_of(mask: int) -> list[Kind]:
    return [kind for kind in Kind if kind.bit & mask]
