"""A lost database has one name: Unavailable."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import IntegrityError

from config import Settings
from db.domain.errors import Unavailable
from db.sql.history import History
from db.sql.session import STATEMENT_S, STREAM_S, _Bounded, begin, engine, stream
from tests.conftest import Postgres, free_port


def run(bind: Engine, *statements: str) -> None:
    with begin(bind) as session:
        for statement in statements:
            session.execute(text(statement))


def test_a_database_that_is_not_there_is_unavailable() -> None:
    away = History(engine(f"postgresql+psycopg://u:pass@127.0.0.1:{free_port()}/scores"))
    with pytest.raises(Unavailable) as raised:
        away.ping()
    assert "pass" not in str(raised.value)


def test_a_file_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "scores.db").mkdir()
    with pytest.raises(Unavailable):
        History(engine(f"sqlite:///{tmp_path}/scores.db")).ping()


def test_a_database_cut_off_and_back_is_used_again(postgres: Postgres, postgresql_url: str) -> None:
    history = History(engine(Settings.from_env({"DATABASE_URL": postgresql_url}).sql_url))
    assert history.match("m") is None
    postgres.stop()
    try:
        with pytest.raises(Unavailable):
            history.match("m")
    finally:
        postgres.start()
    assert history.match("m") is None
    history.engine.dispose()


def test_a_database_that_takes_a_question_and_never_answers_is_unavailable(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Bounded, "patience_s", 0.3)
    bind = engine(Settings.from_env({"DATABASE_URL": postgres.url()}).sql_url)
    stopped: list[int] = []
    try:
        with pytest.raises(Unavailable):
            stop_its_own_backend(bind, stopped)
        run(bind, "SELECT 1")
    finally:
        bind.dispose()
        for backend in stopped:
            os.kill(backend, signal.SIGCONT)


def stop_its_own_backend(bind: Engine, stopped: list[int]) -> None:
    """The server's end of a session still hears, and says no more."""
    with begin(bind) as session:
        stopped.append(int(session.execute(text("SELECT pg_backend_pid()")).scalar_one()))
        os.kill(stopped[-1], signal.SIGSTOP)
        session.execute(text("SELECT 1"))


def test_a_statement_has_seconds_at_the_server_and_a_stream_of_millions_has_more(postgres: Postgres) -> None:
    bind = engine(Settings.from_env({"DATABASE_URL": postgres.url()}).sql_url)
    timeout = select(func.current_setting("statement_timeout"))
    with begin(bind) as session:
        assert session.execute(timeout).scalar() == f"{STATEMENT_S}s"
        assert list(stream(session, timeout, 10)) == [[(f"{STREAM_S}s",)]]
    with begin(bind) as session:
        assert session.execute(timeout).scalar() == f"{STATEMENT_S}s"
    with pytest.raises(Unavailable):
        run(bind, "SET LOCAL statement_timeout = '20ms'", "SELECT pg_sleep(60)")
    bind.dispose()


def test_a_locked_sqlite_is_unavailable_and_nothing_is_half_written(sqlite_url: str) -> None:
    bind = engine(sqlite_url)
    other = engine(sqlite_url)
    row = "INSERT INTO teams VALUES ('t', 'T', 't')"
    with other.connect() as held:
        held.exec_driver_sql("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable):
            run(bind, "PRAGMA busy_timeout = 10", row)
        held.exec_driver_sql("ROLLBACK")
    with begin(bind) as session:
        assert session.execute(text("SELECT count(*) FROM teams")).scalar() == 0
    bind.dispose()
    other.dispose()


def test_a_wrong_row_is_a_bug_not_an_outage(database_url: str) -> None:
    bind = engine(Settings.from_env({"DATABASE_URL": database_url}).sql_url)
    row = "INSERT INTO teams VALUES ('t', 'T', 't')"
    with pytest.raises(IntegrityError):
        run(bind, row, row)
    bind.dispose()


def test_sqlite_is_set_up_for_readers_beside_one_writer(sqlite_url: str) -> None:
    bind = engine(sqlite_url)
    with begin(bind) as session:
        pragmas = [session.execute(text(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "foreign_keys")]
    assert pragmas == ["wal", 1]
    bind.dispose()
