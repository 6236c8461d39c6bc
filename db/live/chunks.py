"""Chunks of a plan in Redis: put, claimed, sent, retried. The chunk of a killed worker is claimed again."""

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

# A worker that does not renew its claim for this long is dead: while it sends, a thread renews it every two seconds.
CLAIM_MS = 8_000
# Chunks are sent in order of their alert's time and their place in it, so that a goal elsewhere does not wait for the
# last of a million: about what a chunk of a thousand takes to send.
TURN_MS = 50

# A device and the kinds its user wants: 12 bytes, so a million followers are 12 MB for two hours.
_ENTRY = struct.Struct("<QI")


@dataclass(frozen=True, slots=True)
class Chunk:
    """name: `{alert id} {number}`, with `.1`, `.2` … for retries."""

    name: str

    @property
    def alert_id(self) -> str:
        return self.name.partition(" ")[0]

    @property
    def number(self) -> str:
        return self.name.partition(" ")[2]

    @property
    def repeats(self) -> int:
        """How often it was sent before."""
        return int(self.number.partition(".")[2] or 0)

    @property
    def retry(self) -> Chunk:
        """The chunk of those devices that are to be tried again."""
        return Chunk(f"{self.alert_id} {self.number.partition('.')[0]}.{self.repeats + 1}")


@dataclass(frozen=True, slots=True)
class ClaimedChunk:
    """A claimed chunk.

    alert: encoded.
    opened_at: when the alert was opened (ms).
    devices: kinds wanted (a mask) by device id.
    refused_by: transports for which the alert is malformed.
    first: no worker has started it before.
    """

    chunk: Chunk
    alert: bytes
    opened_at: int
    devices: dict[int, int]
    refused_by: frozenset[str] = frozenset()
    first: bool = True


