"""Domain → the JSON of the wire contract."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from api.delivery.snapshot import BOARD, Snapshot
from db.domain import Competition, Event, Match, Person, Phase, Team

# Polls are the bill at the edge, so their pace is ours to give (ms): a goal is a matter of seconds, a kick-off is not.
POLL_AFTER_MS = {
    Phase.LIVE: 2_000,
    Phase.BREAK: 15_000,
    Phase.SCHEDULED: 60_000,
    Phase.FINISHED: 60_000,
    # Postponed or called off: news of it may come in days.
    Phase.OFF: 300_000,
}
# A board without a match: kick-offs are known by the minute.
POLL_EMPTY_MS = 60_000


def score(match: Match) -> Snapshot:
    """What `/api/score/{match_id}` and all that waits on it are made of."""
    path = f"/api/score/{match.id}"
    return Snapshot(match.id, match.version, path, dumps(summary(match)), POLL_AFTER_MS[match.phase], match.phase)


def board(version: int, matches: Iterable[Match]) -> Snapshot:
    """The live matches together: `/api/live`, and the wait on it."""
    shown = [summary(match) for match in matches]
    poll_after_ms = POLL_AFTER_MS[Phase.LIVE] if shown else POLL_EMPTY_MS
    body = dumps({"version": version, "matches": shown})
    return Snapshot(BOARD, version, "/api/live", body, poll_after_ms, Phase.LIVE)


def summary(match: Match) -> dict[str, Any]:
    """A match as it stands in a list."""
    shown, kicks = match.score, match.shootout
    return {
        "match_id": match.id,
        "version": match.version,
        "status": match.status,
        "phase": match.phase,
        "decided_by": match.decided_by if match.phase is Phase.FINISHED else None,
        "sport": match.sport,
        "home_team": team(match.home),
        "away_team": team(match.away),
        "home_score": shown.home if shown else None,
        "away_score": shown.away if shown else None,
        "shootout": {"home": kicks.home, "away": kicks.away} if kicks else None,
        "minute": match.minute,
        "added_minute": match.added_minute,
        "period": match.period,
        "clock": match.clock,
        "minute_at": rfc3339(match.minute_at),
        "competition": named(match.competition),
        "start_time": rfc3339(match.start_time),
        "updated_at": rfc3339(match.updated_at),
    }


def metadata(match: Match) -> dict[str, Any]:
    return {
        "match_id": match.id,
        "version": match.version,
        "status": match.status,
        "phase": match.phase,
        "sport": match.sport,
        "home_team": team(match.home),
        "away_team": team(match.away),
        "competition": named(match.competition),
        "venue": match.venue,
        "start_time": rfc3339(match.start_time),
        "coverage": match.coverage,
        "replaced_by": match.replaced_by,
        "updated_at": rfc3339(match.updated_at),
    }


def timeline(match: Match) -> dict[str, Any]:
    return {"match_id": match.id, "version": match.version, "events": [event(one) for one in match.timeline]}


def event(one: Event) -> dict[str, Any]:
    return {
        "id": one.id,
        "event_type": one.type,
        "team": one.team,
        "minute": one.minute,
        "added_minute": one.added_minute,
        "period": one.period,
        "player": person(one.player),
        "assist": person(one.assist),
        "detail": one.detail,
        "home_score": one.home_score,
        "away_score": one.away_score,
        "voided": one.voided,
        "voids": one.voids,
        "created_at": rfc3339(one.created_at),
    }


def team(one: Team | None) -> dict[str, str | None]:
    """Both names null until the teams are told: an event may come before its match."""
    return {"id": one.id, "name": one.name} if one else {"id": None, "name": None}


def named(one: Competition | None) -> dict[str, str] | None:
    return {"id": one.id, "name": one.name} if one else None


def person(one: Person | None) -> dict[str, str | None] | None:
    return {"id": one.id, "name": one.name} if one else None


def rfc3339(ms: int | None) -> str | None:
    if ms is None:
        return None
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def dumps(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
