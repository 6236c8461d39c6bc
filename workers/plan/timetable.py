"""What the plan would do, and when: for people to read before it happens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workers.plan.booking import Booking
from workers.plan.figures import BenchFigures
from workers.plan.sizing import Hosting, Wanted, wanted


@dataclass(frozen=True, slots=True)
class Step:
    """at_ms: when.
    due: matches that are due from then on.
    wanted: processes from then on.
    begins: matches that are warmed from then on.
    """

    at_ms: int
    due: tuple[Booking, ...]
    wanted: Wanted
    begins: tuple[Booking, ...]


def steps(
    bookings: Sequence[Booking], deployment: Hosting, figures: BenchFigures, *, since_ms: int, until_ms: int
) -> list[Step]:
    """Each moment in the range at which a match begins to need readiness, or processes change."""
    moments = {since_ms}
    for booking in bookings:
        moments |= {booking.begins_ms(), booking.ends_ms(since_ms)}
    found: list[Step] = []
    before = wanted((), deployment, figures)
    for at_ms in sorted(moment for moment in moments if since_ms <= moment <= until_ms):
        due = tuple(booking for booking in bookings if booking.begins_ms() <= at_ms < booking.ends_ms(since_ms))
        now = wanted(due, deployment, figures)
        begins = tuple(booking for booking in due if booking.begins_ms() == at_ms or at_ms == since_ms)
        if begins or now != before:
            found.append(Step(at_ms, due, now, begins))
        before = now
    return found
