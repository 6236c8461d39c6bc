"""The surge switch: while it is on, every web process asks its readers to come less often and holds none of them.

It is a key that expires, so nobody has to remember to turn it off.
"""

from __future__ import annotations

from typing import Any

import redis

from db.live import keys
from db.live.client import guarded


class SurgeSwitch:
    """Raises Unavailable without Redis."""

    def __init__(self, client: redis.Redis) -> None:
        self.redis: Any = client

    @guarded
    def turn_on(self, *, now_ms: int, lasting_ms: int) -> int:
        """Until when it is on (ms). Turned on again, it lasts from now."""
        until_ms = now_ms + lasting_ms
        self.redis.set(keys.SURGE, until_ms, px=lasting_ms)
        return until_ms

    @guarded
    def turn_off(self) -> None:
        self.redis.delete(keys.SURGE)

    @guarded
    def until_ms(self) -> int:
        """0 where it is off."""
        return int(self.redis.get(keys.SURGE) or 0)
