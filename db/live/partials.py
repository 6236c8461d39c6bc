"""Matches of which Redis may know less than SQL: begun without a look into it, or restored from an older copy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from db.live import keys
from db.live.client import guarded
from db.live.sharding import ShardedRedis


class Partials:
    """`match_commit.lua` adds those that begin, and takes out those that are merged."""

    def __init__(self, sharded: ShardedRedis) -> None:
        self.sharded = sharded

    @guarded
    def count(self) -> int:
        return self.sharded.total(keys.PARTIAL)

    @guarded
    def due(self, now_ms: int, limit: int) -> list[str]:
        """Those to compare now, the longest waiting first."""
        return [queued.member for queued in self.sharded.queued(keys.PARTIAL, now_ms, limit)]

    @guarded
    def among(self, match_ids: Sequence[str]) -> set[str]:
        scores = self.sharded.of_each(
            match_ids, lambda pipe, shard, match_id: pipe.zscore(shard.key(keys.PARTIAL), match_id)
        )
        return {match_id for match_id, score in zip(match_ids, scores, strict=True) if score is not None}

    @guarded
    def add(self, match_ids: Iterable[str], *, now_ms: int) -> None:
        for shard, group in self.sharded.grouped(match_ids).items():
            shard.redis.zadd(shard.key(keys.PARTIAL), dict.fromkeys(group, now_ms), nx=True)

    @guarded
    def put_off(self, match_id: str, *, until_ms: int) -> None:
        shard = self.sharded.of(match_id)
        shard.redis.zadd(shard.key(keys.PARTIAL), {match_id: until_ms}, xx=True)

    @guarded
    def forget(self, match_id: str) -> None:
        """Redis has let the match go."""
        shard = self.sharded.of(match_id)
        shard.redis.zrem(shard.key(keys.PARTIAL), match_id)
