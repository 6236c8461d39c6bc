"""The engine, and what a lost database is called."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Select, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from db.domain.errors import Unavailable


def engine(url: str, *, bounded: bool = True) -> Engine:
    """Small: a web process reads little SQL (the edge and Redis answer the rest), a worker holds one. What a statement
    was given, such as a device's token, is in no exception.

    bounded: PostgreSQL has seconds for a statement and its answer, then it is Unavailable; not so for migrations.
    """
    where = make_url(url)
    if where.get_backend_name() == "sqlite":
        return _sqlite(url, where.database)
    from db.sql.postgres import postgres  # noqa: PLC0415 - only where there is one

    return postgres(url, bounded=bounded)


def load(url: str) -> None:
    """Import what its engine needs, a tenth of a second for PostgreSQL, before anybody waits for it."""
    engine(url).dispose()


def _sqlite(url: str, path: str | None) -> Engine:
    if path and path != ":memory:":
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    sqlite = create_engine(url, connect_args={"timeout": 10}, hide_parameters=True)

    @event.listens_for(sqlite, "connect")
    def set_up(connection: Any, _record: Any) -> None:
        # WAL: readers and the one writer do not wait for each other (sqlite.org/wal.html).
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
        connection.create_aggregate("bit_or", 1, _BitOr)

    return sqlite


def stream(session: Session, query: Select[Any], size: int) -> Iterator[Sequence[Any]]:
    """The rows of a query of millions, a page at a time; closing the iterator ends the query.

    Raises Unavailable as `begin` does.
    """
    connection = session.connection()
    if connection.dialect.name != "postgresql":
        yield from connection.execute(query, execution_options={"stream_results": True}).partitions(size)
        return
    from db.sql.postgres import pages  # noqa: PLC0415 - only where there is one

    yield from pages(connection, query, size)


class _BitOr:
    """PostgreSQL's aggregate of this name, which SQLite lacks."""

    def __init__(self) -> None:
        self.total = 0

    def step(self, value: int) -> None:
        self.total |= value

    def finalize(self) -> int:
        return self.total


@contextmanager
def begin(bind: Engine) -> Iterator[Session]:
    """A session in one transaction. Raises Unavailable where the database cannot be reached."""
    try:
        with Session(bind) as session, session.begin():
            yield session
    except (OperationalError, InterfaceError, PoolTimeout) as error:
        raise Unavailable(f"history is out of reach: {type(error).__name__}") from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise Unavailable("history was cut off") from error
        raise
