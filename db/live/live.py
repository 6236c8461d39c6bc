"""Live state in Redis: the only module that talks to it for scores. Keys are in `keys`, steps in `lua/`."""

from __future__ import annotations

import logging
import time
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import redis

from db.codec import (
    decode_event,
    decode_event_list,
    decode_ledgers,
    decode_match,
    decode_update,
    encode_event,
    encode_facts,
    encode_ledgers,
    encode_match,
    encode_update,
)
from db.domain import (
    Event,
    Fact,
    FactKind,
    Match,
    MergeResult,
    Phase,
    Score,
    Update,
    derived_events,
    event_field,
    with_events,
    with_ledgers,
)
from db.domain.errors import Unavailable, Undecodable
from db.domain.record import replace
from db.live import keys
from db.live.client import guarded, lua
from db.live.shards import differing
from db.outbox_entry import OutboxEntry
from db.refusal import RefusedPayload
from db.undecodable import decoded, tell

logger = logging.getLogger(__name__)

# A delivery id is remembered for three times the five minutes in which its signature is accepted, so that no
# replay inside the tolerance of either clock can pass (Standard Webhooks, "Replay attacks").
SEEN_S = 15 * 60
# Updates accepted in one Lua step, which holds all of Redis: 4.5 ms, measured. 4 MB can hold tens of thousands.
ACCEPTED_MOST = 1_000
# State stays a day after the end: readers of last night's result never reach SQL.
KEEP_S = 24 * 60 * 60
# One without a start that is not told of for a week is forgotten by its provider; SQL still has it.
UNDATED_S = 7 * KEEP_S
# A bell whose job was lost falls silent by itself; the sweep is faster, this is the second net.
BELL_S = 30
# What could not be decoded is told and counted once a minute and process (db.undecodable); the clock looks each minute.
UNDECODABLE_LATELY_MS, UNDECODABLE_S = 150_000, 3_600
# Refused payloads that wait for SQL. The door takes 4 MB at most and JSON packs ten to one: 100 MB at the worst.
REFUSED_MOST = 256


# The source that tells of an event, and its id there.
EventName = tuple[str, str]


@dataclass(frozen=True, slots=True)
class InboxHead:
    """The head of one inbox, stream ids and the updates they carry, and the revision its match is at."""

    ids: tuple[str, ...]
    updates: tuple[Update, ...]
    rev: str


@dataclass(frozen=True, slots=True)
class StoredMatch:
    """A match with the store's revision of it, which `commit` compares."""

    match: Match | None
    rev: str


@dataclass(frozen=True, slots=True)
class Board:
    """The live matches together, and the version that grows with each change of one of them."""

    version: int
    matches: tuple[Match, ...]


@dataclass(frozen=True, slots=True)
class CommitResult:
    """done: everything is written; otherwise nothing is, for another drain was first. ring, ring_purge, ring_push:
    history, the edge, followers want a job. left: inbox entries that remain. rev: the match's revision now."""

    done: bool
    version: int
    ring: bool
    left: int
    rev: str
    ring_purge: bool
    ring_push: bool


