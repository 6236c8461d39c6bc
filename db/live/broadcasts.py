"""Matches whose Live Activities are behind. Only that is stored; what they show is the present state of the match."""

from __future__ import annotations

from typing import Any

import redis

from db.live import keys
from db.live.alerts import WINDOW_S
from db.live.client import guarded, lua


class Broadcasts:
    """Every method raises Unavailable without Redis."""

    def __init__(self, client: redis.Redis) -> None:
        # Any: redis-py types every answer as "bytes or str or …", for it cannot see decode_responses.
        self.redis: Any = client
        self._settle = client.register_script(lua("due_settle"))
        self._stamp = client.register_script(lua("broadcast_stamp"))

    @guarded
    def due(self, now_ms: int) -> list[tuple[str, int]]:
        """Matches that are due, with the time they became due."""
        rows = self.redis.zrangebyscore(keys.PUSH_BROADCASTS, "-inf", now_ms, withscores=True)
        return [(match_id.decode(), int(at)) for match_id, at in rows]

    @guarded
    def lease(self, match_id: str, seconds: int) -> bool:
        """Whether this worker may publish a match: two at once could end with the older state on the screens."""
        return bool(self.redis.set(keys.lease(f"broadcast-{match_id}"), 1, ex=seconds, nx=True))

    @guarded
    def release(self, match_id: str) -> None:
        self.redis.delete(keys.lease(f"broadcast-{match_id}"))

    @guarded
    def stamp(self, match_id: str, version: int) -> int | None:
        """A timestamp (s) for the state of this version: higher than any before, whatever the clock of the worker says.
        None if a newer version has one already."""
        at = self._stamp(keys=[keys.window(match_id)], args=[version, WINDOW_S])
        return int(at) if at else None

    @guarded
    def is_overtaken(self, match_id: str, version: int) -> bool:
        """Whether a newer version was given a timestamp."""
        newest = self.redis.hget(keys.window(match_id), "shown_version")
        return newest is not None and int(newest) > version

    @guarded
    def done(self, match_id: str, due: int) -> None:
        """Settled, unless the match has changed since `due`: then it stays due."""
        self._settle(keys=[keys.PUSH_BROADCASTS], args=[match_id, due, 0])

    @guarded
    def again(self, match_id: str, due: int, *, at_ms: int) -> None:
        self._settle(keys=[keys.PUSH_BROADCASTS], args=[match_id, due, at_ms])

    @guarded
    def require(self, match_id: str, *, now_ms: int) -> None:
        """Make a match due, unless it is."""
        self.redis.zadd(keys.PUSH_BROADCASTS, {match_id: now_ms}, nx=True)

    @guarded
    def shown(self, match_id: str) -> str | None:
        """The score last published to lock screens, as given to `show`."""
        score = self.redis.hget(keys.window(match_id), "shown")
        return score.decode() if score else None

    @guarded
    def show(self, match_id: str, score: str) -> None:
        with self.redis.pipeline() as pipe:
            pipe.hset(keys.window(match_id), "shown", score)
            pipe.expire(keys.window(match_id), WINDOW_S)
            pipe.execute()
