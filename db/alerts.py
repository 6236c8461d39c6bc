"""Alerts on their way to phones, in Redis: mailbox, window, plan, chunks. A step can be repeated, and none is lost."""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import redis

from db import keys
from db.domain import BITS, Kind
from db.live import BELL_S, Change, change_of, guarded, lua

# The ledger outlives the longest match by far: a feed may repeat yesterday's goals.
WINDOW_S = 2 * 24 * 60 * 60
# An alert and its chunks are kept for as long as its goal may be cancelled, and for whoever asks what became of it.
ALERT_S = 2 * 60 * 60
# Alerts that `flask push status` can look back on.
RECENT = 500
# A worker that says nothing for this long is dead: while it sends, a thread of it renews the claim every two seconds.
CLAIM_MS = 8_000
# Chunks are sent in order of their alert's time and their place in it, so that a goal elsewhere does not wait for the
# last of a million: about what a chunk of a thousand takes to send.
TURN_MS = 50

# A device and the kinds its user wants: 12 bytes, so a million followers are 12 MB for two hours.
_ENTRY = struct.Struct("<QI")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A match's window (None if it has none yet) with its revision, and the changes that wait."""

    window: bytes | None
    rev: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """An alert that is not yet planned, or not wholly. place: where to go on, None at the start. published: topics that
    have it, by kind and variant. chunked: all its devices are in chunks."""

    id: str
    alert: bytes
    told_at: int
    planned: int
    place: str | None
    published: frozenset[str]
    chunked: bool


@dataclass(frozen=True, slots=True)
class Chunk:
    """name is `{alert id} {number}`, with `.1`, `.2` … for what is tried again."""

    name: str

    @property
    def alert_id(self) -> str:
        return self.name.partition(" ")[0]

    @property
    def number(self) -> str:
        return self.name.partition(" ")[2]

    @property
    def again(self) -> Chunk:
        number, _, tries = self.number.partition(".")
        return Chunk(f"{self.alert_id} {number}.{int(tries or 0) + 1}")


@dataclass(frozen=True, slots=True)
class Started:
    """A claimed chunk. devices: id → kinds wanted."""

    chunk: Chunk
    alert: bytes
    told_at: int
    devices: dict[int, int]


@dataclass(frozen=True, slots=True)
class Done:
    """counts by counter; again: devices to try once more after again_at (ms); stop: why nobody else is to get it."""

    counts: Mapping[str, int]
    again: Mapping[int, int]
    again_at: int = 0
    stop: str = ""


