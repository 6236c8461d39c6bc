"""Matches as they are stored: to work on, to show, and by their versions."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import redis

from db.codec import (
    decode_event,
    decode_ledgers,
    decode_match,
)
from db.domain import (
    Event,
    Match,
    derived_events,
    event_field,
    with_events,
    with_ledgers,
)
from db.domain.errors import Undecodable
from db.domain.record import replace
from db.live import keys
from db.live.client import guarded, text
from db.live.sharding import Ask, Shard, ShardedRedis
from db.undecodable import decoded, tell

# What could not be decoded is told and counted once a minute and process (db.undecodable); the clock looks each minute.
UNDECODABLE_LATELY_MS, UNDECODABLE_S = 150_000, 3_600


# The source that tells of an event, and its id there.
EventName = tuple[str, str]


@dataclass(frozen=True, slots=True)
class StoredMatch:
    """A match with the store's revision of it, which `commit` compares."""

    match: Match | None
    rev: str


class Matches:
    """The stored state of all matches, read only."""

    def __init__(self, sharded: ShardedRedis) -> None:
        self.sharded = sharded

    @guarded
    def load(self, match_id: str, names: Collection[EventName] | None = None) -> StoredMatch:
        """The match to work on, with its revision: its ledgers, the events that follow from them, and of its other
        events those named, or all of them.

        Of a match of a release that kept no ledgers, they are made from what it kept.
        """
        # Which source was heard first is not known yet: either name may be the one.
        fields = {field for source, event_id in names or () for field in (event_id, event_field("?", source, event_id))}
        shard = self.sharded.of(match_id)
        state_key, events_key = shard.key(keys.state(match_id)), shard.key(keys.events(match_id))
        with shard.redis.pipeline(transaction=True) as pipe:
            pipe.hmget(state_key, "match", "version", "updated_at", "rev", "ledgers")
            if names is None:
                pipe.hvals(events_key)
            elif fields:
                pipe.hmget(events_key, *fields)
            row, *rows = pipe.execute()
        if row[0] is None:
            return StoredMatch(None, "0")
        match = decoded(match_id, lambda: _stored(row, rows[0] if rows else ()))
        if not match.ledgers:
            events = shard.redis.hvals(events_key)
            match = decoded(match_id, lambda: with_ledgers(with_events(match, _events(events))))
        return StoredMatch(match, text(row[3]))

    @guarded
    def with_named(self, match: Match, names: Collection[EventName]) -> Match:
        """The match with those of the named events that are known and that it has not got."""
        own = match.events
        missing = [(source, event_id) for source, event_id in names if source != match.source or event_id not in own]
        fields = [event_field(match.first, source, event_id) for source, event_id in missing]
        if not fields:
            return match
        shard = self.sharded.of(match.id)
        rows = shard.redis.hmget(shard.key(keys.events(match.id)), *fields)
        return decoded(match.id, lambda: with_events(match, _events(rows)))

    @guarded
    def timeline(self, match_id: str) -> Match | None:
        """The match to show, with all its events."""
        shard = self.sharded.of(match_id)
        with shard.redis.pipeline(transaction=True) as pipe:
            pipe.hmget(shard.key(keys.state(match_id)), "match", "version", "updated_at")
            pipe.hvals(shard.key(keys.events(match_id)))
            (text, version, updated_at), rows = pipe.execute()
        if text is None:
            return None
        return decoded(match_id, lambda: decode_match(text, int(version), int(updated_at), _events(rows)))

    @guarded
    def ledgers(self, match_ids: Sequence[str]) -> dict[str, str]:
        """What was told of each match, as it is stored."""
        rows = self.sharded.of_each(
            match_ids, lambda pipe, shard, match_id: pipe.hget(shard.key(keys.state(match_id)), "ledgers")
        )
        return {match_id: text(row) for match_id, row in zip(match_ids, rows, strict=True) if row}

    @guarded
    def read(self, match_ids: Iterable[str]) -> list[Match | None]:
        """The matches without their events, in the order asked; None where Redis holds none. Raises Undecodable."""
        wanted = list(match_ids)
        return [self._decoded(match_id, row) for match_id, row in zip(wanted, self._rows(wanted), strict=True)]

    @guarded
    def readable(self, match_ids: Sequence[str]) -> list[Match]:
        """Of them, those that Redis holds and this release can read."""
        readable: list[Match] = []
        for match_id, row in zip(match_ids, self._rows(match_ids), strict=True):
            with suppress(Undecodable):
                readable += filter(None, [self._decoded(match_id, row)])
        return readable

    def _rows(self, match_ids: Sequence[str]) -> list[Any]:
        fields = ("match", "version", "updated_at", "events_version", "events_through")
        return self.sharded.of_each(
            match_ids, lambda pipe, shard, match_id: pipe.hmget(shard.key(keys.state(match_id)), *fields)
        )

    def _decoded(self, match_id: str, row: Any) -> Match | None:
        text, version, updated_at, events_version, events_through = row
        if not text:
            return None
        # The release before makes versions and does not say of their timelines: each may be another.
        changed_at = int(events_version if events_through == version else version)
        try:
            return decoded(
                match_id, lambda: decode_match(text, int(version), int(updated_at), events_version=changed_at)
            )
        except Undecodable as error:
            self._count(error)
            raise

    def _count(self, error: Undecodable) -> None:
        """For `undecodable`. Whoever only reads does not fail where Redis takes no writes."""
        if not tell(error):
            return
        home = self.sharded.home
        with suppress(redis.RedisError), home.redis.pipeline(transaction=True) as pipe:
            pipe.zadd(home.key(keys.UNDECODABLE), {error.match_id: time.time_ns() // 1_000_000})
            pipe.expire(home.key(keys.UNDECODABLE), UNDECODABLE_S)
            pipe.execute()

    @guarded
    def undecodable(self) -> int:
        """Matches in Redis that some process could not decode lately."""
        since_ms = time.time_ns() // 1_000_000 - UNDECODABLE_LATELY_MS
        home = self.sharded.home
        home.redis.zremrangebyscore(home.key(keys.UNDECODABLE), "-inf", since_ms)
        return int(home.redis.zcard(home.key(keys.UNDECODABLE)))

    @guarded
    def versions(self, match_ids: Sequence[str | None]) -> list[int | None]:
        """Only the versions, in the order asked: of matches, None where Redis holds none; and for None of the board."""
        shards = self.sharded.shards if None in match_ids else ()
        asks: list[tuple[Shard, Ask]] = [(shard, _ask_board_version) for shard in shards]
        asks += [(self.sharded.of(match_id), _ask_version(match_id)) for match_id in match_ids if match_id is not None]
        versions = [int(version) if version else None for version in self.sharded.pipelined(asks)]
        board, rest = sum(version or 0 for version in versions[: len(shards)]), iter(versions[len(shards) :])
        return [next(rest) if match_id is not None else board for match_id in match_ids]


def _ask_board_version(pipe: Any, shard: Shard) -> None:
    pipe.get(shard.key(keys.BOARD))


def _ask_version(match_id: str) -> Ask:
    return lambda pipe, shard: pipe.hget(shard.key(keys.state(match_id)), "version")


def _stored(row: Any, events: Iterable[bytes | None]) -> Match:
    """row: match, version, updated_at, rev and ledgers of its hash."""
    text, version, updated_at, _, ledgers = row
    match = decode_match(text, int(version), int(updated_at), _events(events))
    return derived_events(replace(match, ledgers=decode_ledgers(ledgers))) if ledgers else match


def _events(rows: Iterable[bytes | None]) -> list[Event]:
    return [decode_event(row) for row in rows if row]
