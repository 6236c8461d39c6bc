"""The status object of Sportradar soccer, `sport_event_status`: status, score, shoot-out and clock of a match."""

from __future__ import annotations

import re
from typing import Any

from db.domain import Score, Status, status_of
from feeds.fields import Json, text, thing, things, whole

# match_status is finer than status, but it stays `ended` where status moves on to `closed` (final).
FINAL = {"closed": Status.FINISHED, "ended": Status.ENDED}
# `match_status` has no word for some of these and may stay as it was, such as `2nd_half` of a match that is suspended.
HELD_UP = frozenset({Status.DELAYED, Status.INTERRUPTED, Status.SUSPENDED, Status.POSTPONED})
# How a match came out without being played to its end, which `closed` confirms.
OUTCOMES = frozenset({Status.CANCELLED, Status.ABANDONED, Status.AWARDED, Status.WALKOVER})
DECIDED = {"aet": "extra_time", "ap": "penalties"}


def status_and_word(status: Json) -> tuple[Status | None, str | None]:
    """The status, or None and the provider's own word where it is unknown."""
    broad, fine = text(status.get("status"), 64), text(status.get("match_status"), 64)
    coarse, exact = (_status_of(word) for word in (broad, fine))
    if exact in OUTCOMES or coarse in OUTCOMES:
        return (exact if exact in OUTCOMES else coarse), None
    if broad in FINAL or coarse in HELD_UP or (coarse and exact is Status.SCHEDULED):
        exact = None
    known_status = exact or coarse
    return known_status, None if known_status else fine or broad


def _status_of(word: str | None) -> Status | None:
    return Status.ENDED if word == "ended" else status_of(word) if word else None


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
