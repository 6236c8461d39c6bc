"""The generic format: `{"events": [...]}` and/or `{"matches": [...]}` (docs/protocol.md, "Ingest").

`generic_schema` says what a field takes, `generic_words` which words mean one of ours.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from db.domain import (
    IMPLIES,
    KICKS,
    SCORING,
    Competition,
    Event,
    MatchInfo,
    Person,
    Score,
    Stamp,
    Team,
    Update,
)
from db.domain.errors import Fault, Refused
from feeds.fields import AHEAD_MS, ident
from feeds.generic.schema import EventIn, Lists, MatchIn, NamedIn
from feeds.generic.vocabulary import standing_of
from feeds.result import ParseResult, RefusedEntry

# Faults told and kept of one body; who sends more repeats one mistake.
FAULTS_MOST = 100

# The lists of a body and the field by which their entries name the match.
_MATCH_ID = {"events": "match_id", "matches": "id"}


@dataclass(frozen=True, slots=True)
class _Entry:
    """place: where it is, and its faults. raw: as it came. checked: None where it is wrong. match_id: None where nobody
    can tell."""

    place: RefusedEntry
    raw: Any
    checked: EventIn | MatchIn | None
    match_id: str | None


def parse(body: bytes, *, received_at: int) -> list[Update]:
    """As `read`, for who needs all of a body: raises Refused where anything of it is wrong."""
    parsed = read(body, received_at=received_at)
    if parsed.refused:
        raise _invalid(_faults(parsed.refused))
    return parsed.updates


def read(body: bytes, *, received_at: int) -> ParseResult:
    """Matches first, then events in the order sent. What is wrong refuses all entries of its match. received_at: ms.

    Raises Refused: `not_json` where the body is none, `invalid` where it is not this format or nothing of it is right.
    """
    entries = _entries(_lists(body), received_at)
    wrong = {entry.match_id for entry in entries if entry.place.faults and entry.match_id}
    refused = [entry for entry in entries if entry.place.faults or entry.match_id in wrong]
    if not refused:
        return ParseResult(_updates(entries, received_at))
    refusal = _invalid(_faults(_as_body(refused)))
    if len(refused) == len(entries):
        raise refusal
    right = [entry for entry in entries if not entry.place.faults and entry.match_id not in wrong]
    return ParseResult(_updates(right, received_at), tuple(entry.place for entry in refused), _rest(refused), refusal)


def _lists(body: bytes) -> dict[str, list[Any]]:
    """The entries of each list that is there."""
    document = _document(body)
    if not isinstance(document, dict) or not any(name in document for name in _MATCH_ID):
        raise _invalid((Fault("", 'an object with "events" and/or "matches" is needed'),))
    try:
        lists = Lists.model_validate(document)
    except ValidationError as error:
        raise _invalid(_reasons(error)) from None
    filled = {name: entries for name in _MATCH_ID if (entries := getattr(lists, name)) is not None}
    if not filled:
        raise _invalid(tuple(Fault(name, "must be a list") for name in _MATCH_ID if name in document))
    return filled


def _document(body: bytes) -> Any:
    """A byte order mark is skipped, as RFC 8259, 8.1 allows."""
    try:
        return json.loads(body.decode("utf-8-sig"), parse_constant=_no_constant, parse_float=_finite)
    except (ValueError, RecursionError):
        raise Refused("The body is not JSON.", "not_json") from None


def _no_constant(word: str) -> None:
    """NaN and Infinity, which Python reads and JSON does not know (RFC 8259, 6)."""
    raise ValueError(word)


def _finite(text: str) -> float | str:
    """1e999 is JSON and no number of ours: left as text, it can be written back, which infinity cannot."""
    value = float(text)
    return value if math.isfinite(value) else text


def _entries(lists: dict[str, list[Any]], received_at: int) -> list[_Entry]:
    latest = received_at + AHEAD_MS
    return [_entry(name, index, raw, latest) for name in lists for index, raw in enumerate(lists[name])]


def _entry(name: str, index: int, raw: Any, latest: int) -> _Entry:
    """latest: ms, the latest moment an event may be of."""
    if not isinstance(raw, dict):
        return _Entry(RefusedEntry(name, index, (Fault("", "must be an object"),)), raw, None, None)
    match_id = ident(raw.get(_MATCH_ID[name]))
    try:
        checked = EventIn.model_validate(raw) if name == "events" else MatchIn.model_validate(raw)
    except ValidationError as error:
        return _Entry(RefusedEntry(name, index, _reasons(error)), raw, None, match_id)
    ahead = isinstance(checked, EventIn) and _ms(checked.timestamp) > latest
    faults = (Fault("timestamp", "lies more than a day ahead of our clock"),) if ahead else ()
    return _Entry(RefusedEntry(name, index, faults), raw, checked, match_id)


def _reasons(error: ValidationError) -> tuple[Fault, ...]:
    """pydantic's `("player", "name")` as `player.name`."""
    return tuple(
        Fault(".".join(map(str, one["loc"])), one["msg"].removeprefix("Value error, "))
        for one in error.errors(include_url=False, include_input=False)
    )


