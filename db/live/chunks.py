"""Chunks of a plan in Redis: put, claimed, sent, retried. The chunk of a killed worker is claimed again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from itertools import count
from typing import Any

from db.domain import BITS, Kind
from db.live import keys
from db.live.alerts import ALERT_S
from db.live.chunk import POSSIBLY_SENT, SETTLED, Chunk, ChunkResult, ClaimedChunk, pack, unpack
from db.live.client import guarded
from db.live.plans import Plan
from db.live.sharding import Shard, ShardedRedis, ShardScript

# A worker that does not renew its claim for this long is dead: while it sends, a thread renews it every two seconds.
CLAIM_MS = 8_000
# Chunks are sent in order of their alert's time and their place in it, so that a goal elsewhere does not wait for the
# last of a million: about what a chunk of a thousand takes to send.
TURN_MS = 50

# Where a chunk waits for its turn, as chunk_claim.lua takes them.
TURNS = (keys.PUSH_READY, keys.PUSH_CLAIMED, keys.PUSH_LATER)
# Pushes that a service is judged by: with a wrong bundle all die, and so many addresses at most are lost before that
# shows. Kept for a day.
HEALTH_MAX, HEALTH_S = 40, 24 * 60 * 60


class Chunks:
    """Every method raises Unavailable without Redis."""

    def __init__(self, sharded: ShardedRedis) -> None:
        self.sharded = sharded
        self._put = ShardScript(sharded, "chunk_put")
        self._claim = ShardScript(sharded, "chunk_claim")
        self._start = ShardScript(sharded, "chunk_start")
        self._progress = ShardScript(sharded, "chunk_progress")
        self._release = ShardScript(sharded, "chunk_release")
        self._done = ShardScript(sharded, "chunk_done")

    @guarded
    def put(
        self,
        plan: Plan,
        devices: Sequence[tuple[int, int]],
        before: str | None,
        after: str,
        *,
        slice_: int | None = None,
    ) -> bool:
        """Add a chunk (devices, kinds) that leads a plan, or one slice of it, from one place to the next. False if
        another planner has gone on from that place, or the alert was stopped."""
        (number,) = self._reserve(plan.id, 1)
        chunk = Chunk(f"{plan.id} {number}")
        field_name = "place" if slice_ is None else f"place:{slice_}"
        turn = plan.opened_at + number * TURN_MS
        names = [keys.alert(plan.id), keys.chunk(chunk.name), keys.PUSH_READY]
        args = [chunk.name, pack(devices), len(devices), field_name, before or "", after, turn, ALERT_S]
        return bool(self._put(self._shard(chunk), names, args))

    @guarded
    def claim(self, *, now_ms: int) -> Chunk | None:
        """The chunk whose turn it is; None if there is none."""
        for shard in self._by_turn(now_ms):
            name = self._claim(shard, TURNS, [now_ms, now_ms + CLAIM_MS])
            if name:
                return Chunk(name.decode())
        return None

    def _by_turn(self, now_ms: int) -> list[Shard]:
        """Shards that have a chunk to send: the one whose first is the most urgent comes first."""
        if len(self.sharded.shards) == 1:
            return list(self.sharded.shards)
        heads = self.sharded.each(_ask_turns, instead=())
        turns: dict[Shard, int] = {}
        for shard, ready, *put_off in zip(self.sharded.shards, heads[::3], heads[1::3], heads[2::3], strict=True):
            # As chunk_claim.lua: what was put off until now has its turn now.
            due = [int(score) for _, score in ready] + [now_ms for head in put_off if head and head[0][1] <= now_ms]
            if due:
                turns[shard] = min(due)
        return sorted(turns, key=lambda shard: turns[shard])

    @guarded
    def start(self, chunk: Chunk) -> ClaimedChunk | None:
        """None if it is not to be sent any more. What a worker that died had begun: devices whose outcome it knew are
        left out, those it had handed over are marked POSSIBLY_SENT."""
        names = [keys.alert(chunk.alert_id), keys.chunk(chunk.name), keys.PUSH_CLAIMED, keys.progress(chunk.name)]
        row = self._start(self._shard(chunk), names, [chunk.name, _state(chunk), _tries(chunk), _begun(chunk)])
        if not row:
            return None
        alert, opened_at, packed, refused, first, tries, progress, begun = row
        transports = {entry.partition(":")[0] for entry in refused.decode().split()}
        devices = unpack(packed)
        for device_id, state in unpack(progress).items():
            if state == SETTLED:
                devices.pop(device_id, None)
            elif device_id in devices:
                devices[device_id] |= POSSIBLY_SENT
        # Retries of the release before bear their number in the name.
        earlier = int(tries) or int(chunk.number.partition(".")[2] or 0)
        return ClaimedChunk(
            chunk, alert, int(opened_at), devices, frozenset(transports), bool(first), earlier, int(begun)
        )

    @guarded
    def note_progress(self, started: ClaimedChunk, entries: Collection[tuple[int, int]]) -> bool:
        """Note devices that are handed over or settled, for the worker that takes over if this one dies. False if one
        has taken over: nobody may be handed over any more."""
        chunk = started.chunk
        names = [keys.alert(chunk.alert_id), keys.progress(chunk.name)]
        return bool(self._progress(self._shard(chunk), names, [_begun(chunk), started.begun, pack(entries), ALERT_S]))

    @guarded
    def newest(self, match_id: str) -> dict[Kind, int]:
        """The version at which each kind of news was last announced."""
        shard = self.sharded.of(match_id)
        fields = shard.redis.hgetall(shard.key(keys.window(match_id)))
        versions = {name.decode().partition(":")[2]: int(value) for name, value in fields.items() if b"newest:" in name}
        return {Kind(kind): version for kind, version in versions.items() if kind in set(Kind)}

    @guarded
    def renew_claim(self, chunk: Chunk, *, now_ms: int) -> None:
        shard = self._shard(chunk)
        shard.redis.zadd(shard.key(keys.PUSH_CLAIMED), {chunk.name: now_ms + CLAIM_MS}, xx=True)

    @guarded
    def release(self, started: ClaimedChunk, *, at_ms: int) -> None:
        """Give a chunk back unsent, for a later time, unless another worker has it."""
        chunk = started.chunk
        names = [keys.alert(chunk.alert_id), keys.PUSH_CLAIMED, keys.PUSH_LATER]
        state = _state(chunk) if started.first else ""
        self._release(self._shard(chunk), names, [chunk.name, _begun(chunk), started.begun, at_ms, state])

    @guarded
    def done(self, started: ClaimedChunk, result: ChunkResult) -> bool:
        """False if the claim had expired and another worker has the chunk, or has ended it.

        Devices that are tried again are in a chunk of their own from now on, so of this one they are missed, except for
        those that it may have reached.
        """
        chunk = started.chunk
        numbers = self._reserve(chunk.alert_id, len(result.groups))
        groups = [Chunk(f"{chunk.alert_id} {number}") for number in numbers]
        again = [item for group in result.groups for item in group.devices.items()]
        missed = {*result.missed, *(device_id for device_id, kinds in again if not kinds & POSSIBLY_SENT)}
        refused = " ".join(f"{name}:{reason}" for name, reason in result.refused.items())
        args: list[Any] = [chunk.name, pack([(device_id, 0) for device_id in missed]), ALERT_S, refused]
        args += [started.tries + 1, _begun(chunk), started.begun]
        for retry, group in zip(groups, result.groups, strict=True):
            args += [retry.name, pack(group.devices.items()), group.due, _tries(retry)]
        args += [part for pair in result.counts.items() for part in pair]
        names = [keys.alert(chunk.alert_id), keys.PUSH_CLAIMED, keys.PUSH_LATER, keys.missed(chunk.name)]
        names += [keys.chunk(retry.name) for retry in groups]
        return bool(self._done(self._shard(chunk), names, args))

    @guarded
    def sending(self) -> tuple[int, int]:
        """Chunks ready and chunks claimed."""
        return self.sharded.total(keys.PUSH_READY), self.sharded.total(keys.PUSH_CLAIMED)

    @guarded
    def health(self, service: str, delivered: int, dead: int) -> bool:
        """Take in what became of a chunk's pushes by a service, and say whether its dead addresses are to be believed:
        whether as many of the recent pushes were delivered as died. The last HEALTH_MAX are kept in proportion."""
        home = self.sharded.home
        key = home.key(keys.health(service))
        before = home.redis.hmget(key, "delivered", "dead")
        counts = [float(value or 0) + more for value, more in zip(before, (delivered, dead), strict=True)]
        scale = min(1.0, HEALTH_MAX / max(1.0, sum(counts)))
        with home.redis.pipeline(transaction=False) as pipe:
            pipe.hset(key, mapping={"delivered": counts[0] * scale, "dead": counts[1] * scale})
            pipe.expire(key, HEALTH_S)
            pipe.execute()
        return counts[0] >= counts[1]

    @guarded
    def started_chunks(self, alert_id: str, before: int) -> list[Chunk]:
        """The chunks of an alert that were started at a version below `before`."""
        shard = self.sharded.of_alert(alert_id)
        key = shard.key(keys.alert(alert_id))
        planned = int(shard.redis.hget(key, "planned") or 0)
        chunks = [Chunk(f"{alert_id} {number}") for number in range(planned)]
        states = shard.redis.hmget(key, [_state(chunk) for chunk in chunks]) if chunks else []
        return [chunk for chunk, state in zip(chunks, states, strict=True) if _is_started(state, before)]

    @guarded
    def is_being_sent(self, match_id: str, before: int) -> bool:
        """Whether a worker is sending an alert of the match that it started at a version below `before`. A match whose
        id begins with this one's counts too; that costs a needless moment of waiting."""
        shard = self.sharded.of(match_id)
        claimed = [Chunk(name.decode()) for name in shard.redis.zrange(shard.key(keys.PUSH_CLAIMED), 0, -1)]
        chunks = [chunk for chunk in claimed if chunk.alert_id.startswith(f"{match_id}-")]
        return any(_is_started(self._state_of(chunk), before) for chunk in chunks)

    @guarded
    def reached(self, chunk: Chunk, kind: Kind, before: int) -> list[tuple[int, int]]:
        """Its devices, with their kinds, that wanted news of this kind and got it, or may have got it, at a version
        below `before`. Those that an earlier chunk may have reached are that chunk's."""
        devices = unpack(self._packed(keys.chunk, chunk) or b"")
        missed = self._missed(chunk) | self._missed_by_chain(chunk, before)
        return [
            (device, kinds)
            for device, kinds in devices.items()
            if kinds & BITS[kind] and not kinds & POSSIBLY_SENT and device not in missed
        ]

    def _missed_by_chain(self, chunk: Chunk, before: int) -> set[int]:
        """Of the retries that the release before named after their chunk, those that did not reach anybody."""
        missed: set[int] = set()
        for tries in count(1):
            retry = Chunk(f"{chunk.name}.{tries}")
            if (waiting := self._packed(keys.chunk, retry)) is None:
                return missed
            if not _is_started(self._state_of(retry), before):
                return missed | unpack(waiting).keys()
            missed |= self._missed(retry)
        return missed

    def _missed(self, chunk: Chunk) -> set[int]:
        return set(unpack(self._packed(keys.missed, chunk) or b""))

    def _reserve(self, alert_id: str, amount: int) -> range:
        """Numbers for chunks, each given once. One that is not used is a gap that nobody minds."""
        if not amount:
            return range(0)
        shard = self.sharded.of_alert(alert_id)
        end = int(shard.redis.hincrby(shard.key(keys.alert(alert_id)), "planned", amount))
        return range(end - amount, end)

    def _shard(self, chunk: Chunk) -> Shard:
        return self.sharded.of_alert(chunk.alert_id)

    def _packed(self, name: Callable[[str], str], chunk: Chunk) -> bytes | None:
        """Devices that are kept with a chunk under a name."""
        shard = self._shard(chunk)
        packed: bytes | None = shard.redis.get(shard.key(name(chunk.name)))
        return packed

    def _state_of(self, chunk: Chunk) -> bytes | None:
        shard = self._shard(chunk)
        state: bytes | None = shard.redis.hget(shard.key(keys.alert(chunk.alert_id)), _state(chunk))
        return state


def _ask_turns(pipe: Any, shard: Shard) -> None:
    for name in TURNS:
        pipe.zrange(shard.key(name), 0, 0, withscores=True)


def _is_started(state: bytes | None, before: int) -> bool:
    return state is not None and state.isdigit() and int(state) < before


def _state(chunk: Chunk) -> str:
    return f"chunk:{chunk.number}"


def _tries(chunk: Chunk) -> str:
    return f"tries:{chunk.number}"


def _begun(chunk: Chunk) -> str:
    return f"begun:{chunk.number}"
