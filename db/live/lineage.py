"""Whether this Redis is still the one whose matches were compared with SQL: it may have come back empty, or older."""

from __future__ import annotations

from typing import Any

import redis

from db.live import keys
from db.live.client import guarded


class Lineage:
    """A Redis loses something only where it is started anew or another takes its place. Either gives it another name:
    `run_id` is new with each start, `master_replid` with each failover (redis.io, "INFO")."""

    def __init__(self, client: redis.Redis) -> None:
        self.redis: Any = client

    @guarded
    def read(self) -> tuple[str, str]:
        """The name of this Redis, and the one that was recorded in it, "" where nothing was: it is empty or new."""
        with self.redis.pipeline(transaction=False) as pipe:
            pipe.info("server")
            pipe.info("replication")
            pipe.get(keys.FILLED)
            server, replication, recorded = pipe.execute()
        return f"{server['run_id']} {replication['master_replid']}", (recorded or b"").decode()

    @guarded
    def record(self, name: str) -> None:
        """All that SQL knows more of than the Redis of this name is in it, or marked as partial."""
        self.redis.set(keys.FILLED, name)
