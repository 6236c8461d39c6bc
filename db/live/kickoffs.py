"""What was made ready for kick-off, and what is known of how many will come."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import redis
from prometheus_client.core import GaugeMetricFamily

from db.live import keys
from db.live.client import guarded, text

# s. Of notes about one match, a day after the last of them; of how many watched a competition, a season's break.
KEEP_S, PEAKS_KEEP_S = 24 * 60 * 60, 120 * 24 * 60 * 60
# Subjects an operator spoke of; competitions remembered.
WORDS_MAX, PEAKS_MAX = 1_000, 5_000


class Kickoffs:
    """Every method raises Unavailable without Redis."""

    def __init__(self, client: redis.Redis) -> None:
        self.redis: Any = client

    @guarded
    def lease(self, name: str, seconds: int) -> bool:
        """Whether this process may take the turn of that name; of two clocks one may."""
        return bool(self.redis.set(keys.kickoff_lease(name), 1, ex=seconds, nx=True))

    # Processes.

    @guarded
    def wanted(self) -> dict[str, int]:
        """Processes by type, as they were last asked for; empty before that."""
        value = self.redis.get(keys.KICKOFF_WANTED)
        return dict(json.loads(value)) if value else {}

    @guarded
    def keep_wanted(self, processes: Mapping[str, int]) -> None:
        self.redis.set(keys.KICKOFF_WANTED, json.dumps(dict(processes)))

    # Warmth.

    @guarded
    def warmed(self, names: Collection[str]) -> dict[str, int]:
        """When each was last warmed (ms); those never warmed are left out."""
        if not names:
            return {}
        values = self.redis.zmscore(keys.KICKOFF_WARMED, list(names))
        return {name: int(value) for name, value in zip(names, values, strict=True) if value is not None}

    @guarded
    def note_warmed(self, names: Collection[str], *, now_ms: int) -> None:
        if not names:
            return
        with self.redis.pipeline(transaction=True) as pipe:
            pipe.zadd(keys.KICKOFF_WARMED, dict.fromkeys(names, now_ms))
            pipe.zremrangebyscore(keys.KICKOFF_WARMED, "-inf", now_ms - KEEP_S * 1000)
            pipe.expire(keys.KICKOFF_WARMED, KEEP_S)
            pipe.execute()

    # How many will come.

    @guarded
    def words(self) -> dict[str, int]:
        """Viewers by subject, as an operator said."""
        return _counts(self.redis.hgetall(keys.KICKOFF_WORDS))

    @guarded
    def say(self, subject: str, viewers: int) -> bool:
        """False where too much was said already."""
        if self.redis.hlen(keys.KICKOFF_WORDS) >= WORDS_MAX and not self.redis.hexists(keys.KICKOFF_WORDS, subject):
            return False
        self.redis.hset(keys.KICKOFF_WORDS, subject, viewers)
        return True

    @guarded
    def unsay(self, subject: str) -> bool:
        return bool(self.redis.hdel(keys.KICKOFF_WORDS, subject))

    @guarded
    def peaks(self) -> dict[str, int]:
        """The most viewers a match of each competition had, by its id."""
        return _counts(self.redis.hgetall(keys.KICKOFF_PEAKS))

    @guarded
    def note_peaks(self, viewers: Mapping[str, int]) -> None:
        """By competition; less than was seen before is not noted."""
        seen = _counts(self.redis.hgetall(keys.KICKOFF_PEAKS))
        higher = {name: count for name, count in viewers.items() if count > seen.get(name, 0)}
        if not higher or len(seen | higher) > PEAKS_MAX:
            return
        with self.redis.pipeline(transaction=True) as pipe:
            pipe.hset(keys.KICKOFF_PEAKS, mapping=higher)
            pipe.expire(keys.KICKOFF_PEAKS, PEAKS_KEEP_S)
            pipe.execute()


class WantedProcesses:
    """`wanted_processes{type}` for whoever scales by Prometheus (prometheus_client's `Collector` protocol)."""

    def __init__(self, kickoffs: Kickoffs) -> None:
        self.kickoffs = kickoffs

    def collect(self) -> Iterator[GaugeMetricFamily]:
        family = GaugeMetricFamily("wanted_processes", "Processes that the plan asks for, by type", labels=("type",))
        for kind, count in self.kickoffs.wanted().items():
            family.add_metric((kind,), count)
        yield family


def _counts(rows: Mapping[bytes, bytes]) -> dict[str, int]:
    return {text(name): int(count) for name, count in rows.items()}
