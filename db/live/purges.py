"""The purge mailbox: cache keys whose answers at the edge are out of date, and those to be purged a second time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from db.live import keys
from db.live.client import guarded
from db.live.sharding import Queued, Shard, ShardedRedis, ShardScript


@dataclass(frozen=True, slots=True)
class DuePurge:
    """
    at_ms: when its change was committed; of a rebound, when its second purge was due.
    lifetime_s: how long an answer of before the change can still be served.
    shard: whose match has changed.
    """

    key: str
    lifetime_s: int
    at_ms: int
    shard: Shard
    rebound: bool = False

    @property
    def entry(self) -> str:
        return entry(self.key, self.lifetime_s)

    def is_moot(self, now_ms: int) -> bool:
        """Every answer it could drop has expired by itself."""
        return now_ms > self.at_ms + self.lifetime_s * 1000


def entry(key: str, lifetime_s: int) -> str:
    return f"{key} {lifetime_s}"


class Purges:
    def __init__(self, sharded: ShardedRedis) -> None:
        self.sharded = sharded
        self._ack = ShardScript(sharded, "purge_ack")
        self._silence = ShardScript(sharded, "bell_silence")

    @guarded
    def due(self, now_ms: int, limit: int) -> list[DuePurge]:
        """What has to be purged now, longest waiting first."""
        pending = self.sharded.queued(keys.PURGE_PENDING, limit=limit)
        rebounds = self.sharded.queued(keys.PURGE_REBOUND, now_ms, limit)
        return [_due(queued, rebound=False) for queued in pending] + [_due(queued, rebound=True) for queued in rebounds]

    @guarded
    def ack(self, done: Sequence[DuePurge], *, again_at_ms: int | None) -> None:
        """Drop what has been purged. again_at_ms: when those purged for the first time are due once more."""
        for shard in dict.fromkeys(purge.shard for purge in done):
            mine = [purge for purge in done if purge.shard == shard]
            self._ack_some(shard, keys.PURGE_PENDING, [purge for purge in mine if not purge.rebound], again_at_ms)
            self._ack_some(shard, keys.PURGE_REBOUND, [purge for purge in mine if purge.rebound], None)

    def _ack_some(self, shard: Shard, box: str, done: Sequence[DuePurge], again_at_ms: int | None) -> None:
        if done:
            pairs = [part for purge in done for part in (purge.entry, str(purge.at_ms))]
            again = "" if again_at_ms is None else again_at_ms
            self._ack(shard, [box, keys.PURGE_REBOUND], [again, *pairs])

    @guarded
    def waiting(self) -> int:
        return self.sharded.total(keys.PURGE_PENDING)

    @guarded
    def next_ms(self) -> int | None:
        """When the next entry is or was due; None if there is none at all."""
        return self.sharded.first_at(keys.PURGE_PENDING, keys.PURGE_REBOUND)

    @guarded
    def silence(self) -> bool:
        """Silence the bell if nothing is pending; False if something is."""
        return self.sharded.silence(self._silence, keys.PURGE_PENDING, keys.PURGE_BELL)


def _due(queued: Queued, *, rebound: bool) -> DuePurge:
    key, lifetime_s = queued.member.rsplit(" ", 1)
    return DuePurge(key, int(lifetime_s), queued.score, queued.shard, rebound)