@dataclass(frozen=True, slots=True)
class ChunkResult:
    """What became of a chunk.

    counts: by counter.
    again: devices to try again, with their kinds, after `again_at` (ms).
    refused: transports that must not send the alert any more, with the reason.
    missed: devices that were not reached and will not be.
    """

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
        """Add the next chunk of a plan (devices, kinds). False if another planner added it or the alert was stopped."""
        chunk = Chunk(f"{plan.id} {number}")
        turn = plan.opened_at + number * TURN_MS
        return bool(
            self._put(
                keys=[keys.alert(plan.id), keys.chunk(chunk.name), keys.PUSH_READY],
                args=[number, pack(devices), len(devices), place, chunk.name, turn, ALERT_S],
            )
        )

    @guarded
    def claim(self, *, now_ms: int) -> Chunk | None:
        name = self._claim(keys=[keys.PUSH_READY, keys.PUSH_CLAIMED, keys.PUSH_LATER], args=[now_ms, now_ms + CLAIM_MS])
        return Chunk(name.decode()) if name else None

    @guarded
    def start(self, chunk: Chunk) -> ClaimedChunk | None:
        """None if it is not to be sent any more."""
        row = self._start(
            keys=[keys.alert(chunk.alert_id), keys.chunk(chunk.name), keys.PUSH_CLAIMED],
            args=[chunk.name, _state(chunk)],
        )
        if not row:
            return None
        alert, opened_at, devices, refused, first = row
        transports = {entry.partition(":")[0] for entry in refused.decode().split()}
        return ClaimedChunk(chunk, alert, int(opened_at), unpack(devices), frozenset(transports), bool(first))

    @guarded
    def newest(self, match_id: str) -> dict[Kind, int]:
        """The version at which each kind of news was last announced."""
        fields = self.redis.hgetall(keys.window(match_id))
        versions = {name.decode().partition(":")[2]: int(value) for name, value in fields.items() if b"newest:" in name}
        return {Kind(kind): version for kind, version in versions.items() if kind in set(Kind)}

    @guarded
    def renew_claim(self, chunk: Chunk, *, now_ms: int) -> None:
        self.redis.zadd(keys.PUSH_CLAIMED, {chunk.name: now_ms + CLAIM_MS}, xx=True)

    @guarded
    def release(self, started: ClaimedChunk, *, at_ms: int) -> None:
        """Give a chunk back unsent, for a later time."""
        chunk = started.chunk
        with self.redis.pipeline() as pipe:
            if started.first:
                pipe.hdel(keys.alert(chunk.alert_id), _state(chunk))
            pipe.zrem(keys.PUSH_CLAIMED, chunk.name)
            pipe.zadd(keys.PUSH_LATER, {chunk.name: at_ms})
            pipe.execute()

    @guarded
    def done(self, chunk: Chunk, result: ChunkResult) -> bool:
        """False if the claim had expired and another worker has the chunk."""
        retry = chunk.retry.name if result.again else ""
        pairs = [part for pair in result.counts.items() for part in pair]
        missed = pack([(device_id, 0) for device_id in result.missed])
        args: list[Any] = [chunk.name, missed, retry, pack(result.again.items()), result.again_at, ALERT_S]
        names = [keys.alert(chunk.alert_id), keys.PUSH_CLAIMED, keys.PUSH_LATER]
        names += [keys.chunk(retry), keys.missed(chunk.name)]
        refused = " ".join(f"{name}:{reason}" for name, reason in result.refused.items())
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
    def started_chunks(self, alert_id: str, before: int) -> list[Chunk]:
        """The chunks of an alert that were started at a version below `before`."""
        planned = int(self.redis.hget(keys.alert(alert_id), "planned") or 0)
        chunks = [Chunk(f"{alert_id} {number}") for number in range(planned)]
        states = self.redis.hmget(keys.alert(alert_id), [_state(chunk) for chunk in chunks]) if chunks else []
        return [chunk for chunk, state in zip(chunks, states, strict=True) if _is_started(state, before)]

    @guarded
    def is_being_sent(self, match_id: str, before: int) -> bool:
        """Whether a worker is sending an alert of the match that it started at a version below `before`. A match whose
        id begins with this one's counts too; that costs a needless moment of waiting."""
        claimed = [Chunk(name.decode()) for name in self.redis.zrange(keys.PUSH_CLAIMED, 0, -1)]
        chunks = [chunk for chunk in claimed if chunk.alert_id.startswith(f"{match_id}-")]
        return any(_is_started(self.redis.hget(keys.alert(chunk.alert_id), _state(chunk)), before) for chunk in chunks)

    @guarded
    def reached(self, chunk: Chunk, kind: Kind, before: int) -> list[tuple[int, int]]:
        """Its devices, with their kinds, that wanted news of this kind and got it, or may have got it, at a version
        below `before`."""
        devices = unpack(self.redis.get(keys.chunk(chunk.name)) or b"")
        missed = self._missed(chunk)
        retry = chunk.retry
        while (waiting := self.redis.get(keys.chunk(retry.name))) is not None:
            if not _is_started(self.redis.hget(keys.alert(retry.alert_id), _state(retry)), before):
                missed |= unpack(waiting).keys()
                break
            missed |= self._missed(retry)
            retry = retry.retry
        return [(device, kinds) for device, kinds in devices.items() if kinds & BITS[kind] and device not in missed]

    def _missed(self, chunk: Chunk) -> set[int]:
        return set(unpack(self.redis.get(keys.missed(chunk.name)) or b""))


def _is_started(state: bytes | None, before: int) -> bool:
    return state is not None and state.isdigit() and int(state) < before


def pack(devices: Collection[tuple[int, int]]) -> bytes:
    return struct.pack("<" + "QI" * len(devices), *chain.from_iterable(devices))


def unpack(packed: bytes) -> dict[int, int]:
    return dict(_ENTRY.iter_unpack(packed))


def _state(chunk: Chunk) -> str:
    return f"chunk:{chunk.number}"
