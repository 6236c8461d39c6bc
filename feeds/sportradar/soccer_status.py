"""The status object of Sportradar soccer, `sport_event_status`: status, score, shoot-out and clock of a match."""

from __future__ import annotations

import re
from typing import Any

from db.domain import Score, Status, status_of
from feeds.fields import Json, text, thing, things, whole

# match_status is finer than status, but says `ended` of what may still be corrected and keeps saying so.
FINAL = {"closed": Status.FINISHED, "ended": Status.ENDED}
DECIDED = {"aet": "extra_time", "ap": "penalties"}


def status_and_word(status: Json) -> tuple[Status | None, str | None]:
    """The status and, where it is one we never heard of, its word."""
    broad, fine = text(status.get("status"), 64), text(status.get("match_status"), 64)
    if broad in FINAL:
        return FINAL[broad], None
    for word in (fine, broad):
        if word and (known := status_of(word)):
            return (Status.ENDED if word == "ended" else known), None
    return None, fine or broad


def decided_by(status: Json) -> str | None:
    return DECIDED.get(str(status.get("match_status")))


def score(status: Json) -> Score | None:
    """Of a status object or an event. Kicks of a shoot-out are not in it."""
    return pair(status, "home_score", "away_score")


def shootout(status: Json) -> Score | None:
    """The kicks scored. The data dictionary has the shoot-out among the periods, older documents beside the score."""
    penalties = (one for one in things(status.get("period_scores")) if one.get("type") == "penalties")
    return own_shootout(status) or next((kicks for one in penalties if (kicks := score(one))), None)


def own_shootout(event: Json) -> Score | None:
    """The kicks scored, in the fields that an event has."""
    return pair(event, "shootout_home_score", "shootout_away_score")


def pair(holder: Json, home: str, away: str) -> Score | None:
    points = whole(holder.get(home)), whole(holder.get(away))
    return Score(points[0], points[1]) if points[0] is not None and points[1] is not None else None


def clock(status: Json) -> tuple[int | None, int | None]:
    """The displayed minute and added minute.

    `67:12` played is the 68th minute; at 45:00 the clock stands and the stoppage's own runs.
    """
    counted = thing(status.get("clock"))
    minutes, added = _minutes(counted.get("played")), _minutes(counted.get("stoppage_time_played"))
    if minutes is None:
        return None, None
    return (minutes, added + 1) if added is not None else (minutes + 1, None)


def _minutes(value: Any) -> int | None:
    digits = re.match(r"(\d{1,3}):", value, re.ASCII) if isinstance(value, str) else None
    return int(digits[1]) if digits else None
