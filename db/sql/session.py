"""The engine, and what a lost database is called."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import psycopg
from psycopg.errors import _WaitTimeout as WaitTimeout
from sqlalchemy import Engine, Select, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from db.domain.errors import Unavailable

# What a statement may take at the server: the longest of ours, a batch of refused payloads of 4 MB each, takes a few.
STATEMENT_S = 10
# And what is waited for its answer: a little longer, so that a server that lives is the one to end it.
ANSWER_S = 12
# The same for a query of millions of rows; within the minute that a job has.
STREAM_S = 50


def engine(url: str, *, bounded: bool = True) -> Engine:
    """Small: a web process reads little SQL (the edge and Redis answer the rest), a worker holds one. What a statement
    was given, such as a device's token, is in no exception.

    bounded: PostgreSQL has seconds for a statement and its answer, then it is Unavailable; not so for migrations.
    """
    where = make_url(url)
    if where.get_backend_name() == "sqlite":
        return _sqlite(url, where.database)
    return _postgres(url, bounded=bounded)


def _postgres(url: str, *, bounded: bool) -> Engine:
    given: dict[str, Any] = {"connect_timeout": 2}
    if bounded:
        given["options"] = f"-c statement_timeout={STATEMENT_S}s"
        # What was sent and never acknowledged (tcp(7), TCP_USER_TIMEOUT): the host behind the address is gone.
        given["tcp_user_timeout"] = ANSWER_S * 1000
    postgres = create_engine(
        url,
        pool_size=2,
        max_overflow=2,
        pool_timeout=3,
        pool_pre_ping=True,
        connect_args=given,
        hide_parameters=True,
    )
    if bounded:
        event.listen(
            postgres, "do_connect", lambda _dialect, _record, args, options: _Bounded.connect(*args, **options)
        )
    return postgres


class _Bounded(psycopg.Connection[Any]):
    """Gives up on a server that takes what it is sent and never answers: no time-out of TCP's or the server's own
    ends that. The connection is then closed, for its answer may still come."""

    patience_s = ANSWER_S

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, self.patience_s)
        except WaitTimeout:
            self.close()
            raise psycopg.OperationalError(f"no answer in {self.patience_s} s") from None


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

    On PostgreSQL as libpq's chunked rows, not through a cursor: what a cursor reads is never worked out in parallel
    ("When Can Parallel Query Be Used?"), which takes twice as long. Raises Unavailable as `begin` does.
    """
    connection = session.connection()
    if connection.dialect.name != "postgresql":
        yield from connection.execute(query, execution_options={"stream_results": True}).partitions(size)
        return
    connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{STREAM_S}s'")
    compiled = query.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
    driven: Any = connection.connection.driver_connection
    driven.patience_s, patience_s = STREAM_S, getattr(driven, "patience_s", ANSWER_S)
    cursor: psycopg.Cursor[Any] = driven.cursor()
    try:
        rows = cursor.stream(str(compiled).encode(), compiled.params, size=size)
        while page := list(islice(rows, size)):
            yield page
    except psycopg.OperationalError as error:
        raise Unavailable(f"history is out of reach: {type(error).__name__}") from error
    finally:
        driven.patience_s = patience_s


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
