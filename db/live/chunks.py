"""Chunks of a plan in Redis: put, claimed, sent, tried again. What a killed worker held has its turn once more."""

from __future__ import annotations

import struct
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import redis

from db.domain import BITS, Kind
from db.live import keys
from db.live.alerts import ALERT_S, Plan
from db.live.client import guarded, lua

# A worker that says nothing for this long is dead: while it sends, a thread of it renews the claim every two seconds.
CLAIM_MS = 8_000
# Chunks are sent in order of their alert's time and their place in it, so that a goal elsewhere does not wait for the
# last of a million: about what a chunk of a thousand takes to send.
TURN_MS = 50

# A device and the kinds its user wants: 12 bytes, so a million followers are 12 MB for two hours.
_ENTRY = struct.Struct("<QI")


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
    def repeats(self) -> int:
        """How often it was tried before."""
        return int(self.number.partition(".")[2] or 0)

    @property
    def again(self) -> Chunk:
        return Chunk(f"{self.alert_id} {self.number.partition('.')[0]}.{self.repeats + 1}")


@dataclass(frozen=True, slots=True)
class ClaimedChunk:
    """A claimed chunk. devices: id → kinds wanted. refused_by: transports to which the alert is built
    wrong. first: nobody had begun it before."""

    chunk: Chunk
    alert: bytes
    told_at: int
    devices: dict[int, int]
    refused_by: frozenset[str] = frozenset()
    first: bool = True


@dataclass(frozen=True, slots=True)
class ChunkResult:
    """counts by counter; again: devices to try once more after again_at (ms); refused: transports that are to carry it
    no further, and why; missed: devices it did not and will not reach."""

    counts: Mapping[str, int]
    again: Mapping[int, int]
    again_at: int = 0
    refused: Mapping[str, str] = field(default_factory=dict)
    missed: Collection[int] = ()


