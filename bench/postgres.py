"""A PostgreSQL of its own for a bench. It refuses to run as root, so root starts it as `postgres`."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dev.system import free_port

# Only reading is measured; filling it is to be quick. A bench says itself when to vacuum: beside one of the server's
# own, it leaves pages that each index-only read then looks up.
QUICK = "-c autovacuum=off -c fsync=off -c synchronous_commit=off -c max_wal_size=4GB"
# What it has said yes to is there after it was stopped at once. It is not flushed to the disk: nothing cuts the power.
REMEMBERS = "-c fsync=off"


class PostgresServer:
    """With the settings of a small managed database (256 MB of buffers), and further `options`."""

    def __init__(self, folder: Path, options: str) -> None:
        self.folder, self.port, self.binaries = folder, free_port(), _binaries()
        self.user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self.user:
            shutil.chown(folder, "postgres")
        where = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
        self.options = f"{where} -c shared_buffers=256MB {options}"
        self._run("initdb", "-D", self.data, "-U", "scores", "-A", "trust", "-E", "UTF8", "--no-sync")

    @property
    def data(self) -> str:
        return str(self.folder / "data")

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://scores@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        self._run("pg_ctl", "-D", self.data, "-o", self.options, "-l", str(self.folder / "log"), "-w", "start")

    def stop(self) -> None:
        """At once, as when its machine goes."""
        self._run("pg_ctl", "-D", self.data, "-m", "immediate", "-w", "stop")

    def _run(self, name: str, *args: str) -> None:
        command = [*self.user, str(self.binaries / name), *args]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=self.folder)


@contextmanager
def server(options: str) -> Iterator[PostgresServer]:
    """Started; ended and forgotten after it."""
    folder = Path(tempfile.mkdtemp(prefix="scores-pg-"))
    try:
        started = PostgresServer(folder, options)
        started.start()
        try:
            yield started
        finally:
            started.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running() -> Iterator[str]:
    """Its URL while it runs."""
    with server(QUICK) as started:
        yield started.url


def _binaries() -> Path:
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    if not binaries and not on_path:
        raise SystemExit("no PostgreSQL: apt-get install postgresql")
    return binaries[-1].parent if binaries else Path(str(on_path)).parent
