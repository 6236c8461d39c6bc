"""What history writes of a batch of changes: rows, one per key."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, or_
from sqlalchemy.orm import Session

from db.codec import decode_facts, encode_event, encode_match
from db.domain import Event, FactKind, Match, event_field
from db.outbox_entry import OutboxEntry
from db.sql.models import Base, CompetitionRow, MatchEventRow, MatchRow, MatchScoreRow, TeamRow
from db.sql.moments import moment
from db.sql.names import redirected
from db.sql.timelines import write_events
from db.sql.upsert import insert_into

# Folding makes some letters longer (ß → ss, ﷺ → eighteen letters): the width of the column, which PostgreSQL enforces.
FOLDED_MAX = 400


def fold(name: str) -> str:
    """Lower case without accents: what people type into a search box."""
    plain = unicodedata.normalize("NFKD", name).casefold()
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).strip()[:FOLDED_MAX]


class HistoryRows:
    """Rows of one batch, one per key with the newest version, in an order that two writers share (no deadlock)."""

    def __init__(self, ledgers: Mapping[str, str]) -> None:
        self.ledgers = ledgers
        # Matches that continue under another id, and when that was told (ms).
        self.successors: dict[str, tuple[str, int]] = {}
        self.by_table: dict[type[Base], dict[tuple[Any, ...], dict[str, Any]]] = {
            table: {} for table in (TeamRow, CompetitionRow, MatchRow, MatchScoreRow, MatchEventRow)
        }

    def add(self, change: OutboxEntry) -> None:
        match = change.match
        for team in (match.home, match.away):
            if team:
                self._put(TeamRow, (team.id,), {"id": team.id, "name": team.name, "folded": fold(team.name)})
        if (competition := match.competition) is not None:
            named = {"id": competition.id, "name": competition.name, "folded": fold(competition.name)}
            self._put(CompetitionRow, (competition.id,), named)
        if match.replaced_by:
            self.successors[match.id] = match.replaced_by, match.updated_at
        self._put(MatchRow, (match.id,), _match_row(match) | {"ledgers": self.ledgers.get(match.id)})
        self.add_score(change)
        for event in change.events:
            # One without a type is known by its voiding alone: it is not shown, and must not be forgotten.
            name = event_field(match.first, event.since.source, event.id)
            self._put(MatchEventRow, (match.id, match.version, name), _event_row(match, event, name))

    def add_score(self, change: OutboxEntry) -> None:
        match = change.match
        if any(fact.kind in (FactKind.SCORE, FactKind.STATUS) for fact in decode_facts(change.facts)):
            self._put(MatchScoreRow, (match.id, match.version), _score_row(match))

    def _put(self, table: type[Base], key: tuple[Any, ...], row: dict[str, Any]) -> None:
        self.by_table[table][key] = row

    def _rows(self, table: type[Base]) -> list[dict[str, Any]]:
        return [row for _, row in sorted(self.by_table[table].items())]

    def write(self, session: Session) -> None:
        for table, update_columns, guard in (
            (TeamRow, ("name", "folded"), False),
            (CompetitionRow, ("name", "folded"), False),
            (MatchRow, tuple(c.name for c in MatchRow.__table__.c if c.name not in ("id", "listed_at")), True),
            (MatchScoreRow, (), False),
        ):
            _upsert(session, table, self._rows(table), update_columns, newest_only=guard)
        write_events(session, self._rows(MatchEventRow))
        for match_id, (successor, at_ms) in sorted(self.successors.items()):
            redirected(session, match_id, successor, now_ms=at_ms)


def _upsert(
    session: Session,
    table: type[Base],
    rows: list[dict[str, Any]],
    update: tuple[str, ...],
    *,
    newest_only: bool = False,
) -> None:
    """INSERT … ON CONFLICT on the primary key; newest_only leaves a row of a higher version as it is."""
    if not rows:
        return
    insert = insert_into(session, table)
    target = insert.table
    key = list(target.primary_key.columns)
    if update:
        values = {name: insert.excluded[name] for name in update}
        if table is MatchRow:
            values["listed_at"] = func.coalesce(insert.excluded.start_time, target.c.listed_at)
            values["ledgers"] = func.coalesce(insert.excluded.ledgers, target.c.ledgers)
        # A row that stays as it is costs a version of itself, and so does each of its indexes.
        changed = or_(*(target.c[name].is_distinct_from(value) for name, value in values.items()))
        where = insert.excluded.version >= target.c.version if newest_only else changed
        statement: Any = insert.on_conflict_do_update(index_elements=key, set_=values, where=where)
    else:
        statement = insert.on_conflict_do_nothing(index_elements=key)
    session.execute(statement, rows)


def _match_row(match: Match) -> dict[str, Any]:
    return {
        "id": match.id,
        "home_team": match.home.name if match.home else None,
        "away_team": match.away.name if match.away else None,
        "start_time": moment(match.start_time) if match.start_time is not None else None,
        "competition": match.competition.name if match.competition else None,
        "status": match.status.value,
        "venue": match.venue,
        "home_team_id": match.home.id if match.home else None,
        "away_team_id": match.away.id if match.away else None,
        "competition_id": match.competition.id if match.competition else None,
        "phase": match.phase.value,
        "listed_at": moment(match.start_time if match.start_time is not None else match.updated_at),
        "version": match.version,
        "updated_at": moment(match.updated_at),
        "document": encode_match(match),
    }


def _score_row(match: Match) -> dict[str, Any]:
    return {
        "match_id": match.id,
        "version": match.version,
        "home_score": match.score.home if match.score else None,
        "away_score": match.score.away if match.score else None,
        "minute": match.minute,
        "updated_at": moment(match.updated_at),
        "added_minute": match.added_minute,
        "home_kicks": match.shootout.home if match.shootout else None,
        "away_kicks": match.shootout.away if match.shootout else None,
        "status": match.status.value,
    }


def _event_row(match: Match, event: Event, name: str) -> dict[str, Any]:
    return {
        "match_id": match.id,
        "id": name,
        "event_type": event.type,
        "minute": event.minute,
        "player": event.player.name if event.player else None,
        "team": event.team.value if event.team else None,
        "detail": event.detail,
        "created_at": moment(event.created_at),
        "voided": event.voided,
        "version": match.version,
        "document": encode_event(event),
    }
