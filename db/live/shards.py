"""The number of shards that a Redis is divided in. It is kept there, for every process has to share it: what one puts
into the shard of a match is looked for there by the others."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from db.domain.errors import Refused, Unavailable
from db.live import keys
from db.live.client import guarded
from db.live.sharding import ShardedRedis


class ShardCount:
    """LIVE_SHARDS of this process, and the number that Redis has."""

    def __init__(self, sharded: ShardedRedis) -> None:
        self.sharded, self.count = sharded, len(sharded.shards)

    @guarded
    def recorded(self) -> int:
        """The number of this Redis; 0 before the first start over it."""
        return int(self.sharded.untagged(keys.SHARDS).get(keys.SHARDS) or 0)

    @guarded
    def agree(self) -> None:
        """Record this process's number where there is none. Raises Refused where there is another."""
        self._agree_on(self.sharded.untagged(keys.SHARDS), keys.SHARDS)

    @guarded
    def agree_in(self, number: int) -> None:
        """The same for one shard alone, whatever the others do."""
        shard = self.sharded.shards[number]
        self._agree_on(shard.redis, shard.key(keys.SHARDS))

    def _agree_on(self, client: Any, key: str) -> None:
        with client.pipeline(transaction=False) as pipe:
            pipe.set(key, self.count, nx=True)
            pipe.get(key)
            recorded = int(pipe.execute()[1])
        if recorded != self.count:
            raise Refused(differing(self.count, recorded))


def agree_at_start(sharded: ShardedRedis) -> None:
    """Of a process, which Refused ends with one sentence. A Redis that is away is asked when it is first needed."""
    with suppress(Unavailable):
        ShardCount(sharded).agree()


def differing(count: int, recorded: int) -> str:
    return f"LIVE_SHARDS is {count} here, and this Redis is divided in {recorded}: set LIVE_SHARDS={recorded}."
