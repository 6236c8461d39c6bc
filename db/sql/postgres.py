"""The engine of PostgreSQL. Imported where there is one: its driver takes a tenth of a second."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import psycopg
from psycopg.errors import _WaitTimeout as WaitTimeout
from sqlalchemy import Connection, Engine, Select, create_engine, event

from db.domain.errors import Unavailable

# What a statement may take at the server: the longest of ours, a batch of refused payloads of 4 MB each, takes a few.
STATEMENT_S = 10
# And what is waited for its answer: a little longer, so that a server that lives is the one to end it.
ANSWER_S = 12
# The same for a query of millions of rows; within the minute that a job has.
STREAM_S = 50


def postgres(url: str, *, bounded: bool) -> Engine:
    """As `db.sql.session.engine` says."""
    given: dict[str, Any] = {"connect_timeout": 2}
    if bounded:
        given["options"] = f"-c statement_timeout={STATEMENT_S}s"
        # What was sent and never acknowledged (tcp(7), TCP_USER_TIMEOUT): the host behind the address is gone.
        given["tcp_user_timeout"] = ANSWER_S * 1000
    made = create_engine(
        url,
        pool_size=2,
        max_overflow=2,
        pool_timeout=3,
        pool_pre_ping=True,
        connect_args=given,
        hide_parameters=True,
    )
    if bounded:
        event.listen(made, "do_connect", lambda _dialect, _record, args, options: Bounded.connect(*args, **options))
    return made


class Bounded(psycopg.Connection[Any]):
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


def pages(connection: Connection, query: Select[Any], size: int) -> Iterator[Sequence[Any]]:
    """As `db.sql.session.stream` says: libpq's chunked rows, not a cursor. What a cursor reads is never worked out in
    parallel ("When Can Parallel Query Be Used?"), which takes twice as long."""
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
