"""The generic door's format: `{"events": [...]}` and/or `{"matches": [...]}` (docs/protocol.md, "Ingest")."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from datetime import datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    StringConstraints,
    ValidationError,
)

from db.domain import (
    ID_PATTERN,
    SCORING,
    Competition,
    Event,
    MatchInfo,
    Person,
    Score,
    Side,
    Stamp,
    Team,
    Update,
    status_of,
)
from db.errors import Fault, Refused
from workers.feeds.reading import AHEAD_MS

# Replays reach back to the first matches on film; no calendar, ours or SQL's, has to hold more than this.
YEARS = range(1900, 2100)
# More than 256 KB can hold: a bound on the faults of a body of empty objects, not on what a sender may say.
LIST_MOST = 5_000
# Faults told and kept of one body; who sends more repeats one mistake.
FAULTS_MOST = 100


def _id(text: str) -> str:
    if not ID_PATTERN.fullmatch(text):
        raise ValueError("must be 1 to 64 of A-Z a-z 0-9 _ . : -")
    return text


def _named(value: Any) -> Any:
    """A bare name stands for an object with that name and an id made from it."""
    return {"name": value} if isinstance(value, str) else value


def _minute(value: Any) -> tuple[int | None, int | None]:
    """`"90+6"` is how most feeds print what is minute 90 and added minute 6."""
    found = re.fullmatch(r"(\d{1,3})(?:\+(\d{1,2}))?'?", value.strip(), re.ASCII) if isinstance(value, str) else None
    if found:
        return int(found[1]), int(found[2]) if found[2] else None
    if value is None or (type(value) is int and 0 <= value <= 999):
        return value, None
    raise ValueError('must be a whole number of minutes from 0 to 999, a string like "90+6", or null')


def _plain(text: str) -> str:
    """PostgreSQL takes no NUL (its manual, 8.3), and no name or remark needs another control character."""
    if any(unicodedata.category(letter) == "Cc" and letter not in "\t\n\r" for letter in text):
        raise ValueError("must hold no control characters")
    return text


def _moment(moment: datetime) -> datetime:
    if moment.year not in YEARS:
        raise ValueError(f"must lie in the years {YEARS.start} to {YEARS.stop - 1}")
    return moment


Id = Annotated[str, AfterValidator(_id)]
Moment = Annotated[AwareDatetime, AfterValidator(_moment)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(_plain)]
Word = Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
Points = Annotated[int, Field(strict=True, ge=0, le=9_999)]
Count = Annotated[int, Field(strict=True, ge=0, le=99)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1_000), AfterValidator(_plain)]


class _In(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class NamedIn(_In):
    name: Name
    id: Id | None = None


Named = Annotated[NamedIn, BeforeValidator(_named, json_schema_input_type=NamedIn | str)]


class ShootoutIn(_In):
    home: Points
    away: Points


class EventIn(_In):
    """One event. The first six fields are always there; a score or minute not known is null."""

    match_id: Id
    home_score: Points | None
    away_score: Points | None
    minute: Annotated[tuple[int | None, int | None], PlainValidator(_minute, json_schema_input_type=int | str | None)]
    event_type: Word
    timestamp: Moment
    event_id: Id | None = None
    sequence: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    added_minute: Count | None = None
    period: Count | None = None
    status: Word | None = None
    team: Side | None = None
    player: Named | None = None
    assist: Named | None = None
    detail: Text | None = None
    shootout: ShootoutIn | None = None
    voids: Id | None = None


class MatchIn(_In):
    """One match. Teams and competition are a name or `{id, name}`."""

    id: Id
    home_team: Named | None = None
    away_team: Named | None = None
    start_time: Moment | None = None
    competition: Named | None = None
    venue: Name | None = None
    status: Word | None = None
    sport: Word | None = None
    coverage: Word | None = None
    replaced_by: Id | None = None


class DeliveryIn(_In):
    """The body of `POST /api/ingest/generic`."""

    events: Annotated[list[EventIn], Field(max_length=LIST_MOST)] = []
    matches: Annotated[list[MatchIn], Field(max_length=LIST_MOST)] = []


def parse(body: bytes, *, received_at: int) -> list[Update]:
    """Matches first, then events in the order sent. received_at: ms.

    Raises Refused: `not_json` where the body is none, `invalid` with every fault where it is not this format.
    """
    delivery = _read(body)
    late = received_at + AHEAD_MS
    faults = tuple(
        Fault(f"events[{i}].timestamp", "lies more than a day ahead of our clock", i)
        for i, event in enumerate(delivery.events)
        if _ms(event.timestamp) > late
    )
    if faults:
        raise _invalid(faults)
    told = [_match_update(match, received_at) for match in delivery.matches]
    return told + [_event_update(event, received_at) for event in delivery.events]


def _read(body: bytes) -> DeliveryIn:
    try:
        document = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Refused("The body is not JSON.", "not_json") from None
    if not isinstance(document, dict) or not ("events" in document or "matches" in document):
        raise _invalid((Fault("", 'an object with "events" and/or "matches" is needed'),))
    try:
        return DeliveryIn.model_validate(document)
    except ValidationError as error:
        raise _invalid(tuple(map(_fault, error.errors(include_url=False, include_input=False)))) from None


def _no_constant(word: str) -> None:
    """NaN and Infinity, which Python reads and JSON does not know (RFC 8259, 6)."""
    raise ValueError(word)


def _invalid(faults: tuple[Fault, ...]) -> Refused:
    more = f" Of {len(faults)} faults the first {FAULTS_MOST} are named." if len(faults) > FAULTS_MOST else ""
    said = f"The body is JSON but not what this door takes; nothing of it was applied.{more}"
    return Refused(said, "invalid", faults[:FAULTS_MOST])


def _fault(error: Any) -> Fault:
    """pydantic's `("events", 3, "home_score")` as `events[3].home_score`."""
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error["loc"]).lstrip(".")
    index = next((part for part in error["loc"] if isinstance(part, int)), None)
    return Fault(path, str(error["msg"]).removeprefix("Value error, "), index)


