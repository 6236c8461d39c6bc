"""Real servers for the tests, on free ports, empty for each test: Redis, PostgreSQL, and the whole system."""

from __future__ import annotations

import base64
import gc
import itertools
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import redis

from api.delivery.listener import Listener
from config import Settings
from dev.local import redis_binary
from dev.system import free_port
from tests.support.paths import ROOT
from workers.boot import WorkerServices

if TYPE_CHECKING:
    from tests.support.layouts import Layout
    from tests.support.system import System

pytest_plugins = ["tests.support.quick", "tests.support.emulators", "tests.support.layouts"]

# The tests start hundreds of Python processes. Without bytecode files each compiles the whole project again.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

SECRET = "whsec_" + base64.b64encode(b"a secret of the tests, 32 bytes.").decode()
SHARED_SECRET = "a-shared-secret-of-the-tests"


def wait_until(true: Callable[[], object], what: str, timeout_s: float = 60.0) -> None:
    """Poll a condition, more and more rarely; fails naming what never came to be."""
    began = time.monotonic()
    while not true():
        passed = time.monotonic() - began
        if passed > timeout_s:
            pytest.fail(f"waited {timeout_s:.0f} s in vain: {what}")
        # Most conditions ask a server, which has other things to do meanwhile.
        time.sleep(min(max(passed / 10, 0.01), 0.1))


def answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


# Each write is in the file before its answer is sent, and SIGKILL loses nothing of it. It is not flushed to the disk:
# no test cuts the power. `everysec` would hold writes back during a flush (redis.conf, "appendfsync").
REMEMBERS = ("--appendfsync", "no")


class RedisServer:
    """A redis-server that a test may stop, kill and start again; with its append-only file it remembers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        options = ["--port", str(self.port), "--dir", str(self.folder), "--save", "", "--appendonly", "yes"]
        options += [*REMEMBERS, "--bind", "127.0.0.1"]
        self.process = subprocess.Popen([redis_binary(), *options], stdout=subprocess.DEVNULL)
        wait_until(self.is_up, "redis-server")

    def is_up(self) -> bool:
        try:
            return bool(redis.Redis(port=self.port).ping())
        except redis.RedisError:
            return False

    def kill(self) -> None:
        assert self.process
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                # Redis 7 waits for its replicas, which a test may have put to sleep.
                self.kill()


@pytest.fixture(autouse=True)
def no_listener_is_left() -> Iterator[None]:
    """One that is left hears what is said to the next test, and complains of its Redis for the rest of the run."""
    yield
    for thread in threading.enumerate():
        if isinstance(thread, Listener):
            thread.stop()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def run_redis(tmp_path: Path) -> Iterator[Callable[[], RedisServer]]:
    """Starts servers of the test's own."""
    servers: list[RedisServer] = []

    def run() -> RedisServer:
        folder = tmp_path / f"redis-{len(servers)}"
        folder.mkdir()
        servers.append(RedisServer(folder))
        servers[-1].start()
        return servers[-1]

    yield run
    for server in servers:
        server.stop()


@pytest.fixture
def redis_url(layout: Layout) -> str:
    """An empty Redis that is no cluster."""
    return layout.plain_url


