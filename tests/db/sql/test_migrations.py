"""The migrations make exactly what the models say, on both databases, and can be taken back."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from config import Settings
from db.sql.models import Base
from db.sql.session import engine
from tests.conftest import ROOT, Postgres


def test_the_migrated_database_is_what_the_models_say(database_url: str) -> None:
    bind = engine(Settings.from_env({"DATABASE_URL": database_url}).sql_url)
    with bind.connect() as connection:
        opts = {"compare_type": True, "compare_server_default": True, "include_object": is_compared}
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, Base.metadata) == []
    bind.dispose()


def test_every_migration_can_be_taken_back_and_made_again(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    bind = engine(Settings.from_env({"DATABASE_URL": database_url}).sql_url)
    before = tables(bind)
    command.downgrade(Config(str(ROOT / "alembic.ini")), "base")
    assert tables(bind) == {"alembic_version"}
    command.upgrade(Config(str(ROOT / "alembic.ini")), "head")
    assert tables(bind) == before
    bind.dispose()


def test_a_database_of_a_newer_release_is_left_as_it_is(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A release that is rolled back to upgrades to its own head, too (Heroku's release phase)."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    bind = engine(Settings.from_env({"DATABASE_URL": database_url}).sql_url)
    with bind.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    before = tables(bind)
    command.upgrade(Config(str(ROOT / "alembic.ini")), "head")
    assert "revision 9999, of a newer release" in capsys.readouterr().err
    assert tables(bind) == before
    bind.dispose()


def test_processes_that_migrate_one_database_at_once_wait_for_each_other(postgres: Postgres) -> None:
    environment = os.environ | {"DATABASE_URL": postgres.url(postgres.create_database())}
    command_line = [sys.executable, "-m", "alembic", "upgrade", "head"]
    started = [subprocess.Popen(command_line, cwd=ROOT, env=environment, stderr=subprocess.PIPE) for _ in range(3)]
    errors = [process.communicate()[1].decode() for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], errors


# A test before may have let the clock make some.
MONTH = re.compile(r"_\d{4}_\d{2}(_|$)")


def is_compared(_thing: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
    """Partitions are of PostgreSQL alone (db.sql.months)."""
    return name not in {"match_scores_past", "match_event_versions", "ix_match_events_event"} and not is_month(name)


def is_month(name: str | None) -> bool:
    return MONTH.search(name or "") is not None


def tables(bind: object) -> set[str]:
    return {name for name in inspect(bind).get_table_names() if not is_month(name)}  # type: ignore[attr-defined]
