"""Versions not yet written to history: one outbox a match."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from db.codec import (
    decode_event_list,
    decode_match,
)
from db.live import keys
from db.live.client import guarded, text
from db.live.sharding import Shard, ShardedRedis, ShardScript
from db.outbox_entry import OutboxEntry
from db.undecodable import decoded


class Outbox:
    """Outboxes of all matches."""

    def __init__(self, sharded: ShardedRedis) -> None:
        self.sharded = sharded
        self._silence = ShardScript(sharded, "bell_silence")
        self._ack = ShardScript(sharded, "mailbox_ack")

    @guarded
    def pending(self, limit: int) -> list[str]:
        return [queued.member for queued in self.sharded.queued(keys.HISTORY_PENDING, limit=limit)]

    @guarded
    def waiting_since(self) -> int | None:
        """ms at which the longest waiting outbox was filled; None if all is written."""
        return self.sharded.first_at(keys.HISTORY_PENDING)

    @guarded
    def entries(self, match_id: str, limit: int, after: str | None = None) -> list[OutboxEntry]:
        """The oldest entries, or those that follow one. Raises Undecodable."""
        shard = self.sharded.of(match_id)
        entries = shard.redis.xrange(shard.key(keys.outbox(match_id)), f"({after}" if after else "-", count=limit)
        return decoded(match_id, lambda: changes_of(entries))

    @guarded
    def batch(self, match_ids: Sequence[str], limit: int) -> dict[str, list[OutboxEntry]]:
        """The oldest entries of each, read in one round trip. Raises Undecodable."""
        rows = self.sharded.of_each(
            match_ids, lambda pipe, shard, match_id: pipe.xrange(shard.key(keys.outbox(match_id)), count=limit)
        )
        boxes = dict(zip(match_ids, rows, strict=True))
        return {match_id: decoded(match_id, partial(changes_of, box)) for match_id, box in boxes.items()}

    @guarded
    def ack(self, boxes: Mapping[str, Sequence[str]]) -> None:
        """Drop entries written to history, by match, in one round trip."""

        def ack(pipe: Any, shard: Shard, match_id: str) -> None:
            names = [keys.outbox(match_id), keys.HISTORY_PENDING]
            self._ack.put_into(pipe, shard, names, [match_id, *boxes[match_id]])

        self.sharded.of_each(boxes, ack)

    @guarded
    def clear_bell(self) -> bool:
        return self.sharded.silence(self._silence, keys.HISTORY_PENDING, keys.HISTORY_BELL)

    @guarded
    def mute_bell(self) -> None:
        """Silence the bell although outboxes are filled: SQL is away, the clock will ring."""
        self.sharded.each(lambda pipe, shard: pipe.delete(shard.key(keys.HISTORY_BELL)), instead=0)

    @guarded
    def park(self, match_id: str, *, now_ms: int) -> None:
        """Set a match aside whose outbox cannot be written, so that it does not hold up the others."""
        shard = self.sharded.of(match_id)
        with shard.redis.pipeline(transaction=True) as pipe:
            pipe.zrem(shard.key(keys.HISTORY_PENDING), match_id)
            pipe.zadd(shard.key(keys.HISTORY_PARKED), {match_id: now_ms}, nx=True)
            pipe.execute()

    @guarded
    def unpark(self, *, before_ms: int) -> list[str]:
        """Put matches parked before a moment back among the pending; returns them."""
        return self.sharded.unpark(
            keys.HISTORY_PARKED, lambda shard: shard.key(keys.HISTORY_PENDING), before_ms=before_ms
        )

    @guarded
    def parked(self) -> int:
        return self.sharded.total(keys.HISTORY_PARKED)


def change_of(entry_id: str, fields: dict[bytes, bytes]) -> OutboxEntry:
    match = decode_match(fields[b"match"], int(fields[b"version"]), int(fields[b"updated_at"]))
    return OutboxEntry(entry_id, match, fields[b"facts"].decode(), decode_event_list(fields[b"events"]))


def changes_of(entries: Iterable[tuple[bytes, dict[bytes, bytes]]]) -> list[OutboxEntry]:
    return [change_of(text(entry_id), fields) for entry_id, fields in entries]
