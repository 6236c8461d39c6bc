"""How long from a signed delivery to the applied score, on a busy Saturday; and how large a burst is kept up with.

`python -m bench.ingest [--seconds 30] [--live plain]`. 246 live matches, 230 events a second, one a request (the
measured peak of world football: docs/architecture.md), then 2,300 a second in requests of ten, then 50 a request as
fast as eight connections are answered, sent again when refused. Times run from *sending* the request, which is stricter
than from its 202, to the commit as Redis dates it. The load comes from this process, on the same cores; the processor
time shown is without a cluster's.
"""

from __future__ import annotations

import argparse
import json
import socket
import sys
import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import redis

from bench import layouts
from db.domain.errors import Unavailable
from db.live import keys
from db.live.cluster import connect_live
from db.live.news import open_feed
from db.live.pubsub import MatchChanged
from db.live.sharding import ShardedRedis
from dev.system import System, request_bytes

MATCHES = 246
CONNECTIONS = 8
# After a refusal.
AGAIN_S = 0.2


class ChangeListener(threading.Thread):
    """Notes when each event of each match became visible: the n-th event makes the score n-0."""

    def __init__(self, system: System) -> None:
        super().__init__(daemon=True)
        settings = system.settings
        url, is_cluster = settings.redis_url, settings.redis_cluster
        self.sharded = ShardedRedis(connect_live(url, is_cluster=is_cluster), settings.live_shards)
        self.feed = open_feed(url, settings.live_shards, is_cluster=is_cluster)
        self.feed.subscribe()
        while not self.feed.next(0.1) or self.feed.deaf:
            pass
        self.applied: dict[str, list[tuple[int, int]]] = defaultdict(list)

    def run(self) -> None:
        """Until Redis is stopped, with the rest of the system."""
        with suppress(Unavailable, redis.RedisError):
            while True:
                for entry in self.feed.next(1.0):
                    if isinstance(entry, MatchChanged):
                        self._note(entry)

    def _note(self, change: MatchChanged) -> None:
        shard = self.sharded.of(change.match_id)
        score = (shard.redis.hget(shard.key(keys.state(change.match_id)), "score") or b"0-0").decode()
        self.applied[change.match_id].append((int(score.split("-")[0]), change.version))

    def done(self, match_id: str) -> int:
        return max((n for n, _ in self.applied[match_id]), default=0)


def events(match: int, first: int, count: int) -> list[dict[str, object]]:
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return [
        {
            "match_id": f"bench-{match}",
            "home_score": n,
            "away_score": 0,
            "minute": 1 + n % 90,
            "event_type": "score" if n % 10 else "yellow_card",
            "timestamp": at,
            "sequence": n,
        }
        for n in range(first, first + count)
    ]


def drive(system: System, rate: float, size: int, seconds: float, sent: dict[str, list[int]]) -> tuple[int, int]:
    """Send `rate` events a second in requests of `size`; returns (events accepted, refusals)."""
    total = int(rate * seconds / size)
    plan = []
    for i in range(total):
        match = i % MATCHES
        first = len(sent[f"bench-{match}"]) + 1
        sent[f"bench-{match}"] += [0] * size
        body = json.dumps({"events": events(match, first, size)})
        plan.append((match, first, request_bytes(system, body, f"{time.time_ns()}-{i}")))
    started = time.monotonic()
    refused = 0

    def send(worker: int) -> int:
        bad = 0
        with socket.create_connection(("127.0.0.1", system.port)) as wire:
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # A match stays on one connection, so that its events leave in order.
            for i, (match, first, request) in enumerate(plan):
                if match % CONNECTIONS != worker:
                    continue
                time.sleep(max(0.0, started + i * size / rate - time.monotonic()))
                now = time.time_ns() // 1_000_000
                sent[f"bench-{match}"][first - 1 : first - 1 + size] = [now] * size
                wire.sendall(request)
                while not _answer(wire).startswith(b"HTTP/1.1 202 "):
                    # 429, too much is waiting: a provider sends it again, and so do we.
                    bad += 1
                    time.sleep(AGAIN_S)
                    wire.sendall(request)
        return bad

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        refused = sum(pool.map(send, range(CONNECTIONS)))
    return total * size, refused


