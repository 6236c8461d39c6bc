"""Versions not yet published to others: one outlet a match, filled only where there is somebody to publish them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from db.live import keys
from db.live.client import guarded, text
from db.live.sharding import Shard, ShardedRedis, ShardScript


@dataclass(frozen=True, slots=True)
class OutletEntry:
    """
    id: of the entry.
    version: of the match.
    updated_at: when it became current (ms).
    message: what there is to say of it, JSON.
    """

    id: str
    version: int
    updated_at: int
    message: str


class Outlet:
    """Outlets of all matches."""

    def __init__(self, sharded: ShardedRedis) -> None:
        self.sharded = sharded
        self._ack = ShardScript(sharded, "mailbox_ack")

    @guarded
    def waiting_since(self) -> int | None:
        """ms at which the longest waiting outlet was filled; None if all is published."""
        return self.sharded.first_at(keys.OUTLET_PENDING)

    @guarded
    def batch(self, matches: int, limit: int) -> dict[str, list[OutletEntry]]:
        """The oldest entries of the matches that wait longest, in order; none of one that has expired."""
        match_ids = [queued.member for queued in self.sharded.queued(keys.OUTLET_PENDING, limit=matches)]
        rows = self.sharded.of_each(
            match_ids, lambda pipe, shard, match_id: pipe.xrange(shard.key(keys.outlet(match_id)), count=limit)
        )
        return {match_id: list(map(_entry, row)) for match_id, row in zip(match_ids, rows, strict=True)}

    @guarded
    def ack(self, boxes: Mapping[str, Sequence[str]]) -> None:
        """Drop entries that were published, by match."""

        def ack(pipe: Any, shard: Shard, match_id: str) -> None:
            self._ack.put_into(pipe, shard, [keys.outlet(match_id), keys.OUTLET_PENDING], [match_id, *boxes[match_id]])

        self.sharded.of_each(boxes, ack)


def _entry(row: tuple[bytes, dict[bytes, bytes]]) -> OutletEntry:
    entry_id, fields = row
    version, updated_at, message = (text(fields[name]) for name in (b"version", b"updated_at", b"message"))
    return OutletEntry(text(entry_id), int(version), int(updated_at), message)
