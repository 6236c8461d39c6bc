"""How often something may be done: token buckets in Redis, one for each who does it."""

from __future__ import annotations

from dataclasses import dataclass

import redis

from db.live import keys
from db.live.client import guarded, lua


@dataclass(frozen=True, slots=True)
class Rate:
    """burst at once, and one more every `every_s` seconds after."""

    name: str
    burst: int
    every_s: float


class Limits:
    def __init__(self, client: redis.Redis) -> None:
        self._take = client.register_script(lua("bucket_take"))

    @guarded
    def take(self, rate: Rate, who: str, *, now_ms: int) -> int:
        """0 if it may be done now, else the seconds to wait. Raises Unavailable without Redis."""
        args = [now_ms, rate.burst, round(rate.every_s * 1000)]
        wait_ms = int(self._take(keys=[keys.bucket(rate.name, who)], args=args))
        return -(-wait_ms // 1000)
