"""Timelines in SQL: on PostgreSQL a row for each version of an event, elsewhere one for each event, its newest."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import BindParameter, Column, MetaData, Select, Table, bindparam, exists, select, text
from sqlalchemy.orm import Session

from db.sql.models import STANDING_GOALS, MatchEventRow
from db.sql.upsert import insert

_KEY = ("match_id", "version", "id")
# In partitions by month (db.sql.months). MatchEventRow is the one of what is before them.
EVENT_VERSIONS = Table(
    "match_event_versions",
    MetaData(),
    *(
        Column(column.name, column.type, primary_key=column.name in _KEY, autoincrement=False)
        for column in MatchEventRow.__table__.c
    ),
)


def write_events(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Safe to repeat. What readers cannot tell from the version before has its number: of two rows the later stays."""
    if not rows:
        return
    statement = insert(session, _table(session))
    target = statement.table
    key = list(target.primary_key.columns)
    changed = {
        column.name: statement.excluded[column.name]
        for column in target.c
        if column not in key and column.name != "created_at"
    }
    newer = statement.excluded.version >= target.c.version
    session.execute(statement.on_conflict_do_update(index_elements=key, set_=changed, where=newer), rows)


def event_documents(session: Session, match_id: str) -> list[str]:
    """The newest of each event of a match."""
    columns = _table(session).c
    query = select(columns.id, columns.document).where(columns.match_id == match_id).order_by(columns.version)
    return list({row.id: row.document for row in session.execute(query)}.values())


def standing_goals(session: Session, match_ids: Sequence[str]) -> Sequence[Any]:
    """Goals that stand, of any source: rows of match_id and document."""
    return session.execute(_goals(_table(session)), {"ids": match_ids}).all()


@lru_cache
def _goals(table: Table) -> Select[str, str]:
    """Put together once, which takes longer than the query."""
    of_matches: BindParameter[Any] = bindparam("ids", expanding=True)
    query = select(table.c.match_id, table.c.document).where(table.c.match_id.in_(of_matches), text(STANDING_GOALS))
    if table is not EVENT_VERSIONS:
        return query
    later = table.alias("later")
    same = (later.c[name] == table.c[name] for name in ("match_id", "id"))
    return query.where(~exists().where(later.c.match_id.in_(of_matches), *same, later.c.version > table.c.version))


def _table(session: Session) -> Table:
    if session.get_bind().dialect.name == "postgresql":
        return EVENT_VERSIONS
    table = MatchEventRow.__table__
    assert isinstance(table, Table)  # noqa: S101 - for the type checker: mapped classes have tables
    return table