def _answer(wire: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += wire.recv(4096)
    head, body = data.split(b"\r\n\r\n", 1)
    length = int(
        next(line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
    )
    while len(body) < length:
        body += wire.recv(4096)
    return data


def delays(listener: ChangeListener, sent: dict[str, list[int]], since: dict[str, int]) -> list[int]:
    delays_ms = []
    for match_id, times in sent.items():
        applied = sorted(listener.applied[match_id])
        for n in range(since.get(match_id, 0) + 1, len(times) + 1):
            at = next((version for upto, version in applied if upto >= n), None)
            if at is not None:
                delays_ms.append(max(0, at - times[n - 1]))
    return sorted(delays_ms)


def wait_applied(listener: ChangeListener, sent: dict[str, list[int]], timeout_s: float = 60) -> bool:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if all(listener.done(match_id) >= len(times) for match_id, times in sent.items()):
            return True
        time.sleep(0.05)
    return False


def percentile(values: list[int], share: float) -> int:
    return values[min(len(values) - 1, int(len(values) * share))] if values else -1


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.ingest", description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0, help="length of each part (default 30)")
    parser.add_argument("--rate", type=float, default=230.0, help="events a second, one a request")
    parser.add_argument("--burst", type=float, default=2300.0, help="events a second, ten a request")
    parser.add_argument("--flood", type=float, default=20000.0, help="events a second to try for, 50 a request")
    layouts.add_option(parser)
    args = parser.parse_args()
    with layouts.running_on(args.live) as system:
        listener = ChangeListener(system)
        listener.start()
        sent: dict[str, list[int]] = defaultdict(list)
        drive(system, 200, 1, MATCHES / 200, sent)
        wait_applied(listener, sent)
        print(f"{'':28}{'events/s':>10}{'p50 ms':>8}{'p99 ms':>8}{'max ms':>8}{'refused':>9}")
        single = part(system, listener, sent, "one event a request", args.rate, 1, args.seconds)
        ten = part(system, listener, sent, "ten events a request", args.burst, 10, args.seconds)
        most = part(system, listener, sent, "fifty events a request", args.flood, 50, min(args.seconds, 5.0))
        print(
            json.dumps(
                {
                    "applied_p50_ms": single["p50"],
                    "applied_p99_ms": single["p99"],
                    "burst_per_s": ten["rate"],
                    "burst_p99_ms": ten["p99"],
                    "flood_per_s": most["rate"],
                    "flood_p99_ms": most["p99"],
                    "refused": single["refused"] + ten["refused"] + most["refused"],
                }
            )
        )


def part(
    system: System,
    listener: ChangeListener,
    sent: dict[str, list[int]],
    name: str,
    rate: float,
    size: int,
    seconds: float,
) -> dict[str, float]:
    since = {match_id: len(times) for match_id, times in sent.items()}
    cpu, started = system.cpu_s(), time.monotonic()
    print(f"{name}: {seconds:.0f} s at {rate:.0f} events a second…", file=sys.stderr)
    count, refused = drive(system, rate, size, seconds, sent)
    complete = wait_applied(listener, sent)
    lasted = time.monotonic() - started
    delays_ms = delays(listener, sent, since)
    reached = round(count / lasted)
    p50, p99 = percentile(delays_ms, 0.5), percentile(delays_ms, 0.99)
    print(
        f"{name:28}{reached:>10}{p50:>8}{p99:>8}{delays_ms[-1]:>8}{refused:>9}"
        f"{'' if complete else '  (not all applied)'}"
    )
    used = {name: round((now - cpu[name]) / lasted, 2) for name, now in system.cpu_s().items()}
    print(f"{'  cores used':28}{used}")
    return {"rate": reached, "p50": p50, "p99": p99, "refused": refused}


if __name__ == "__main__":
    main()
