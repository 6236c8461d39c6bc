"""Tolerant readers of providers' JSON. A value of the wrong type becomes None or empty; every length is bounded."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from db.domain import ID_PATTERN, Event, Person, Stamp, Update
from db.domain.errors import Refused

NAME_LENGTH_MAX, TEXT_LENGTH_MAX = 200, 1_000
# Deleted Opta events carry dates of the years 0001 and 9999. No provider's match is older than these years.
YEARS = range(1990, 2100)

# A stamp beyond tomorrow would outrank every correct message that follows. Zone and clock errors are smaller than this.
AHEAD_MS = 24 * 60 * 60 * 1000

Json = dict[str, Any]


def documents(body: bytes) -> Iterator[Any]:
    """JSON values back to back, with or without white space between: the framing of Sportradar's push stream.

    A leading byte order mark is skipped (RFC 8259, 8.1). Raises Refused `not_json`.
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
    space = re.compile(r"\s*").match(text, at)
    return space.end() if space else at


def thing(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def things(value: Any) -> list[Json]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def keyed(value: Any, name: str) -> dict[str, Json]:
    """The objects of a list by one of their fields, which is text: one where it is not is left out."""
    return {key: item for item in things(value) if isinstance(key := item.get(name), str)}


def text(value: Any, limit: int = NAME_LENGTH_MAX) -> str | None:
    """Text without control characters and lone surrogates, which PostgreSQL and UTF-8 refuse."""
    if not isinstance(value, str):
        return None
    plain = re.sub(r"[\x00-\x1f\x7f\ud800-\udfff]+", " ", value).strip()
    return plain[:limit] or None


def label(value: Any) -> str | None:
    """A round is a name or a number."""
    number = whole(value)
    return str(number) if number is not None else text(value)


def whole(value: Any, limit: int = 9_999) -> int | None:
    """A number from 0 to `limit`; one provider may write the same number as 3, 3.0 and "3"."""
    if isinstance(value, str) and re.fullmatch(r"\d{1,9}", value, re.ASCII):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= limit:
        return None
    return int(value)


def figure(value: Any) -> float | None:
    """A number of a statistic, from 0 to a million, also as text: `"54.3"`."""
    if isinstance(value, str) and re.fullmatch(r"\d{1,7}(\.\d{1,6})?", value, re.ASCII):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1_000_000:
        return None
    return float(value)


def ident(value: Any) -> str | None:
    """A valid id, or None. Some providers write ids as numbers.

    `.` and `..` are refused: clients and caches resolve them as path segments (RFC 3986, 5.2.4).
    """
    plain = str(int(value)) if _is_whole_number(value) else value
    fits = isinstance(plain, str) and len(plain) <= 64 and ID_PATTERN.fullmatch(plain) and plain not in (".", "..")
    return plain if fits else None


def _is_whole_number(value: Any) -> bool:
    """An integer, or an integral float below 2**53, beyond which floats skip integers."""
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
    fields = thing(value)
    name = text(fields.get("name"))
    return Person(name, ident(fields.get("id"))) if name else None


def plausible(updates: Iterable[Update], received_at: int) -> list[Update]:
    """Remove times that lie in the future: one deleted event of the year 9999 must not refuse a whole document.

    received_at: ms.
    """
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
