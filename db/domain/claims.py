"""What each event claims at each moment: that it is a goal of a side, a kick that went in, something else, or void."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from db.domain.event import Event, tellings_of
from db.domain.stamp import Key, Mark, mark_of
from db.domain.vocabulary import KICKS, SCORING, Side

Order = Callable[[Mark], Key]
SHOOTOUT_PERIOD = 5


@dataclass(frozen=True, slots=True)
class Claim:
    """type: as told then; None where it is voided. side: as told by then, or later where nobody had told it."""

    key: Key
    mark: Mark
    type: str | None
    side: Side | None = None


def claims_of(event: Event, events: Mapping[str, Event], order: Order) -> list[Claim]:
    """In the order of the source. What is voided in the moment it is told was never so."""
    standing: list[Claim] = []
    voids = [Claim(order(mark), mark, None) for mark in _voids(event, events)]
    told_sides = [telling.team for telling in tellings_of(event) if telling.team is not None]
    side = told_sides[0] if told_sides else None
    void_moments = {claim.key[:2] for claim in voids}
    for telling in tellings_of(event):
        if telling.void:
            continue
        side = telling.team or side
        for mark in telling.marks:
            key = order(mark)
            if key[:2] not in void_moments:
                standing.append(Claim(key, mark, telling.type or "", side))
    return sorted([*standing, *voids], key=lambda claim: claim.key)


def _voids(event: Event, events: Mapping[str, Event]) -> Iterator[Mark]:
    """An event takes another back once, when it is first told; and only as long as it stands itself."""
    first: dict[str, Mark] = {}
    for telling in tellings_of(event):
        if not telling.void:
            continue
        mark = mark_of(telling.stamp)
        if telling.by is None:
            yield mark
        else:
            first.setdefault(telling.by, mark)
    for by, mark in first.items():
        if by not in events or not events[by].voided:
            yield mark


def is_goal(claim: Claim, event: Event, sport: str) -> bool:
    return claim.type in SCORING and not is_of_shootout(event, sport)


def is_kick(claim: Claim, event: Event, sport: str) -> bool:
    """A goal of the shoot-out's period is a kick, whatever its sender calls it."""
    return claim.type == "shootout_goal" or (claim.type in SCORING and is_of_shootout(event, sport))


def is_of_shootout(event: Event, sport: str) -> bool:
    """Other sports have fifth periods of their own: an inning, an overtime."""
    return sport == "football" and event.period == SHOOTOUT_PERIOD


def may_be_kick(event: Event) -> bool:
    """Whether any telling of it is of a kick."""
    return event.period == SHOOTOUT_PERIOD or any(telling.type in KICKS for telling in tellings_of(event))
