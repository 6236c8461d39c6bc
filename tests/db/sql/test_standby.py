"""A primary that dies, and a standby that is promoted: both are named in DATABASE_URL."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import text

from config import Settings
from db.domain.errors import Unavailable
from db.sql.session import begin, engine
from tests.conftest import Postgres, postgres_bin, wait_until

pytestmark = pytest.mark.faults


@pytest.fixture
def servers() -> Iterator[tuple[Postgres, Postgres]]:
    """A primary, and a standby that follows it."""
    binaries = postgres_bin()
    if binaries is None:
        pytest.skip("no PostgreSQL: apt-get install postgresql")
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        primary, standby = Postgres(Path(one), binaries), Postgres(Path(two), binaries)
        primary.create()
        primary.start()
        standby.follow(primary)
        standby.start()
        yield primary, standby
        for server in (primary, standby):
            with suppress(Exception):
                server.stop()


def test_the_next_write_finds_the_promoted_standby(servers: tuple[Postgres, Postgres]) -> None:
    primary, standby = servers
    hosts = "&".join(f"host=127.0.0.1:{server.port}" for server in servers)
    url = f"postgresql://scores@/postgres?{hosts}&target_session_attrs=read-write"
    bind = engine(Settings.from_env({"DATABASE_URL": url}).sql_url)

    def is_written(number: int) -> bool:
        with suppress(Unavailable), begin(bind) as session:
            session.execute(text("INSERT INTO written VALUES (:number)"), {"number": number})
            return True
        return False

    with begin(bind) as session:
        session.execute(text("CREATE TABLE written (number integer)"))
    assert is_written(1)
    with standby.connect() as follower:
        wait_until(lambda: follower.execute("SELECT to_regclass('written')").fetchone() != (None,), "the table there")
        wait_until(lambda: follower.execute("SELECT number FROM written").fetchall() == [(1,)], "the row there")
    primary.stop()
    assert not is_written(2)
    standby.promote()
    wait_until(lambda: is_written(3), "the next write")
    with begin(bind) as session:
        assert session.execute(text("SELECT number FROM written ORDER BY number")).scalars().all() == [1, 3]
    bind.dispose()
