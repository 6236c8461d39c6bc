"""Matches whose Live Activities are behind. Only that is stored; what they show is the present state of the match."""

from __future__ import annotations

from db.live import keys
from db.live.alerts import WINDOW_S
from db.live.client import guarded, lua
from db.live.sharding import ShardedRedis


class Broadcasts:
    """Every method raises Unavailable without Redis."""

    def __init__(self, sharded: ShardedRedis) -> None:
        self.sharded, self.redis = sharded, sharded.redis
        self._settle = self.redis.register_script(lua("due_settle"))
        self._stamp = self.redis.register_script(lua("broadcast_stamp"))

    @guarded
    def due(self, now_ms: int) -> list[tuple[str, int]]:
        """Matches that are due, with the time they became due."""
        return [(queued.member, queued.score) for queued in self.sharded.queued(keys.PUSH_BROADCASTS, now_ms)]

    @guarded
    def lease(self, match_id: str, seconds: int) -> bool:
        """Whether this worker may publish a match: two at once could end with the older state on the screens."""
        return bool(self.redis.set(self._key(match_id, keys.lease(f"broadcast-{match_id}")), 1, ex=seconds, nx=True))

    @guarded
    def release(self, match_id: str) -> None:
        self.redis.delete(self._key(match_id, keys.lease(f"broadcast-{match_id}")))

    @guarded
    def stamp(self, match_id: str, version: int) -> int | None:
        """A timestamp (s) for the state of this version: higher than any before, whatever the clock of the worker says.
        None if a newer version has one already."""
        at = self._stamp(keys=[self._key(match_id, keys.window(match_id))], args=[version, WINDOW_S])
        return int(at) if at else None

    @guarded
    def is_overtaken(self, match_id: str, version: int) -> bool:
        """Whether a newer version was given a timestamp."""
        newest = self.redis.hget(self._key(match_id, keys.window(match_id)), "shown_version")
        return newest is not None and int(newest) > version

    @guarded
    def done(self, match_id: str, due: int) -> None:
        """Settled, unless the match has changed since `due`: then it stays due."""
        self._settle(keys=[self._key(match_id, keys.PUSH_BROADCASTS)], args=[match_id, due, 0])

    @guarded
    def again(self, match_id: str, due: int, *, at_ms: int) -> None:
        self._settle(keys=[self._key(match_id, keys.PUSH_BROADCASTS)], args=[match_id, due, at_ms])

    @guarded
    def require(self, match_id: str, *, now_ms: int) -> None:
        """Make a match due, unless it is."""
        self.redis.zadd(self._key(match_id, keys.PUSH_BROADCASTS), {match_id: now_ms}, nx=True)

    @guarded
    def shown(self, match_id: str) -> str | None:
        """The score last published to lock screens, as given to `show`."""
        score = self.redis.hget(self._key(match_id, keys.window(match_id)), "shown")
        return score.decode() if score else None

    @guarded
    def show(self, match_id: str, score: str) -> None:
        window = self._key(match_id, keys.window(match_id))
        with self.redis.pipeline(transaction=True) as pipe:
            pipe.hset(window, "shown", score)
            pipe.expire(window, WINDOW_S)
            pipe.execute()

    def _key(self, match_id: str, name: str) -> str:
        return self.sharded.of(match_id).key(name)
