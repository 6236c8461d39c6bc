"""SQL is away for minutes of a Saturday: what grows, what readers and followers see, and how soon all is written.

`python -m bench.sql_away [--minutes 10] [--rate 230]`, or `make bench-sql-away`. 246 matches with every touch told:
each event three times, as push streams do (docs/architecture.md), a goal each eight seconds, and one phone that follows
each match. PostgreSQL is stopped at once, and started again after the minutes, while messages go on. At the end SQL is
compared with what was told and with live state. Progress goes to stderr, the last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import redis
import requests
import sqlalchemy as sa
from sqlalchemy import Engine

from bench import postgres
from bench.event_sender import EventSender
from bench.outage import WAIT_S, is_settled, ready, wait
from bench.sql_rows import faults, followed, told_of_goals
from db.live import keys
from db.live.alerts import RECENT, Alerts
from db.live.sharding import ShardedRedis
from dev import system
from dev.push_kills import emulated
from dev.system import System, children

MATCHES = 246
GOAL_EVERY_S = 8.0
# Messages of one event (docs/architecture.md, "How much").
TOLD = 3
SENDERS = 8
# Of the sum of all readers.
READS_PER_S = 20.0
SAMPLE_S = 10.0
# Before and after the outage, at most.
BESIDE_S = 60.0


class TouchTelling:
    """The messages of the matches. Those of one match are made and sent by one thread, so that they leave in order.

    goals: by match. events: ids by match.
    """

    def __init__(self, seed: int, rate: float) -> None:
        self.random, self.goal_share = random.Random(seed), 1 / (GOAL_EVERY_S * rate)
        self.goals: Counter[str] = Counter()
        self.events: dict[str, set[str]] = defaultdict(set)
        self.unfinished: dict[str, list[dict[str, Any]]] = defaultdict(list)

    def first(self, match_id: str) -> list[dict[str, Any]]:
        now = datetime.now(UTC).isoformat()
        match = {"id": match_id, "home_team": f"Home {match_id}", "away_team": f"Away {match_id}", "competition": "Cup"}
        return [{"matches": [match | {"venue": "Ground", "start_time": now}]},
                {"events": [self._event(match_id, "kickoff", "kickoff")]}]  # fmt: skip

    def next(self, match_id: str) -> dict[str, Any]:
        """An event."""
        waiting = self.unfinished[match_id]
        if not waiting:
            is_goal = self.random.random() < self.goal_share * TOLD
            self.goals[match_id] += is_goal
            kind, event_id = "goal" if is_goal else "pass", f"e{len(self.events[match_id])}"
            event = self._event(match_id, kind, event_id, team="home", sequence=len(self.events[match_id]))
            player = {"player": {"id": "p9", "name": "Somebody Long-Named"}}
            waiting += [event, event | player, event | player | {"detail": "right foot, from the edge of the box"}]
        return waiting.pop(0)

    def rest(self, match_id: str) -> list[dict[str, Any]]:
        """What is still to be told of the last event."""
        return self.unfinished.pop(match_id, [])

    def _event(self, match_id: str, kind: str, event_id: str, **more: Any) -> dict[str, Any]:
        self.events[match_id].add(event_id)
        score = {"home_score": self.goals[match_id], "away_score": 0, "minute": 1}
        now = datetime.now(UTC).isoformat()
        return {"match_id": match_id, "event_type": kind, "event_id": event_id, "timestamp": now} | score | more


class ScoreReaders(threading.Thread):
    """Reads scores and the board; how long each answer took (ms), and how many were none, by phase of the bench."""

    def __init__(self, running: System, match_ids: list[str]) -> None:
        super().__init__(daemon=True)
        self.url, self.match_ids = running.url, match_ids
        self.phase, self.stopping = "before", threading.Event()
        self.took: dict[str, list[float]] = defaultdict(list)
        self.failed: Counter[str] = Counter()

    def run(self) -> None:
        chance, session = random.Random(2), requests.Session()
        while not self.stopping.wait(1 / READS_PER_S):
            match_id = chance.choice(self.match_ids)
            path = chance.choice((f"/api/score/{match_id}", f"/api/matches/{match_id}/events", "/api/live"))
            phase, began = self.phase, time.monotonic()
            with suppress(requests.RequestException):
                if session.get(self.url + path, timeout=30).ok:
                    self.took[phase].append((time.monotonic() - began) * 1000)
                    continue
            self.failed[phase] += 1

    def figures(self) -> dict[str, Any]:
        return {
            phase: {"answers": len(times), "failed": self.failed[phase], "p50_ms": _share(times, 0.5),
                    "p99_ms": _share(times, 0.99)}
            for phase, times in self.took.items()
        }  # fmt: skip


class ResourceWatch:
    """What the system takes and holds, at moments."""

    def __init__(self, running: System) -> None:
        self.running, self.client = running, redis.Redis(port=running.redis_port)

    def memory(self) -> dict[str, float]:
        """MB: what Redis uses, and each process with its children."""
        used = {"redis": round(int(self.client.info("memory")["used_memory"]) / 2**20, 1)}
        for name, process in self.running.processes.items():
            if name != "redis":
                used[name] = _memory_mb([process.pid, *children(process.pid)])
        return used

    def kinds(self) -> dict[str, float]:
        """MB of Redis by kind of key."""
        kinds: Counter[str] = Counter()
        names: list[Any] = list(self.client.scan_iter(count=1000))
        for at in range(0, len(names), 1000):
            with self.client.pipeline(transaction=False) as pipe:
                for name in names[at : at + 1000]:
                    pipe.memory_usage(name, samples=0)
                for name, size in zip(names[at : at + 1000], pipe.execute(), strict=True):
                    parts = name.decode().split(":")
                    kinds[parts[0] if parts[0] != "match" else f"match:*:{parts[-1]}"] += size or 0
        return {kind: round(size / 2**20, 1) for kind, size in kinds.most_common(6)}

    def alerts(self) -> int:
        return int(self.client.zcard(keys.PUSH_UNPLANNED))

    def expired(self) -> int:
        """Pushes given up, for they were ten minutes late."""
        recent = Alerts(ShardedRedis(self.client, 1)).recent(RECENT)
        return sum(int(counters.get("expired", 0)) for _, counters in recent)

    def has_written(self, before_ms: int) -> bool:
        """Nothing waits for SQL that came before."""
        return not self.client.zcount(keys.HISTORY_PENDING, "-inf", before_ms)


def _memory_mb(pids: list[int]) -> float:
    sizes = (line for pid in pids for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return round(sum(int(line.split()[1]) for line in sizes if line.startswith("VmRSS")) / 1024, 1)


def _share(times: list[float], share: float) -> float:
    return round(sorted(times)[int(len(times) * share)], 1) if times else -1.0


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def measure(running: System, sql: postgres.PostgresServer, away_s: float, rate: float, ledger: str) -> dict[str, Any]:
    match_ids = [f"away-{n}" for n in range(MATCHES)]
    telling, watch = TouchTelling(1, rate), ResourceWatch(running)
    senders = [EventSender(running, telling, match_ids[n::SENDERS], rate / SENDERS) for n in range(SENDERS)]
    readers = ScoreReaders(running, match_ids)
    with _connected(sql) as bind:
        followed(bind, match_ids)
    for sender in senders:
        sender.begin()
    wait(lambda: is_settled(running), "the kick-offs to be written")
    for thread in (*senders, readers):
        thread.start()
    beside_s = min(BESIDE_S, away_s)
    time.sleep(beside_s)
    start, sent = watch.memory(), sum(sender.sent for sender in senders)
    say(f"SQL stops: {start}")
    readers.phase = "away"
    sql.stop()
    _sleep_watching(away_s, watch, senders)
    state, waiting_alerts = ready(running)["status"], watch.alerts()
    end, sent = watch.memory(), sum(sender.sent for sender in senders) - sent
    kinds = watch.kinds()
    say(f"SQL starts: {end}")
    readers.phase, back_ms, began = "after", time.time_ns() // 1_000_000, time.monotonic()
    sql.start()
    up_s = time.monotonic() - began
    wait(lambda: watch.has_written(back_ms), "the outboxes to be written", 2 * away_s + WAIT_S)
    written_s = time.monotonic() - began
    say(f"what had waited is written after {written_s:.1f} s: {watch.memory()}")
    time.sleep(beside_s / 2)
    for stopping in (*(sender.stopping for sender in senders), readers.stopping):
        stopping.set()
    for thread in (*senders, readers):
        thread.join()
    wait(lambda: is_settled(running), "all to be written")
    wait(lambda: not any(watch.client.zcard(name) for name in keys.PUSH_WORK), "all alerts to be sent", 180)
    state_after = ready(running)
    figures = {
        "away_s": away_s, "sent_per_s": round(sent / away_s, 1), "refused": sum(sender.refused for sender in senders),
        "status_away": state, "memory_start_mb": start, "memory_end_mb": end, "memory_by_kind_mb": kinds,
        "memory_after_mb": watch.memory(), "reads": readers.figures(), "alerts_waiting": waiting_alerts,
        "alerts_expired": _logged(running, "alert_expired"), "pushes_expired": watch.expired(),
        "sql_up_s": round(up_s, 1), "written_s": round(written_s, 1),
        "set_aside": state_after["ingest_parked"] + state_after["history_parked"],
    }  # fmt: skip
    with _connected(sql) as bind:
        figures |= faults(bind, running, telling.goals, telling.events)
    watch.client.close()
    return figures | told_of_goals(Path(ledger), telling.goals)


@contextmanager
def _connected(sql: postgres.PostgresServer) -> Iterator[Engine]:
    """One that is stopped ends the connections of its pool."""
    bind = sa.create_engine(sql.url)
    try:
        yield bind
    finally:
        bind.dispose()


def _sleep_watching(seconds: float, watch: ResourceWatch, senders: list[EventSender]) -> None:
    ends = time.monotonic() + seconds
    while (left := ends - time.monotonic()) > 0:
        time.sleep(min(SAMPLE_S, left))
        sent = sum(sender.sent for sender in senders), sum(sender.refused for sender in senders)
        say(f"{ends - time.monotonic():5.0f} s left: {sent} {watch.memory()}")


def _logged(running: System, word: str) -> int:
    return sum(running.log(name).read_text().count(f"{word} ") for name in running.workers)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.sql_away", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long SQL is away (default 10)")
    parser.add_argument("--rate", type=float, default=230.0, help="messages a second (default 230)")
    args = parser.parse_args()
    with postgres.server(postgres.REMEMBERS) as sql, emulated() as emulators:
        env = {name.upper(): value for name, value in emulators.items()} | {"WORKER_PROCESSES": 2}
        with system.running(DATABASE_URL=sql.url, **env) as running:
            figures = measure(running, sql, args.minutes * 60, args.rate, emulators["ledger"])
    for name, value in figures.items():
        print(f"{name:18} {value}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
