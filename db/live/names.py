"""Other names of matches and teams, where every delivery is looked up: a copy of SQL's table (db.sql.names)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from db.domain import Subject, Update, renamed, spelled, team_ids
from db.live import keys
from db.live.client import guarded, text
from db.live.sharding import Ask, Shard, ShardedRedis


class KnownNames:
    """Other name → id, by subject; each in the shard that a match of this name would be in.

    Every method raises Unavailable without Redis.
    """

    def __init__(self, sharded: ShardedRedis) -> None:
        self.sharded = sharded

    @guarded
    def resolved(self, updates: Sequence[Update]) -> list[Update]:
        """The updates with the ids that we know their matches and teams by: one round trip to each server."""
        names = {
            Subject.MATCH: list({spelled(name) for update in updates for name in _match_names(update)}),
            Subject.TEAM: list(team_ids(updates)),
        }
        asks = [(self.sharded.of(name), _ask(subject, name)) for subject, some in names.items() for name in some]
        answers = iter(self.sharded.pipelined(asks))
        matches, teams = (_known(some, answers) for some in names.values())
        return renamed(updates, matches, teams)

    @guarded
    def of_match(self, name: str) -> str | None:
        """The match that is meant by another name; None where it is none."""
        plain = spelled(name)
        value = self._value(Subject.MATCH, plain)
        match_id = text(value) if value else plain
        return match_id if match_id != name else None

    @guarded
    def of_team(self, name: str) -> str | None:
        value = self._value(Subject.TEAM, name)
        return text(value) if value else None

    @guarded
    def add(self, subject: Subject, names: Mapping[str, str]) -> None:
        def put(pipe: Any, shard: Shard, name: str) -> None:
            pipe.hset(shard.key(keys.names(subject)), name, names[name])

        self.sharded.of_each(names, put)

    @guarded
    def remove(self, subject: Subject, name: str) -> None:
        shard = self.sharded.of(name)
        shard.redis.hdel(shard.key(keys.names(subject)), name)

    @guarded
    def count(self, subject: Subject) -> int:
        return sum(self.sharded.each(lambda pipe, shard: pipe.hlen(shard.key(keys.names(subject)))))

    def _value(self, subject: Subject, name: str) -> bytes | None:
        shard = self.sharded.of(name)
        value: bytes | None = shard.redis.hget(shard.key(keys.names(subject)), name)
        return value


def _ask(subject: Subject, name: str) -> Ask:
    return lambda pipe, shard: pipe.hget(shard.key(keys.names(subject)), name)


def _match_names(update: Update) -> list[str]:
    successor = update.info.replaced_by if update.info else None
    return [update.match_id, *([successor] if successor else [])]


def _known(names: Iterable[str], answers: Iterator[bytes | None]) -> dict[str, str]:
    values = {name: next(answers) for name in names}
    return {name: text(value) for name, value in values.items() if value}
