"""Whether this Redis is still the one whose matches were compared with SQL: it may have come back empty, or older."""

from __future__ import annotations

from typing import Any

from db.live import keys
from db.live.client import guarded
from db.live.sharding import Shard, ShardedRedis

# One a shard.
Names = tuple[str, ...]


class Lineage:
    """A Redis loses something only where it is started anew or another takes its place. Either gives it another name:
    `run_id` is new with each start, `master_replid` with each failover (redis.io, "INFO")."""

    def __init__(self, sharded: ShardedRedis) -> None:
        self.sharded = sharded

    @guarded
    def read(self) -> tuple[Names, Names]:
        """The name of each shard's Redis, and the one that was recorded there, "" where nothing was: it is empty or
        new. Both are "" of a shard out of reach."""
        answers = self.sharded.each(_ask, instead=None)
        rows = zip(answers[::3], answers[1::3], answers[2::3], strict=True)
        pairs = [(_name(server, replication), (recorded or b"").decode()) for server, replication, recorded in rows]
        return tuple(name for name, _ in pairs), tuple(recorded for _, recorded in pairs)

    @guarded
    def record(self, names: Names) -> None:
        """All that SQL knows more of than the Redis of these names is in it, or marked as partial."""
        named = [shard for shard in self.sharded.shards if names[shard.number]]
        self.sharded.pipelined(
            (shard, lambda pipe, shard: pipe.set(shard.key(keys.FILLED), names[shard.number])) for shard in named
        )


def _ask(pipe: Any, shard: Shard) -> None:
    pipe.info("server")
    pipe.info("replication")
    pipe.get(shard.key(keys.FILLED))


def _name(server: dict[str, str] | None, replication: dict[str, str] | None) -> str:
    return f"{server['run_id']} {replication['master_replid']}" if server and replication else ""
