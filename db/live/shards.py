"""The number of ingest shards that a Redis is drained in. It is kept there, for every process has to share it: a match
that one process puts into a shard is looked for there by the others."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import redis

from db.domain.errors import Refused, Unavailable
from db.live import keys
from db.live.client import connect, guarded, lua


@dataclass(frozen=True, slots=True)
class Unapplied:
    """Matches with updates that wait: in the shards, and set aside after a bug."""

    waiting: int
    parked: int


class Shards:
    """count: INGEST_SHARDS of this process."""

    def __init__(self, client: redis.Redis, count: int) -> None:
        self.redis: Any = client
        self.count = count
        self._change = client.register_script(lua("shards_change"))

    @guarded
    def recorded(self) -> int:
        """The number of this Redis; 0 before the first start over it."""
        return int(self.redis.get(keys.SHARDS) or 0)

    @guarded
    def agree(self) -> None:
        """Record this process's number where there is none. Raises Refused where there is another."""
        with self.redis.pipeline(transaction=False) as pipe:
            pipe.set(keys.SHARDS, self.count, nx=True)
            pipe.get(keys.SHARDS)
            recorded = int(pipe.execute()[1])
        if recorded != self.count:
            raise Refused(differing(self.count, recorded))

    @guarded
    def change(self, count: int) -> Unapplied | None:
        """Record another number if every inbox is empty; else nothing is changed, and what waits is returned."""
        recorded = self.recorded()
        pending = [keys.pending(shard) for shard in range(max(recorded, count))]
        waiting, parked = self._change(keys=[keys.SHARDS, keys.PARKED, *pending], args=[recorded, count])
        return Unapplied(int(waiting), int(parked)) if waiting or parked else None


def agree_at_start(url: str, count: int) -> None:
    """Of a process, which Refused ends with one sentence. A Redis that is away is asked when it is first needed."""
    with connect(url) as client, suppress(Unavailable):
        Shards(client, count).agree()


def differing(count: int, recorded: int) -> str:
    return (
        f"INGEST_SHARDS is {count} here, and this Redis is drained in {recorded}: set INGEST_SHARDS={recorded}, "
        f"or let everything be applied and run `flask --app wsgi ingest shards {count}`."
    )
