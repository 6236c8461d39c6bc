"""History in SQL: every version that mattered, and the way back to live state. Writes can be repeated freely."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from sqlalchemy import Engine, Select, and_, delete, or_, select, text, tuple_
from sqlalchemy.orm import Session

from db.codec import decode_event, decode_ledgers
from db.domain import Match, Phase, Team, with_events
from db.outbox_entry import OutboxEntry
from db.sql.documents import DocumentArchive
from db.sql.history_rows import HistoryRows
from db.sql.match_index import MatchIndex
from db.sql.models import MatchRow, TeamRow
from db.sql.moments import moment, ms
from db.sql.months import Months, deleted_from
from db.sql.names import NameBook, stored_team_ids
from db.sql.refused_payloads import RefusedPayloads
from db.sql.replica import ReplicaReads
from db.sql.rows import match_of, readable
from db.sql.search import SearchResults, search
from db.sql.session import begin
from db.sql.timelines import event_documents
from db.undecodable import decoded

S = TypeVar("S", bound=Select[*tuple[Any, ...]])
# How far back the clock looks for matches whose details are too old. It may have been away for as long.
FORGOTTEN_WITHIN_MS = 90 * 24 * 60 * 60 * 1000


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


class History:
    """What was. One instance per process; every method is one transaction and raises Unavailable without a database.

    replica: where lists, tables and search are read, which may be a moment behind; all else needs what was written
    last.
    """

    def __init__(self, bind: Engine, replica: Engine | None = None) -> None:
        self.engine = bind
        self.replica = replica or bind
        self.refused_payloads = RefusedPayloads(bind)
        self.names = NameBook(bind)
        self.documents = DocumentArchive(bind)
        self._read = ReplicaReads(bind, self.replica)
        self.index = MatchIndex(self._read)
        self.months = Months(bind)

    def write(self, changes: Iterable[OutboxEntry], ledgers: Mapping[str, str] | None = None) -> None:
        """Write outbox entries, of any matches, in order. A second writing of the same entries changes nothing.

        ledgers: what was told of those matches, by id, as it is now stored; it may be newer than the entries.
        """
        rows = HistoryRows(ledgers or {})
        for change in changes:
            rows.add(change)
        with begin(self.engine) as session:
            rows.write(session)

    def write_scores(self, changes: Iterable[OutboxEntry]) -> None:
        """Of outbox entries of stored matches only what each version showed; the matches stay as they are."""
        rows = HistoryRows({})
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
        alive = or_(MatchRow.start_time > moment(started_before), MatchRow.updated_at >= moment(silent_since))
        wanted = or_(and_(in_play, alive), MatchRow.updated_at >= moment(since))
        columns = (MatchRow.id, MatchRow.version, and_(in_play, alive))
        with begin(self.engine) as session:
            query = select(*columns).where(wanted, MatchRow.id > after).order_by(MatchRow.id).limit(limit)
            return [RecentMatch(*row) for row in session.execute(query)]

    def changed(self, wanted: MatchFilter, limit: int) -> list[tuple[str, int]]:
        """Ids of matches in order of start, and when each last changed (ms)."""
        query = select(MatchRow.id, MatchRow.updated_at).order_by(MatchRow.listed_at, MatchRow.id).limit(limit)

        def read(session: Session) -> list[tuple[str, int]]:
            return [(row.id, ms(row.updated_at)) for row in session.execute(_narrowed(query, wanted, ()))]

        return self._read(read)

    def matches(
        self, wanted: MatchFilter, limit: int, after: PageCursor | None = None
    ) -> tuple[list[Match], PageCursor | None]:
        """Matches in order of start, without events, and where the list goes on (None at its end)."""
        query = select(MatchRow).order_by(MatchRow.listed_at, MatchRow.id).limit(limit + 1)
        if after:
            query = query.where(tuple_(MatchRow.listed_at, MatchRow.id) > (moment(after.listed_at), after.match_id))

        def read(session: Session) -> tuple[list[Match], PageCursor | None]:
            teams = stored_team_ids(session, [wanted.team]) if wanted.team is not None else []
            rows = list(session.scalars(_narrowed(query, wanted, teams)))
            more = rows[limit - 1] if len(rows) > limit else None
            return readable(rows[:limit]), PageCursor(ms(more.listed_at), more.id) if more else None

        return self._read(read)

    def team(self, team_id: str) -> Team | None:
        with begin(self.engine) as session:
            row = session.get(TeamRow, team_id)
            return Team(row.id, row.name) if row else None

    def search(self, words: str, limit: int) -> SearchResults:
        """Teams and competitions whose name holds the words, accents aside, and those teams' latest matches."""
        return self._read(lambda session: search(session, words, limit))

    def forget_details(self, *, before_ms: int, limit: int) -> int:
        """Delete timelines and scores of so many matches that started before a moment; returns of how many. Those that
        did so much earlier were seen to before. What is in a month of its own is dropped with that (`months`)."""
        starts = MatchRow.listed_at
        earliest, latest = moment(max(0, before_ms - FORGOTTEN_WITHIN_MS)), moment(before_ms)
        with begin(self.engine) as session:
            tables = deleted_from(session)
            has_some = or_(*(select(one.c.match_id).where(one.c.match_id == MatchRow.id).exists() for one in tables))
            old = select(MatchRow.id).where(starts >= earliest, starts < latest, has_some).order_by(starts).limit(limit)
            match_ids = session.scalars(old).all()
            for table in tables if match_ids else ():
                session.execute(delete(table).where(table.c.match_id.in_(match_ids)))
            return len(match_ids)

    def ping(self) -> None:
        with begin(self.engine) as session:
            session.execute(text("SELECT 1"))


def _narrowed(query: S, wanted: MatchFilter, teams: Sequence[str]) -> S:
    """teams: the ids of the team that is wanted."""
    clauses = []
    if wanted.since is not None:
        clauses.append(MatchRow.listed_at >= moment(wanted.since))
    if wanted.until is not None:
        clauses.append(MatchRow.listed_at < moment(wanted.until))
    if wanted.competition is not None:
        clauses.append(MatchRow.competition_id == wanted.competition)
    if wanted.team is not None:
        clauses.append(or_(MatchRow.home_team_id.in_(teams), MatchRow.away_team_id.in_(teams)))
    if wanted.status is not None:
        clauses.append(MatchRow.status == wanted.status)
    if wanted.phase is not None:
        clauses.append(MatchRow.phase == wanted.phase)
    return query.where(and_(True, *clauses))


def _stored(session: Session, row: MatchRow) -> Match:
    match, ledgers = _whole(session, row), row.ledgers
    return replace(match, ledgers=decoded(row.id, lambda: decode_ledgers(ledgers))) if ledgers else match


def _whole(session: Session, row: MatchRow) -> Match:
    documents = event_documents(session, row.id)
    events = decoded(row.id, lambda: list(map(decode_event, documents)))
    return with_events(match_of(row), events)