class LiveStore:
    """The present of all matches, and the mailboxes on the way to it."""

    def __init__(self, client: redis.Redis, shards: int) -> None:
        # Any: redis-py types every answer as "bytes or str or …", for it cannot see decode_responses.
        self.redis: Any = client
        self.shards = shards
        self._accept = client.register_script(lua("inbox_accept"))
        self._commit = client.register_script(lua("match_commit"))
        self._silence = client.register_script(lua("bell_silence"))
        self._restore = client.register_script(lua("match_restore"))
        self._drop = client.register_script(lua("board_drop"))
        self._ack = client.register_script(lua("mailbox_ack"))

    # Mailboxes in.

    def accept(self, updates: Sequence[Update], *, now_ms: int, delivery: str = "") -> tuple[bool, list[int]]:
        """Put updates into their inboxes, in order; up to ACCEPTED_MOST of them in one step.

        delivery: `{provider}:{id}` of the sender's message, "" if it has none. Returns (new, shards to ring);
        new is False for a delivery seen before, of which nothing is kept. Where Unavailable is raised amid a long
        delivery it may come again under its id: the updates already taken are repeats.
        """
        parts = [updates[at : at + ACCEPTED_MOST] for at in range(0, len(updates), ACCEPTED_MOST)] or [updates]
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
        return [_text(found) for found in self.redis.zrangebyscore(keys.pending(shard), "-inf", latest)]

    @guarded
    def inbox(self, match_id: str, limit: int) -> InboxHead:
        """The revision is read first: one that still holds at the commit says that no entry was taken in between."""
        with self.redis.pipeline(transaction=False) as pipe:
            pipe.hget(keys.state(match_id), "rev")
            pipe.xrange(keys.inbox(match_id), count=limit)
            rev, entries = pipe.execute()
        ids = tuple(_text(entry_id) for entry_id, _ in entries)
        return InboxHead(ids, tuple(decode_update(fields[b"u"]) for _, fields in entries), _text(rev or b"0"))

    @guarded
    def due(self, now_ms: int, limit: int) -> list[str]:
        """Matches that are to be worked out anew by now."""
        return [_text(found) for found in self.redis.zrangebyscore(keys.DUE, "-inf", now_ms, start=0, num=limit)]

    @guarded
    def put_off(self, due: Sequence[str], held: Collection[str], *, until_ms: int) -> None:
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
    def silence(self, shard: int) -> bool:
        """Silence a shard's bell if nothing is pending there; False if there is."""
        return bool(self._silence(keys=[keys.pending(shard), keys.bell(shard)]))

    @guarded
    def park(self, match_id: str, *, now_ms: int) -> None:
        """Set a match aside whose inbox cannot be drained, so that it does not hold up its shard."""
        self._park(keys.pending(keys.shard_of(match_id, self.shards)), keys.PARKED, match_id, now_ms)

    @guarded
    def park_history(self, match_id: str, *, now_ms: int) -> None:
        """Set a match aside whose outbox cannot be written, so that it does not hold up the others."""
        self._park(keys.HISTORY_PENDING, keys.HISTORY_PARKED, match_id, now_ms)

    def _park(self, pending: str, parked: str, match_id: str, now_ms: int) -> None:
        with self.redis.pipeline() as pipe:
            pipe.zrem(pending, match_id)
            pipe.zadd(parked, {match_id: now_ms}, nx=True)
            pipe.execute()

    @guarded
    def unpark(self, *, before_ms: int) -> list[str]:
        """Put matches parked before a moment back among the pending; returns them."""
        inboxes = [_text(found) for found in self.redis.zrangebyscore(keys.PARKED, "-inf", before_ms)]
        outboxes = [_text(found) for found in self.redis.zrangebyscore(keys.HISTORY_PARKED, "-inf", before_ms)]
        with self.redis.pipeline() as pipe:
            for match_id in inboxes:
                pipe.zadd(keys.pending(keys.shard_of(match_id, self.shards)), {match_id: before_ms}, nx=True)
                pipe.zrem(keys.PARKED, match_id)
            for match_id in outboxes:
                pipe.zadd(keys.HISTORY_PENDING, {match_id: before_ms}, nx=True)
                pipe.zrem(keys.HISTORY_PARKED, match_id)
            pipe.execute()
        return inboxes + outboxes

    @guarded
    def parked(self) -> int:
        return int(self.redis.zcard(keys.PARKED))

    @guarded
    def parked_history(self) -> int:
        return int(self.redis.zcard(keys.HISTORY_PARKED))

    # The present.

    @guarded
    def hold(self, match_id: str, names: Collection[EventName] | None = None) -> StoredMatch:
        """The match to work on, with its revision: its ledgers, the events that follow from them, and of its other
        events those named, or all of them.

        Of a match of a release that kept no ledgers, they are made from what it kept.
        """
        # Which source was heard first is not known yet: either name may be the one.
        fields = {field for source, event_id in names or () for field in (event_id, event_field("?", source, event_id))}
        with self.redis.pipeline() as pipe:
            pipe.hmget(keys.state(match_id), "match", "version", "updated_at", "rev", "ledgers")
            if names is None:
                pipe.hvals(keys.events(match_id))
            elif fields:
                pipe.hmget(keys.events(match_id), *fields)
            row, *rows = pipe.execute()
        if row[0] is None:
            return StoredMatch(None, "0")
        match = decoded(match_id, lambda: _stored(row, rows[0] if rows else ()))
        if not match.ledgers:
            events = self.redis.hvals(keys.events(match_id))
            match = decoded(match_id, lambda: with_ledgers(with_events(match, _events(events))))
        return StoredMatch(match, _text(row[3]))

    @guarded
    def with_named(self, match: Match, names: Collection[EventName]) -> Match:
        """The match with those of the named events that are known and that it has not got."""
        own = match.events
        missing = [(source, event_id) for source, event_id in names if source != match.source or event_id not in own]
        fields = [event_field(match.first, source, event_id) for source, event_id in missing]
        if not fields:
            return match
        rows = self.redis.hmget(keys.events(match.id), *fields)
        return decoded(match.id, lambda: with_events(match, _events(rows)))

    @guarded
    def timeline(self, match_id: str) -> Match | None:
        """The match to show, with all its events."""
        with self.redis.pipeline() as pipe:
            pipe.hmget(keys.state(match_id), "match", "version", "updated_at")
            pipe.hvals(keys.events(match_id))
            (text, version, updated_at), rows = pipe.execute()
        if text is None:
            return None
        return decoded(match_id, lambda: decode_match(text, int(version), int(updated_at), _events(rows)))

    @guarded
    def ledgers(self, match_ids: Sequence[str]) -> dict[str, str]:
        """What was told of each match, as it is stored."""
        with self.redis.pipeline(transaction=False) as pipe:
            for match_id in match_ids:
                pipe.hget(keys.state(match_id), "ledgers")
            rows = pipe.execute() if match_ids else []
        return {match_id: _text(row) for match_id, row in zip(match_ids, rows, strict=True) if row}

    @guarded
    def read(self, match_ids: Iterable[str]) -> list[Match | None]:
        """The matches without their events, in the order asked; None where Redis holds none. Raises Undecodable."""
        wanted = list(match_ids)
        return [self._decoded(match_id, row) for match_id, row in zip(wanted, self._rows(wanted), strict=True)]

    def _readable(self, match_ids: Sequence[str]) -> list[Match]:
        """Of them, those that Redis holds and this release can read."""
        found: list[Match] = []
        for match_id, row in zip(match_ids, self._rows(match_ids), strict=True):
            with suppress(Undecodable):
                found += filter(None, [self._decoded(match_id, row)])
        return found

    def _rows(self, match_ids: Sequence[str]) -> list[Any]:
        with self.redis.pipeline(transaction=False) as pipe:
            for match_id in match_ids:
                pipe.hmget(keys.state(match_id), "match", "version", "updated_at")
            return list(pipe.execute()) if match_ids else []

    def _decoded(self, match_id: str, row: Any) -> Match | None:
        text, version, updated_at = row
        if not text:
            return None
        try:
            return decoded(match_id, lambda: decode_match(text, int(version), int(updated_at)))
        except Undecodable as error:
            self._count(error)
            raise

    def _count(self, error: Undecodable) -> None:
        """For `undecodable`. Whoever only reads does not fail where Redis takes no writes."""
        if not tell(error):
            return
        with suppress(redis.RedisError), self.redis.pipeline() as pipe:
            pipe.zadd(keys.UNDECODABLE, {error.match_id: time.time_ns() // 1_000_000})
            pipe.expire(keys.UNDECODABLE, UNDECODABLE_S)
            pipe.execute()

    @guarded
    def undecodable(self) -> int:
        """Matches in Redis that some process could not decode lately."""
        since_ms = time.time_ns() // 1_000_000 - UNDECODABLE_LATELY_MS
        self.redis.zremrangebyscore(keys.UNDECODABLE, "-inf", since_ms)
        return int(self.redis.zcard(keys.UNDECODABLE))

    @guarded
    def versions(self, match_ids: Sequence[str | None]) -> list[int | None]:
        """Only the versions, in the order asked: of matches, None where Redis holds none; and for None of the board."""
        with self.redis.pipeline(transaction=False) as pipe:
            for match_id in match_ids:
                pipe.hget(keys.state(match_id), "version") if match_id is not None else pipe.get(keys.BOARD)
            found = pipe.execute()
        absent: dict[str | None, int] = {None: 0}
        return [int(one) if one else absent.get(match_id) for match_id, one in zip(match_ids, found, strict=True)]

    @guarded
    def board(self) -> Board:
        """All matches in play or at a break that can be read, earliest start first.

        The version is read before the matches: it may be older than they are, and then the next wait answers at once.
        """
        with self.redis.pipeline(transaction=False) as pipe:
            pipe.get(keys.BOARD)
            pipe.zrange(keys.MATCHES, 0, -1)
            version, ids = pipe.execute()
        return Board(int(version or 0), tuple(self._readable([_text(match_id) for match_id in ids])))

    @guarded
    def forsaken(self, *, started_before: int, silent_since: int) -> list[Match]:
        """Matches on the board that began before the one moment (ms), or nobody knows when, and of which nothing new
        was told since the other."""
        ids = [_text(found) for found in self.redis.zrangebyscore(keys.MATCHES, "-inf", started_before)]
        return [match for match in self._readable(ids) if match.updated_at < silent_since]

    @guarded
    def drop(self, match: Match) -> bool:
        """Take it off the board, unless something was told of it since, and keep it for as long as one that has ended;
        its next commit puts it back."""
        boxes = [keys.state(match.id), keys.MATCHES, keys.BOARD, keys.events(match.id)]
        return bool(self._drop(keys=boxes, args=[match.id, match.version, keys.CHANGED, KEEP_S]))

    @guarded
    def commit(
        self,
        held: StoredMatch,
        after: Match,
        facts: tuple[Fact, ...],
        ids: Sequence[str],
        *,
        visible: bool,
        purges: Sequence[str] = (),
        tell: bool = False,
        due_ms: int | None = None,
    ) -> CommitResult:
        """Make `after` the present, drop the inbox entries it came from, and tell history and listeners.

        All in one step, and only if nobody committed since `held` was read. visible: a reader can tell the
        difference, so it becomes a new version. purges: what then has to go from the edge (db.live.purges.entry). tell:
        followers may want to hear of it; of a partial match they do once it is merged. due_ms: when it is to be worked
        out anew, whatever is told until then. Safe to repeat when the answer was lost: the repeat is stale.
        """
        before = held.match
        mode = "new" if visible else "drop" if before == after else "keep"
        changed = _changed(before, after) if mode != "drop" else {}
        told = after.id if tell and visible else ""
        return self._step(held, after, facts, mode, _urgent(facts), purges, told, due_ms, "", ids, changed)

    @guarded
    def merge(
        self,
        held: StoredMatch,
        merged: MergeResult,
        entries: Sequence[str],
        *,
        purges: Sequence[str] = (),
        tell: bool = False,
        due_ms: int | None = None,
    ) -> CommitResult:
        """Make what Redis and history know of a match together the present; it is partial no more.

        As `commit`, with all events. entries: of its outbox, in place of which there will be one that is whole. Where
        history does not have the match, `merged` is `held` and only followers hear of it.
        """
        after, floor = merged.match, merged.stored_version
        mode = "new" if merged.visible else "keep" if merged.is_stored else "drop"
        told = after.id if tell else ""
        events = _changed(None, after)
        urgent = _urgent(merged.shown)
        return self._step(held, after, merged.told, mode, urgent, purges, told, due_ms, floor, entries, events)

    def _step(
        self,
        held: StoredMatch,
        after: Match,
        facts: tuple[Fact, ...],
        mode: str,
        urgent: int,
        purges: Sequence[str],
        told: str,
        due_ms: int | None,
        floor: int | str,
        ids: Sequence[str],
        events: Mapping[str, Event],
    ) -> CommitResult:
        match_id = after.id
        pairs = [part for name, event in events.items() for part in (name, encode_event(event))]
        document: list[Any] = [*_fields(after), encode_facts(facts), *_standing(after)]
        due = due_ms if due_ms is not None else ""
        last: list[Any] = [encode_ledgers(after), due, floor, len(ids), *ids, *pairs]
        wake: list[Any] = [BELL_S, keys.CHANGED, urgent, ",".join(purges)]
        done, version, ring, left, rev, purge, push = self._commit(
            keys=[
                keys.state(match_id),
                keys.events(match_id),
                keys.inbox(match_id),
                keys.outbox(match_id),
                keys.pending(keys.shard_of(match_id, self.shards)),
                keys.HISTORY_PENDING,
                keys.HISTORY_BELL,
                keys.MATCHES,
                keys.BOARD,
                keys.PURGE_PENDING,
                keys.PURGE_BELL,
                keys.WAITING,
                keys.push(told) if told else "",
                keys.PUSH_PENDING,
                keys.PUSH_BELL,
                keys.DUE,
                keys.PARTIAL,
            ],
            args=[match_id, held.rev, mode, *document, *wake, *last],
        )
        rung = bool(ring), int(left), _text(rev), bool(purge), bool(push)
        return CommitResult(done == b"done", int(version), *rung)

    @guarded
    def restore(self, match: Match) -> bool:
        """Put a match read from history back; False if Redis holds it already."""
        fields = _fields(match)
        pairs = [part for name, event in _changed(None, match).items() for part in (name, encode_event(event))]
        return bool(
            self._restore(
                keys=[keys.state(match.id), keys.events(match.id), keys.MATCHES, keys.BOARD],
                args=[
                    match.id,
                    match.version,
                    match.updated_at,
                    *fields,
                    *_standing(match),
                    encode_ledgers(match),
                    *pairs,
                ],
            )
        )

    # Mailboxes out.

    @guarded
    def history_pending(self, limit: int) -> list[str]:
        return [_text(found) for found in self.redis.zrange(keys.HISTORY_PENDING, 0, limit - 1)]

    @guarded
    def refused_waiting(self) -> int:
        return int(self.redis.xlen(keys.REFUSED))

    @guarded
    def history_waiting_since(self) -> int | None:
        """ms at which the longest waiting outbox was filled; None if all is written."""
        head = self.redis.zrange(keys.HISTORY_PENDING, 0, 0, withscores=True)
        return int(head[0][1]) if head else None

    @guarded
    def outbox(self, match_id: str, limit: int, after: str | None = None) -> list[OutboxEntry]:
        """The oldest entries, or those that follow one. Raises Undecodable."""
        entries = self.redis.xrange(keys.outbox(match_id), f"({after}" if after else "-", count=limit)
        return decoded(match_id, lambda: changes_of(entries))

    @guarded
    def outboxes(self, match_ids: Sequence[str], limit: int) -> dict[str, list[OutboxEntry]]:
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
    def silence_history(self) -> bool:
        return bool(self._silence(keys=[keys.HISTORY_PENDING, keys.HISTORY_BELL]))

    @guarded
    def quiet_history(self) -> None:
        """Silence the bell although outboxes are filled: SQL is away, the clock will ring."""
        self.redis.delete(keys.HISTORY_BELL)

    # What was refused.

    @guarded
    def keep_refused(self, refused: RefusedPayload) -> None:
        fields: dict[Any, Any] = {
            "id": refused.id,
            "provider": refused.provider,
            "received_at": refused.received_at,
            "code": refused.code,
            "reason": refused.reason,
            "body": zlib.compress(refused.body),
        }
        self.redis.xadd(keys.REFUSED, fields, maxlen=REFUSED_MOST, approximate=False)

    @guarded
    def refused(self, limit: int) -> list[tuple[str, RefusedPayload | None]]:
        """Stream ids with their payloads, oldest first; None for what cannot be read."""
        return [
            (_text(entry_id), _refused(fields)) for entry_id, fields in self.redis.xrange(keys.REFUSED, count=limit)
        ]

    @guarded
    def ack_refused(self, ids: Sequence[str]) -> None:
        if ids:
            self.redis.xdel(keys.REFUSED, *ids)

    @guarded
    def ping(self) -> None:
        self.redis.ping()


def _stored(row: Any, events: Iterable[bytes | None]) -> Match:
    """row: match, version, updated_at, rev and ledgers of its hash."""
    text, version, updated_at, _, ledgers = row
    match = decode_match(text, int(version), int(updated_at), _events(events))
    return derived_events(replace(match, ledgers=decode_ledgers(ledgers))) if ledgers else match


def _events(rows: Iterable[bytes | None]) -> list[Event]:
    return [decode_event(row) for row in rows if row]


def _text(found: bytes) -> str:
    return found.decode()


def _changed(before: Match | None, after: Match) -> dict[str, Event]:
    """Events that are new or other than before, by the name they are stored under."""
    known = _by_source(before) if before else {}
    changed: dict[str, Event] = {}
    for source, events in _by_source(after).items():
        old = known.get(source, {})
        for event in events.values():
            # A repeat makes an equal event anew; the rest are the very same, which is quicker to see.
            if old.get(event.id) is not event and old.get(event.id) != event:
                changed[event_field(after.first, source, event.id)] = event
    return changed


def _by_source(match: Match) -> dict[str, dict[str, Event]]:
    return {**match.elsewhere, match.source: match.events}


def _fields(match: Match) -> list[str]:
    """The hash an operator reads at two in the morning: the document, then score, time and status in plain words."""
    score = _pair(match.score) + (f" ({_pair(match.shootout)} p)" if match.shootout else "")
    time = match.clock or (f"{match.minute}" if match.minute is not None else "")
    added = f"+{match.added_minute}" if match.added_minute else ""
    return [encode_match(match), score, time + added, match.status]


def _pair(score: Score | None) -> str:
    return f"{score.home}-{score.away}" if score else ""


def _standing(match: Match) -> list[str | int]:
    """Its place among the live matches ("" for none) and how long its state is kept (s, 0 for ever)."""
    if match.phase in (Phase.LIVE, Phase.BREAK):
        return [match.start_time or 0, 0]
    return ["", KEEP_S if match.phase in (Phase.FINISHED, Phase.OFF) else _ahead_s(match)]


def _ahead_s(match: Match) -> int:
    """How long a scheduled match is kept: a day beyond its start, and at least a day from now."""
    if match.start_time is None:
        return UNDATED_S
    return KEEP_S + max(0, match.start_time // 1_000 - int(time.time()))


def _urgent(facts: tuple[Fact, ...]) -> int:
    """Readers of the board hear of scores and statuses at once, of minutes and cards with the next beat."""
    return int(any(fact.kind in (FactKind.SCORE, FactKind.STATUS) for fact in facts))


def change_of(entry_id: str, fields: dict[bytes, bytes]) -> OutboxEntry:
    match = decode_match(fields[b"match"], int(fields[b"version"]), int(fields[b"updated_at"]))
    return OutboxEntry(entry_id, match, fields[b"facts"].decode(), decode_event_list(fields[b"events"]))


def changes_of(entries: Iterable[tuple[bytes, dict[bytes, bytes]]]) -> list[OutboxEntry]:
    return [change_of(_text(entry_id), fields) for entry_id, fields in entries]


def _refused(fields: dict[bytes, bytes]) -> RefusedPayload | None:
    said = {name.decode(): value for name, value in fields.items()}
    try:
        return RefusedPayload(
            _text(said["id"]),
            _text(said["provider"]),
            int(said["received_at"]),
            _text(said["code"]),
            _text(said["reason"]),
            zlib.decompress(said["body"]),
        )
    except (KeyError, ValueError, zlib.error):
        return None