class Chunks:
    """Every method raises Unavailable without Redis."""

    def __init__(self, client: redis.Redis) -> None:
        # Any: redis-py types every answer as "bytes or str or …", for it cannot see decode_responses.
        self.redis: Any = client
        self._put = client.register_script(lua("chunk_put"))
        self._claim = client.register_script(lua("chunk_claim"))
        self._start = client.register_script(lua("chunk_start"))
        self._done = client.register_script(lua("chunk_done"))

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
    def claim(self, *, now_ms: int) -> Chunk | None:
        found = self._claim(
            keys=[keys.PUSH_READY, keys.PUSH_CLAIMED, keys.PUSH_LATER], args=[now_ms, now_ms + CLAIM_MS]
        )
        return Chunk(found.decode()) if found else None

    @guarded
    def start(self, chunk: Chunk) -> ClaimedChunk | None:
        """None if nobody of it is to be told any more."""
        found = self._start(
            keys=[keys.alert(chunk.alert_id), keys.chunk(chunk.name), keys.PUSH_CLAIMED],
            args=[chunk.name, _state(chunk)],
        )
        if not found:
            return None
        alert, told_at, devices, refused, first = found
        by = {said.partition(":")[0] for said in refused.decode().split()}
        return ClaimedChunk(chunk, alert, int(told_at), unpack(devices), frozenset(by), bool(first))

    @guarded
    def newest(self, match_id: str) -> dict[Kind, int]:
        """The version each kind of news was last told at."""
        fields = self.redis.hgetall(keys.window(match_id))
        told = {name.decode().partition(":")[2]: int(value) for name, value in fields.items() if b"newest:" in name}
        return {Kind(kind): version for kind, version in told.items()}

    @guarded
    def hold(self, chunk: Chunk, *, now_ms: int) -> None:
        """Still at it."""
        self.redis.zadd(keys.PUSH_CLAIMED, {chunk.name: now_ms + CLAIM_MS}, xx=True)

    @guarded
    def release(self, started: ClaimedChunk, *, at_ms: int) -> None:
        """Give a chunk back untouched, to be sent later."""
        chunk = started.chunk
        with self.redis.pipeline() as pipe:
            if started.first:
                pipe.hdel(keys.alert(chunk.alert_id), _state(chunk))
            pipe.zrem(keys.PUSH_CLAIMED, chunk.name)
            pipe.zadd(keys.PUSH_LATER, {chunk.name: at_ms})
            pipe.execute()

    @guarded
    def done(self, chunk: Chunk, done: ChunkResult) -> bool:
        """False: the claim had run out, and another worker has the chunk."""
        again = chunk.again.name if done.again else ""
        pairs = [part for pair in done.counts.items() for part in pair]
        missed = pack([(one, 0) for one in done.missed])
        args: list[Any] = [chunk.name, missed, again, pack(done.again.items()), done.again_at, ALERT_S]
        names = [keys.alert(chunk.alert_id), keys.PUSH_CLAIMED, keys.PUSH_LATER]
        names += [keys.chunk(again), keys.missed(chunk.name)]
        refused = " ".join(f"{name}:{reason}" for name, reason in done.refused.items())
        return bool(self._done(keys=names, args=[*args, refused, *pairs]))

    @guarded
    def sending(self) -> tuple[int, int]:
        """Chunks ready and chunks claimed."""
        with self.redis.pipeline() as pipe:
            pipe.zcard(keys.PUSH_READY)
            pipe.zcard(keys.PUSH_CLAIMED)
            ready, claimed = pipe.execute()
        return int(ready), int(claimed)

    @guarded
    def told_chunks(self, alert_id: str, before: int) -> list[Chunk]:
        """The chunks of an alert that were begun when it had a version below `before`."""
        planned = int(self.redis.hget(keys.alert(alert_id), "planned") or 0)
        chunks = [Chunk(f"{alert_id} {number}") for number in range(planned)]
        states = self.redis.hmget(keys.alert(alert_id), [_state(chunk) for chunk in chunks]) if chunks else []
        return [chunk for chunk, state in zip(chunks, states, strict=True) if _told(state, before)]

    @guarded
    def in_hand(self, match_id: str, before: int) -> bool:
        """Whether a worker is just sending an alert of the match that it began at a version below `before`. Of a match
        whose id begins with this one's, too: that is a moment's wait for nothing."""
        claimed = [Chunk(name.decode()) for name in self.redis.zrange(keys.PUSH_CLAIMED, 0, -1)]
        found = [chunk for chunk in claimed if chunk.alert_id.startswith(f"{match_id}-")]
        return any(_told(self.redis.hget(keys.alert(chunk.alert_id), _state(chunk)), before) for chunk in found)

    @guarded
    def told(self, chunk: Chunk, kind: Kind, before: int) -> list[tuple[int, int]]:
        """Those of its devices, with their kinds, that wanted news of this kind and got it, or may have, at a version
        below `before`."""
        found = unpack(self.redis.get(keys.chunk(chunk.name)) or b"")
        missed = self._missed(chunk)
        again = chunk.again
        while (left := self.redis.get(keys.chunk(again.name))) is not None:
            if not _told(self.redis.hget(keys.alert(again.alert_id), _state(again)), before):
                missed |= unpack(left).keys()
                break
            missed |= self._missed(again)
            again = again.again
        return [(one, kinds) for one, kinds in found.items() if kinds & BITS[kind] and one not in missed]

    def _missed(self, chunk: Chunk) -> set[int]:
        return set(unpack(self.redis.get(keys.missed(chunk.name)) or b""))


def _told(state: bytes | None, before: int) -> bool:
    return state is not None and state.isdigit() and int(state) < before


def pack(devices: Collection[tuple[int, int]]) -> bytes:
    return struct.pack("<" + "QI" * len(devices), *chain.from_iterable(devices))


def unpack(packed: bytes) -> dict[int, int]:
    return dict(_ENTRY.iter_unpack(packed))


def _state(chunk: Chunk) -> str:
    return f"chunk:{chunk.number}"
