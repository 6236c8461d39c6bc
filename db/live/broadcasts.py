"""Matches whose Live Activities are behind. Only that is stored; what they show is the present state of the match."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from db.live import keys
from db.live.alerts import WINDOW_S
from db.live.client import guarded
from db.live.sharding import Shard, ShardedRedis, ShardScript


class Broadcasts:
    """Every method raises Unavailable without Redis."""

    def __init__(self, sharded: ShardedRedis) -> None:
        self.sharded = sharded
        self._settle = ShardScript(sharded, "due_settle")
        self._stamp = ShardScript(sharded, "broadcast_stamp")

    @guarded
    def due(self, now_ms: int) -> list[tuple[str, int]]:
        """Matches that are due, with the time they became due."""
        return [(queued.member, queued.score) for queued in self.sharded.queued(keys.PUSH_BROADCASTS, now_ms)]

    @guarded
    def lease(self, match_id: str, seconds: int) -> bool:
        """Whether this worker may publish a match: two at once could end with the older state on the screens."""
        shard = self.sharded.of(match_id)
        return bool(shard.redis.set(shard.key(_lease(match_id)), 1, ex=seconds, nx=True))

    @guarded
    def release(self, match_id: str) -> None:
        shard = self.sharded.of(match_id)
        shard.redis.delete(shard.key(_lease(match_id)))

    @guarded
    def stamp(self, match_id: str, version: int) -> int | None:
        """A timestamp (s) for the state of this version: higher than any before, whatever the clock of the worker says.
        None if a newer version has one already."""
        at = self._stamp(self.sharded.of(match_id), [keys.window(match_id)], [version, WINDOW_S])
        return int(at) if at else None

    @guarded
    def is_overtaken(self, match_id: str, version: int) -> bool:
        """Whether a newer version was given a timestamp."""
        newest = self._field(match_id, "shown_version")
        return newest is not None and int(newest) > version

    @guarded
    def done(self, settled: Sequence[tuple[str, int]]) -> None:
        """Each is settled, unless it has changed since it became due: then it stays due."""
        due = dict(settled)

        def settle(pipe: Any, shard: Shard, match_id: str) -> None:
            self._settle.put_into(pipe, shard, [keys.PUSH_BROADCASTS], [match_id, due[match_id], 0])

        self.sharded.of_each(due, settle)

    @guarded
    def again(self, match_id: str, due: int, *, at_ms: int) -> None:
        self._settle(self.sharded.of(match_id), [keys.PUSH_BROADCASTS], [match_id, due, at_ms])

    @guarded
    def require(self, match_id: str, targets: Sequence[str], *, now_ms: int) -> None:
        """Make a match due, unless it is, at each of these targets, whatever was published there."""
        shard = self.sharded.of(match_id)
        with shard.redis.pipeline(transaction=True) as pipe:
            pipe.hdel(shard.key(keys.window(match_id)), *map(_shown, targets))
            pipe.zadd(shard.key(keys.PUSH_BROADCASTS), {match_id: now_ms}, nx=True)
            pipe.execute()

    @guarded
    def shown(self, match_id: str, target: str) -> tuple[int, str]:
        """Version and score last published at a target, as given to `show`; 0 and "" before the first."""
        version, _, score = (self._field(match_id, _shown(target)) or b"0 ").decode().partition(" ")
        return int(version), score

    @guarded
    def show(self, match_id: str, target: str, version: int, score: str) -> None:
        """target: an environment of Apple's, or `android`."""
        shard = self.sharded.of(match_id)
        window = shard.key(keys.window(match_id))
        with shard.redis.pipeline(transaction=True) as pipe:
            pipe.hset(window, _shown(target), f"{version} {score}")
            pipe.expire(window, WINDOW_S)
            pipe.execute()

    def _field(self, match_id: str, name: str) -> bytes | None:
        """Of the match's window."""
        shard = self.sharded.of(match_id)
        value: bytes | None = shard.redis.hget(shard.key(keys.window(match_id)), name)
        return value


def _shown(target: str) -> str:
    return f"shown:{target}"


def _lease(match_id: str) -> str:
    return keys.lease(f"broadcast-{match_id}")
