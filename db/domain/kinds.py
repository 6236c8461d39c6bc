"""Kinds as one number: how what a follower wants is stored, compared and grouped by."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import or_

from db.domain.vocabulary import Kind

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
    Kind.SECOND_HALF,
    Kind.PENALTY,
    Kind.VAR_CHECK,
    Kind.SHOOTOUT_KICK,
    Kind.SCORER,
)
# The release before knows none of these. What it reads of a match must do without them (notify.content.window).
NEW_KINDS = frozenset({Kind.SECOND_HALF, Kind.PENALTY, Kind.VAR_CHECK, Kind.SHOOTOUT_KICK, Kind.SCORER})
BITS = {kind: 1 << place for place, kind in enumerate(_PLACES)}

# What most apps switch on for a new follow; the rest is asked for.
DEFAULT_KINDS = frozenset(Kind) - NEW_KINDS - {Kind.PENALTY_MISSED, Kind.INTERRUPTED, Kind.LINEUPS, Kind.REMINDER}


def mask_of(kinds: Iterable[Kind]) -> int:
    return reduce(or_, (BITS[kind] for kind in kinds), 0)


def kinds_of(mask: int) -> list[Kind]:
    return [kind for kind, bit in BITS.items() if bit & mask]