def _event_update(told: EventIn, received_at: int) -> Update:
    minute, added = told.minute
    added = told.added_minute if told.added_minute is not None else added
    at = _ms(told.timestamp)
    stamp = Stamp(at, told.sequence, "generic", (minute or 0) * 100 + (added or 0))
    known = told.home_score is not None and told.away_score is not None
    status = status_of(told.status) if told.status else None
    return Update(
        told.match_id,
        stamp,
        received_at,
        event=_event(told, stamp, minute, added, received_at) if _is_told_of(told) else None,
        score=Score(told.home_score or 0, told.away_score or 0) if known else None,
        shootout=Score(told.shootout.home, told.shootout.away) if told.shootout else None,
        status=status,
        status_word=told.status if told.status and status is None else None,
        minute=minute,
        added_minute=added,
        period=told.period,
        voids=told.voids,
    )


def _is_told_of(told: EventIn) -> bool:
    """A bare `score` is the scoreboard and the clock; it is no moment of the match."""
    return told.event_type != "score" or told.detail is not None or told.player is not None


def _event(told: EventIn, stamp: Stamp, minute: int | None, added: int | None, received_at: int) -> Event:
    return Event(
        told.event_id or _derived_id(told, minute, added),
        told.event_type,
        stamp,
        since=stamp,
        team=told.team,
        minute=minute,
        added_minute=added,
        period=told.period,
        player=_person(told.player),
        assist=_person(told.assist),
        detail=told.detail,
        home_score=told.home_score,
        away_score=told.away_score,
        voids=told.voids,
        created_at=received_at,
    )


def _derived_id(told: EventIn, minute: int | None, added: int | None) -> str:
    """The same moment told twice gets the same id.

    A goal is known by the score it makes, anything else by who did it when; where nobody is named, by its time.
    """
    who = (told.player.id or told.player.name) if told.player else None
    what = (told.home_score, told.away_score) if told.event_type in SCORING else None
    when = None if who or what else _ms(told.timestamp)
    shootout = (told.shootout.home, told.shootout.away) if told.shootout else None
    parts = (
        told.match_id,
        told.event_type,
        told.team,
        who,
        minute,
        added,
        told.period,
        what,
        when,
        shootout,
        told.voids,
    )
    return "d-" + hashlib.sha256(repr(tuple(map(str, parts))).encode()).hexdigest()[:20]


def _match_update(told: MatchIn, received_at: int) -> Update:
    """Undated: the format gives a match no time, so its arrival decides."""
    status = status_of(told.status) if told.status else None
    info = MatchInfo(
        home=Team(*_identity(told.home_team)) if told.home_team else None,
        away=Team(*_identity(told.away_team)) if told.away_team else None,
        competition=Competition(*_identity(told.competition)) if told.competition else None,
        venue=told.venue,
        start_time=_ms(told.start_time) if told.start_time else None,
        sport=told.sport,
        coverage=told.coverage,
        replaced_by=told.replaced_by,
    )
    word = told.status if told.status and status is None else None
    return Update(told.id, Stamp(0, source="generic"), received_at, info=info, status=status, status_word=word)


def _identity(told: NamedIn) -> tuple[str, str]:
    return told.id or slug(told.name), told.name


def _person(told: NamedIn | None) -> Person | None:
    return Person(told.name, told.id) if told else None


def slug(name: str) -> str:
    """An id from a name: `Côte d'Ivoire` → `cote-d-ivoire`; from a hash where no Latin letter is left."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    short = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:64].rstrip("-")
    return short or "n-" + hashlib.sha256(name.encode()).hexdigest()[:16]


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
