"""Shards: groups of matches whose keys are in one slot of a Redis Cluster, so that a script can touch them all.

One shard is the default and has no tag: its keys are named as the table in `keys` says.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import Any, NamedTuple

import redis
from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot

from db.live.keys import match_of

# A cluster spreads over so many masters at most. Each question about all of them costs a command a shard.
SHARDS_MAX = 64


@dataclass(frozen=True, slots=True)
class Shard:
    """
    number: from 0.
    tag: what stands before its keys.
    """

    number: int
    tag: str = ""

    def key(self, name: str) -> str:
        return f"{self.tag}{name}"


class Queued(NamedTuple):
    """A member of a sorted set that each shard has."""

    shard: Shard
    member: str
    score: int


@lru_cache
def divided(into: int) -> tuple[Shard, ...]:
    """The shards of a number. Their tags are chosen so that equal masters, which have equal ranges of slots, get equal
    numbers of shards: `{s0}` to `{s5}` would be 1, 1 and 4 on three."""
    if into == 1:
        return (Shard(0),)
    return tuple(Shard(number, f"{{{_tag(number, into)}}}:") for number in range(into))


def _tag(number: int, into: int) -> str:
    """The first name whose slot is in this part of the slots."""
    names = (f"{number}.{n}" for n in count())
    return next(name for name in names if key_slot(name.encode()) * into // REDIS_CLUSTER_HASH_SLOTS == number)


class ShardedRedis:
    """A Redis and the shards that it is divided in.

    redis: the client.
    shards: by number.
    """

    def __init__(self, client: redis.Redis, shards: int) -> None:
        # Any: redis-py types every answer as "bytes or str or …", for it cannot see decode_responses.
        self.redis: Any = client
        self.shards = divided(shards)

    def of(self, match_id: str) -> Shard:
        """The shard of a match. crc32, because Python's hash differs from process to process."""
        return self.shards[zlib.crc32(match_id.encode()) % len(self.shards)]

    def of_alert(self, name: str) -> Shard:
        """The shard of an alert, or a slice or chunk of it: its match's."""
        return self.of(match_of(name))

    def grouped(self, match_ids: Iterable[str]) -> dict[Shard, list[str]]:
        """Matches by their shard, in the order given."""
        groups: dict[Shard, list[str]] = {}
        for match_id in match_ids:
            groups.setdefault(self.of(match_id), []).append(match_id)
        return groups

    def each(self, ask: Callable[[Any, Shard], object]) -> list[Any]:
        """What the shards answer to the commands that `ask` puts into a pipeline for each: one trip, no transaction."""
        with self.redis.pipeline(transaction=False) as pipe:
            for shard in self.shards:
                ask(pipe, shard)
            return list(pipe.execute())

    def total(self, name: str) -> int:
        """Members of a sorted set, over all shards."""
        return sum(self.each(lambda pipe, shard: pipe.zcard(shard.key(name))))

    def queued(self, name: str, until: float | str = "+inf", limit: int | None = None) -> list[Queued]:
        """Members of a sorted set up to a score, the lowest first, over all shards."""
        window = {} if limit is None else {"start": 0, "num": limit}
        rows = self.each(
            lambda pipe, shard: pipe.zrangebyscore(shard.key(name), "-inf", until, withscores=True, **window)
        )
        members = [
            Queued(shard, member.decode(), int(score))
            for shard, row in zip(self.shards, rows, strict=True)
            for member, score in row
        ]
        return sorted(members, key=lambda queued: queued.score)[:limit]

    def first_at(self, *names: str) -> int | None:
        """The lowest score in sorted sets, over all shards; None if all are empty."""

        def ask(pipe: Any, shard: Shard) -> None:
            for name in names:
                pipe.zrange(shard.key(name), 0, 0, withscores=True)

        return min((int(head[0][1]) for head in self.each(ask) if head), default=None)

    def unpark(self, parked: str, pending: Callable[[Shard], str], *, before_ms: int) -> list[str]:
        """Put matches parked before a moment back among the pending; returns them."""
        queued = self.queued(parked, before_ms)
        for shard in dict.fromkeys(entry.shard for entry in queued):
            with self.redis.pipeline(transaction=True) as pipe:
                for match_id in [entry.member for entry in queued if entry.shard == shard]:
                    pipe.zadd(pending(shard), {match_id: before_ms}, nx=True)
                    pipe.zrem(shard.key(parked), match_id)
                pipe.execute()
        return [entry.member for entry in queued]

    def are_silent(self, silence: str, pending: str, bell: str) -> bool:
        """Silence the bell of each shard where nothing is pending (bell_silence.lua). False if something is."""
        # EVAL, for a cluster's pipeline of redis-py takes no EVALSHA.
        return all(self.each(lambda pipe, shard: pipe.eval(silence, 2, shard.key(pending), shard.key(bell))))