class Alerts:
    """Every method raises Unavailable without Redis."""

    def __init__(self, client: redis.Redis) -> None:
        # Any: redis-py types every answer as "bytes or str or …", for it cannot see decode_responses.
        self.redis: Any = client
        self._commit = client.register_script(lua("alerts_commit"))
        self._put = client.register_script(lua("chunk_put"))
        self._claim = client.register_script(lua("chunk_claim"))
        self._start = client.register_script(lua("chunk_start"))
        self._done = client.register_script(lua("chunk_done"))
        self._settle = client.register_script(lua("due_settle"))
        self._silence = client.register_script(lua("bell_silence"))

    # Mailbox and window.

    @guarded
    def pending(self, limit: int) -> list[str]:
        """Matches with news that nobody has read, longest waiting first."""
        return _texts(self.redis.zrange(keys.PUSH_PENDING, 0, limit - 1))

    @guarded
    def park(self, match_id: str, *, now_ms: int) -> None:
        """Set a match aside whose news meets a bug, so that it does not hold up the others."""
        with self.redis.pipeline() as pipe:
            pipe.zrem(keys.PUSH_PENDING, match_id)
            pipe.zrem(keys.PUSH_WINDOWS, match_id)
            pipe.zadd(keys.PUSH_PARKED, {match_id: now_ms}, nx=True)
            pipe.execute()

    @guarded
    def unpark(self, *, before_ms: int) -> list[str]:
        """Put matches parked before a moment back among the pending; returns them."""
        found = _texts(self.redis.zrangebyscore(keys.PUSH_PARKED, "-inf", before_ms))
        with self.redis.pipeline() as pipe:
            for match_id in found:
                pipe.zadd(keys.PUSH_PENDING, {match_id: before_ms}, nx=True)
                pipe.zrem(keys.PUSH_PARKED, match_id)
            pipe.execute()
        return found

    @guarded
    def parked(self) -> int:
        return int(self.redis.zcard(keys.PUSH_PARKED))

    @guarded
    def waiting_since(self) -> int | None:
        head = self.redis.zrange(keys.PUSH_PENDING, 0, 0, withscores=True)
        return int(head[0][1]) if head else None

    @guarded
    def due(self, now_ms: int) -> list[str]:
        """Matches where a window ends."""
        return _texts(self.redis.zrangebyscore(keys.PUSH_WINDOWS, "-inf", now_ms))

    @guarded
    def mailbox(self, match_id: str, limit: int) -> Mailbox:
        with self.redis.pipeline() as pipe:
            pipe.hmget(keys.window(match_id), "window", "rev")
            pipe.xrange(keys.push(match_id), count=limit)
            (window, rev), entries = pipe.execute()
        changes = tuple(change_of(entry_id.decode(), fields) for entry_id, fields in entries)
        return Mailbox(window, (rev or b"0").decode(), changes)

    @guarded
    def commit(
        self,
        match_id: str,
        box: Mailbox,
        window: bytes,
        due: int | None,
        alerts: Sequence[tuple[str, bytes]],
        stopped: Sequence[str],
        *,
        broadcast: bool,
        now_ms: int,
    ) -> bool:
        """Keep the window, open the alerts, stop others, drop the mailbox entries read. False: another was first."""
        fixed = [keys.window(match_id), keys.push(match_id), keys.PUSH_PENDING, keys.PUSH_WINDOWS]
        fixed += [keys.PUSH_UNPLANNED, keys.PUSH_RECENT, keys.PUSH_BROADCASTS]
        named: list[Any] = [*(keys.alert(alert_id) for alert_id, _ in alerts), *map(keys.alert, stopped)]
        pairs: list[Any] = [part for alert in alerts for part in alert]
        ids = [change.id for change in box.changes]
        args: list[Any] = [match_id, box.rev, window, WINDOW_S, "" if due is None else due, now_ms]
        args += [int(broadcast), ALERT_S, RECENT, len(alerts), *pairs, len(ids), *ids]
        return bool(self._commit(keys=fixed + named, args=args))

    # Broadcasts: that a match has something to show is all that is kept; what, is its present state.

    @guarded
    def broadcasts(self, now_ms: int) -> list[tuple[str, int]]:
        """Matches that are due, and since when."""
        found = self.redis.zrangebyscore(keys.PUSH_BROADCASTS, "-inf", now_ms, withscores=True)
        return [(match_id.decode(), int(at)) for match_id, at in found]

    @guarded
    def broadcast_done(self, match_id: str, due: int) -> None:
        """Unless the match has changed since: then it is due again, and only that is left."""
        self._settle(keys=[keys.PUSH_BROADCASTS], args=[match_id, due, 0])

    @guarded
    def broadcast_again(self, match_id: str, due: int, *, at_ms: int) -> None:
        self._settle(keys=[keys.PUSH_BROADCASTS], args=[match_id, due, at_ms])

    # Plans.

    @guarded
    def unplanned(self) -> list[str]:
        return _texts(self.redis.zrange(keys.PUSH_UNPLANNED, 0, -1))

    @guarded
    def lease(self, name: str, seconds: int, *, again: bool = False) -> bool:
        """Whether this worker may do a thing, such as plan the alert of this id, until the lease ends. It saves work
        and guards nothing: of two planners `put` lets one through."""
        return bool(self.redis.set(keys.lease(name), 1, ex=seconds, nx=not again))

    @guarded
    def plan(self, alert_id: str) -> Plan | None:
        """None for one that is stopped, or gone."""
        fields = self.redis.hgetall(keys.alert(alert_id))
        if not fields or b"stopped" in fields:
            return None
        place = fields.get(b"place")
        topics = {name.decode()[6:] for name in fields if name.startswith(b"topic:")}
        return Plan(
            alert_id,
            fields[b"alert"],
            int(fields[b"told_at"]),
            int(fields[b"planned"]),
            place.decode() if place else None,
            frozenset(topics),
            b"chunked" in fields,
        )

    @guarded
    def published(self, alert_id: str, topic: str | None, counts: Iterable[str]) -> None:
        """Count what became of a publication. topic: its kind and variant, None if it is to be made again."""
        with self.redis.pipeline() as pipe:
            if topic:
                pipe.hset(keys.alert(alert_id), f"topic:{topic}", 1)
            for name in counts:
                pipe.hincrby(keys.alert(alert_id), name, 1)
                pipe.hincrby(keys.PUSH_TOTALS, name, 1)
            pipe.execute()

    @guarded
    def chunked(self, alert_id: str) -> None:
        self.redis.hset(keys.alert(alert_id), "chunked", 1)

    @guarded
    def put(self, plan: Plan, number: int, devices: Sequence[tuple[int, int]], place: str) -> bool:
        """The next chunk of a plan: devices and kinds. False: another planner has put it, or the alert is stopped."""
        chunk = Chunk(f"{plan.id} {number}")
        turn = plan.told_at + number * TURN_MS
        return bool(
            self._put(
                keys=[keys.alert(plan.id), keys.chunk(chunk.name), keys.PUSH_READY],
                args=[number, pack(devices), len(devices), place, chunk.name, turn, ALERT_S],
            )
        )

    @guarded
    def planned(self, alert_id: str, *, now_ms: int) -> None:
        with self.redis.pipeline() as pipe:
            pipe.zrem(keys.PUSH_UNPLANNED, alert_id)
            pipe.hsetnx(keys.alert(alert_id), "planned_at", now_ms)
            pipe.delete(keys.lease(alert_id))
            pipe.execute()

    @guarded
    def told_chunks(self, alert_id: str) -> list[Chunk]:
        """The chunks of an alert that were sent, or that a worker has begun to send."""
        planned = int(self.redis.hget(keys.alert(alert_id), "planned") or 0)
        chunks = [Chunk(f"{alert_id} {number}") for number in range(planned)]
        states = self.redis.hmget(keys.alert(alert_id), [_state(chunk) for chunk in chunks]) if chunks else []
        return [chunk for chunk, state in zip(chunks, states, strict=True) if state in (b"started", b"done")]

    @guarded
    def told(self, chunk: Chunk, kind: Kind) -> list[tuple[int, int]]:
        """Those of its devices, with their kinds, that wanted news of this kind, and were not left for another try that
        has not come."""
        found = unpack(self.redis.get(keys.chunk(chunk.name)) or b"")
        again = chunk.again
        while (left := self.redis.get(keys.chunk(again.name))) is not None:
            if self.redis.hget(keys.alert(again.alert_id), _state(again)) not in (b"started", b"done"):
                found = {one: kinds for one, kinds in found.items() if one not in unpack(left)}
                break
            again = again.again
        return [(device_id, kinds) for device_id, kinds in found.items() if kinds & BITS[kind]]

    @guarded
    def told_by_topics(self, alert_id: str) -> bool:
        return any(name.startswith(b"topic:") for name in self.redis.hkeys(keys.alert(alert_id)))

    # Chunks.

    @guarded
    def claim(self, *, now_ms: int) -> Chunk | None:
        found = self._claim(
            keys=[keys.PUSH_READY, keys.PUSH_CLAIMED, keys.PUSH_LATER], args=[now_ms, now_ms + CLAIM_MS]
        )
        return Chunk(found.decode()) if found else None

    @guarded
    def start(self, chunk: Chunk) -> Started | None:
        """None if nobody of it is to be told any more."""
        found = self._start(
            keys=[keys.alert(chunk.alert_id), keys.chunk(chunk.name), keys.PUSH_CLAIMED],
            args=[chunk.name, _state(chunk)],
        )
        return Started(chunk, found[0], int(found[1]), unpack(found[2])) if found else None

    @guarded
    def hold(self, chunk: Chunk, *, now_ms: int) -> None:
        """Still at it."""
        self.redis.zadd(keys.PUSH_CLAIMED, {chunk.name: now_ms + CLAIM_MS}, xx=True)

    @guarded
    def release(self, chunk: Chunk, *, at_ms: int) -> None:
        """Give a chunk back untouched, to be sent later."""
        with self.redis.pipeline() as pipe:
            pipe.hdel(keys.alert(chunk.alert_id), _state(chunk))
            pipe.zrem(keys.PUSH_CLAIMED, chunk.name)
            pipe.zadd(keys.PUSH_LATER, {chunk.name: at_ms})
            pipe.execute()

    @guarded
    def done(self, chunk: Chunk, done: Done) -> bool:
        """False: the claim had run out, and another worker has the chunk."""
        again = chunk.again.name if done.again else ""
        pairs = [part for pair in done.counts.items() for part in pair]
        args: list[Any] = [chunk.name, _state(chunk), again, pack(done.again.items()), done.again_at, ALERT_S]
        names = [keys.alert(chunk.alert_id), keys.PUSH_CLAIMED, keys.PUSH_LATER, keys.PUSH_TOTALS, keys.chunk(again)]
        return bool(self._done(keys=names, args=[*args, done.stop, *pairs]))

    @guarded
    def sending(self) -> tuple[int, int]:
        """Chunks ready and chunks claimed."""
        with self.redis.pipeline() as pipe:
            pipe.zcard(keys.PUSH_READY)
            pipe.zcard(keys.PUSH_CLAIMED)
            ready, claimed = pipe.execute()
        return int(ready), int(claimed)

    @guarded
    def work_at(self) -> int | None:
        """When there is something to do (ms; in the past if there is already), None if nothing is known of."""
        with self.redis.pipeline(transaction=False) as pipe:
            for name in keys.PUSH_WORK:
                pipe.zrange(name, 0, 0, withscores=True)
            heads = pipe.execute()
        return min((int(head[0][1]) for head in heads if head), default=None)

    # The bell, and what the operator sees.

    @guarded
    def silence(self) -> bool:
        """Silence the bell if no mailbox is filled; False if one is."""
        return bool(self._silence(keys=[keys.PUSH_PENDING, keys.PUSH_BELL]))

    @guarded
    def ring(self, *, now_ms: int) -> bool:
        """Whether the bell was silent; it is set now."""
        return bool(self.redis.set(keys.PUSH_BELL, now_ms, nx=True, ex=BELL_S))

    @guarded
    def recent(self, limit: int) -> list[tuple[str, dict[str, str]]]:
        """Alerts, newest first, with their counters."""
        ids = _texts(self.redis.zrange(keys.PUSH_RECENT, 0, limit - 1, desc=True))
        with self.redis.pipeline(transaction=False) as pipe:
            for alert_id in ids:
                pipe.hgetall(keys.alert(alert_id))
            rows = pipe.execute() if ids else []
        return [(alert_id, _words(row)) for alert_id, row in zip(ids, rows, strict=True) if row]

    @guarded
    def totals(self) -> dict[str, int]:
        """Counters over all alerts ever."""
        return {name.decode(): int(count) for name, count in self.redis.hgetall(keys.PUSH_TOTALS).items()}


def pack(devices: Collection[tuple[int, int]]) -> bytes:
    return struct.pack("<" + "QI" * len(devices), *chain.from_iterable(devices))


def unpack(packed: bytes) -> dict[int, int]:
    return dict(_ENTRY.iter_unpack(packed))


def _state(chunk: Chunk) -> str:
    return f"chunk:{chunk.number}"


def _texts(found: Iterable[bytes]) -> list[str]:
    return [one.decode() for one in found]


def _words(row: dict[bytes, bytes]) -> dict[str, str]:
    said = {name.decode(): value for name, value in row.items() if not name.startswith((b"chunk:", b"topic:"))}
    return {name: value.decode() for name, value in said.items()}
