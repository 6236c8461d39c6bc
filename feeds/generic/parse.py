"""The generic format: `{"events": [...]}` and/or `{"matches": [...]}` (docs/protocol.md, "Ingest").

feeds.generic.schema has the fields, feeds.generic.vocabulary the words.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from db.domain import IMPLIES, KICKS, SCORING, Event, Score, Stamp, Update
from db.domain.errors import Fault, Refused
from feeds.fields import AHEAD_MS, ident
from feeds.generic.match_entry import match_update, ms_of, person_of
from feeds.generic.schema import EventIn, Lists, MatchIn
from feeds.generic.vocabulary import standing_of
from feeds.result import ParseResult, RefusedEntry

# Faults reported and kept for one body. A sender with more is repeating one mistake.
FAULTS_MAX = 100

# The lists of a body and the field by which their entries name the match.
_MATCH_ID = {"events": "match_id", "matches": "id"}


@dataclass(frozen=True, slots=True)
class _Entry:
    """place: its list, index and faults.
    raw: as received.
    checked: the validated model, None where it is wrong.
    match_id: None where it cannot be read.
    """

    place: RefusedEntry
    raw: Any
    checked: EventIn | MatchIn | None
    match_id: str | None


def parse(body: bytes, *, received_at: int) -> list[Update]:
    """Like `read`, but raises Refused if any entry is wrong."""
    parsed = read(body, received_at=received_at)
    if parsed.refused:
        raise _invalid(_faults(parsed.refused))
    return parsed.updates


def read(body: bytes, *, received_at: int) -> ParseResult:
    """Matches first, then events in the order sent. A wrong entry refuses all entries of its match. received_at: ms.

    Raises Refused: `not_json`, or `invalid` where the body has another format or no valid entry.
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
    """The entries of each list in the body."""
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
    """A leading byte order mark is skipped (RFC 8259, 8.1)."""
    try:
        return json.loads(body.decode("utf-8-sig"), parse_constant=_no_constant, parse_float=_finite)
    except (ValueError, RecursionError):
        raise Refused("The body is not JSON.", "not_json") from None


def _no_constant(word: str) -> None:
    """Refuse NaN and Infinity, which Python accepts and JSON does not have (RFC 8259, 6)."""
    raise ValueError(word)


def _finite(text: str) -> float | str:
    """1e999 is valid JSON but infinite as a float. It stays text, which can be written back as JSON."""
    value = float(text)
    return value if math.isfinite(value) else text


def _entries(lists: dict[str, list[Any]], received_at: int) -> list[_Entry]:
    latest = received_at + AHEAD_MS
    return [_entry(name, index, raw, latest) for name in lists for index, raw in enumerate(lists[name])]


def _entry(name: str, index: int, raw: Any, latest: int) -> _Entry:
    """latest: ms, the latest timestamp an event may have."""
    if not isinstance(raw, dict):
        return _Entry(RefusedEntry(name, index, (Fault("", "must be an object"),)), raw, None, None)
    match_id = ident(raw.get(_MATCH_ID[name]))
    try:
        checked = EventIn.model_validate(raw) if name == "events" else MatchIn.model_validate(raw)
    except ValidationError as error:
        return _Entry(RefusedEntry(name, index, _reasons(error)), raw, None, match_id)
    ahead = isinstance(checked, EventIn) and ms_of(checked.timestamp) > latest
    faults = (Fault("timestamp", "lies more than a day ahead of our clock"),) if ahead else ()
    return _Entry(RefusedEntry(name, index, faults), raw, checked, match_id)


def _reasons(error: ValidationError) -> tuple[Fault, ...]:
    """pydantic's `("player", "name")` as `player.name`."""
    return tuple(
        Fault(".".join(map(str, fault["loc"])), fault["msg"].removeprefix("Value error, "))
        for fault in error.errors(include_url=False, include_input=False)
    )


def _faults(refused: Iterable[RefusedEntry]) -> tuple[Fault, ...]:
    return tuple(fault for entry in refused for fault in entry.faults_in_body())


