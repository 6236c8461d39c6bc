"""Matches of which Redis may know less than SQL: begun without a look into it, or restored from an older copy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import redis

from db.live import keys
from db.live.client import guarded


class Partials:
    """`match_commit.lua` adds those that begin, and takes out those that are merged."""

    def __init__(self, client: redis.Redis) -> None:
        self.redis: Any = client

    @guarded
    def count(self) -> int:
        return int(self.redis.zcard(keys.PARTIAL))

    @guarded
    def due(self, now_ms: int, limit: int) -> list[str]:
        """Those to compare now, the longest waiting first."""
        return [match_id.decode() for match_id in self.redis.zrangebyscore(keys.PARTIAL, "-inf", now_ms, 0, limit)]

    @guarded
    def among(self, match_ids: Sequence[str]) -> set[str]:
        scores = self.redis.zmscore(keys.PARTIAL, match_ids) if match_ids else []
        return {match_id for match_id, score in zip(match_ids, scores, strict=True) if score is not None}

    @guarded
    def add(self, match_ids: Iterable[str], *, now_ms: int) -> None:
        scores = dict.fromkeys(match_ids, now_ms)
        if scores:
            self.redis.zadd(keys.PARTIAL, scores, nx=True)

    @guarded
    def put_off(self, match_id: str, *, until_ms: int) -> None:
        self.redis.zadd(keys.PARTIAL, {match_id: until_ms}, xx=True)

    @guarded
    def forget(self, match_id: str) -> None:
        """Redis has let the match go."""
        self.redis.zrem(keys.PARTIAL, match_id)
