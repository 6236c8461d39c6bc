"""Shards: groups of matches whose keys are in one slot of a Redis Cluster, so that a script can touch them all.

One shard is the default and has no tag: its keys are named as the table in `keys` says.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count
from typing import Any, NamedTuple

import redis
from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot

from db.live.client import away, lua
from db.live.cluster import Cluster, Regroup
from db.live.keys import CHANGED, match_of

# A cluster spreads over so many masters at most. Each question about all of them costs a command a shard.
SHARDS_MAX = 64
# Slots may move while commands are on their way. Then they are grouped again, by what is known then.
REGROUPED_MAX = 2
# In place of an answer.
RAISE = object()


@dataclass(frozen=True, slots=True)
class Shard:
    """
    number: from 0.
    tag: what stands before its keys.
    redis: the client for them.
    """

    number: int
    tag: str
    # Any: redis-py types every answer as "bytes or str or …", for it cannot see decode_responses.
    redis: Any = field(compare=False, repr=False)

    def key(self, name: str) -> str:
        return f"{self.tag}{name}"


class Queued(NamedTuple):
    """A member of a sorted set that each shard has."""

    shard: Shard
    member: str
    score: int


@lru_cache
def tags(shards: int) -> tuple[str, ...]:
    """What stands before the keys of each shard. Equal masters, which have equal ranges of slots, get equal numbers of
    shards: `{s0}` to `{s5}` would be 1, 1 and 4 on three."""
    return ("",) if shards == 1 else tuple(f"{{{_name(number, shards)}}}:" for number in range(shards))


def _name(number: int, shards: int) -> str:
    """The first name whose slot is in this part of the slots."""
    # The number of shards is in it, so that the keys of two numbers can stand beside each other.
    names = (f"{shards}.{number}.{n}" for n in count())
    return next(name for name in names if key_slot(name.encode()) * shards // REDIS_CLUSTER_HASH_SLOTS == number)


# Puts commands for a shard into a pipeline.
Ask = Callable[[Any, Shard], object]


class ShardedRedis:
    """A Redis, or a cluster, and the shards that it is divided in.

    shards: by number.
    """

    def __init__(self, connection: redis.Redis | Cluster, shards: int) -> None:
        self.connection = connection
        self.shards = tuple(Shard(number, tag, _client(connection, tag)) for number, tag in enumerate(tags(shards)))

    @property
    def is_cluster(self) -> bool:
        """Whether some shards can be out of reach while others are not."""
        return isinstance(self.connection, Cluster)

    @property
    def home(self) -> Shard:
        """Where that is which belongs to no match."""
        return self.shards[0]

    def untagged(self, name: str) -> Any:
        """The client for a key that is in no shard."""
        return _client(self.connection, name)

    def channel(self, shard: Shard) -> tuple[str, str]:
        """How a change in a shard is published, and where. In a cluster on a channel of the shard: PUBLISH goes over
        the links between the nodes, and what is lost there nobody is told (docs/decisions/0030)."""
        return ("SPUBLISH", shard.key(CHANGED)) if isinstance(self.connection, Cluster) else ("PUBLISH", CHANGED)

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

    def pipelined(self, asks: Iterable[tuple[Shard, Ask]], *, instead: Any = RAISE) -> list[Any]:
        """The answers to commands for some shards, in order: one trip to each server, no transaction.

        instead: stands for each answer of a server of a cluster that is out of reach, unless all are; without it that
        is raised. The commands must be safe to repeat.
        """
        commands = list(asks)
        for _ in range(REGROUPED_MAX):
            try:
                return _answers(_groups(self.connection, commands), instead)
            except Regroup:
                continue
        return _answers(_groups(self.connection, commands), instead)

    def of_each(self, match_ids: Iterable[str], ask: Callable[[Any, Shard, str], object]) -> list[Any]:
        """The answers to commands for some matches, in order."""

        return self.pipelined((self.of(match_id), _about(ask, match_id)) for match_id in match_ids)

    def of_each_alert(self, alert_ids: Iterable[str], ask: Callable[[Any, Shard, str], object]) -> list[Any]:
        """The same for alerts."""
        return self.pipelined((self.of_alert(alert_id), _about(ask, alert_id)) for alert_id in alert_ids)

    def each(self, ask: Ask, *, instead: Any = RAISE) -> list[Any]:
        """The same of all shards."""
        return self.pipelined(((shard, ask) for shard in self.shards), instead=instead)

    def total(self, name: str) -> int:
        """Members of a sorted set, over the shards within reach."""
        return sum(self.each(lambda pipe, shard: pipe.zcard(shard.key(name)), instead=0))

    def queued(self, name: str, until: float | str = "+inf", limit: int | None = None) -> list[Queued]:
        """Members of a sorted set up to a score, the lowest first, over the shards within reach."""
        window = {} if limit is None else {"start": 0, "num": limit}
        rows = self.each(
            lambda pipe, shard: pipe.zrangebyscore(shard.key(name), "-inf", until, withscores=True, **window),
            instead=(),
        )
        members = [
            Queued(shard, member.decode(), int(score))
            for shard, row in zip(self.shards, rows, strict=True)
            for member, score in row
        ]
        return sorted(members, key=lambda queued: queued.score)[:limit]

    def first_at(self, *names: str) -> int | None:
        """The lowest score in sorted sets, over the shards within reach; None if all are empty."""

        def ask(pipe: Any, shard: Shard) -> None:
            for name in names:
                pipe.zrange(shard.key(name), 0, 0, withscores=True)

        return min((int(head[0][1]) for head in self.each(ask, instead=()) if head), default=None)

    def unpark(self, parked: str, pending: Callable[[Shard], str], *, before_ms: int) -> list[str]:
        """Put matches parked before a moment back among the pending; returns them."""
        queued = self.queued(parked, before_ms)
        for shard in dict.fromkeys(entry.shard for entry in queued):
            with shard.redis.pipeline(transaction=True) as pipe:
                for match_id in [entry.member for entry in queued if entry.shard == shard]:
                    pipe.zadd(pending(shard), {match_id: before_ms}, nx=True)
                    pipe.zrem(shard.key(parked), match_id)
                pipe.execute()
        return [entry.member for entry in queued]

    def silence(self, silence: ShardScript, pending: str, bell: str, until: float | str = "+inf") -> bool:
        """Silence the bell of each shard within reach where nothing is pending up to a score; False if something is.
        silence: the script bell_silence."""
        return all(self.each(lambda pipe, shard: silence.put_into(pipe, shard, [pending, bell], [until]), instead=1))

    def ping(self) -> int:
        """How many shards are out of reach. Raises what is wrong where all are."""
        return self.each(lambda pipe, _: pipe.ping(), instead=None).count(None)


def _about(ask: Callable[[Any, Shard, str], object], name: str) -> Ask:
    return lambda pipe, shard: ask(pipe, shard, name)


def _client(connection: redis.Redis | Cluster, key: str) -> redis.Redis:
    return connection.client(key_slot(key.encode())) if isinstance(connection, Cluster) else connection


def _groups(connection: redis.Redis | Cluster, commands: list[tuple[Shard, Ask]]) -> list[_Group]:
    """Commands by server, as is known of the cluster."""
    groups: dict[Any, _Group] = {}
    for place, (shard, ask) in enumerate(commands):
        server = connection.master_of(shard.redis) if isinstance(connection, Cluster) else None
        if server not in groups:
            groups[server] = _Group(shard.redis.pipeline(transaction=False))
        groups[server].add(place, shard, ask)
    return list(groups.values())


class _Group:
    """Commands for one server.

    places: by the place of the shard among all that are asked, how many commands are its own.
    """

    def __init__(self, pipe: Any) -> None:
        self.pipe = pipe
        self.places: dict[int, int] = {}

    def add(self, place: int, shard: Shard, ask: Ask) -> None:
        before = len(self.pipe)
        ask(self.pipe, shard)
        self.places[place] = len(self.pipe) - before


def _answers(groups: list[_Group], instead: Any) -> list[Any]:
    answers: dict[int, list[Any]] = {}
    errors: list[redis.RedisError] = []
    for group in groups:
        count_ = sum(group.places.values())
        try:
            rest = iter(group.pipe.execute())
        except redis.RedisError as error:
            if instead is RAISE or isinstance(error, Regroup) or not away(error):
                raise
            errors.append(error)
            rest = iter([instead] * count_)
        answers |= {place: [next(rest) for _ in range(number)] for place, number in group.places.items()}
    if errors and len(errors) == len(groups):
        raise errors[0]
    return [answer for place in sorted(answers) for answer in answers[place]]


class ShardScript:
    """A script of `scripts/`, which does in one step what nobody else may come between, in one shard."""

    def __init__(self, sharded: ShardedRedis, *parts: str) -> None:
        self.text = "".join(lua(part) for part in parts)
        self._script = sharded.home.redis.register_script(self.text)

    def __call__(self, shard: Shard, names: Iterable[str], args: Iterable[Any]) -> Any:
        """names: of the keys, without the shard's tag."""
        return self._script(keys=[shard.key(name) for name in names], args=list(args), client=shard.redis)

    def put_into(self, pipe: Any, shard: Shard, names: Iterable[str], args: Iterable[Any]) -> None:
        self._script(keys=[shard.key(name) for name in names], args=list(args), client=pipe)
