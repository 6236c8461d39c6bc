"""A match as it is now in the generic format: an event by itself, which this service or another can read again."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from db.domain import Competition, Match, Score, Team


def message_of(match: Match) -> str:
    """JSON, without version and time. Teams and competition are there for whoever reads the topic."""
    score, shootout = _pair(match.score), _pair(match.shootout)
    return json.dumps(
        {
            "match_id": match.id,
            "event_type": "score",
            "status": match.status.value,
            "home_score": score["home"] if score else None,
            "away_score": score["away"] if score else None,
            "minute": match.minute,
            "added_minute": match.added_minute,
            "period": match.period,
            "shootout": shootout,
            "home_team": _named(match.home),
            "away_team": _named(match.away),
            "competition": _named(match.competition),
        },
        ensure_ascii=False,
    )


def dated(message: str, version: int, updated_at: int) -> bytes:
    """The same of a version. A reader who ignores what is older than it has reads it in any order."""
    moment = datetime.fromtimestamp(updated_at / 1000, UTC).isoformat(timespec="milliseconds")
    whole = json.loads(message) | {"version": version, "sequence": version, "timestamp": moment}
    return json.dumps(whole, ensure_ascii=False).encode()


def _pair(score: Score | None) -> dict[str, int] | None:
    return {"home": score.home, "away": score.away} if score else None


def _named(thing: Team | Competition | None) -> dict[str, Any] | None:
    return {"id": thing.id, "name": thing.name} if thing else None
