"""A change of a match on its way to history and to followers."""

from __future__ import annotations

from dataclasses import dataclass

from db.domain import Event, Match, with_events


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """One outbox entry: a version of a match, what was new in it, and the events that were touched."""

    id: str
    match: Match
    facts: str
    events: tuple[Event, ...]

    @property
    def with_events(self) -> Match:
        """The match with the events that were touched, and no others; those of a source in force among its own."""
        return with_events(self.match, self.events)
