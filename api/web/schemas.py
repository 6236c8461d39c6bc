"""The wire contract as types. The OpenAPI document is generated from them, and queries are validated against them."""

from __future__ import annotations

from datetime import date as Date
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlencode
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, RootModel, StringConstraints

from api.delivery.answer import WaitOutcome
from db.domain import Phase, Side, Status
from db.sql.history_rows import fold

PAGE_MAX = 100

D = TypeVar("D", bound=Date)


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Query(BaseModel):
    """Unknown parameters are ignored."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    def encoded(self, **more: str) -> str:
        parameters: dict[str, Any] = self.model_dump(exclude_defaults=True, by_alias=True, mode="json") | more
        return urlencode(parameters)


@cache
def _zones() -> frozenset[str]:
    """Cached: the standard library walks the whole zone database for each call. `localtime`, which Debian keeps beside
    it, is the server's own zone."""
    return frozenset(available_timezones()) - {"localtime"}


def zone(name: str) -> str:
    if name not in _zones():
        raise ValueError("not a time zone of the IANA database, such as Europe/Berlin")
    return name


def _near(when: D) -> D:
    """The start and end of the day must exist in every time zone, and within the calendars of SQL and Python."""
    if not 1900 <= when.year < 2100:
        raise ValueError("must lie in the years 1900 to 2099")
    return when


def _searchable(words: str) -> str:
    if not fold(words) or not words.isprintable():
        raise ValueError("needs letters or digits to look for")
    return words


Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
Near = Annotated[datetime, AfterValidator(_near)]


class Named(Body):
    id: str
    name: str


class MaybeNamed(Body):
    id: str | None
    name: str | None


class Shootout(Body):
    home: int
    away: int


class ScorelineEntryBody(Body):
    team: Annotated[Side | None, Field(description="that it counts for; of a card, whose player was sent off")]
    player: Annotated[str | None, Field(description="the name, 40 characters at most")]
    minute: int | None
    added_minute: int | None
    event_type: Annotated[str, Field(description="goal, own_goal or penalty_goal; red_card or second_yellow")]


class Summary(Body):
    match_id: Id
    version: Annotated[int, Field(description="Only grows. Ignore a body with a lower one than you hold.")]
    status: Status
    phase: Phase
    decided_by: Annotated[str | None, Field(description="regular, extra_time or penalties, once finished")]
    sport: str
    home_team: MaybeNamed
    away_team: MaybeNamed
    home_score: Annotated[int | None, Field(description="null until known; never counts shoot-out kicks")]
    away_score: int | None
    shootout: Shootout | None
    scorers: Annotated[
        list[ScorelineEntryBody] | None,
        Field(description="of football, goals that count, the newest 12 in match order; null where not known"),
    ]
    cards: Annotated[
        list[ScorelineEntryBody] | None,
        Field(description="of football, red cards that stand, the newest 12 in match order; null where not known"),
    ]
    minute: Annotated[int | None, Field(description="as displayed: 45, 90, 105, 120 at most, then added_minute")]
    added_minute: int | None
    period: int | None
    clock: Annotated[str | None, Field(description="of sports whose clock is not a minute")]
    minute_at: Annotated[datetime | None, Field(description="when the sender gave us this minute: count on from here")]
    competition: Named | None
    start_time: datetime | None
    updated_at: datetime


class MatchScore(Summary):
    events_version: Annotated[int, Field(description="the version at which the timeline last changed")]
    spread_ms: Annotated[int, Field(description="a random part of it passes between a read and the first wait")]
    next: Annotated[str | None, Field(description="the path to wait at for the next change; null in a surge")]
    poll_after_ms: Annotated[int, Field(description="when to ask again, for clients that do not wait")]


class HeldScore(MatchScore):
    held: Annotated[WaitOutcome, Field(description="why the wait ended")]


class LiveBoard(Body):
    version: Annotated[int, Field(description="Grows with each change of a live match.")]
    matches: list[Summary]
    next: Annotated[str | None, Field(description="the path to wait at for the next change; null for a narrowed board")]
    changes: Annotated[str | None, Field(description="the same for what changes; null for a narrowed board")]
    poll_after_ms: int


class HeldLive(LiveBoard):
    held: Annotated[WaitOutcome, Field(description="why the wait ended")]


