"""The strip of days above a day's matches. The twin of api/static/days.js, in UTC."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

DAY_MS = 24 * 60 * 60 * 1000
# Days shown on either side of the chosen one.
REACH = 3
# Of the years that the API lists (api/web/schemas.py).
_DAY = re.compile(r"(?:19|20)\d\d-\d\d-\d\d", re.ASCII)


@dataclass(frozen=True, slots=True)
class Day:
    """name: of the weekday, or Today. written: 25 Nov. path: its page."""

    name: str
    written: str
    path: str
    is_chosen: bool


def begins_ms(day: str) -> int | None:
    """When 2026-11-25 begins in UTC; None where it is no day."""
    if not _DAY.fullmatch(day):
        return None
    try:
        return round(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() * 1000)
    except ValueError:
        return None


def strip(chosen: str, today: str) -> list[Day]:
    middle = date.fromisoformat(chosen)
    return [_day(middle + timedelta(days), middle, today) for days in range(-REACH, REACH + 1)]


def _day(when: date, chosen: date, today: str) -> Day:
    is_today = when.isoformat() == today
    path = "/" if is_today else f"/day/{when.isoformat()}"
    return Day("Today" if is_today else f"{when:%a}", f"{when.day} {when:%b}", path, when == chosen)
