"""Careful reading of providers' JSON: what is odd is None or empty, and nothing that is read grows without bound."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from db.domain import ID_PATTERN, Event, Person, Stamp, Update
from db.domain.errors import Refused

NAME_MOST, TEXT_MOST = 200, 1_000
# Deleted events are known to bear dates of the year 0001 and 9999; no match we are told of is older than feeds are.
YEARS = range(1990, 2100)

# A stamp beyond tomorrow would outrank every true message that follows; time zones and clocks are off by less.
AHEAD_MS = 24 * 60 * 60 * 1000

Json = dict[str, Any]


def documents(body: bytes) -> Iterator[Any]:
    """JSON values one after another, with or without white space between: how Sportradar's push stream is framed.

    A byte order mark before them is skipped, as RFC 8259, 8.1 allows. Raises Refused `not_json`.
    """
    try:
        text = body.decode("utf-8-sig")
        at, end = 0, len(text.rstrip())
        while at < end:
            at = _past_space(text, at)
            value, at = json.JSONDecoder().raw_decode(text, at)
            yield value
    except (ValueError, RecursionError):
        raise Refused("The body is not JSON.", "not_json") from None


def _past_space(text: str, at: int) -> int:
    found = re.compile(r"\s*").match(text, at)
    return found.end() if found else at


def thing(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def things(value: Any) -> list[Json]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def text(value: Any, most: int = NAME_MOST) -> str | None:
    """Without control characters and lone surrogates, which neither PostgreSQL nor UTF-8 takes."""
    if not isinstance(value, str):
        return None
    plain = re.sub(r"[\x00-\x1f\x7f\ud800-\udfff]+", " ", value).strip()
    return plain[:most] or None


def whole(value: Any, most: int = 9_999) -> int | None:
    """A number from 0 to `most`; feeds of one provider write the same one as 3, 3.0 and "3"."""
    if isinstance(value, str) and re.fullmatch(r"\d{1,9}", value, re.ASCII):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        return None
    return int(value)


def ident(value: Any) -> str | None:
    """An id, where it is one of ours: some providers write them as numbers.

    `.` and `..` are none: clients and caches resolve them as steps of a path (RFC 3986, 5.2.4).
    """
    plain = str(int(value)) if _is_whole_number(value) else value
    fits = isinstance(plain, str) and len(plain) <= 64 and ID_PATTERN.fullmatch(plain) and plain not in (".", "..")
    return plain if fits else None


def _is_whole_number(value: Any) -> bool:
    """An integer, or a float of an integral value, as far as floats tell one integer from the next."""
    if isinstance(value, float):
        return value.is_integer() and abs(value) < 2**53
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**64


def ms(value: Any) -> int | None:
    """An ISO 8601 moment as ms since the epoch; UTC where it names no zone."""
    if not isinstance(value, str) or len(value) > 40:
        return None
    try:
        moment = datetime.fromisoformat(value)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return round(aware.timestamp() * 1000) if aware.year in YEARS else None
    except (ValueError, OverflowError):
        return None


def person(value: Any) -> Person | None:
    one = thing(value)
    name = text(one.get("name"))
    return Person(name, ident(one.get("id"))) if name else None


def plausible(updates: Iterable[Update], received_at: int) -> list[Update]:
    """The updates, those from the future without their time: a deleted event may bear the year 9999, and a whole
    document is not refused for it. received_at: ms."""
    latest = received_at + AHEAD_MS
    return [_plausible(update, latest) for update in updates]


def _plausible(update: Update, latest: int) -> Update:
    event = update.event
    if event and max(event.stamp.at, event.since.at) > latest:
        event = _event_before(event, latest)
    if event is update.event and update.stamp.at <= latest:
        return update
    return replace(update, stamp=_before(update.stamp, latest), event=event)


def _event_before(event: Event, latest: int) -> Event:
    return replace(event, stamp=_before(event.stamp, latest), since=_before(event.since, latest))


def _before(stamp: Stamp, latest: int) -> Stamp:
    return replace(stamp, at=0) if stamp.at > latest else stamp
