"""The number of shards that a Redis is divided in. It is kept there, for every process has to share it: what one puts
into the shard of a match is looked for there by the others."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from db.domain.errors import Refused, Unavailable
from db.live import keys
from db.live.client import guarded
from db.live.sharding import Shard, ShardedRedis

# In place of the number while it is changed: nothing is accepted, and workers empty the inboxes; then nobody writes.
CLOSED, FROZEN = 0, -1


class ShardCount:
    """LIVE_SHARDS of this process, and the number that Redis has."""

    def __init__(self, sharded: ShardedRedis) -> None:
        self.sharded, self.count = sharded, len(sharded.shards)

    @guarded
    def recorded(self) -> int:
        """The number of this Redis; 0 before the first start over it, and while it is changed."""
        return max(0, int(self.sharded.untagged(keys.SHARDS).get(keys.SHARDS) or 0))

    @guarded
    def is_frozen(self) -> bool:
        """Whether everything is being moved to other shards: a job has nothing to do then."""
        return str(FROZEN).encode() in self.sharded.each(_ask_recorded, instead=None)

    @guarded
    def record(self, state: int) -> None:
        """For every process: a number, CLOSED or FROZEN."""
        self.sharded.each(lambda pipe, shard: pipe.set(shard.key(keys.SHARDS), state))
        self.sharded.untagged(keys.SHARDS).set(keys.SHARDS, state)

    @guarded
    def agree(self) -> int:
        """Record this process's number where there is none; returns what is recorded: this number, or CLOSED or FROZEN.
        Raises Refused where there is another."""
        return self._agree_on(self.sharded.untagged(keys.SHARDS), keys.SHARDS)

    @guarded
    def agree_in(self, number: int) -> bool:
        """The same for one shard alone, whatever the others do. False while it is moved: then nothing is to be done."""
        shard = self.sharded.shards[number]
        return self._agree_on(shard.redis, shard.key(keys.SHARDS)) != FROZEN

    def _agree_on(self, client: Any, key: str) -> int:
        with client.pipeline(transaction=False) as pipe:
            pipe.set(key, self.count, nx=True)
            pipe.get(key)
            recorded = int(pipe.execute()[1])
        if recorded not in (self.count, CLOSED, FROZEN):
            raise Refused(differing(self.count, recorded))
        return recorded


def _ask_recorded(pipe: Any, shard: Shard) -> None:
    pipe.get(shard.key(keys.SHARDS))


def agree_at_start(sharded: ShardedRedis) -> None:
    """Of a process, which Refused ends with one sentence. A Redis that is away is asked when it is first needed."""
    with suppress(Unavailable):
        ShardCount(sharded).agree()


def differing(count: int, recorded: int) -> str:
    if recorded in (CLOSED, FROZEN):
        return "The number of shards is being changed. Try again in a moment."
    return f"LIVE_SHARDS is {count} here, and this Redis is divided in {recorded}: set LIVE_SHARDS={recorded}."
