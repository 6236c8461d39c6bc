"""Versions not yet written to history: one outbox a match."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import redis

from db.codec import (
    decode_event_list,
    decode_match,
)
from db.live import keys
from db.live.client import guarded, lua, text
from db.outbox_entry import OutboxEntry
from db.undecodable import decoded


class Outbox:
    """Outboxes of all matches."""

    def __init__(self, client: redis.Redis) -> None:
        # Any: redis-py types every answer as "bytes or str or …", for it cannot see decode_responses.
        self.redis: Any = client
        self._clear_bell = client.register_script(lua("bell_silence"))
        self._ack = client.register_script(lua("mailbox_ack"))

    @guarded
    def pending(self, limit: int) -> list[str]:
        return [text(match_id) for match_id in self.redis.zrange(keys.HISTORY_PENDING, 0, limit - 1)]

    @guarded
    def waiting_since(self) -> int | None:
        """ms at which the longest waiting outbox was filled; None if all is written."""
        head = self.redis.zrange(keys.HISTORY_PENDING, 0, 0, withscores=True)
        return int(head[0][1]) if head else None

    @guarded
    def entries(self, match_id: str, limit: int, after: str | None = None) -> list[OutboxEntry]:
        """The oldest entries, or those that follow one. Raises Undecodable."""
        entries = self.redis.xrange(keys.outbox(match_id), f"({after}" if after else "-", count=limit)
        return decoded(match_id, lambda: changes_of(entries))

    @guarded
    def batch(self, match_ids: Sequence[str], limit: int) -> dict[str, list[OutboxEntry]]:
        """The oldest entries of each, read in one round trip. Raises Undecodable."""
        with self.redis.pipeline(transaction=False) as pipe:
            for match_id in match_ids:
                pipe.xrange(keys.outbox(match_id), count=limit)
            boxes = dict(zip(match_ids, pipe.execute() if match_ids else (), strict=True))
        return {match_id: decoded(match_id, partial(changes_of, box)) for match_id, box in boxes.items()}

    @guarded
    def ack(self, boxes: Mapping[str, Sequence[str]]) -> None:
        """Drop entries written to history, by match, in one round trip."""
        with self.redis.pipeline(transaction=False) as pipe:
            for match_id, ids in boxes.items():
                self._ack(keys=[keys.outbox(match_id), keys.HISTORY_PENDING], args=[match_id, *ids], client=pipe)
            if boxes:
                pipe.execute()

    @guarded
    def clear_bell(self) -> bool:
        return bool(self._clear_bell(keys=[keys.HISTORY_PENDING, keys.HISTORY_BELL]))

    @guarded
    def mute_bell(self) -> None:
        """Silence the bell although outboxes are filled: SQL is away, the clock will ring."""
        self.redis.delete(keys.HISTORY_BELL)

    @guarded
    def park(self, match_id: str, *, now_ms: int) -> None:
        """Set a match aside whose outbox cannot be written, so that it does not hold up the others."""
        with self.redis.pipeline() as pipe:
            pipe.zrem(keys.HISTORY_PENDING, match_id)
            pipe.zadd(keys.HISTORY_PARKED, {match_id: now_ms}, nx=True)
            pipe.execute()

    @guarded
    def unpark(self, *, before_ms: int) -> list[str]:
        """Put matches parked before a moment back among the pending; returns them."""
        match_ids = [text(match_id) for match_id in self.redis.zrangebyscore(keys.HISTORY_PARKED, "-inf", before_ms)]
        with self.redis.pipeline() as pipe:
            for match_id in match_ids:
                pipe.zadd(keys.HISTORY_PENDING, {match_id: before_ms}, nx=True)
                pipe.zrem(keys.HISTORY_PARKED, match_id)
            pipe.execute()
        return match_ids

    @guarded
    def parked(self) -> int:
        return int(self.redis.zcard(keys.HISTORY_PARKED))


def change_of(entry_id: str, fields: dict[bytes, bytes]) -> OutboxEntry:
    match = decode_match(fields[b"match"], int(fields[b"version"]), int(fields[b"updated_at"]))
    return OutboxEntry(entry_id, match, fields[b"facts"].decode(), decode_event_list(fields[b"events"]))


def changes_of(entries: Iterable[tuple[bytes, dict[bytes, bytes]]]) -> list[OutboxEntry]:
    return [change_of(text(entry_id), fields) for entry_id, fields in entries]
