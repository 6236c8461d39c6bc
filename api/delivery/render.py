"""Domain → the JSON of the wire contract."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from api.delivery.board_changes import BoardChanges, LoggedChange
from api.delivery.snapshot import BOARD, CHANGES, Snapshot
from db.codec import decode_lineups, decode_stats
from db.domain import Competition, Event, Lineups, Match, Person, Phase, ScorelineEntry, Stats, Team, TeamLineup
from db.live.board import Board
from db.stored_document import StoredDocument

# ms. Polls make up the CDN's bill, so the server sets their pace: a goal matters within seconds, a kick-off does not.
POLL_AFTER_MS = {
    Phase.LIVE: 2_000,
    Phase.BREAK: 15_000,
    Phase.SCHEDULED: 60_000,
    Phase.FINISHED: 60_000,
    # Postponed or cancelled: news may take days.
    Phase.OFF: 300_000,
}
# ms. Those who open an app together, at a reminder or at the minute of the kick-off, begin to wait spread over this.
# Not in play, where a goal may come meanwhile.
SPREAD_MS = 5_000
# A board without matches: kick-offs are known to the minute.
POLL_EMPTY_MS = 60_000


def score(match: Match) -> Snapshot:
    """The snapshot behind `/api/score/{match_id}` and its waits."""
    body = summary(match) | {
        "events_version": match.events_version or match.version,
        "spread_ms": SPREAD_MS if match.phase is Phase.SCHEDULED else 0,
    }
    path = f"/api/score/{match.id}"
    return Snapshot(
        match.id,
        match.version,
        path,
        dumps(body),
        POLL_AFTER_MS[match.phase],
        match.phase,
        replaced_by=successor(match),
    )


def successor(match: Match) -> str | None:
    """The match under which it continues."""
    return match.replaced_by if match.replaced_by != match.id else None


def boards(board: Board) -> dict[str, Snapshot]:
    """The snapshots of all live matches, by topic: `/api/live` and its waits, for the whole and for the changes."""
    shown = {match.id: dumps(summary(match)) for match in board.matches}
    # A match that has left is told of for the last time, as it ended.
    changed = (
        LoggedChange(
            change.version,
            change.match_id,
            shown.get(change.match_id) or (dumps(summary(change.match)) if change.match else None),
            change.match_id in shown,
        )
        for change in board.changes
    )
    poll_after_ms = POLL_AFTER_MS[Phase.LIVE] if shown else POLL_EMPTY_MS
    matches = b'"matches":[%b]' % b",".join(shown.values())
    whole = Snapshot(
        BOARD, board.version, "/api/live", b'{"version":%d,%b}' % (board.version, matches), poll_after_ms, Phase.LIVE,
        board.told,
    )  # fmt: skip
    changes = BoardChanges(
        CHANGES, board.version, "/api/live", b'{"whole":true,"version":%d,%b}' % (board.told, matches), poll_after_ms,
        Phase.LIVE, board.told, since=board.since, log=tuple(changed),
    )  # fmt: skip
    return {BOARD: whole, CHANGES: changes}


def narrowed(board: Board, competition_id: str) -> tuple[Snapshot, int]:
    """The board of one competition, and the number of its matches."""
    shown = tuple(match for match in board.matches if match.competition and match.competition.id == competition_id)
    return boards(replace(board, matches=shown, changes=()))[BOARD], len(shown)


def summary(match: Match) -> dict[str, Any]:
    """A match in a list."""
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
        "scorers": scoreline(match.scorers),
        "cards": scoreline(match.cards),
        "minute": match.minute,
        "added_minute": match.added_minute,
        "period": match.period,
        "clock": match.clock,
        "minute_at": rfc3339(match.minute_at),
        "competition": named(match.competition),
        "start_time": rfc3339(match.start_time),
        "updated_at": rfc3339(match.updated_at),
    }


def scoreline(entries: Iterable[ScorelineEntry] | None) -> list[dict[str, object]] | None:
    return None if entries is None else [entry.body for entry in entries]


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
        "stage": match.stage,
        "round": match.round,
        "leg": match.leg,
        "updated_at": rfc3339(match.updated_at),
    }


def timeline(match: Match) -> dict[str, Any]:
    return {"match_id": match.id, "version": match.version, "events": [event(entry) for entry in match.timeline]}


def lineups(match: Match, stored: StoredDocument | None) -> dict[str, Any]:
    document = decode_lineups(stored.text) if stored else Lineups()
    return {
        "match_id": match.id,
        "version": stored.version if stored else 0,
        "confirmed": document.confirmed,
        "home": _team_lineup(document.home),
        "away": _team_lineup(document.away),
    }


def _team_lineup(lineup: TeamLineup | None) -> dict[str, Any] | None:
    if lineup is None:
        return None
    return {
        "formation": lineup.formation,
        "coach": person(lineup.coach),
        "players": [
            {
                "id": player.id,
                "name": player.name,
                "number": player.number,
                "position": player.position,
                "place": player.place,
                "starter": player.starter,
                "captain": player.captain,
            }
            for player in lineup.players
        ],
    }


def stats(match: Match, stored: StoredDocument | None) -> dict[str, Any]:
    document = decode_stats(stored.text) if stored else Stats()
    sides = {"home": _figures(document.home), "away": _figures(document.away)}
    return {"match_id": match.id, "version": stored.version if stored else 0, **sides}


def _figures(figures: dict[str, float]) -> dict[str, float]:
    """Whole numbers without a point."""
    return {name: int(value) if value == int(value) else value for name, value in sorted(figures.items())}


def event(entry: Event) -> dict[str, Any]:
    return {
        "id": entry.id,
        "event_type": entry.type,
        "team": entry.team,
        "minute": entry.minute,
        "added_minute": entry.added_minute,
        "period": entry.period,
        "player": person(entry.player),
        "assist": person(entry.assist),
        "detail": entry.detail,
        "home_score": entry.home_score,
        "away_score": entry.away_score,
        "voided": entry.voided,
        "voids": entry.voids,
        "created_at": rfc3339(entry.created_at),
    }


def team(side: Team | None) -> dict[str, str | None]:
    """Id and name are null until the teams are known: an event may come before its match."""
    return {"id": side.id, "name": side.name} if side else {"id": None, "name": None}


def named(competition: Competition | None) -> dict[str, str] | None:
    return {"id": competition.id, "name": competition.name} if competition else None


def person(player: Person | None) -> dict[str, str | None] | None:
    return {"id": player.id, "name": player.name} if player else None


def rfc3339(ms: int | None) -> str | None:
    if ms is None:
        return None
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def dumps(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