def postgres_bin() -> Path | None:
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if binaries:
        return binaries[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None


# A copy of a migrated database for each test took fourteen times as long. Who is cut off is waited for (ms): the server
# may be about to commit what a killed worker asked for.
EMPTY = """
DO $$
DECLARE name text;
BEGIN
    PERFORM pg_terminate_backend(pid, 10000) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid();
    SET LOCAL session_replication_role = replica;
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
        EXECUTE format('DELETE FROM %I', name);
    END LOOP;
    PERFORM setval(format('%I', sequencename)::regclass, 1, false) FROM pg_sequences WHERE schemaname = 'public';
END $$
"""


class Postgres:
    """PostgreSQL in a folder of its own. It refuses to run as root, so root starts it as `postgres`."""

    def __init__(self, folder: Path, binaries: Path) -> None:
        self.folder, self.binaries, self.port = folder, binaries, free_port()
        self.databases = itertools.count(1)
        self.user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []

    def url(self, database: str = "postgres") -> str:
        return f"postgres://scores@127.0.0.1:{self.port}/{database}"

    def create_database(self) -> str:
        """Its name."""
        name = f"scores_{next(self.databases)}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return name

    def empty(self, database: str) -> None:
        """Whoever is still connected is cut off."""
        with psycopg.connect(self.url(database)) as connection:
            connection.execute(EMPTY)

    def create(self) -> None:
        if self.user:
            shutil.chown(self.folder, "postgres")
        self._run("initdb", "-D", str(self.folder / "data"), "-U", "scores", "-A", "trust", "-E", "UTF8", "--no-sync")

    def follow(self, primary: Postgres) -> None:
        """Begin as a copy that goes on with what the other writes."""
        if self.user:
            shutil.chown(self.folder, "postgres")
        self._run("pg_basebackup", "-R", "-D", str(self.folder / "data"), "-d", primary.url(), "-c", "fast")

    def promote(self) -> None:
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-w", "promote")

    def connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.url(), autocommit=True)

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder} -c fsync=off"
        self._run(
            "pg_ctl", "-D", str(self.folder / "data"), "-o", options, "-l", str(self.folder / "log"), "-w", "start"
        )

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "-w", "stop")

    def _run(self, binary: str, *args: str) -> None:
        subprocess.run(
            [*self.user, str(self.binaries / binary), *args], check=True, stdout=subprocess.DEVNULL, cwd=self.folder
        )


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    binaries = postgres_bin()
    if binaries is None:
        pytest.skip("no PostgreSQL: apt-get install postgresql")
    # Not under pytest's own folder, which the user `postgres` may not enter.
    with tempfile.TemporaryDirectory(prefix="scores-postgres-") as folder:
        server = Postgres(Path(folder), binaries)
        server.create()
        server.start()
        yield server
        server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """An empty, migrated database; each test that asks runs on both."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(scope="session")
def migrated_database(postgres: Postgres) -> str:
    """Its name; each test leaves it empty."""
    name = postgres.create_database()
    migrate(postgres.url(name))
    return name


@pytest.fixture
def postgresql_url(postgres: Postgres, migrated_database: str) -> Iterator[str]:
    yield postgres.url(migrated_database)
    postgres.empty(migrated_database)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    (tmp_path / "scores.db").write_bytes(migrated_file())
    return f"sqlite:///{tmp_path}/scores.db"


@cache
def migrated_file() -> bytes:
    """Of SQLite, to be copied: migrations take a third of a second, and two in a process of their own."""
    with tempfile.TemporaryDirectory(prefix="scores-sqlite-") as folder:
        path = Path(folder) / "scores.db"
        migrate(f"sqlite:///{path}")
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return path.read_bytes()


def migrate(url: str, revision: str = "head") -> None:
    from alembic import command
    from alembic.config import Config

    before = os.environ.get("DATABASE_URL")
    os.environ["DATABASE_URL"] = url
    try:
        command.upgrade(Config(str(ROOT / "alembic.ini")), revision)
    finally:
        if before is None:
            del os.environ["DATABASE_URL"]
        else:
            os.environ["DATABASE_URL"] = before


# Their tests start systems or wait for what a feed does, and take longest.
FIRST = {"integration", "browser", "dev", "cdn", "workers"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Else one of the processes works on at the end, and the others have nothing left."""
    items.sort(key=lambda item: FIRST.isdisjoint(item.path.parts))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is imported and collected stays until the end: the garbage collector need not look through it, neither
    while it grows nor afterwards."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


STARTED = pytest.StashKey[list["System"]]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "settings(NAME=value): variables of the environment of the `system` fixture")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test shows what its systems said."""
    report = yield
    if report.failed:
        started = [system for node in item.listchain() for system in node.stash.get(STARTED, [])]
        report.sections += [section for system in started for section in system.logs()]
    return report


def systems(node: pytest.Item | pytest.Collector, folder: Path) -> Iterator[Callable[..., System]]:
    from tests.support.system import System

    started = node.stash[STARTED] = list[System]()

    def run(**settings: Any) -> System:
        own = folder / f"system-{len(started)}"
        own.mkdir()
        started.append(System(own, **settings))
        started[-1].start()
        return started[-1]

    yield run
    for system in started:
        system.end()


@pytest.fixture
def run_system(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., System]]:
    """Starts whole systems, each in a folder of its own: run_system(DATABASE_URL=…, WORKER_PROCESSES=3)."""
    yield from systems(request.node, tmp_path)


@pytest.fixture(scope="module")
def run_module_system(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., System]]:
    """The same for systems that the tests of one module share; mark those with one xdist_group."""
    yield from systems(request.node, tmp_path_factory.mktemp("systems"))


@pytest.fixture
def system(request: pytest.FixtureRequest, run_system: Callable[..., System]) -> System:
    """A running system on SQLite."""
    marker = request.node.get_closest_marker("settings")
    return run_system(**(marker.kwargs if marker else {}))


@pytest.fixture
def make_services(layout: Layout) -> Iterator[Callable[..., WorkerServices]]:
    created: list[WorkerServices] = []

    def make(database_url: str, **changed: Any) -> WorkerServices:
        """Of the layout; with another number of shards on one Redis."""
        defaults = {**layout.settings, "database_url": database_url}
        if "live_shards" in changed:
            defaults |= {"redis_url": layout.plain_url, "redis_cluster": False}
        services = WorkerServices(Settings(**(defaults | changed)))
        if services.settings.redis_cluster:
            services.live.redis = layout.client()
        created.append(services)
        return services

    yield make
    for services in created:
        services.live.redis.close()
        services.bells.client.close()
        services.history.engine.dispose()


@pytest.fixture
def services(make_services: Callable[..., WorkerServices], sqlite_url: str) -> WorkerServices:
    return make_services(sqlite_url)
