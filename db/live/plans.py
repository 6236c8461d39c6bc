"""Plans in Redis: what is left to do until every device of an alert is in a chunk and every topic was published to.

A plan of many followers is split into slices, ranges of user ids that several workers plan at once. Each step is
atomic and can be repeated.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from db.domain import Kind
from db.live import keys
from db.live.client import guarded
from db.live.sharding import ShardedRedis, ShardScript

# The place of a slice whose devices are all in chunks.
END = "end"


@dataclass(frozen=True, slots=True)
class Plan:
    """An alert that is not completely planned.

    alert: encoded.
    version: of the match in it.
    opened_at: when it was opened (ms).
    place: where to continue, None at the start. Of a plan in slices it is not used.
    published: topics that publishing has begun to, by kind and variant.
    chunked: all its devices are in chunks, or it was split into slices.
    bounds: user ids between its slices; empty if it is not split.
    places: where to continue, by slice; END for a finished one.
    """

    id: str
    alert: bytes
    version: int
    opened_at: int
    place: str | None = None
    published: frozenset[str] = frozenset()
    chunked: bool = False
    bounds: tuple[str, ...] = ()
    places: Mapping[int, str] = field(default_factory=dict)

    @property
    def open_slices(self) -> list[int]:
        return [number for number in range(len(self.bounds) + 1) if self.places.get(number) != END]

    def ends_of(self, number: int) -> tuple[str | None, str | None]:
        """A slice: from this user id, to below that one."""
        bounds = [None, *self.bounds, None]
        return bounds[number], bounds[number + 1]


class Plans:
    """Every method raises Unavailable without Redis."""

    def __init__(self, sharded: ShardedRedis) -> None:
        self.sharded = sharded
        self._begin = ShardScript(sharded, "topic_begin")
        self._split = ShardScript(sharded, "plan_split")

    @guarded
    def unplanned(self) -> list[str]:
        """Alerts to plan, oldest first."""
        return [queued.member for queued in self.sharded.queued(keys.PUSH_UNPLANNED)]

    @guarded
    def sliced(self) -> list[str]:
        """Alerts of which slices may be open, oldest first."""
        return [queued.member for queued in self.sharded.queued(keys.PUSH_SLICED)]

    @guarded
    def lease(self, name: str, seconds: int, *, again: bool = False) -> bool:
        """Whether this worker may do a piece of work, such as plan an alert, until the lease ends. A lease only saves
        work: of two planners, `Chunks.put` lets one through."""
        shard = self.sharded.of_alert(name)
        return bool(shard.redis.set(shard.key(keys.lease(name)), 1, ex=seconds, nx=not again))

    @guarded
    def release(self, name: str) -> None:
        shard = self.sharded.of_alert(name)
        shard.redis.delete(shard.key(keys.lease(name)))

    @guarded
    def plan(self, alert_id: str) -> Plan | None:
        """None if it is stopped or expired."""
        fields = self._fields(alert_id)
        if not fields or b"stopped" in fields:
            return None
        place = fields.get(b"place")
        return Plan(
            alert_id,
            fields[b"alert"],
            int(fields[b"version"]),
            int(fields[b"told_at"]),
            place.decode() if place else None,
            frozenset(_suffixes(fields, "topic:")),
            b"chunked" in fields,
            tuple(json.loads(fields.get(b"slices", b"[]"))),
            {int(number): place for number, place in _suffixes(fields, "place:").items()},
        )

    @guarded
    def split(self, plan: Plan, bounds: Sequence[str], *, now_ms: int) -> bool:
        """Split a plan that has not begun into slices. False if it has begun, or the alert was stopped."""
        names = [keys.alert(plan.id), keys.PUSH_SLICED]
        return bool(self._split(self.sharded.of_alert(plan.id), names, [plan.id, json.dumps(bounds), now_ms]))

    @guarded
    def end_slice(self, alert_id: str, number: int) -> None:
        shard = self.sharded.of_alert(alert_id)
        shard.redis.hset(shard.key(keys.alert(alert_id)), f"place:{number}", END)

    @guarded
    def end_slices(self, alert_id: str) -> None:
        shard = self.sharded.of_alert(alert_id)
        shard.redis.zrem(shard.key(keys.PUSH_SLICED), alert_id)

    @guarded
    def begin_topic(self, plan: Plan, topic: str) -> bool:
        """Note, before it is sent, that a topic gets the alert: whatever happens then, no other worker repeats it.
        False if it has begun already, or the alert was stopped or amended since it was read."""
        return bool(self._begin(self.sharded.of_alert(plan.id), [keys.alert(plan.id)], [plan.version, topic]))

    @guarded
    def count_topic(self, alert_id: str, topic: str, counts: Iterable[str], *, sent: bool, again: bool) -> None:
        """Count the outcome of a publication.

        sent: the topic got it, or may have. again: it did not, and is to be published to once more.
        """
        shard = self.sharded.of_alert(alert_id)
        key = shard.key(keys.alert(alert_id))
        with shard.redis.pipeline(transaction=True) as pipe:
            if not sent:
                pipe.hdel(key, f"told:{topic}")
            if again:
                pipe.hdel(key, f"topic:{topic}")
            for name in counts:
                pipe.hincrby(key, name, 1)
            pipe.execute()

    @guarded
    def chunked(self, alert_id: str) -> None:
        shard = self.sharded.of_alert(alert_id)
        shard.redis.hset(shard.key(keys.alert(alert_id)), "chunked", 1)

    @guarded
    def planned(self, alert_id: str, *, now_ms: int) -> None:
        shard = self.sharded.of_alert(alert_id)
        with shard.redis.pipeline(transaction=True) as pipe:
            pipe.zrem(shard.key(keys.PUSH_UNPLANNED), alert_id)
            pipe.hsetnx(shard.key(keys.alert(alert_id)), "planned_at", now_ms)
            pipe.delete(shard.key(keys.lease(alert_id)))
            pipe.execute()

    @guarded
    def reached_variants(self, alert_id: str, kind: Kind, before: int) -> set[str]:
        """Topic variants that got an alert's news of a kind at a version below `before`."""
        versions = _suffixes(self._fields(alert_id), f"told:{kind} ")
        return {variant for variant, version in versions.items() if int(version) < before}

    def _fields(self, alert_id: str) -> dict[bytes, bytes]:
        shard = self.sharded.of_alert(alert_id)
        fields: dict[bytes, bytes] = shard.redis.hgetall(shard.key(keys.alert(alert_id)))
        return fields


def _suffixes(row: dict[bytes, bytes], prefix: str) -> dict[str, str]:
    """Fields whose names begin with a prefix, by the rest of the name."""
    fields = {name.decode(): value.decode() for name, value in row.items()}
    return {name.removeprefix(prefix): value for name, value in fields.items() if name.startswith(prefix)}
