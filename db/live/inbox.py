"""Updates that are accepted and not yet applied: one inbox a match, one pending set a shard."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import redis

from db.codec import (
    decode_update,
    encode_update,
)
from db.domain import (
    Update,
)
from db.domain.errors import Unavailable
from db.live import keys
from db.live.client import BELL_S, guarded, lua, text
from db.live.shards import differing

# s. A delivery id is kept for three times the five minutes in which its signature is valid, so that no replay
# within the tolerance of either clock is accepted (Standard Webhooks, "Replay attacks").
SEEN_S = 15 * 60


# Updates accepted in one Lua step, which blocks Redis: 4.5 ms, measured. A body of 4 MB can hold tens of thousands.
ACCEPTED_MAX = 1_000


@dataclass(frozen=True, slots=True)
class InboxHead:
    """The head of one inbox, stream ids and the updates they carry, and the revision its match is at."""

    ids: tuple[str, ...]
    updates: tuple[Update, ...]
    rev: str


class Inbox:
    """Inboxes of all matches."""

    def __init__(self, client: redis.Redis, shards: int) -> None:
        # Any: redis-py types every answer as "bytes or str or …", for it cannot see decode_responses.
        self.redis: Any = client
        self.shards = shards
        self._accept = client.register_script(lua("inbox_accept"))
        self._clear_bell = client.register_script(lua("bell_silence"))
        self._ack = client.register_script(lua("mailbox_ack"))

    def accept(self, updates: Sequence[Update], *, now_ms: int, delivery: str = "") -> tuple[bool, list[int]]:
        """Put updates into their inboxes, in order; up to ACCEPTED_MAX of them in one step.

        delivery: `{provider}:{id}` of the sender's message, "" if it has none. Returns (new, shards to ring);
        new is False for a delivery seen before, of which nothing is kept. Where Unavailable is raised amid a long
        delivery it may come again under its id: the updates already taken are repeats.
        """
        parts = [updates[at : at + ACCEPTED_MAX] for at in range(0, len(updates), ACCEPTED_MAX)] or [updates]
        rung: list[int] = []
        for n, part in enumerate(parts, 1):
            new, bells = self._accept_part(part, now_ms, delivery, is_last=n == len(parts))
            rung += bells
            if not new:
                return False, rung
        return True, rung

    @guarded
    def _accept_part(
        self, updates: Sequence[Update], now_ms: int, delivery: str, *, is_last: bool
    ) -> tuple[bool, list[int]]:
        seen = keys.seen(*delivery.split(":", 1)) if delivery else ""
        boxes = [name for n in range(self.shards) for name in (keys.pending(n), keys.bell(n))]
        args: list[Any] = [now_ms, SEEN_S, BELL_S, self.shards, int(is_last)]
        for update in updates:
            args += [keys.shard_of(update.match_id, self.shards) + 1, update.match_id, encode_update(update)]
        inboxes = [keys.inbox(update.match_id) for update in updates]
        accepted, rung = self._accept(keys=[seen, keys.WAITING, keys.SHARDS, *boxes, *inboxes], args=args)
        if accepted < 0:
            raise Unavailable(differing(self.shards, rung[0]))
        return bool(accepted), [shard - 1 for shard in rung]

    @guarded
    def backlog(self) -> int:
        """Updates that are accepted and not yet applied."""
        return int(self.redis.get(keys.WAITING) or 0)

    @guarded
    def pending(self, shard: int, *, before_ms: int | None = None) -> list[str]:
        """Matches with a filled inbox, longest waiting first; `before_ms` leaves out the younger ones."""
        latest = "+inf" if before_ms is None else before_ms
        return [text(match_id) for match_id in self.redis.zrangebyscore(keys.pending(shard), "-inf", latest)]

    @guarded
    def head(self, match_id: str, limit: int) -> InboxHead:
        """The revision is read first: one that still holds at the commit says that no entry was taken in between."""
        with self.redis.pipeline(transaction=False) as pipe:
            pipe.hget(keys.state(match_id), "rev")
            pipe.xrange(keys.inbox(match_id), count=limit)
            rev, entries = pipe.execute()
        ids = tuple(text(entry_id) for entry_id, _ in entries)
        return InboxHead(ids, tuple(decode_update(fields[b"u"]) for _, fields in entries), text(rev or b"0"))

    @guarded
    def due(self, now_ms: int, limit: int) -> list[str]:
        """Matches that are to be worked out anew by now."""
        return [text(match_id) for match_id in self.redis.zrangebyscore(keys.DUE, "-inf", now_ms, start=0, num=limit)]

    @guarded
    def postpone(self, due: Sequence[str], held: Collection[str], *, until_ms: int) -> None:
        """Matches that have been told the time are due again later; those that are not held, never."""
        with self.redis.pipeline(transaction=False) as pipe:
            for match_id in due:
                if match_id in held:
                    pipe.zadd(keys.DUE, {match_id: until_ms}, xx=True)
                else:
                    pipe.zrem(keys.DUE, match_id)
            pipe.execute()

    @guarded
    def settle(self, match_id: str) -> int:
        """A match whose inbox is empty leaves the pending; returns how many entries there are after all."""
        pending = keys.pending(keys.shard_of(match_id, self.shards))
        return int(self._ack(keys=[keys.inbox(match_id), pending], args=[match_id]))

    @guarded
    def clear_bell(self, shard: int) -> bool:
        """Clear a shard's bell if nothing is pending there. False if something is."""
        return bool(self._clear_bell(keys=[keys.pending(shard), keys.bell(shard)]))

    @guarded
    def park(self, match_id: str, *, now_ms: int) -> None:
        """Set a match aside whose inbox cannot be drained, so that it does not hold up its shard."""
        with self.redis.pipeline() as pipe:
            pipe.zrem(keys.pending(keys.shard_of(match_id, self.shards)), match_id)
            pipe.zadd(keys.PARKED, {match_id: now_ms}, nx=True)
            pipe.execute()

    @guarded
    def unpark(self, *, before_ms: int) -> list[str]:
        """Put matches parked before a moment back among the pending; returns them."""
        match_ids = [text(match_id) for match_id in self.redis.zrangebyscore(keys.PARKED, "-inf", before_ms)]
        with self.redis.pipeline() as pipe:
            for match_id in match_ids:
                pipe.zadd(keys.pending(keys.shard_of(match_id, self.shards)), {match_id: before_ms}, nx=True)
                pipe.zrem(keys.PARKED, match_id)
            pipe.execute()
        return match_ids

    @guarded
    def parked(self) -> int:
        return int(self.redis.zcard(keys.PARKED))
