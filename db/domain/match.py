"""The nouns: Match, Team, Score, Event, Fact, Cursor, and the Stamp that orders what providers say."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

from db.domain.words import CLOSING, SCORING, Phase, Side, Status, phase_of

ID_PATTERN = re.compile(r"[A-Za-z0-9_.:-]{1,64}")

# A poll is held this long: below Heroku's and CloudFront's 30 s to the first byte
# (devcenter.heroku.com/articles/request-timeout; AWS origin response timeout), with 10 s to spare.
HOLD_MS = 20_000
# One spelling of each, or an edge would keep the same answer under several names.
CURSOR_PATTERN = re.compile(r"(?P<version>0|[1-9]\d{0,14})\.(?P<slot>0|[1-9]\d{0,8})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Stamp:
    """When a provider said something; the newer of two stamps wins a field.

    at: ms since the epoch, the sender's own time; 0 where the message bears none. sequence: the sender's counter, if it
    keeps one; it decides only against another of the same source. clock: minute * 100 + added minute, which orders
    what one second saw.
    """

    at: int
    sequence: float | None = None
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

    def supersedes(self, other: Stamp | None) -> bool:
        """Newer, or as new: of two equal stamps the one that arrives later wins."""
        return other is None or not other.newer(self)


@dataclass(frozen=True, slots=True)
class Team:
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Competition:
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Score:
    home: int
    away: int

    def plus(self, side: Side, n: int) -> Score:
        home, away = (self.home + n, self.away) if side is Side.HOME else (self.home, self.away + n)
        return Score(max(home, 0), max(away, 0))

    def of(self, side: Side) -> int:
        return self.home if side is Side.HOME else self.away


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the timeline. Voided entries stay; their goals no longer count.

    team: the side it counts for (an own goal: the side that gains). home_score/away_score: after it, as the
    sender said it. stamp orders edits of the content, since is when it last became valid, void_at when it was
    last voided: it is voided while void_at is newer than since.
    """

    id: str
    type: str
    stamp: Stamp
    since: Stamp
    void_at: Stamp | None = None
    team: Side | None = None
    minute: int | None = None
    added_minute: int | None = None
    period: int | None = None
    player: Person | None = None
    assist: Person | None = None
    detail: str | None = None
    home_score: int | None = None
    away_score: int | None = None
    voids: str | None = None
    created_at: int = 0

    @property
    def voided(self) -> bool:
        return self.void_at is not None and not self.since.newer(self.void_at)

    @property
    def counts(self) -> bool:
        return self.type in SCORING and self.team is not None and not self.voided

    @property
    def order(self) -> tuple[int, int, int, int, str]:
        """Place on the timeline: by the match clock, not by arrival. A whistle that bears no minute ends its period."""
        minute, added = self.minute or 0, self.added_minute or 0
        if self.minute is None and self.type in CLOSING:
            return (self.period or CLOSING[self.type], 999, 0, self.since.at, self.id)
        return (self.period or period_at(minute), minute, added, self.since.at, self.id)


@dataclass(frozen=True, slots=True)
class Match:
    """A match as far as the providers have told it.

    Every field said by a provider keeps the stamp it was said at. version and updated_at are given by the store.
    minute_at is our own time (ms) of hearing the present minute, from which a reader's clock ticks on; start_time
    is ms since the epoch. told and kicks_told are the provider's scoreboard; score and shootout, which `reduce` works
    out of them and the events, are what we show: None until something is known, for 0 is a claim.
    """

    id: str
    version: int = 0
    updated_at: int = 0
    sport: str = "football"
    home: Team | None = None
    away: Team | None = None
    competition: Competition | None = None
    venue: str | None = None
    start_time: int | None = None
    coverage: str | None = None
    replaced_by: str | None = None
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
    events: dict[str, Event] = field(default_factory=dict)

    @property
    def phase(self) -> Phase:
        return phase_of(self.status)

    @property
    def timeline(self) -> list[Event]:
        """All events that were ever told, in match order; those only known by their voiding are not shown."""
        return sorted((event for event in self.events.values() if event.type), key=lambda event: event.order)


def period_at(minute: int) -> int:
    """The football period a displayed minute lies in: halves 1 and 2, extra-time halves 3 and 4."""
    return 1 if minute <= 45 else 2 if minute <= 90 else 3 if minute <= 105 else 4


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
    """derived: it follows from a falling scoreboard or from an event that snapshots lack, and no message named it."""

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
        found = CURSOR_PATTERN.fullmatch(text)
        return cls(int(found["version"]), int(found["slot"])) if found else None
