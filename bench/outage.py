"""Redis or SQL is away, or forgets, while matches are told: is everything known afterwards, and how soon is all back?

`make bench-outage`, or `python -m bench.outage sql redis --pause 60`. The whole system runs on PostgreSQL, each service
behind an address that can be made to hang or to lead elsewhere. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import redis
import requests
import sqlalchemy as sa

from bench import postgres
from db.live import keys
from db.sql.models import MatchRow
from db.sql.session import engine
from dev import system
from dev.local import redis_binary
from dev.replay.ingest_client import signed
from dev.system import System, free_port

# Kick-offs of one minute on a Saturday (docs/architecture.md), and finished matches that are edited beside them.
KICK_OFFS, EDITS = 109, 60
WAIT_S = 120.0
COLUMNS = ("home_team", "away_team", "competition", "venue", "start_time", "phase", "status", "home_team_id")


class Address:
    """A port that leads to a server; it may be made to lead to another, or to carry nothing."""

    def __init__(self, target: int) -> None:
        self.target, self.port = target, free_port()
        self.flowing = threading.Event()
        self.flowing.set()
        self.listener = socket.create_server(("127.0.0.1", self.port), backlog=512)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                try:
                    far = socket.create_connection(("127.0.0.1", self.target))
                except OSError:
                    near.close()
                    continue
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._copy, args=(source, sink), daemon=True).start()

    def _copy(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                self.flowing.wait()
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


class Teller:
    """Sends one event a request, to the signed endpoint."""

    def __init__(self, running: System) -> None:
        self.running, self.count = running, 0
        self.session = requests.Session()

    def post(self, body: dict[str, Any]) -> bool:
        self.count += 1
        data, name = json.dumps(body).encode(), f"outage-{time.time_ns()}"
        headers = signed(system.SECRET, name, data, datetime.now(UTC)) | {"Content-Type": "application/json"}
        try:
            return self.session.post(f"{self.running.url}/api/ingest/generic", data, headers=headers, timeout=30).ok
        except requests.RequestException:
            return False

    def tell(self, match_id: str, kind: str, home: int, **more: Any) -> bool:
        event = {"match_id": match_id, "event_type": kind, "home_score": home, "away_score": 0, "minute": 1,
                 "timestamp": datetime.now(UTC).isoformat()} | more  # fmt: skip
        return self.post({"events": [event]})

    def play_out(self, match_id: str) -> None:
        start = datetime.now(UTC).isoformat()
        self.post({"matches": [{"id": match_id, "home_team": {"id": "h", "name": "Home"}, "away_team": "Away",
                                "competition": "Cup", "venue": "Ground", "start_time": start}]})  # fmt: skip
        self.tell(match_id, "kickoff", 0)
        self.tell(match_id, "goal", 1, event_id="g1", team="home")
        self.tell(match_id, "full_time", 1)


def wait(true: Callable[[], bool], what: str, timeout_s: float = WAIT_S) -> float:
    """Seconds until it is so."""
    began = time.monotonic()
    while not true():
        if time.monotonic() - began > timeout_s:
            raise SystemExit(f"waited {timeout_s:.0f} s in vain: {what}")
        time.sleep(0.02)
    return time.monotonic() - began


def ready(running: System) -> dict[str, Any]:
    with suppress(requests.RequestException):
        return dict(requests.get(f"{running.url}/readyz", timeout=5).json())
    return {}


def is_settled(running: System) -> bool:
    state = ready(running)
    counts = [state.get(name) for name in ("ingest_waiting", "history_lag_ms", "match_partial")]
    return state.get("status") == "ready" and counts == [0, 0, 0]


def rows(url: str) -> dict[str, dict[str, Any]]:
    bind = engine(url)
    with bind.connect() as connection:
        result = connection.execute(sa.select(MatchRow.__table__)).mappings()
        by_id = {row["id"]: dict(row) for row in result}
    bind.dispose()
    return by_id


@contextmanager
def hearing(port: int) -> Iterator[dict[str, float]]:
    """When each match was first heard of again: id → monotonic seconds."""
    heard: dict[str, float] = {}
    with closing(redis.Redis(port=port)) as client, closing(client.pubsub()) as channel:  # type: ignore[no-untyped-call]
        channel.subscribe("scores:changed")

        def listen() -> None:
            with suppress(Exception):
                for message in channel.listen():
                    if message["type"] == "message":
                        heard.setdefault(message["data"].split(b" ")[0].decode(), time.monotonic())

        threading.Thread(target=listen, daemon=True).start()
        yield heard


def without_sql(running: System, sql: Address, url: str) -> dict[str, Any]:
    """SQL takes what it is sent and answers nothing, while finished matches are edited and others kick off."""
    teller, accepted = Teller(running), dict[str, float]()
    old = [f"old-{n}" for n in range(EDITS)]
    for match_id in old:
        teller.play_out(match_id)
    wait(lambda: is_settled(running), "the finished matches to be written")
    before = rows(url)
    with closing(redis.Redis(port=running.redis_port)) as client:
        client.delete(*client.keys("match:*"))
    sql.flowing.clear()
    with hearing(running.redis_port) as heard:
        new = [f"new-{n}" for n in range(KICK_OFFS)]
        for match_id in [*old, *new]:
            if match_id in before:
                teller.tell(match_id, "goal", 1, event_id="g1", detail="header")
            else:
                teller.tell(match_id, "kickoff", 0)
            accepted[match_id] = time.monotonic()
        wait(lambda: len(heard) == len(accepted), "all to be applied")
    lags = sorted(max(0.0, heard[match_id] - at) * 1000 for match_id, at in accepted.items())
    with closing(redis.Redis(port=running.redis_port)) as client:
        partial = client.zcard(keys.PARTIAL)
    sql.flowing.set()
    level_s = wait(lambda: is_settled(running), "SQL to be level")
    after = rows(url)
    lost = sum(after[i][name] != before[i][name] for i in before for name in COLUMNS)
    lower = sum(after[i]["version"] <= before[i]["version"] for i in before)
    state = ready(running)
    return {
        "applied_p50_ms": round(lags[len(lags) // 2], 1), "applied_p99_ms": round(lags[int(len(lags) * 0.99)], 1),
        "partial": partial, "level_s": round(level_s, 1), "columns_lost": lost, "versions_not_higher": lower,
        "matches": len(after), "set_aside": state["ingest_parked"] + state["history_parked"],
    }  # fmt: skip


class OutageMatch:
    """One match whose goals are counted up, through all faults."""

    def __init__(self, running: System) -> None:
        self.running, self.teller, self.home = running, Teller(running), 0

    def goal(self, *, written: bool = True) -> float:
        """Seconds until the goal is taken, applied and shown; a sender sends until it is taken."""
        self.home += 1
        began = time.monotonic()
        wait(lambda: self.teller.tell("m", "goal", self.home, event_id=f"m{self.home}", team="home"), "the endpoint")
        wait(self.is_shown, f"{self.home}-0")
        took_s = time.monotonic() - began
        if written:
            wait(lambda: is_settled(self.running), "SQL to be level")
        return round(took_s, 2)

    def is_shown(self) -> bool:
        with suppress(requests.RequestException, ValueError):
            score = requests.get(f"{self.running.url}/api/score/m", timeout=5).json()
            return bool(score.get("home_score") == self.home and score["phase"] == "live")
        return False


def redis_faults(running: System, address: Address, pause_s: float) -> dict[str, Any]:
    """What each leads to: how long after its end a goal took from the sender's first try until it was shown, and until
    all was level with SQL; whether the end is right."""
    match, figures = OutageMatch(running), dict[str, Any]()
    match.goal()

    def faulted(name: str, fault: Callable[[], None]) -> None:
        print(f"{name} …", file=sys.stderr)
        before = {name: process.pid for name, process in running.processes.items() if name != "redis"}
        fault()
        began = time.monotonic()
        shown_s = match.goal()
        alive = {name: process.pid for name, process in running.processes.items() if name != "redis"}
        kept = before == alive and not any(map(_is_over, running.processes.values()))
        level_s = round(time.monotonic() - began, 2)
        figures[name] = {"goal_shown_s": shown_s, "level_s": level_s, "processes_kept": kept}

    def stopped() -> None:
        pid = running.processes["redis"].pid
        os.kill(pid, signal.SIGSTOP)
        time.sleep(pause_s)
        os.kill(pid, signal.SIGCONT)

    def older() -> None:
        kept = running.folder / "kept"
        shutil.copytree(running.folder / "appendonlydir", kept)
        for _ in range(3):
            match.goal()
        running.kill("redis")
        shutil.rmtree(running.folder / "appendonlydir")
        shutil.move(kept, running.folder / "appendonlydir")
        running.restart("redis")

    def emptied() -> None:
        with closing(redis.Redis(port=running.redis_port)) as client:
            client.flushall()

    faulted(f"stopped {pause_s:.0f} s", stopped)
    faulted("restored from an older copy", older)
    faulted("emptied", emptied)
    with replica(running.redis_port) as (port, promote):
        faulted("demoted", lambda: promote(address))
        figures["demoted"]["writes_at"] = "the new master" if port == address.target else "the old one"
    return figures


def _is_over(process: subprocess.Popen[bytes]) -> bool:
    return process.poll() is not None


@contextmanager
def replica(master: int) -> Iterator[tuple[int, Callable[[Address], None]]]:
    """A second Redis, and what makes it the master, as a managed one does it."""
    port, folder = free_port(), Path(tempfile.mkdtemp(prefix="scores-replica-"))
    command = [redis_binary(), "--port", str(port), "--dir", str(folder), "--save", "", "--appendonly", "yes"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    system.wait_for_port(port)
    with closing(redis.Redis(port=port)) as new, closing(redis.Redis(port=master)) as old:
        old.config_set("repl-diskless-sync-delay", 0)
        new.replicaof("127.0.0.1", master)
        wait(lambda: new.info("replication")["master_link_status"] == "up", "the replica")

        def promote(address: Address) -> None:
            new.replicaof("NO", "ONE")
            address.target = port
            old.replicaof("127.0.0.1", port)

        try:
            yield port, promote
        finally:
            process.kill()
            process.wait()
            shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("parts", nargs="*", default=["sql", "redis"], choices=["sql", "redis"])
    options.add_argument("--pause", type=float, default=10.0, metavar="S", help="how long Redis is stopped")
    given = options.parse_args()
    figures: dict[str, Any] = {}
    with postgres.running() as url:
        sql = Address(sa.make_url(url).port or 0)
        behind = sa.make_url(url).set(port=sql.port).render_as_string(hide_password=False)
        address = Address(0)
        redis_url = f"redis://127.0.0.1:{address.port}/0"
        with system.running(Redirected, DATABASE_URL=behind, REDIS_URL=redis_url, address=address) as running:
            if "sql" in given.parts:
                figures["sql"] = without_sql(running, sql, url)
            if "redis" in given.parts:
                figures["redis"] = redis_faults(running, address, given.pause)
    for part, values in figures.items():
        for name, value in values.items():
            print(f"{part:6} {name:28} {value}")
    print(json.dumps(figures))


class Redirected(System):
    """Its Redis is behind an address."""

    def __init__(self, folder: Path, *, address: Address, **settings: object) -> None:
        super().__init__(folder, **settings)
        address.target = self.redis_port


if __name__ == "__main__":
    main()
