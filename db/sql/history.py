"""History in SQL: every version that mattered, and the way back to live state. Writes can be repeated freely."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, Select, Table, and_, case, delete, func, or_, select, text, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from db.codec import decode_event, decode_facts, decode_ledgers, decode_match, encode_event, encode_match
from db.domain import Competition, Event, FactKind, Match, Phase, Team, event_field, with_events
from db.domain.errors import Undecodable
from db.outbox_entry import OutboxEntry
from db.refusal import RefusedPayload
from db.sql.models import Base, CompetitionRow, MatchEventRow, MatchRow, MatchScoreRow, RefusedRow, TeamRow
from db.sql.session import begin
from db.undecodable import decoded, tell

# Folding makes some letters longer (ß → ss, ﷺ → eighteen letters): the width of the column, which PostgreSQL enforces.
FOLDED_MOST = 400


@dataclass(frozen=True, slots=True)
class PageCursor:
    """Where a list goes on: after this start (ms) and id."""

    listed_at: int
    match_id: str


@dataclass(frozen=True, slots=True)
class MatchFilter:
    """A filter on matches; None does not narrow. since and until are ms, until is exclusive."""

    since: int | None = None
    until: int | None = None
    competition: str | None = None
    team: str | None = None
    status: str | None = None
    phase: str | None = None


@dataclass(frozen=True, slots=True)
class RecentMatch:
    """live: it belongs on the board."""

    id: str
    version: int
    live: bool


@dataclass(frozen=True, slots=True)
class SearchResults:
    teams: tuple[Team, ...]
    competitions: tuple[Competition, ...]
    matches: tuple[Match, ...]


class History:
    """What was. One instance per process; every method is one transaction and raises Unavailable without a database."""

    def __init__(self, bind: Engine) -> None:
        self.engine = bind

    def write(self, changes: Iterable[OutboxEntry], ledgers: Mapping[str, str] | None = None) -> None:
        """Write outbox entries, of any matches, in order. A second writing of the same entries changes nothing.

        ledgers: what was told of those matches, by id, as it is now stored; it may be newer than the entries.
        """
        rows = _Rows(ledgers or {})
        for change in changes:
            rows.add(change)
        with begin(self.engine) as session:
            rows.write(session)

    def write_scores(self, changes: Iterable[OutboxEntry]) -> None:
        """Of outbox entries of stored matches only what each version showed; the matches stay as they are."""
        rows = _Rows({})
        for change in changes:
            rows.add_score(change)
        with begin(self.engine) as session:
            rows.write(session)

    def match(self, match_id: str) -> Match | None:
        """The whole match with its events. Raises Undecodable."""
        with begin(self.engine) as session:
            row = session.get(MatchRow, match_id)
            return _whole(session, row) if row else None

    def stored(self, match_id: str) -> Match | None:
        """The match to go on with: its events and what was told of it. Raises Undecodable."""
        with begin(self.engine) as session:
            row = session.get(MatchRow, match_id)
            return _stored(session, row) if row else None

    def versions(self, match_ids: Sequence[str]) -> dict[str, int]:
        """Of those that are stored."""
        if not match_ids:
            return {}
        with begin(self.engine) as session:
            query = select(MatchRow.id, MatchRow.version).where(MatchRow.id.in_(match_ids))
            return {row.id: row.version for row in session.execute(query)}

    def recent(
        self, limit: int, after: str, *, since: int, started_before: int, silent_since: int
    ) -> list[RecentMatch]:
        """Matches written since a moment (ms), and those in play or at a break when last written, however long ago, but
        for those that Live.forsaken names by the same bounds (ms). In order of id, beginning after one."""
        in_play = MatchRow.phase.in_((Phase.LIVE, Phase.BREAK))
        alive = or_(MatchRow.start_time > _moment(started_before), MatchRow.updated_at >= _moment(silent_since))
        wanted = or_(and_(in_play, alive), MatchRow.updated_at >= _moment(since))
        columns = (MatchRow.id, MatchRow.version, and_(in_play, alive))
        with begin(self.engine) as session:
            query = select(*columns).where(wanted, MatchRow.id > after).order_by(MatchRow.id).limit(limit)
            return [RecentMatch(*row) for row in session.execute(query)]

    def matches(
        self, wanted: MatchFilter, limit: int, after: PageCursor | None = None
    ) -> tuple[list[Match], PageCursor | None]:
        """Matches in order of start, without events, and where the list goes on (None at its end)."""
        query = _narrowed(select(MatchRow), wanted).order_by(MatchRow.listed_at, MatchRow.id).limit(limit + 1)
        if after:
            query = query.where(tuple_(MatchRow.listed_at, MatchRow.id) > (_moment(after.listed_at), after.match_id))
        with begin(self.engine) as session:
            rows = list(session.scalars(query))
            more = rows[limit - 1] if len(rows) > limit else None
            return _readable(rows[:limit]), PageCursor(_ms(more.listed_at), more.id) if more else None

    def search(self, words: str, limit: int) -> SearchResults:
        """Teams and competitions whose name holds the words, accents aside, and those teams' latest matches."""
        like = f"%{fold(words).replace('!', '!!').replace('%', '!%').replace('_', '!_')}%"
        with begin(self.engine) as session:
            teams = session.scalars(
                select(TeamRow).where(TeamRow.folded.like(like, escape="!")).order_by(TeamRow.name).limit(limit)
            ).all()
            competitions = session.scalars(
                select(CompetitionRow)
                .where(CompetitionRow.folded.like(like, escape="!"))
                .order_by(CompetitionRow.name)
                .limit(limit)
            ).all()
            ids = [team.id for team in teams]
            plays = or_(MatchRow.home_team_id.in_(ids), MatchRow.away_team_id.in_(ids))
            rows = session.scalars(
                select(MatchRow).where(plays).order_by(MatchRow.listed_at.desc(), MatchRow.id).limit(limit)
            ).all()
            return SearchResults(
                tuple(Team(team.id, team.name) for team in teams),
                tuple(Competition(row.id, row.name) for row in competitions),
                tuple(_readable(rows)),
            )

    def ping(self) -> None:
        with begin(self.engine) as session:
            session.execute(text("SELECT 1"))

    # Refused payloads.

    def keep_refused(self, refused: Sequence[RefusedPayload]) -> None:
        """One that is refused again waits for a look again, though it was replayed. To write it twice is harmless."""
        if not refused:
            return
        rows = [
            {
                "id": payload.id,
                "provider": payload.provider,
                "received_at": _moment(payload.received_at),
                "code": payload.code,
                # It quotes what was sent; PostgreSQL has no NUL in a text.
                "reason": payload.reason.replace("\0", "\N{REPLACEMENT CHARACTER}"),
                "body": payload.body,
                "replayed_at": None,
            }
            for payload in refused
        ]
        with begin(self.engine) as session:
            insert = _insert(session, RefusedRow)
            new, columns = insert.excluded, RefusedRow.__table__.c
            values = {name: new[name] for name in ("received_at", "code", "reason")}
            # received before the replay: the very telling that was replayed, written a second time.
            values["replayed_at"] = case((columns.replayed_at > new.received_at, columns.replayed_at), else_=None)
            later = new.received_at > columns.received_at
            session.execute(insert.on_conflict_do_update(index_elements=[columns.id], set_=values, where=later), rows)

    def refused(self, limit: int, *, replayed: bool = False) -> list[RefusedPayload]:
        """Newest first; those already replayed only on request."""
        query = select(RefusedRow).order_by(RefusedRow.received_at.desc(), RefusedRow.id).limit(limit)
        if not replayed:
            query = query.where(RefusedRow.replayed_at.is_(None))
        with begin(self.engine) as session:
            return [_refused(row) for row in session.scalars(query)]

    def refused_one(self, refused_id: str) -> RefusedPayload | None:
        with begin(self.engine) as session:
            row = session.get(RefusedRow, refused_id)
            return _refused(row) if row else None

    def mark_replayed(self, refused_id: str, *, now_ms: int) -> None:
        with begin(self.engine) as session:
            session.execute(update(RefusedRow).where(RefusedRow.id == refused_id).values(replayed_at=_moment(now_ms)))

    def forget_refused(self, *, before_ms: int) -> int:
        """Delete payloads refused before a moment; returns how many."""
        with begin(self.engine) as session:
            gone = session.execute(delete(RefusedRow).where(RefusedRow.received_at < _moment(before_ms)))
            return int(gone.rowcount)  # type: ignore[attr-defined]


