"""A Saturday through a push stream: how long from a message to its commit, and does the feed process grow.

`python -m bench.feed [--seconds 120] [--matches 246]`. The emulated Sportradar sends each match of the recorded
timeline; `--speed 5` makes the recorded events of 246 matches the 23 messages a second that a busy Saturday has with
resends (docs/architecture.md). Lag is that of `feed_lag_seconds`, so its percentiles are upper bounds of buckets.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import redis

from db.live.metrics import TOTALS
from dev.providers.faults import Limit
from dev.providers.playback import Playback, playback
from dev.providers.server import ProviderServer
from dev.providers.sportradar import SportradarProvider
from dev.recordings import read
from dev.recordings.recording import Recording
from dev.recordings.story import AHEAD_MS
from dev.replay.disorder import renamed
from dev.system import cpu_s, running

KEY = "bench"
TIMELINE = "sportradar/soccer-timeline-2020-05-16-frankfurt-moenchengladbach.json"
SAMPLE_S = 10
# Until the system is up, on a busy machine.
START_MS = 15_000


def copies(recording: Recording, count: int) -> list[Recording]:
    """The match under `count` ids. Its last document is left out: it would come hours later."""
    return [
        replace(recording, messages=[renamed(message, f"{n:04}") for message in recording.messages[:-1]])
        for n in range(count)
    ]


def saturday(recordings: list[Recording], speed: float) -> Playback:
    """Kick-offs over the first minute, after the time that the system takes to start."""
    now_ms, rng = time.time_ns() // 1_000_000, random.Random(1)
    messages = []
    for recording in recordings:
        lead_ms = START_MS + rng.randrange(60_000) - round(AHEAD_MS / speed)
        messages += playback([recording], speed=speed, start_ms=now_ms, lead_ms=lead_ms).messages
    return Playback(sorted(messages, key=lambda message: message.at_ms), now_ms, speed)


def lag_buckets(client: Any) -> dict[float, int]:
    """Commits by the upper bound of their lag, in seconds."""
    buckets: dict[float, int] = {}
    for key, value in client.hgetall(TOTALS).items():
        name, labels, part = json.loads(key)
        if name == "feed_lag_seconds" and labels == ["sportradar"] and part != "sum":
            buckets[float(part.replace("+Inf", "inf"))] = round(float(value))
    return buckets


def percentile(buckets: dict[float, int], share: float) -> float:
    total, seen = sum(buckets.values()), 0
    for bound in sorted(buckets):
        seen += buckets[bound]
        if seen >= share * total:
            return bound
    return float("nan")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.feed", description=__doc__)
    parser.add_argument("--seconds", type=int, default=120, help="how long to measure")
    parser.add_argument("--matches", type=int, default=246, help="matches in play at once")
    parser.add_argument("--speed", type=float, default=5.0, help="match time per real time")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the recordings")
    options = parser.parse_args()
    matches = saturday(copies(read(options.data / TIMELINE), options.matches), options.speed)
    provider = SportradarProvider(matches, KEY, Limit(100_000, 60.0))
    server = ProviderServer(provider)
    with running(FEEDS="sportradar", SPORTRADAR_URL=server.url, SPORTRADAR_KEY=KEY) as system:
        client: Any = redis.Redis.from_url(system.redis_url, decode_responses=True)
        feed = psutil.Process(system.processes["feed"].pid)
        # What was sent before the stream was open came by REST, late: it is no lag of the stream.
        time.sleep(SAMPLE_S)
        before, memory = lag_buckets(client), list[float]()
        used_s, first = cpu_s(feed.pid), matches.due()
        for _ in range(max(1, options.seconds // SAMPLE_S)):
            time.sleep(SAMPLE_S)
            memory.append(feed.memory_info().rss / 2**20)
            print(f"{matches.due() - first} messages, feed process {memory[-1]:.0f} MB", file=sys.stderr)
        buckets = {bound: count - before.get(bound, 0) for bound, count in lag_buckets(client).items()}
        sent = matches.due() - first
        result = {
            "matches": options.matches,
            "messages_s": round(sent / options.seconds, 1),
            "lag_p50_le_s": percentile(buckets, 0.5),
            "lag_p99_le_s": percentile(buckets, 0.99),
            "commits": sum(buckets.values()),
            "memory_mb": [round(memory[0]), round(memory[len(memory) // 2]), round(memory[-1])],
            "feed_cpu_percent": round(100 * (cpu_s(feed.pid) - used_s) / options.seconds),
        }
    for name, value in result.items():
        print(f"{name:18} {value}")
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
