"""Updates that are accepted and not yet applied: one inbox a match, one pending set a shard."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from db.codec import (
    decode_update,
    encode_update,
)
from db.domain import (
    Update,
)
from db.domain.errors import Refused, Unavailable
from db.live import keys
from db.live.client import BELL_S, guarded, text
from db.live.metrics import ACCEPTED_UNREPLICATED
from db.live.sharding import SHARDS_MAX, Shard, ShardedRedis, ShardScript
from db.live.shards import ShardCount, differing

# s. A delivery id is kept for three times the five minutes in which its signature is valid, so that no replay
# within the tolerance of either clock is accepted (Standard Webhooks, "Replay attacks").
SEEN_S = 15 * 60

# s. For so long a backlog that came with an acceptance serves to decide on the next delivery: a question less of Redis
# is a fifth of what a delivery costs. At a Saturday's 230 a second the number is off by some 20 of 50,000.
BACKLOG_S = 0.1

# Updates accepted in one Lua step, which blocks Redis: 4.5 ms, measured. A body of 4 MB can hold tens of thousands.
ACCEPTED_MAX = 1_000


@dataclass(frozen=True, slots=True)
class InboxHead:
    """The head of one inbox, stream ids and the updates they carry, and the revision its match is at."""

    ids: tuple[str, ...]
    updates: tuple[Update, ...]
    rev: str


class Inbox:
    """Inboxes of all matches.

    replica_wait_ms: how long updates that are accepted wait for a replica to have them, 0 for not at all.
    """

    def __init__(self, sharded: ShardedRedis, replica_wait_ms: int = 0) -> None:
        self.sharded, self.replica_wait_ms = sharded, replica_wait_ms
        self._accept = ShardScript(sharded, "inbox_accept")
        self._clear_bell = ShardScript(sharded, "bell_silence")
        self._ack = ShardScript(sharded, "mailbox_ack")
        # Once it has: the script looks in the shards of this number, and not in those of another.
        self.has_agreed = False
        # By shard, how many updates waited there after the last acceptance, and when that was (monotonic s).
        self.backlogs: dict[Shard, tuple[int, float]] = {}

    def accept(self, updates: Sequence[Update], *, now_ms: int, delivery: str = "") -> tuple[bool, list[int]]:
        """Put updates into their inboxes, in order of each match; up to ACCEPTED_MAX of a shard in one step.

        delivery: `{provider}:{id}` of the sender's message, "" if it has none. Returns (new, shards to ring); new is
        False for a delivery that every shard has seen before, of which nothing is kept. Where Unavailable is raised
        amid a delivery it may come again under its id: a shard that has it keeps nothing, and of a long part that
        broke off the updates already taken are repeats.
        """
        self._agree()
        groups: dict[Shard, list[Update]] = {} if updates else {self.sharded.shards[0]: []}
        for update in updates:
            groups.setdefault(self.sharded.of(update.match_id), []).append(update)
        results = {shard: self._accept_group(shard, group, now_ms, delivery) for shard, group in groups.items()}
        is_new = any(new for new, _ in results.values())
        return is_new, [shard.number for shard, (_, rung) in results.items() if rung]

    def _agree(self) -> None:
        """A process may have been started while Redis was away. Raises Unavailable where the number is another."""
        if self.has_agreed:
            return
        count = len(self.sharded.shards)
        try:
            recorded = ShardCount(self.sharded).agree()
        except Refused as error:
            raise Unavailable(error.message) from error
        if recorded != count:
            raise Unavailable(differing(count, recorded))
        self.has_agreed = True

    def _accept_group(self, shard: Shard, updates: list[Update], now_ms: int, delivery: str) -> tuple[bool, bool]:
        """The updates of one shard. Returns (new, whether to ring)."""
        parts = [updates[at : at + ACCEPTED_MAX] for at in range(0, len(updates), ACCEPTED_MAX)] or [updates]
        is_rung = False
        for n, part in enumerate(parts, 1):
            new, rung = self._accept_part(shard, part, now_ms, delivery, is_last=n == len(parts))
            is_rung = is_rung or rung
            if not new:
                return False, is_rung
        return True, is_rung

    @guarded
    def _accept_part(
        self, shard: Shard, updates: Sequence[Update], now_ms: int, delivery: str, *, is_last: bool
    ) -> tuple[bool, bool]:
        provider, _, delivery_id = delivery.partition(":")
        fixed = [keys.seen(provider, delivery_id), keys.WAITING, keys.SHARDS]
        fixed += [keys.pending(shard.number), keys.bell(shard.number)]
        names = [*fixed, *(keys.inbox(update.match_id) for update in updates)]
        mark = "none" if not delivery else "set" if is_last else "ask"
        args: list[Any] = [now_ms, SEEN_S, BELL_S, len(self.sharded.shards), mark]
        for update in updates:
            args += [update.match_id, encode_update(update)]
        if self.replica_wait_ms:
            outcome, number, *backlog = self._accept_and_wait(shard, names, args, len(updates))
        else:
            outcome, number, *backlog = self._accept(shard, names, args)
        if outcome == b"other":
            raise Unavailable(differing(len(self.sharded.shards), int(number)))
        if backlog:
            self.backlogs[shard] = backlog[0], time.monotonic()
        return outcome == b"new", bool(number)

    def _accept_and_wait(self, shard: Shard, names: list[str], args: list[Any], count: int) -> Any:
        """WAIT is about the writes of its connection. After a failover there may be no replica for a while: to refuse
        then would stop what the replicas are for."""
        with shard.redis.pipeline(transaction=False) as pipe:
            self._accept.put_into(pipe, shard, names, args)
            pipe.wait(1, self.replica_wait_ms)
            accepted, replicas = pipe.execute()
        if not replicas:
            ACCEPTED_UNREPLICATED.add(count)
        return accepted

    @guarded
    def backlog(self) -> int:
        """Updates that are accepted and not yet applied."""
        return sum(int(waiting or 0) for waiting in self.sharded.each(_ask_waiting, instead=0))

    def backlog_lately(self) -> int:
        """The same, as of BACKLOG_S ago at most. Raises Unavailable."""
        oldest = time.monotonic() - BACKLOG_S
        counts = [count for count, at in self.backlogs.values() if at >= oldest]
        return sum(counts) if len(counts) == len(self.sharded.shards) else self.backlog()

    @guarded
    def pending(self, number: int) -> list[str]:
        """Matches of a shard with a filled inbox, longest waiting first."""
        shard = self.sharded.shards[number]
        return [text(match_id) for match_id in shard.redis.zrange(_pending(shard), 0, -1)]

    @guarded
    def overdue(self, before_ms: int) -> list[int]:
        """Numbers of the shards where an inbox has waited since before a moment."""
        counts = self.sharded.each(lambda pipe, shard: pipe.zcount(_pending(shard), "-inf", before_ms), instead=0)
        return [shard.number for shard, count in zip(self.sharded.shards, counts, strict=True) if count]

    @guarded
    def head(self, match_id: str, limit: int) -> InboxHead:
        """The revision is read first: one that still holds at the commit says that no entry was taken in between."""
        shard = self.sharded.of(match_id)
        with shard.redis.pipeline(transaction=False) as pipe:
            pipe.hget(shard.key(keys.state(match_id)), "rev")
            pipe.xrange(shard.key(keys.inbox(match_id)), count=limit)
            rev, entries = pipe.execute()
        ids = tuple(text(entry_id) for entry_id, _ in entries)
        return InboxHead(ids, tuple(decode_update(fields[b"u"]) for _, fields in entries), text(rev or b"0"))

    @guarded
    def due(self, now_ms: int, limit: int) -> list[str]:
        """Matches that are to be worked out anew by now."""
        return [queued.member for queued in self.sharded.queued(keys.DUE, now_ms, limit)]

    @guarded
    def postpone(self, due: Sequence[str], held: Collection[str], *, until_ms: int) -> None:
        """Matches that have been told the time are due again later; those that are not held, never."""

        def move(pipe: Any, shard: Shard, match_id: str) -> None:
            if match_id in held:
                pipe.zadd(shard.key(keys.DUE), {match_id: until_ms}, xx=True)
            else:
                pipe.zrem(shard.key(keys.DUE), match_id)

        self.sharded.of_each(due, move)

    @guarded
    def settle(self, match_id: str) -> int:
        """A match whose inbox is empty leaves the pending; returns how many entries there are after all."""
        shard = self.sharded.of(match_id)
        return int(self._ack(shard, [keys.inbox(match_id), keys.pending(shard.number)], [match_id]))

    @guarded
    def clear_bell(self, number: int) -> bool:
        """Clear a shard's bell if nothing is pending there. False if something is."""
        shard = self.sharded.shards[number]
        return bool(self._clear_bell(shard, [keys.pending(number), keys.bell(number)], ()))

    @guarded
    def park(self, match_id: str, *, now_ms: int) -> None:
        """Set a match aside whose inbox cannot be drained, so that it does not hold up its shard."""
        shard = self.sharded.of(match_id)
        with shard.redis.pipeline(transaction=True) as pipe:
            pipe.zrem(_pending(shard), match_id)
            pipe.zadd(shard.key(keys.PARKED), {match_id: now_ms}, nx=True)
            pipe.execute()

    @guarded
    def unpark(self, *, before_ms: int) -> list[str]:
        """Put matches parked before a moment back among the pending; returns them."""
        return self.sharded.unpark(keys.PARKED, _pending, before_ms=before_ms)

    @guarded
    def adopt(self) -> list[str]:
        """Take over what a release that divided only its inboxes (INGEST_SHARDS) left pending; returns the matches."""
        if len(self.sharded.shards) > 1:
            return []
        (own,), others = self.sharded.shards, [keys.pending(number) for number in range(1, SHARDS_MAX)]
        with own.redis.pipeline(transaction=False) as pipe:
            for other in others:
                pipe.zrange(other, 0, -1, withscores=True)
            left = pipe.execute()
        for other, members in zip(others, left, strict=True):
            if members:
                with own.redis.pipeline(transaction=True) as pipe:
                    pipe.zadd(_pending(own), dict(members), nx=True)
                    pipe.zrem(other, *(member for member, _ in members))
                    pipe.execute()
        return [text(member) for members in left for member, _ in members]

    @guarded
    def parked(self) -> int:
        return self.sharded.total(keys.PARKED)


def _pending(shard: Shard) -> str:
    return shard.key(keys.pending(shard.number))


def _ask_waiting(pipe: Any, shard: Shard) -> None:
    pipe.get(shard.key(keys.WAITING))
