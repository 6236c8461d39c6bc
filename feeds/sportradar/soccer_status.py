"""The status object of Sportradar soccer, `sport_event_status`: status, score, shoot-out and clock of a match."""

from __future__ import annotations

import re
from typing import Any

from db.domain import Score, Status, status_of
from feeds.fields import Json, text, thing, things, whole

# match_status is finer than status, but it stays `ended` where status moves on to `closed` (final).
FINAL = {"closed": Status.FINISHED, "ended": Status.ENDED}
DECIDED = {"aet": "extra_time", "ap": "penalties"}


def status_and_word(status: Json) -> tuple[Status | None, str | None]:
    """The status, or None and the provider's own word where it is unknown."""
    broad, fine = text(status.get("status"), 64), text(status.get("match_status"), 64)
    if broad in FINAL:
        return FINAL[broad], None
    for word in (fine, broad):
        if word and (known_status := status_of(word)):
            return (Status.ENDED if word == "ended" else known_status), None
    return None, fine or broad


def decided_by(status: Json) -> str | None:
    return DECIDED.get(str(status.get("match_status")))


def score(status: Json) -> Score | None:
    """Score of a status object or an event, without shoot-out kicks."""
    return pair(status, "home_score", "away_score")


def shootout(status: Json) -> Score | None:
    """Kicks scored. Current documents have the shoot-out among the periods, older ones beside the score."""
    penalties = (period for period in things(status.get("period_scores")) if period.get("type") == "penalties")
    return own_shootout(status) or next((kicks for period in penalties if (kicks := score(period))), None)


def own_shootout(event: Json) -> Score | None:
    """Kicks scored, from the fields of an event."""
    return pair(event, "shootout_home_score", "shootout_away_score")


def pair(holder: Json, home: str, away: str) -> Score | None:
    points = whole(holder.get(home)), whole(holder.get(away))
    return Score(points[0], points[1]) if points[0] is not None and points[1] is not None else None


def clock(status: Json) -> tuple[int | None, int | None]:
    """The displayed minute and added minute.

    `67:12` played is the 68th minute. At 45:00 the clock stands and the stoppage clock runs.
    """
    counted = thing(status.get("clock"))
    minutes, added = _minutes(counted.get("played")), _minutes(counted.get("stoppage_time_played"))
    if minutes is None:
        return None, None
    return (minutes, added + 1) if added is not None else (minutes + 1, None)


def _minutes(value: Any) -> int | None:
    digits = re.match(r"(\d{1,3}):", value, re.ASCII) if isinstance(value, str) else None
    return int(digits[1]) if digits else None
