"""The purge mailbox: cache keys whose answers at the edge are out of date, and those to be purged a second time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import redis

from db.live import keys
from db.live.client import guarded, lua


@dataclass(frozen=True, slots=True)
class DuePurge:
    """at_ms: when its change was committed; of a rebound, when its second purge was due. lifetime_s: how long an
    answer of before the change can still be served."""

    key: str
    lifetime_s: int
    at_ms: int
    rebound: bool = False

    @property
    def entry(self) -> str:
        return entry(self.key, self.lifetime_s)

    def is_moot(self, now_ms: int) -> bool:
        """Every answer it could drop has expired by itself."""
        return now_ms > self.at_ms + self.lifetime_s * 1000


def entry(key: str, lifetime_s: int) -> str:
    return f"{key} {lifetime_s}"


class Purges:
    def __init__(self, client: redis.Redis) -> None:
        self.redis: Any = client
        self._ack = client.register_script(lua("purge_ack"))
        self._silence = client.register_script(lua("bell_silence"))

    @guarded
    def due(self, now_ms: int, limit: int) -> list[DuePurge]:
        """What has to be purged now, longest waiting first."""
        with self.redis.pipeline(transaction=False) as pipe:
            pipe.zrange(keys.PURGE_PENDING, 0, limit - 1, withscores=True)
            pipe.zrangebyscore(keys.PURGE_REBOUND, "-inf", now_ms, start=0, num=limit, withscores=True)
            pending, rebounds = pipe.execute()
        return [_due(*row, rebound=False) for row in pending] + [_due(*row, rebound=True) for row in rebounds]

    @guarded
    def ack(self, done: Sequence[DuePurge], *, again_at_ms: int | None) -> None:
        """Drop what has been purged. again_at_ms: when those purged for the first time are due once more."""
        for box, ones, again in (
            (keys.PURGE_PENDING, [purge for purge in done if not purge.rebound], again_at_ms),
            (keys.PURGE_REBOUND, [purge for purge in done if purge.rebound], None),
        ):
            if ones:
                pairs = [part for purge in ones for part in (purge.entry, str(purge.at_ms))]
                self._ack(keys=[box, keys.PURGE_REBOUND], args=["" if again is None else again, *pairs])

    @guarded
    def waiting(self) -> int:
        return int(self.redis.zcard(keys.PURGE_PENDING))

    @guarded
    def next_ms(self) -> int | None:
        """When the next entry is or was due; None if there is none at all."""
        with self.redis.pipeline(transaction=False) as pipe:
            pipe.zrange(keys.PURGE_PENDING, 0, 0, withscores=True)
            pipe.zrange(keys.PURGE_REBOUND, 0, 0, withscores=True)
            heads = [int(score) for first in pipe.execute() for _, score in first]
        return min(heads, default=None)

    @guarded
    def silence(self) -> bool:
        """Silence the bell if nothing is pending; False if something is."""
        return bool(self._silence(keys=[keys.PURGE_PENDING, keys.PURGE_BELL]))


def _due(member: bytes, score: float, *, rebound: bool) -> DuePurge:
    key, lifetime_s = member.decode().rsplit(" ", 1)
    return DuePurge(key, int(lifetime_s), int(score), rebound)
