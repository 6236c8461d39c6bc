"""Months of history: on PostgreSQL scores and events are in partitions by version, which is a time in ms.

What is before the first month is in a partition of its own. SQLite has plain tables, and no months.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Column, Engine, MetaData, Table, text
from sqlalchemy.orm import Session

from db.sql.models import MatchEventRow, MatchScoreRow
from db.sql.moments import moment, ms
from db.sql.session import begin

# The partition of what is before the months, by the table that it is of.
PAST = {"match_scores": "match_scores_past", "match_event_versions": MatchEventRow.__tablename__}
# Months that are ready beyond this one: the clock may be away for as long.
AHEAD = 3
# How long a change of the tables waits for those who use them, and they behind it. Then it is tried again in a minute.
LOCK_MS = 1_000

_SCORES_PAST = Table("match_scores_past", MetaData(), *(Column(c.name, c.type) for c in MatchScoreRow.__table__.c))
_SINCE = re.compile(r"FROM \('?(MINVALUE|\d+)'?\)")
_UNTIL = re.compile(r"TO \('?(\d+)'?\)")
_BOUNDS = text(
    "SELECT relname, pg_get_expr(relpartbound, oid) FROM pg_class JOIN pg_inherits ON oid = inhrelid"
    " WHERE inhparent = to_regclass(:parent)"
)


@dataclass(frozen=True, slots=True)
class Partition:
    """
    since: the lowest version in it (ms); 0 where it has none.
    until: above the highest.
    """

    name: str
    since: int
    until: int


class Months:
    """Every method raises Unavailable without a database, or where a lock was not to be had in time. Safe to repeat."""

    def __init__(self, bind: Engine) -> None:
        self.engine = bind

    @property
    def exist(self) -> bool:
        return self.engine.dialect.name == "postgresql"

    def ahead(self, *, now_ms: int) -> int | None:
        """How many months beyond this one are ready; None where there are no months. Less than 0: nothing can be
        written."""
        if not self.exist:
            return None
        with begin(self.engine) as session:
            end_ms = min(_partitions(session, parent)[-1].until for parent in PAST)
        return _number(end_ms) - _number(now_ms) - 1

    def make(self, *, now_ms: int) -> list[str]:
        """Make what is missing of the months ahead; returns their names."""
        wanted = month_start(now_ms, AHEAD + 1)
        return [name for parent in PAST if self.exist for name in self._make(parent, wanted)]

    def _make(self, parent: str, wanted: int) -> list[str]:
        with begin(self.engine) as session:
            if _partitions(session, parent)[-1].until >= wanted:
                return []
            # Readers are not held up, and writers for the moment that it takes.
            _lock(session, "SHARE ROW EXCLUSIVE")
            names = []
            while (since := _partitions(session, parent)[-1].until) < wanted:
                name, until = f"{parent}_{moment(since):%Y_%m}", month_start(since, 1)
                session.execute(text(f"CREATE TABLE {name} (LIKE {parent} INCLUDING ALL)"))
                _attach(session, parent, name, str(since), until)
                names.append(name)
            return names

    def drop(self, *, before_ms: int) -> list[str]:
        """Of each table the oldest month, if all of it is before a moment, with what is left of before the months;
        returns their names. What is still written of that time goes where the past does."""
        return [name for parent, past in PAST.items() if self.exist for name in self._drop(parent, past, before_ms)]

    def _drop(self, parent: str, past: str, before_ms: int) -> list[str]:
        with begin(self.engine) as session:
            if not _old_months(session, parent, before_ms):
                return []
            _lock(session, "ACCESS EXCLUSIVE")
            # Another clock may have been first.
            for month in _old_months(session, parent, before_ms)[:1]:
                session.execute(text(f"TRUNCATE {past}"))
                session.execute(text(f"ALTER TABLE {parent} DETACH PARTITION {past}"))
                session.execute(text(f"DROP TABLE {month.name}"))
                _attach(session, parent, past, "MINVALUE", month.until)
                return [month.name]
            return []


def deleted_from(session: Session) -> tuple[Table, ...]:
    """Tables whose old rows are deleted one by one: a month is dropped as a whole."""
    events, scores = MatchEventRow.__table__, MatchScoreRow.__table__
    assert isinstance(events, Table)  # noqa: S101 - for the type checker: mapped classes have tables
    assert isinstance(scores, Table)  # noqa: S101
    return events, _SCORES_PAST if session.get_bind().dialect.name == "postgresql" else scores


def month_start(at_ms: int, months: int) -> int:
    """ms: the beginning of the month so many months after that of a moment."""
    years, month = divmod(_number(at_ms) + months, 12)
    return ms(datetime(years, month + 1, 1, tzinfo=UTC))


def _number(at_ms: int) -> int:
    """Of a moment's month, counted from the year 0."""
    at = moment(at_ms)
    return at.year * 12 + at.month - 1


def _partitions(session: Session, parent: str) -> list[Partition]:
    """The past first, then the months."""
    partitions = []
    for name, bounds in session.execute(_BOUNDS, {"parent": parent}):
        since, until = _SINCE.search(bounds), _UNTIL.search(bounds)
        if since and until:
            partitions.append(Partition(name, int(since[1]) if since[1].isdigit() else 0, int(until[1])))
    return sorted(partitions, key=lambda partition: partition.until)


def _old_months(session: Session, parent: str, before_ms: int) -> list[Partition]:
    return [month for month in _partitions(session, parent)[1:] if month.until <= before_ms]


def _lock(session: Session, mode: str) -> None:
    """matches first, which the foreign keys lead to: whoever writes history locks the tables in this order, too."""
    session.execute(text(f"SET LOCAL lock_timeout = {LOCK_MS}"))
    session.execute(text(f"LOCK TABLE matches IN {mode} MODE"))


def _attach(session: Session, parent: str, name: str, since: str, until: int) -> None:
    bounds = f"FROM ({since}) TO ({until})"
    session.execute(text(f"ALTER TABLE {parent} ATTACH PARTITION {name} FOR VALUES {bounds}"))
