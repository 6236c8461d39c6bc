"""How a match's clock and score are written. The twin of api/static/clock.js, in its words and rules.

A body is a match as the API tells it (`api.delivery.render.summary`); now_ms is the moment it is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pictures.words import PERIOD_LETTERS, status_words

Body = Mapping[str, Any]

# Football's periods by status: the minute each begins after, and the one at which stoppage time starts.
_PERIODS = {"first_half": (0, 45), "second_half": (45, 90), "et_first": (90, 105), "et_second": (105, 120)}
# Minutes. A clock that nobody has confirmed for longer is not run on.
_TICK_MOST = 15


def clock_text(match: Body, now_ms: int) -> str:
    """Short, as a row shows it: 67', HT, Q3 4:12, 20:45."""
    if match["phase"] == "scheduled" and match["status"] == "scheduled":
        return kick_off(match) or "TBD"
    return running(match, now_ms) or _words(match)[0]


def status_text(match: Body, now_ms: int) -> str:
    """The same for the match's own page, in words where there is no clock to show."""
    return running(match, now_ms) or _words(match)[1]


def running(match: Body, now_ms: int) -> str | None:
    """The displayed minute in play, or the clock of another sport; None where none runs."""
    if match["phase"] != "live":
        return None
    if match["sport"] != "football":
        return _other_clock(match)
    minute = match["minute"]
    if minute is None or match["status"] == "shootout":
        return None
    period = _PERIODS.get(match["status"]) or _numbered(match["period"])
    if period is None:
        return minute_text(minute, match["added_minute"])
    return minute_text(*_tick(minute, match, period, now_ms))


def _numbered(period: int | None) -> tuple[int, int] | None:
    periods = list(_PERIODS.values())
    return periods[period - 1] if period and 0 < period <= len(periods) else None


def _tick(minute: int, match: Body, period: tuple[int, int], now_ms: int) -> tuple[int, int | None]:
    """A minute is told as displayed, so it begins when it was told. A period's start is told as the minute it begins
    after: 0' is shown as 1', the 45+2' of a kick-off as 46'."""
    first, last = period
    since = (now_ms - _ms(match["minute_at"])) // 60_000 if match["minute_at"] else 0
    passed = 0 if since > _TICK_MOST else max(since, 0)
    shown = passed + (minute + (match["added_minute"] or 0) if minute > first else first + 1)
    return (shown, None) if shown <= last else (last, shown - last)


def minute_text(minute: int | None, added: int | None) -> str:
    """23', 90+4'."""
    if minute is None:
        return ""
    return f"{minute}+{added}'" if added else f"{minute}'"


def _other_clock(match: Body) -> str | None:
    sport, period, clock = match["sport"], match["period"], match["clock"]
    if period is None and clock is None:
        return None
    if sport == "baseball" and clock is not None:
        return str(clock)
    overtime = sport in PERIOD_LETTERS and (period or 0) > (3 if sport == "ice_hockey" else 4)
    letter = PERIOD_LETTERS.get(sport, "P")
    numbered = "OT" if overtime else "SO" if match["status"] == "shootout" else f"{letter}{period}"
    return " ".join(part for part in ("" if period is None else numbered, clock) if part)


def _words(match: Body) -> tuple[str, str]:
    return status_words(match["status"], match["decided_by"], match["sport"], match["period"])


def figures(match: Body) -> str:
    """3–1; – where a score is not known, for 0–0 would be a claim."""
    home, away = match["home_score"], match["away_score"]
    return "–" if home is None or away is None else f"{home}–{away}"


def kicks(match: Body) -> str:
    """(4–2 p) after a shoot-out, else ""."""
    shootout = match["shootout"]
    return f"({shootout['home']}–{shootout['away']} p)" if shootout else ""


def winner(match: Body) -> str | None:
    """The side that won a finished match, by kicks where the score is level."""
    home, away, shootout = match["home_score"], match["away_score"], match["shootout"]
    if match["phase"] != "finished" or home is None or away is None:
        return None
    ahead = home - away or (shootout["home"] - shootout["away"] if shootout else 0)
    return None if ahead == 0 else "home" if ahead > 0 else "away"


def name_of(team: Body) -> str:
    """A team that nobody has named yet still plays."""
    return str(team["name"] or "To be decided")


def kick_off(match: Body) -> str | None:
    """20:45 in UTC; None where it is not known."""
    start = match["start_time"]
    return start[11:16] if start else None


def _ms(moment: str) -> int:
    return round(datetime.fromisoformat(moment).timestamp() * 1000)


def today(now_ms: int) -> str:
    """The calendar day in UTC."""
    return f"{datetime.fromtimestamp(now_ms / 1000, UTC):%Y-%m-%d}"