def _faults(refused: Iterable[RefusedEntry]) -> tuple[Fault, ...]:
    return tuple(fault for entry in refused for fault in entry.faults_in_body())


def _invalid(faults: tuple[Fault, ...]) -> Refused:
    more = f" Of {len(faults)} faults the first {FAULTS_MOST} are named." if len(faults) > FAULTS_MOST else ""
    message = f"The body is JSON but not what this door takes; nothing of it was applied.{more}"
    return Refused(message, "invalid", faults[:FAULTS_MOST])


def _by_list(entries: list[_Entry]) -> dict[str, list[_Entry]]:
    lists = {name: [entry for entry in entries if entry.place.list == name] for name in _MATCH_ID}
    return {name: of_list for name, of_list in lists.items() if of_list}


def _as_body(refused: list[_Entry]) -> list[RefusedEntry]:
    """Their places in a body of them alone."""
    return [entry.place.moved(index) for of_list in _by_list(refused).values() for index, entry in enumerate(of_list)]


def _rest(refused: list[_Entry]) -> bytes:
    """A body of them alone. Half a surrogate pair, for which UTF-8 has no bytes, goes back to its escape."""
    body = {name: [entry.raw for entry in of_list] for name, of_list in _by_list(refused).items()}
    return json.dumps(body, ensure_ascii=False).encode(errors="backslashreplace")


def _updates(entries: list[_Entry], received_at: int) -> list[Update]:
    """Matches first: an event may need the sport of its match."""
    matches = [_match_update(entry.checked, received_at) for entry in entries if isinstance(entry.checked, MatchIn)]
    events = [_event_update(entry.checked, received_at) for entry in entries if isinstance(entry.checked, EventIn)]
    return matches + events


def _event_update(told: EventIn, received_at: int) -> Update:
    minute, added = told.minute
    added = told.added_minute if told.added_minute is not None else added
    at = _ms(told.timestamp)
    stamp = Stamp(at, told.sequence, "generic", (minute or 0) * 100 + (added or 0))
    known = told.home_score is not None and told.away_score is not None
    status, decided_by = standing_of(told.status) if told.status else (None, None)
    return Update(
        told.match_id,
        stamp,
        received_at,
        event=_event(told, stamp, minute, added, received_at) if _is_told_of(told) else None,
        score=Score(told.home_score or 0, told.away_score or 0) if known else None,
        shootout=Score(told.shootout.home, told.shootout.away) if told.shootout else None,
        status=status,
        status_word=told.status if status is None else None,
        decided_by=decided_by,
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


_WHISTLES = frozenset(IMPLIES) | {"resumed"}
_COUNTED = SCORING | KICKS | {"goal_cancelled"}


def _derived_id(told: EventIn, minute: int | None, added: int | None) -> str:
    """The same moment told twice gets the same id.

    A whistle is known by its minute, a card by who got it when; where nobody is named, by its time. A goal, a kick or a
    cancellation is known by all that is told of it and its time: which tellings are of one goal is found where all of
    them are known (db.domain.identity).
    """
    who = (told.player.id or told.player.name) if told.player else None
    what = (told.home_score, told.away_score) if told.event_type in _COUNTED else None
    is_known = what is None and (who or told.event_type in _WHISTLES)
    when = None if is_known else _ms(told.timestamp)
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
    status, decided_by = standing_of(told.status) if told.status else (None, None)
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
    return Update(
        told.id,
        Stamp(0, source="generic"),
        received_at,
        info=info,
        status=status,
        status_word=told.status if status is None else None,
        decided_by=decided_by,
    )


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
