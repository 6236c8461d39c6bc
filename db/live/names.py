"""Other names of matches and teams, where every delivery is looked up: a copy of SQL's table (db.sql.names)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from db.domain import Subject, Update, renamed, spelled, team_ids
from db.live import keys
from db.live.client import guarded, text
from db.live.sharding import ShardedRedis


class KnownNames:
    """Other name → id, by subject, in the first shard. Every method raises Unavailable without Redis."""

    def __init__(self, sharded: ShardedRedis) -> None:
        self.home = sharded.home
        self.redis: Any = sharded.home.redis

    @guarded
    def resolved(self, updates: Sequence[Update]) -> list[Update]:
        """The updates with the ids that we know their matches and teams by: one round trip."""
        names = {
            Subject.MATCH: list({spelled(name) for update in updates for name in _match_names(update)}),
            Subject.TEAM: list(team_ids(updates)),
        }
        with self.redis.pipeline(transaction=False) as pipe:
            for subject, some in names.items():
                if some:
                    pipe.hmget(self._key(subject), some)
            answers = iter(pipe.execute())
        matches, teams = (_known(some, answers) for some in names.values())
        return renamed(updates, matches, teams)

    @guarded
    def of_match(self, name: str) -> str | None:
        """The match that is meant by another name; None where it is none."""
        plain = spelled(name)
        value = self.redis.hget(self._key(Subject.MATCH), plain)
        match_id = text(value) if value else plain
        return match_id if match_id != name else None

    @guarded
    def of_team(self, name: str) -> str | None:
        value = self.redis.hget(self._key(Subject.TEAM), name)
        return text(value) if value else None

    @guarded
    def add(self, subject: Subject, names: Mapping[str, str]) -> None:
        if names:
            self.redis.hset(self._key(subject), mapping=dict(names))

    @guarded
    def remove(self, subject: Subject, name: str) -> None:
        self.redis.hdel(self._key(subject), name)

    @guarded
    def count(self, subject: Subject) -> int:
        return int(self.redis.hlen(self._key(subject)))

    def _key(self, subject: Subject) -> str:
        return self.home.key(keys.names(subject))


def _match_names(update: Update) -> list[str]:
    successor = update.info.replaced_by if update.info else None
    return [update.match_id, *([successor] if successor else [])]


def _known(names: Collection[str], answers: Any) -> dict[str, str]:
    values = next(answers) if names else ()
    return {name: text(value) for name, value in zip(names, values, strict=True) if value}
