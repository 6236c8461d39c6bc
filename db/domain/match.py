"""The match as it is shown, what changed in it, and a reader's place."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256

from db.domain.event import Event
from db.domain.ledger import Ledger
from db.domain.match_info import Competition, Team
from db.domain.record import replace
from db.domain.score import Score
from db.domain.scoreline import ScorelineEntry
from db.domain.stamp import Stamp
from db.domain.vocabulary import Phase, Status, phase_of

# `.` and `..` are no ids: in a path they are a place (RFC 3986, 5.2.4).
ID_PATTERN = re.compile(r"(?!\.{1,2}(?:/|$))[A-Za-z0-9_.:-]{1,64}")

# A poll is held this long: below Heroku's and CloudFront's 30 s to the first byte
# (devcenter.heroku.com/articles/request-timeout; AWS origin response timeout), with 10 s to spare.
HOLD_MS = 20_000
# One spelling of each, or an edge would keep the same answer under several names.
CURSOR_PATTERN = re.compile(r"(?P<version>0|[1-9]\d{0,14})\.(?P<slot>0|[1-9]\d{0,8})", re.ASCII)


# Characters of an event's name in a store: SQL's column of ids.
FIELD_MAX = 64


@dataclass(frozen=True, slots=True)
class Match:
    """A match as it follows from what was told of it (`derive`).

    version, updated_at: given by the store.
    events_version: at which the timeline last changed, of a match that was read to be shown; 0 if not known.
    start_time: ms since the epoch.
    told, kicks_told: the newest scoreboard, of the score and of the shoot-out.
    score, shootout: what we show; None until something is known, for 0 is a claim.
    scorers, cards: in football, the goals that count and the red cards that stand, in match order; None in other
        sports, and where the release before derived the match.
    minute_at: our own time (ms) of hearing the present minute, from which a reader's clock ticks on.
    events: by id. Of a match that is being worked on, those of the ledger in force and those that were asked for.
    source, first: whose ledger is in force, and who was heard first; "" before anything was told.
    elsewhere: by source, events that those not in force told of.
    ledgers: what was told, by source; empty where the match was read to be shown.
    """

    id: str
    version: int = 0
    updated_at: int = 0
    events_version: int = field(default=0, compare=False)
    sport: str = "football"
    home: Team | None = None
    away: Team | None = None
    competition: Competition | None = None
    venue: str | None = None
    start_time: int | None = None
    coverage: str | None = None
    replaced_by: str | None = None
    stage: str | None = None
    round: str | None = None
    leg: int | None = None
    info_at: Stamp | None = None
    status: Status = Status.SCHEDULED
    decided_by: str | None = None
    status_at: Stamp | None = None
    told: Score | None = None
    told_at: Stamp | None = None
    kicks_told: Score | None = None
    kicks_told_at: Stamp | None = None
    minute: int | None = None
    added_minute: int | None = None
    period: int | None = None
    clock: str | None = None
    clock_at: Stamp | None = None
    minute_at: int | None = None
    score: Score | None = None
    shootout: Score | None = None
    scorers: tuple[ScorelineEntry, ...] | None = None
    cards: tuple[ScorelineEntry, ...] | None = None
    events: dict[str, Event] = field(default_factory=dict)
    source: str = ""
    first: str = ""
    elsewhere: dict[str, dict[str, Event]] = field(default_factory=dict)
    ledgers: dict[str, Ledger] = field(default_factory=dict)

    @property
    def phase(self) -> Phase:
        return phase_of(self.status)

    @property
    def timeline(self) -> list[Event]:
        """All events that the source in force ever told, in match order; those only known by their voiding are not
        shown."""
        shown = (event for event in self.events.values() if event.type and self.source in ("", event.since.source))
        return sorted(shown, key=lambda event: event.order)


def essential(match: Match) -> Match:
    """The match to go on working on: with the events of the ledger in force. Of the others there may be thousands."""
    kept = match.ledgers[match.source].events if match.ledgers else {}
    events = {key: event for key, event in match.events.items() if key in kept}
    if len(events) == len(match.events) and not match.elsewhere:
        return match
    return replace(match, events=events, elsewhere={})


def event_field(first: str, source: str, event_id: str) -> str:
    """Under which name an event is stored beside those of other sources: its id, where its source was heard first.

    first: that source, "" where a match has but one.
    """
    if source in ("", first) or not first:
        return event_id
    name = f"{source}/{event_id}"
    return name if len(name) <= FIELD_MAX else sha256(name.encode()).hexdigest()


def with_events(match: Match, events: Iterable[Event]) -> Match:
    """The match with stored events: of the source in force among its own, the others elsewhere."""
    own, elsewhere = dict(match.events), {source: dict(some) for source, some in match.elsewhere.items()}
    for event in events:
        source = event.since.source
        if source in ("", match.source) or not match.source:
            own[event.id] = event
        else:
            elsewhere.setdefault(source, {})[event.id] = event
    return replace(match, events=own, elsewhere=elsewhere)


class FactKind(StrEnum):
    """What changed. Added, edited, voided and restored speak of one event; the rest of the match."""

    ADDED = "added"
    EDITED = "edited"
    VOIDED = "voided"
    RESTORED = "restored"
    SCORE = "score"
    STATUS = "status"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Fact:
    """One change.

    was: the score, status or type before; of `info`, the start before (ms) where it was another.
    derived: it follows from a falling scoreboard or from an event that documents lack, and no message named it.
    """

    kind: FactKind
    event_id: str | None = None
    was: str | None = None
    derived: bool = False


@dataclass(frozen=True, slots=True)
class Cursor:
    """A reader's place: the version it holds and the hold-length it waits in. On the wire `{version}.{slot}`."""

    version: int
    slot: int = 0

    def __str__(self) -> str:
        return f"{self.version}.{self.slot}"

    @classmethod
    def parse(cls, text: str) -> Cursor | None:
        parts = CURSOR_PATTERN.fullmatch(text)
        return cls(int(parts["version"]), int(parts["slot"])) if parts else None
