"""The memory of Redis, and how much of it may be filled by what is accepted."""

from __future__ import annotations

import time
from typing import Any

from db.domain.errors import Unavailable
from db.live.client import guarded
from db.live.sharding import Shard, ShardedRedis

# Share of `maxmemory` from which on nothing is accepted. Whatever empties a Redis needs memory as well: jobs, commits,
# merges. One that was full to the last byte stayed so after SQL was back, for no job could be enqueued.
FILLED_MAX = 0.9
# The same for applying it: a version takes ten times the update, until it is in history. The rest is for history.
APPLIED_MAX = 0.95
# Below that share a look serves for so long (s): 2,300 updates a second, each with its version in the outbox, take 7 MB
# in it. Above it each delivery looks, which takes 0.1 ms.
CALM, LOOK_S = 0.7, 0.5


class Room:
    """Of the server that is filled most, where there are several."""

    def __init__(self, sharded: ShardedRedis) -> None:
        self.sharded = sharded
        self._calm_until = float("-inf")

    @guarded
    def filled(self) -> float | None:
        """As a share of `maxmemory`; None where no server has one."""
        answers = self.sharded.each(_ask, instead=None)
        return max((share for answer in answers if answer and (share := _share(answer)) is not None), default=None)

    def check(self, most: float = FILLED_MAX) -> None:
        """Raises Unavailable where more than that share is filled. most: another share than what is
        accepted may fill."""
        if time.monotonic() < self._calm_until:
            return
        filled = self.filled() or 0.0
        if filled > most:
            raise Unavailable("live state is nearly full")
        if filled < CALM:
            self._calm_until = time.monotonic() + LOOK_S


def _ask(pipe: Any, _shard: Shard) -> None:
    pipe.info("memory")


def _share(memory: dict[str, int]) -> float | None:
    """As Redis counts: without the buffers of replicas and of its file (`mem_not_counted_for_evict`)."""
    limit = memory["maxmemory"]
    return (memory["used_memory"] - memory.get("mem_not_counted_for_evict", 0)) / limit if limit else None
