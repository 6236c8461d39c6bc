"""Held readers on a cluster while a master is killed, a replica takes over in order, and a slot moves and comes back.

`python -m bench.listener [--rate 100] [--readers 320] [--seconds 20]`. Live state is in 16 shards on three masters and
three replicas, which it starts (apt-get install redis-server). So many goals a second are told to the whole system, in
ten matches of each shard; two readers a match hold a request and ask for the next when they are released. How long from
a commit until a reader has it, by what was going on at the commit; what a commit had to wait is not in it. Progress
goes to stderr, the last line is JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Any

import redis
from redis.crc import key_slot

from bench import layouts
from bench.event_sender import EventSender
from bench.ingest import percentile
from bench.outage import ready
from db.live.sharding import ShardedRedis, tags
from dev.redis_cluster import RedisCluster, RedisNode, wait
from dev.system import System

MATCHES_PER_SHARD = 10
SENDERS = 8
# Of the first messages, when all connections are new, nothing is counted.
WARM_S = 5.0
# What commits made just after a disturbance are still counted with: connections are found anew.
AFTER_S = 2.0
# Until a reader asks again that got an error.
AGAIN_S = 0.1
# Until what was told is applied, on a machine that does much else.
APPLIED_S = 300.0
# A hold lasts 20 s at most; who has not seen the last goal by then was forgotten.
SEEN_S = 45.0


class GoalCount:
    """What is told: a goal more each time. goals: by match."""

    def __init__(self) -> None:
        self.goals: Counter[str] = Counter()

    def first(self, match_id: str) -> list[dict[str, Any]]:
        return [{"events": [self._event(match_id, "kickoff", "kickoff")]}]

    def next(self, match_id: str) -> dict[str, Any]:
        self.goals[match_id] += 1
        return self._event(match_id, "goal", f"g{self.goals[match_id]}")

    def rest(self, _match_id: str) -> list[dict[str, Any]]:
        return []

    def _event(self, match_id: str, kind: str, event_id: str) -> dict[str, Any]:
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        score = {"home_score": self.goals[match_id], "away_score": 0, "minute": 1, "sequence": self.goals[match_id]}
        return {
            "match_id": match_id,
            "event_type": kind,
            "event_id": event_id,
            "team": "home",
            "timestamp": now,
        } | score


class CursorReader:
    """Follows one match by `next`. seen: goals. lags: (commit, ms until it was here)."""

    def __init__(self, port: int, match_id: str) -> None:
        self.port, self.path = port, f"/api/score/{match_id}"
        self.match_id, self.seen, self.version = match_id, -1, 0
        self.lags: list[tuple[int, int]] = []
        self.failures, self.timeouts, self.fell = 0, 0, 0

    async def follow(self) -> None:
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                self.failures += 1
                await asyncio.sleep(AGAIN_S)
                continue
            try:
                while await self._ask(reader, writer):
                    pass
            except (OSError, asyncio.IncompleteReadError):
                self.failures += 1
            finally:
                writer.close()

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection goes on."""
        writer.write(f"GET {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = next(line.split(":")[1] for line in head.split("\r\n") if line.startswith("content-length:"))
        data = await reader.readexactly(int(length))
        if not head.startswith("http/1.1 200"):
            self.failures += 1
            await asyncio.sleep(AGAIN_S)
        else:
            self._note(json.loads(data))
        return "connection: close" not in head

    def _note(self, body: dict[str, Any]) -> None:
        version = body["version"]
        self.timeouts += body.get("held") == "timeout"
        self.fell += version < self.version
        if version > self.version and self.version:
            self.lags.append((version, time.time_ns() // 1_000_000 - version))
        self.version, self.seen, self.path = version, body["home_score"] or 0, body["next"]


class CursorReaders(threading.Thread):
    """All readers, in an event loop of their own."""

    def __init__(self, port: int, match_ids: list[str]) -> None:
        super().__init__(daemon=True)
        self.readers = [CursorReader(port, match_id) for match_id in match_ids]
        self.loop = asyncio.new_event_loop()

    def run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.tasks = [self.loop.create_task(reader.follow()) for reader in self.readers]
        self.loop.run_forever()

    def have_seen(self, goals: Counter[str]) -> bool:
        return all(reader.seen == goals[reader.match_id] for reader in self.readers)


class Disturbances:
    """What is done to the cluster. spans: (name, ms from, ms to). began: ms."""

    def __init__(self, cluster: RedisCluster) -> None:
        self.cluster, self.began, self.spans = cluster, now_ms(), list[tuple[str, int, int]]()

    def during(self, name: str, disturb: Callable[[], None]) -> None:
        print(f"{name} …", file=sys.stderr)
        began = now_ms()
        disturb()
        time.sleep(AFTER_S)
        self.spans.append((name, began, now_ms()))

    def kill(self) -> None:
        node = self._master(0)
        node.kill()
        wait(lambda: self._master(0) is not node, "the replica to be promoted")
        self.cluster.mend()

    def fail_over(self) -> None:
        self.cluster.fail_over(self._master(7))
        wait(self.cluster.is_whole, "the old master to follow")

    def move(self) -> None:
        slot, old = key_slot(tags(layouts.SHARDS)[3].encode()), self._master(3)
        new = next(node for node in self.cluster.nodes if node.is_master and node is not old)
        self.cluster.move(slot, old, new)
        self.cluster.move(slot, new, old)

    def _master(self, shard: int) -> RedisNode:
        return self.cluster.master_of(f"{tags(layouts.SHARDS)[shard]}x")

    def of(self, at_ms: int) -> str:
        """What was going on."""
        inside = (name for name, began, ended in self.spans if began <= at_ms < ended)
        return next(inside, "before" if at_ms < self.spans[0][1] else "after")


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def matches() -> list[str]:
    """So many of each shard."""
    sharded = ShardedRedis(redis.Redis(), layouts.SHARDS)
    by_shard: dict[int, list[str]] = {number: [] for number in range(layouts.SHARDS)}
    numbers = count()
    while min(map(len, by_shard.values())) < MATCHES_PER_SHARD:
        match_id = f"held-{next(numbers)}"
        by_shard[sharded.of(match_id).number].append(match_id)
    return [match_id for ids in by_shard.values() for match_id in ids[:MATCHES_PER_SHARD]]


def measure(system: System, cluster: RedisCluster, rate: float, readers_count: int, seconds: float) -> dict[str, Any]:
    match_ids, goals = matches(), GoalCount()
    senders = [EventSender(system, goals, match_ids[n::SENDERS], rate / SENDERS) for n in range(SENDERS)]
    for sender in senders:
        sender.begin()
    readers = CursorReaders(system.port, [match_ids[n % len(match_ids)] for n in range(readers_count)])
    readers.start()
    wait(lambda: readers.have_seen(goals.goals), "the readers to be there")
    for sender in senders:
        sender.start()
    time.sleep(WARM_S)
    disturbances = Disturbances(cluster)
    time.sleep(seconds)
    for name, disturb in (
        ("master_killed", disturbances.kill),
        ("failover", disturbances.fail_over),
        ("slot_moved", disturbances.move),
    ):
        disturbances.during(name, disturb)
        time.sleep(seconds / 2)
    for sender in senders:
        sender.stopping.set()
    for sender in senders:
        sender.join()
    lasted_ms = now_ms() - disturbances.began
    wait(lambda: ready(system).get("ingest_waiting") == 0, "all to be applied", APPLIED_S)
    _within(lambda: readers.have_seen(goals.goals), SEEN_S)
    return figures(readers.readers, disturbances, goals.goals) | {
        "changes_per_s": round(goals.goals.total() / (lasted_ms / 1000 + WARM_S), 1),
        "refused": sum(sender.refused for sender in senders),
    }


def figures(readers: list[CursorReader], disturbances: Disturbances, goals: Counter[str]) -> dict[str, Any]:
    lags: dict[str, list[int]] = defaultdict(list)
    for version, lag in (entry for reader in readers for entry in reader.lags if entry[0] >= disturbances.began):
        lags[disturbances.of(version)].append(lag)
    phases = {
        name: {"released": len(values), "p50_ms": percentile(sorted(values), 0.5),
               "p99_ms": percentile(sorted(values), 0.99), "max_ms": max(values)}
        for name, values in lags.items()
    }  # fmt: skip
    return {
        "readers": len(readers), "not_released": sum(reader.seen != goals[reader.match_id] for reader in readers),
        "timeouts": sum(reader.timeouts for reader in readers), "failures": sum(reader.failures for reader in readers),
        "versions_fell": sum(reader.fell for reader in readers), **phases,
    }  # fmt: skip


def _within(true: Callable[[], bool], seconds: float) -> bool:
    with suppress(TimeoutError):
        wait(true, "", seconds)
        return True
    return False


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.listener", description=__doc__)
    parser.add_argument("--rate", type=float, default=100.0, help="changes a second (default 100)")
    parser.add_argument("--readers", type=int, default=320, help="held readers (default 320)")
    parser.add_argument("--seconds", type=float, default=20.0, help="undisturbed at the beginning; half between")
    args = parser.parse_args()
    with layouts.cluster() as cluster, layouts.clustered(cluster, WORKER_PROCESSES=2) as system:
        measured = measure(system, cluster, args.rate, args.readers, args.seconds)
    for name, value in measured.items():
        print(f"{name:16} {value}")
    print(json.dumps(measured))


if __name__ == "__main__":
    main()