def fold(name: str) -> str:
    """Lower case without accents: what people type into a search box."""
    plain = unicodedata.normalize("NFKD", name).casefold()
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).strip()[:FOLDED_MOST]


class _Rows:
    """Rows of one batch, one per key with the newest version, in an order that two writers share (no deadlock)."""

    def __init__(self, ledgers: Mapping[str, str]) -> None:
        self.ledgers = ledgers
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
        self._put(MatchRow, (match.id,), _match_row(match) | {"ledgers": self.ledgers.get(match.id)})
        self.add_score(change)
        for event in change.events:
            # One without a type is known by its voiding alone: it is not shown, and must not be forgotten.
            name = event_field(match.first, event.since.source, event.id)
            self._put(MatchEventRow, (match.id, name), _event_row(match, event, name))

    def add_score(self, change: OutboxEntry) -> None:
        match = change.match
        if any(fact.kind in (FactKind.SCORE, FactKind.STATUS) for fact in decode_facts(change.facts)):
            self._put(MatchScoreRow, (match.id, match.version), _score_row(match))

    def _put(self, table: type[Base], key: tuple[Any, ...], row: dict[str, Any]) -> None:
        self.by_table[table][key] = row

    def write(self, session: Session) -> None:
        for table, update_columns, guard in (
            (TeamRow, ("name", "folded"), False),
            (CompetitionRow, ("name", "folded"), False),
            (MatchRow, tuple(c.name for c in MatchRow.__table__.c if c.name not in ("id", "listed_at")), True),
            (MatchScoreRow, (), False),
            (
                MatchEventRow,
                tuple(c.name for c in MatchEventRow.__table__.c if c.name not in ("match_id", "id", "created_at")),
                True,
            ),
        ):
            rows = [row for _, row in sorted(self.by_table[table].items())]
            _upsert(session, table, rows, update_columns, newest_only=guard)


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
    insert = _insert(session, table)
    target = insert.table
    key = list(target.primary_key.columns)
    if update:
        values = {name: insert.excluded[name] for name in update}
        if table is MatchRow:
            values["listed_at"] = func.coalesce(insert.excluded.start_time, target.c.listed_at)
            values["ledgers"] = func.coalesce(insert.excluded.ledgers, target.c.ledgers)
        where = insert.excluded.version >= target.c.version if newest_only else None
        statement: Any = insert.on_conflict_do_update(index_elements=key, set_=values, where=where)
    else:
        statement = insert.on_conflict_do_nothing(index_elements=key)
    session.execute(statement, rows)