def _invalid(faults: tuple[Fault, ...]) -> Refused:
    more = f" Of {len(faults)} faults the first {FAULTS_MAX} are named." if len(faults) > FAULTS_MAX else ""
    message = f"The body is JSON but not in this provider's format; nothing of it was applied.{more}"
    return Refused(message, "invalid", faults[:FAULTS_MAX])


def _by_list(entries: list[_Entry]) -> dict[str, list[_Entry]]:
    lists = {name: [entry for entry in entries if entry.place.list == name] for name in _MATCH_ID}
    return {name: of_list for name, of_list in lists.items() if of_list}


def _as_body(refused: list[_Entry]) -> list[RefusedEntry]:
    """Their places in a body of the refused entries alone."""
    return [entry.place.moved(index) for of_list in _by_list(refused).values() for index, entry in enumerate(of_list)]


def _rest(refused: list[_Entry]) -> bytes:
    """A body of the refused entries alone. A lone surrogate, which UTF-8 cannot encode, is written as its escape."""
    body = {name: [entry.raw for entry in of_list] for name, of_list in _by_list(refused).items()}
    return json.dumps(body, ensure_ascii=False).encode(errors="backslashreplace")


def _updates(entries: list[_Entry], received_at: int) -> list[Update]:
    """Matches come first: an event may need the sport of its match."""
    matches = [match_update(entry.checked, received_at) for entry in entries if isinstance(entry.checked, MatchIn)]
    events = [_event_update(entry.checked, received_at) for entry in entries if isinstance(entry.checked, EventIn)]
    return matches + events


def _event_update(event: EventIn, received_at: int) -> Update:
    minute, added = event.minute
    added = event.added_minute if event.added_minute is not None else added
    at = ms_of(event.timestamp)
    stamp = Stamp(at, event.sequence, "generic", (minute or 0) * 100 + (added or 0))
    has_score = event.home_score is not None and event.away_score is not None
    status, decided_by = standing_of(event.status) if event.status else (None, None)
    return Update(
        event.match_id,
        stamp,
        received_at,
        event=_event(event, stamp, minute, added, received_at) if _is_in_timeline(event) else None,
        score=Score(event.home_score or 0, event.away_score or 0) if has_score else None,
        shootout=Score(event.shootout.home, event.shootout.away) if event.shootout else None,
        status=status,
        status_word=event.status if status is None else None,
        decided_by=decided_by,
        minute=minute,
        added_minute=added,
        period=event.period,
        voids=event.voids,
    )


def _is_in_timeline(event: EventIn) -> bool:
    """A bare `score` updates scoreboard and clock and is not shown in the timeline."""
    return event.event_type != "score" or event.detail is not None or event.player is not None


def _event(event: EventIn, stamp: Stamp, minute: int | None, added: int | None, received_at: int) -> Event:
    return Event(
        event.event_id or _derived_id(event, minute, added),
        event.event_type,
        stamp,
        since=stamp,
        team=event.team,
        minute=minute,
        added_minute=added,
        period=event.period,
        player=person_of(event.player),
        assist=person_of(event.assist),
        detail=event.detail,
        home_score=event.home_score,
        away_score=event.away_score,
        voids=event.voids,
        created_at=received_at,
    )


_WHISTLES = frozenset(IMPLIES) | {"resumed"}
_COUNTED = SCORING | KICKS | {"goal_cancelled"}


def _derived_id(event: EventIn, minute: int | None, added: int | None) -> str:
    """An id for an event without one: the same event sent twice gets the same id.

    A whistle is identified by its minute, a card by player and minute, or by its time where no player is named. A goal,
    kick or cancellation is identified by all its fields and its time: db.domain.identity later decides which of them
    are the same goal.
    """
    who = (event.player.id or event.player.name) if event.player else None
    what = (event.home_score, event.away_score) if event.event_type in _COUNTED else None
    is_known = what is None and (who or event.event_type in _WHISTLES)
    when = None if is_known else ms_of(event.timestamp)
    shootout = (event.shootout.home, event.shootout.away) if event.shootout else None
    parts = (
        event.match_id,
        event.event_type,
        event.team,
        who,
        minute,
        added,
        event.period,
        what,
        when,
        shootout,
        event.voids,
    )
    return "d-" + hashlib.sha256(repr(tuple(map(str, parts))).encode()).hexdigest()[:20]
