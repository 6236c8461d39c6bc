"""The fields of the generic format, accepted as liberally as is unambiguous (docs/protocol.md, "Ingest").

Empty values count as missing, numbers may be strings, words may be spelled in any way. All else is refused.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from db.domain import FIGURE_NAME, FIGURES_MAX, ID_PATTERN, PLAYERS_MAX, Side
from feeds.fields import ident
from feeds.generic.vocabulary import ends_decided, event_type_of, spelled, sport_of

# Replays may go back to the first filmed matches. No calendar, ours or SQL's, needs more years.
YEARS = range(1900, 2100)
# More useful entries than fit into 256 KB. It bounds the faults of a body of empty objects.
LIST_ENTRIES_MAX = 5_000

_MINUTE = re.compile(r"(\d{1,3})['’]?(?:\s*\+\s*(\d{1,2})['’]?)?", re.ASCII)
_WHOLE = re.compile(r"\d{1,9}", re.ASCII)
_COUNTER = re.compile(r"\d{1,20}(\.\d{1,9})?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)

T = TypeVar("T")


def _is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _filled(value: Any) -> Any:
    """None for "", {}, an object of empty fields, and [], which PHP writes for {}."""
    parts = list(value.values()) if isinstance(value, dict) else value if value == [] else [value]
    return None if all(map(_is_blank, parts)) else value


def _id(value: Any) -> str:
    plain = ident(value)
    if plain is None:
        raise ValueError('must be 1 to 64 of A-Z a-z 0-9 _ . : - or a whole number, and not "." or ".."')
    return plain


def _named(value: Any) -> Any:
    """A bare string stands for an object with that name."""
    return {"name": value} if isinstance(value, str) else value


def _number(value: Any) -> Any:
    """`"2"` and `2.0` become 2; anything else is left for the field to refuse."""
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        return int(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _label(value: Any) -> Any:
    """A round is a number or a name."""
    number = _number(value)
    return str(number) if type(number) is int else value


def _counter(value: Any) -> int | float:
    """A whole number stays an int: nanoseconds exceed the precision of a float."""
    if isinstance(value, str) and _COUNTER.fullmatch(value.strip()):
        value = float(value) if "." in value else int(value)
    if type(value) not in (int, float) or not 0 <= value <= COUNTER_MAX:
        raise ValueError(f"must be a number from 0 to {COUNTER_MAX}")
    return value  # type: ignore[no-any-return]


def _minute(value: Any) -> tuple[int | None, int | None]:
    """`"90+6"` is how most feeds print what is minute 90 and added minute 6."""
    value = _number(_filled(value))
    parts = _MINUTE.fullmatch(value.strip()) if isinstance(value, str) else None
    if parts:
        return int(parts[1]), int(parts[2]) if parts[2] else None
    if value is None or (type(value) is int and 0 <= value <= 999):
        return value, None
    raise ValueError('must be a whole number of minutes from 0 to 999, a string like "90+6", or null')


def _plain(text: str) -> str:
    """PostgreSQL refuses NUL (manual, 8.3), and no name or remark needs other control characters."""
    if any(unicodedata.category(letter) == "Cc" and letter not in "\t\n\r" for letter in text):
        raise ValueError("must hold no control characters")
    return text


def _written(value: Any) -> str:
    """A number is refused: its unit and zone would be a guess."""
    if not isinstance(value, str) or not _DATE.match(value.strip()):
        raise ValueError('must be RFC 3339 with its zone, such as "2026-01-31T18:30:00Z"; a number is not taken')
    return value.strip()


def _moment(moment: datetime) -> datetime:
    if moment.year not in YEARS:
        raise ValueError(f"must lie in the years {YEARS.start} to {YEARS.stop - 1}")
    return moment


def _as_word(value: Any) -> Any:
    return spelled(value) if isinstance(value, str) else value


def _as_type(value: Any) -> Any:
    return event_type_of(value) if isinstance(value, str) else value


def _as_sport(value: Any) -> Any:
    return sport_of(value) if isinstance(value, str) else value


# The OpenAPI document describes what is accepted, not what it is converted to.
_IdAsSent = Annotated[str, Field(pattern=f"^{ID_PATTERN.pattern}$")] | Annotated[int, Field(ge=0)]
_PointsAsSent = Annotated[int, Field(ge=0, le=9_999)] | Annotated[str, Field(pattern=r"^\d{1,4}$")]
_LegAsSent = Annotated[int, Field(ge=1, le=9)] | Annotated[str, Field(pattern=r"^[1-9]$")]
_CountAsSent = Annotated[int, Field(ge=0, le=99)] | Annotated[str, Field(pattern=r"^\d{1,2}$")]
# Nanoseconds since the epoch fit, and SQL has no larger integer.
COUNTER_MAX = 2**63 - 1
_CounterAsSent = Annotated[float, Field(ge=0)] | Annotated[str, Field(pattern=rf"^{_COUNTER.pattern}$")]

Maybe = Annotated[T | None, BeforeValidator(_filled)]
Id = Annotated[str, BeforeValidator(_id, json_schema_input_type=_IdAsSent)]
Moment = Annotated[AwareDatetime, BeforeValidator(_written, json_schema_input_type=datetime), AfterValidator(_moment)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(_plain)]
_OurSpelling = StringConstraints(pattern=r"^[a-z0-9_.]{1,64}$")
Word = Annotated[str, _OurSpelling, BeforeValidator(_as_word, json_schema_input_type=str)]
EventType = Annotated[str, _OurSpelling, BeforeValidator(_as_type, json_schema_input_type=str)]
Sport = Annotated[str, _OurSpelling, BeforeValidator(_as_sport, json_schema_input_type=str)]
AnySide = Annotated[Side, BeforeValidator(_as_word, json_schema_input_type=Side)]
Points = Annotated[
    int, Field(strict=True, ge=0, le=9_999), BeforeValidator(_number, json_schema_input_type=_PointsAsSent)
]
Count = Annotated[int, Field(strict=True, ge=0, le=99), BeforeValidator(_number, json_schema_input_type=_CountAsSent)]
Counter = Annotated[int | float, PlainValidator(_counter, json_schema_input_type=_CounterAsSent)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1_000), AfterValidator(_plain)]


Label = Annotated[Name, BeforeValidator(_label, json_schema_input_type=str | int)]
Leg = Annotated[int, Field(strict=True, ge=1, le=9), BeforeValidator(_number, json_schema_input_type=_LegAsSent)]


class _In(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class NamedIn(_In):
    name: Name
    id: Maybe[Id] = None


Named = Annotated[NamedIn, BeforeValidator(_named, json_schema_input_type=NamedIn | str)]


class ShootoutIn(_In):
    home: Points
    away: Points


class EventIn(_In):
    """One event. The first six fields are required; an unknown score or minute is null."""

    match_id: Id
    home_score: Maybe[Points]
    away_score: Maybe[Points]
    minute: Annotated[tuple[int | None, int | None], PlainValidator(_minute, json_schema_input_type=int | str | None)]
    event_type: EventType
    timestamp: Moment
    event_id: Maybe[Id] = None
    sequence: Maybe[Counter] = None
    added_minute: Maybe[Count] = None
    period: Maybe[Count] = None
    status: Maybe[Word] = None
    team: Maybe[AnySide] = None
    player: Maybe[Named] = None
    assist: Maybe[Named] = None
    detail: Maybe[Text] = None
    shootout: Maybe[ShootoutIn] = None
    voids: Maybe[Id] = None

    @model_validator(mode="before")
    @classmethod
    def _decision(cls, entry: Any) -> Any:
        """An event type such as `AET` also sets the status, where the sender gives none."""
        word = entry.get("event_type") if isinstance(entry, dict) else None
        if isinstance(word, str) and ends_decided(word) and _filled(entry.get("status")) is None:
            return entry | {"status": word}
        return entry


class PlayerIn(_In):
    name: Name
    id: Maybe[Id] = None
    number: Maybe[Count] = None
    position: Maybe[Word] = None
    place: Maybe[Count] = None
    starter: bool = False
    captain: bool = False


Player = Annotated[PlayerIn, BeforeValidator(_named, json_schema_input_type=PlayerIn | str)]


class TeamLineupIn(_In):
    formation: Maybe[Name] = None
    coach: Maybe[Named] = None
    players: Annotated[list[Player], Field(max_length=PLAYERS_MAX)] = []


class LineupsIn(_In):
    """confirmed: by the teams; line-ups that are only expected say false."""

    home: Maybe[TeamLineupIn] = None
    away: Maybe[TeamLineupIn] = None
    confirmed: bool = True


FigureName = Annotated[str, StringConstraints(pattern=f"^{FIGURE_NAME.pattern}$"), BeforeValidator(_as_word)]
Figure = Annotated[float, Field(strict=True, ge=0, le=1_000_000, allow_inf_nan=False), BeforeValidator(_number)]
Figures = Annotated[dict[FigureName, Figure], Field(max_length=FIGURES_MAX)]


class StatsIn(_In):
    home: Maybe[Figures] = None
    away: Maybe[Figures] = None


class MatchIn(_In):
    """One match. Teams and competition are a name or `{id, name}`."""

    id: Id
    home_team: Maybe[Named] = None
    away_team: Maybe[Named] = None
    start_time: Maybe[Moment] = None
    competition: Maybe[Named] = None
    venue: Maybe[Name] = None
    status: Maybe[Word] = None
    sport: Maybe[Sport] = None
    coverage: Maybe[Word] = None
    replaced_by: Maybe[Id] = None
    stage: Maybe[Label] = None
    round: Maybe[Label] = None
    leg: Maybe[Leg] = None
    lineups: Maybe[LineupsIn] = None
    stats: Maybe[StatsIn] = None

    @field_validator("replaced_by")
    @classmethod
    def _another(cls, replaced_by: str | None, info: ValidationInfo) -> str | None:
        """A match that replaces itself would redirect its readers in a circle."""
        if replaced_by is not None and replaced_by == info.data.get("id"):
            raise ValueError("must be another match")
        return replaced_by


class DeliveryIn(_In):
    """The body of `POST /api/ingest/generic`."""

    events: Annotated[list[EventIn], Field(max_length=LIST_ENTRIES_MAX)] | None = None
    matches: Annotated[list[MatchIn], Field(max_length=LIST_ENTRIES_MAX)] | None = None


class Lists(_In):
    """The same body with unvalidated entries: each entry is accepted or refused by itself."""

    events: Annotated[list[Any], Field(max_length=LIST_ENTRIES_MAX)] | None = None
    matches: Annotated[list[Any], Field(max_length=LIST_ENTRIES_MAX)] | None = None
