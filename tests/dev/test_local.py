"""`python -m dev.local`: the whole system by one command, as a person at a terminal starts and ends it."""

from __future__ import annotations

import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import redis
from sqlalchemy import text

from db.sql.session import engine
from tests.conftest import ROOT, SECRET, wait_until
from tests.support.local import ENDED_S, Local
from tests.support.system import event

Start = Callable[..., Local]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    begun: list[Local] = []

    def run(**settings: object) -> Local:
        begun.append(Local(tmp_path, **settings))
        return begun[-1]

    yield run
    for local in begun:
        for process in local.look():
            with suppress(psutil.NoSuchProcess):
                process.kill()
        local.process.wait()


def test_goals_arrive_ctrl_c_or_sigterm_ends_it_and_the_next_start_goes_on(start: Start) -> None:
    first = start(DEMO_SPEED=300, HTTP_PROXY="http://127.0.0.1:9").up()
    assert first.output().count("Scores are at") == 1
    assert f"http://localhost:{first.port}" in first.output()
    wait_until(lambda: any(match["home_score"] for match in first.board().values()), "a goal of the demo")
    before = first.board()
    assert first.interrupt() == 130

    second = start(DEMO=0).up()
    for match_id, match in before.items():
        assert second.get(f"/api/score/{match_id}")["version"] >= match["version"]
    secret = (second.var / "ingest_secret_generic").read_text().strip()
    assert second.post(secret, event("mine", "goal", 1, 0, 3, event_id="g1")) == 202
    wait_until(lambda: second.shows("mine", 1), "a goal of one's own")
    assert "demo" not in second.output()
    for name in ("ingest_secret_generic", "env"):
        assert stat.S_IMODE((second.var / name).stat().st_mode) == 0o600, name
    assert secret not in first.output() + second.output()
    # To it alone, where Ctrl-C goes to all that it started.
    second.process.terminate()
    assert second.over() == 143


def test_ctrl_c_in_the_middle_of_the_start_ends_everything(start: Start) -> None:
    local = start()
    wait_until(lambda: "started (pid=" in local.output(), "its first process")
    local.look()
    assert local.interrupt() == 130
    assert "Traceback" not in local.output()


@pytest.mark.faults
def test_ctrl_c_before_a_command_runs_does_not_end_what_starts_it() -> None:
    code = """
import os, signal, sys
from honcho.printer import Printer
from honcho.process import Popen
from dev.processes import ProcessManager

def struck(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGINT)
    return Popen(*args, **kwargs)

manager = ProcessManager(Printer(sys.stdout))
# The command sees SIGINT as if it had been started from a shell: neither blocked nor ignored.
manager.add_process("one", "grep -E 'Sig(Blk|Ign)' /proc/self/status")._child_ctor = struck
manager.loop()
sys.exit(manager.returncode)
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    masks = [int(line.split()[-1], 16) for line in done.stdout.splitlines() if "SigBlk" in line or "SigIgn" in line]
    assert [mask & 1 << signal.SIGINT - 1 for mask in masks] == [0, 0]


def test_a_port_in_use_is_named_with_the_way_out(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        local = start(PORT=port)
        assert local.process.wait(ENDED_S) == 2
    assert f"port {port} is taken" in local.output()
    assert f"PORT={port + 1}" in local.output()


@pytest.mark.faults
def test_a_second_one_over_the_same_folder_is_refused_also_after_a_kill_9(start: Start) -> None:
    first = start(DEMO=0)
    wait_until(lambda: len(first.lock().split()) == 2, "its Redis")
    second = start(DEMO=0)
    assert second.process.wait(ENDED_S) == 2
    assert f"it is running already in {first.var}" in second.output()
    assert f"process {first.process.pid}" in second.output()
    # Stopped, it starts nothing more that would be left behind.
    first.process.send_signal(signal.SIGSTOP)
    first.look()
    # Its Redis goes on, and holds the lock: no second one writes the same file.
    first.process.kill()
    third = start(DEMO=0)
    assert third.process.wait(ENDED_S) == 2
    assert "it is running already" in third.output()


def test_the_given_redis_database_and_secret_are_used_and_a_death_ends_all(
    start: Start, redis_url: str, tmp_path: Path
) -> None:
    database = f"sqlite:///{tmp_path}/elsewhere.db"
    settings = {"REDIS_URL": redis_url, "DATABASE_URL": database, "INGEST_SECRET_GENERIC": SECRET}
    local = start(DEMO=0, WORKER_PROCESSES=1, LOG_LEVEL="INFO", **settings).up()
    assert local.post(SECRET, event("mine", "goal", 1, 0, 3, event_id="g1")) == 202
    wait_until(lambda: local.shows("mine", 1), "the goal")
    with redis.Redis.from_url(redis_url) as client:
        assert client.exists("match:{mine}:state")
    bind = engine(database)

    def written() -> int:
        with bind.connect() as connection:
            return int(connection.execute(text("SELECT count(*) FROM match_events")).scalar_one())

    wait_until(lambda: written() == 1, "the goal in the given database")
    bind.dispose()
    assert sorted(path.name for path in local.var.iterdir()) == ["emulators", "env", "lock", "vapid.pem"]
    assert local.output().count("worker_started") == 1
    clock = next(
        process
        for process in local.family
        if process.cmdline()[-2:] == ["-m", "workers.clock"] and process.name() != "sh"
    )
    clock.kill()
    assert local.over() == 1
    assert "because of: clock stopped (rc=" in local.output()