def _insert(session: Session, table: type[Base]) -> Any:
    """The dialect's own, which knows ON CONFLICT; PostgreSQL and SQLite word it alike."""
    target = table.__table__
    assert isinstance(target, Table)  # noqa: S101 - for the type checker: mapped classes have tables
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    return dialect.insert(target)


def _narrowed(query: Select[MatchRow], wanted: MatchFilter) -> Select[MatchRow]:
    clauses = []
    if wanted.since is not None:
        clauses.append(MatchRow.listed_at >= _moment(wanted.since))
    if wanted.until is not None:
        clauses.append(MatchRow.listed_at < _moment(wanted.until))
    if wanted.competition is not None:
        clauses.append(MatchRow.competition_id == wanted.competition)
    if wanted.team is not None:
        clauses.append(or_(MatchRow.home_team_id == wanted.team, MatchRow.away_team_id == wanted.team))
    if wanted.status is not None:
        clauses.append(MatchRow.status == wanted.status)
    if wanted.phase is not None:
        clauses.append(MatchRow.phase == wanted.phase)
    return query.where(and_(True, *clauses))


def _match_row(match: Match) -> dict[str, Any]:
    return {
        "id": match.id,
        "home_team": match.home.name if match.home else None,
        "away_team": match.away.name if match.away else None,
        "start_time": _moment(match.start_time) if match.start_time is not None else None,
        "competition": match.competition.name if match.competition else None,
        "status": match.status.value,
        "venue": match.venue,
        "home_team_id": match.home.id if match.home else None,
        "away_team_id": match.away.id if match.away else None,
        "competition_id": match.competition.id if match.competition else None,
        "phase": match.phase.value,
        "listed_at": _moment(match.start_time if match.start_time is not None else match.updated_at),
        "version": match.version,
        "updated_at": _moment(match.updated_at),
        "document": encode_match(match),
    }


def _score_row(match: Match) -> dict[str, Any]:
    return {
        "match_id": match.id,
        "version": match.version,
        "home_score": match.score.home if match.score else None,
        "away_score": match.score.away if match.score else None,
        "minute": match.minute,
        "updated_at": _moment(match.updated_at),
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
        "created_at": _moment(event.created_at),
        "voided": event.voided,
        "version": match.version,
        "document": encode_event(event),
    }


def _match(row: MatchRow) -> Match:
    return decoded(row.id, lambda: decode_match(row.document, row.version, _ms(row.updated_at)))


def _stored(session: Session, row: MatchRow) -> Match:
    match, ledgers = _whole(session, row), row.ledgers
    return replace(match, ledgers=decoded(row.id, lambda: decode_ledgers(ledgers))) if ledgers else match


def _whole(session: Session, row: MatchRow) -> Match:
    documents = session.scalars(select(MatchEventRow.document).where(MatchEventRow.match_id == row.id)).all()
    events = decoded(row.id, lambda: list(map(decode_event, documents)))
    return with_events(_match(row), events)


def _readable(rows: Iterable[MatchRow], read: Callable[[MatchRow], Match] = _match) -> list[Match]:
    """What this release can read of them."""
    matches: list[Match] = []
    for row in rows:
        try:
            matches.append(read(row))
        except Undecodable as error:
            tell(error)
    return matches


def _refused(row: RefusedRow) -> RefusedPayload:
    replayed_at = _ms(row.replayed_at) if row.replayed_at else None
    return RefusedPayload(row.id, row.provider, _ms(row.received_at), row.code, row.reason, row.body, replayed_at)


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
