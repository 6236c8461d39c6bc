"""Whether this Redis is still the one whose matches were compared with SQL: it may have come back empty, or older."""

from __future__ import annotations

from db.live import keys
from db.live.client import guarded
from db.live.sharding import ShardedRedis

# One a shard.
Names = tuple[str, ...]


class Lineage:
    """A Redis loses something only where it is started anew or another takes its place. Either gives it another name:
    `run_id` is new with each start, `master_replid` with each failover (redis.io, "INFO")."""

    def __init__(self, sharded: ShardedRedis) -> None:
        self.sharded, self.redis = sharded, sharded.redis

    @guarded
    def read(self) -> tuple[Names, Names]:
        """The name of each shard's Redis, and the one that was recorded there, "" where nothing was: it is empty or
        new."""
        with self.redis.pipeline(transaction=False) as pipe:
            pipe.info("server")
            pipe.info("replication")
            for shard in self.sharded.shards:
                pipe.get(shard.key(keys.FILLED))
            server, replication, *recorded = pipe.execute()
        name = f"{server['run_id']} {replication['master_replid']}"
        return (name,) * len(recorded), tuple((before or b"").decode() for before in recorded)

    @guarded
    def record(self, names: Names) -> None:
        """All that SQL knows more of than the Redis of these names is in it, or marked as partial."""
        self.sharded.each(lambda pipe, shard: pipe.set(shard.key(keys.FILLED), names[shard.number]))