class HeldDifference(Body):
    version: int
    changed: Annotated[list[Summary], Field(description="new, changed, and those that ended, as they are now")]
    gone: Annotated[list[Id], Field(description="not on the board any more; those that ended are in `changed` as well")]
    changes: Annotated[str, Field(description="the path to wait at for what changes next")]
    poll_after_ms: int
    held: Annotated[WaitOutcome, Field(description="why the wait ended")]


class HeldWhole(Body):
    whole: Annotated[Literal[True], Field(description="the cursor is too old: here is the whole board")]
    version: int
    matches: list[Summary]
    changes: Annotated[str, Field(description="the path to wait at for what changes next")]
    poll_after_ms: int
    held: Annotated[WaitOutcome, Field(description="why the wait ended")]


class HeldChanges(RootModel[HeldDifference | HeldWhole]):
    pass


class LiveQuery(Query):
    competition: Annotated[str | None, Field(description="id of a competition")] = None


class MatchList(Body):
    matches: list[Summary]
    next: Annotated[str | None, Field(description="path of the next page")]


class MatchQuery(Query):
    date: Annotated[Annotated[Date, AfterValidator(_near)] | None, Field(description="a calendar day in `tz`")] = None
    tz: Annotated[str, AfterValidator(zone), Field(description="IANA time zone of `date`")] = "UTC"
    competition: Id | None = None
    team: Id | None = None
    status: Annotated[str | None, Field(max_length=64, description="a status or a phase")] = None
    from_: Annotated[Near | None, Field(alias="from", description="start at or after; UTC if it names no zone")] = None
    to: Annotated[Near | None, Field(description="start before; UTC if it names no zone")] = None
    limit: Annotated[int, Field(ge=1, le=PAGE_MAX)] = 50
    cursor: Annotated[str | None, Field(max_length=200, description="from `next`")] = None


class Metadata(Body):
    match_id: Id
    version: int
    status: Status
    phase: Phase
    sport: str
    home_team: MaybeNamed
    away_team: MaybeNamed
    competition: Named | None
    venue: str | None
    start_time: datetime | None
    coverage: str | None
    replaced_by: str | None
    stage: Annotated[str | None, Field(description="of the competition, as the provider calls it")]
    round: Annotated[str | None, Field(description="a name or a number, as the provider calls it")]
    leg: Annotated[int | None, Field(description="1 or 2 where the two sides meet twice")]
    updated_at: datetime


class TimelinePerson(Body):
    id: str | None
    name: str


class TimelineEvent(Body):
    id: str
    event_type: str
    team: Side | None
    minute: int | None
    added_minute: int | None
    period: int | None
    player: TimelinePerson | None
    assist: TimelinePerson | None
    detail: str | None
    home_score: int | None
    away_score: int | None
    voided: Annotated[bool, Field(description="cancelled: shown struck through, not counted")]
    voids: str | None
    created_at: datetime


class Timeline(Body):
    match_id: Id
    version: int
    events: list[TimelineEvent]


class SearchResult(Body):
    teams: list[Named]
    competitions: list[Named]
    matches: list[Summary]


class SearchQuery(Query):
    q: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=2, max_length=100), AfterValidator(_searchable)
    ]


class FieldFault(Body):
    field: Annotated[str, Field(description="its path in the body, such as events[3].home_score")]
    message: str


# Under another name, for in the next class `list` is a field.
_FieldFaults = list[FieldFault]


class RefusedEntryBody(Body):
    list: Literal["events", "matches"]
    index: Annotated[int, Field(description="its place in that list")]
    fields: Annotated[_FieldFaults, Field(description="what is wrong with it; at most 100 over all entries")]


class Accepted(Body):
    accepted: Annotated[int, Field(description="updates now stored in Redis; 0 for a delivery seen before")]
    refused: Annotated[
        list[RefusedEntryBody] | None,
        Field(description="entries that were refused: the wrong ones, and the others of the same match"),
    ] = None


class Canary(Body):
    nonce: str


class FaultBody(Body):
    field: str
    message: str
    index: int | None = None


class ErrorBody(Body):
    code: str
    message: str
    fields: list[FaultBody] | None = None


class Error(Body):
    error: ErrorBody
