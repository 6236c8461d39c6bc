"""Moves what is live to another number of shards: copies every key under its new name, while nothing is written.

What it leaves behind expires by itself, so a process that still has the old number goes on showing what was.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from db.live import keys
from db.live.client import guarded
from db.live.keys import match_of
from db.live.sharding import Shard, ShardedRedis

# Keys that are copied in one trip.
PAGE = 500
# s. For how long the old keys are still there to be read.
LEFT_S = 15 * 60
# Deliveries that came so shortly before the doors were closed may have broken off between two shards. Their ids are not
# copied, so that they are taken when they come again: repeats change nothing.
BROKEN_OFF_MS = 10_000

# Whose a key is, by its name: the match itself, or the alert of one.
_OF_MATCH = re.compile(r"match:\{(.+)\}:(?:state|events|inbox|outbox|outlet|push|window|documents|picture)")
_OF_ALERT = re.compile(r"push:(?:alert|chunk|missed|progress):(.+)")
_SEEN = re.compile(r"seen:.*")
# Hashes of which each name is in the shard that a match of this name would be in.
_NAMES = re.compile(r"names:.*")
# Sorted sets whose members begin with the id of a match, or are one.
_INDEXES = {
    keys.DUE,
    keys.DOCUMENTS_PENDING,
    keys.PARKED,
    keys.HISTORY_PENDING,
    keys.HISTORY_PARKED,
    keys.PARTIAL,
    keys.OUTLET_PENDING,
    keys.PICTURES_PENDING,
    keys.PICTURES_KEPT,
    keys.MATCHES,
    keys.PUSH_PARKED,
    keys.PUSH_RECENT,
    *keys.PUSH_WORK,
}
# Sorted sets of which any shard may have a member.
_SPREAD = {keys.PURGE_PENDING, keys.PURGE_REBOUND}
# What belongs to no match.
_HOME = re.compile(rf"{keys.FEEDS}|{keys.FEED_POSITIONS}|{keys.REFUSED}|{keys.UNDECODABLE}|push:health:.*")


class Moving:
    """From the shards that a Redis is divided in to others, of this Redis or another.

    closed_at_ms: since when nothing is accepted.
    tell: shown how many keys were copied.
    """

    def __init__(self, old: ShardedRedis, new: ShardedRedis, closed_at_ms: int, tell: Callable[[int], None]) -> None:
        self.old, self.new, self.closed_at_ms, self.tell = old, new, closed_at_ms, tell

    @guarded
    def run(self) -> int:
        """Copy everything; returns the number of keys. Safe to repeat."""
        count = 0
        for shard in self.old.shards:
            names = self._names(shard)
            while page := list(islice(names, PAGE)):
                self._copy(shard, page)
                count += len(page)
                self.tell(count)
        self._raise_board()
        return count

    @guarded
    def leave(self) -> None:
        """Let the old keys expire."""
        for shard in self.old.shards:
            names = self._names(shard)
            while page := list(islice(names, PAGE)):
                with shard.redis.pipeline(transaction=False) as pipe:
                    for name in page:
                        pipe.expire(shard.key(name), LEFT_S)
                    pipe.execute()

    def _names(self, shard: Shard) -> Iterator[str]:
        """Names of the keys of a shard that are copied, without its tag."""
        pattern = re.sub(r"([\[\]?*\\])", r"\\\1", shard.tag) + "*"
        for name in shard.redis.scan_iter(match=pattern, count=1_000):
            bare = name.decode().removeprefix(shard.tag)
            if self._is_copied(bare):
                yield bare

    def _is_copied(self, name: str) -> bool:
        patterns = (_OF_MATCH, _OF_ALERT, _SEEN, _NAMES, _HOME)
        return name in _INDEXES | _SPREAD or any(pattern.fullmatch(name) for pattern in patterns)

    def _copy(self, shard: Shard, names: list[str]) -> None:
        whole = [name for name in names if name not in _INDEXES | _SPREAD and not _NAMES.fullmatch(name)]
        with shard.redis.pipeline(transaction=False) as pipe:
            for name in whole:
                pipe.dump(shard.key(name))
                pipe.pttl(shard.key(name))
                # Of a delivery: when it was accepted. Of others an error, which nobody asks for.
                pipe.get(shard.key(name))
            answers = pipe.execute(raise_on_error=False)
        for name, dump, ttl_ms, value in zip(whole, answers[::3], answers[1::3], answers[2::3], strict=True):
            if isinstance(dump, bytes):
                self._restore(name, dump, max(0, ttl_ms), value)
        for name in names:
            if name in _INDEXES | _SPREAD:
                self._copy_index(shard, name)
            elif _NAMES.fullmatch(name):
                self._copy_names(shard, name)

    def _restore(self, name: str, dump: bytes, ttl_ms: int, value: Any) -> None:
        for shard in self._homes(name, value):
            shard.redis.restore(shard.key(name), ttl_ms, dump, replace=True)

    def _homes(self, name: str, value: Any) -> tuple[Shard, ...]:
        """Where a key belongs."""
        if match := _OF_MATCH.fullmatch(name):
            return (self.new.of(match[1]),)
        if alert := _OF_ALERT.fullmatch(name):
            return (self.new.of_alert(alert[1]),)
        if _SEEN.fullmatch(name):
            return self.new.shards if int(value) < self.closed_at_ms - BROKEN_OFF_MS else ()
        return (self.new.home,)

    def _copy_index(self, shard: Shard, name: str) -> None:
        for member, score in shard.redis.zscan_iter(shard.key(name), count=1_000):
            to = self.new.of(match_of(member.decode()))
            to.redis.zadd(to.key(name), {member: score})

    def _copy_names(self, shard: Shard, key: str) -> None:
        for name, meant in shard.redis.hscan_iter(shard.key(key), count=1_000):
            to = self.new.of(name.decode())
            to.redis.hset(to.key(key), name, meant)

    def _raise_board(self) -> None:
        """Its version is the sum of the shards' and must not fall: readers ignore what is older than they have."""
        version = sum(int(part or 0) for part in self.old.each(_ask_board))
        if version:
            part = version // len(self.new.shards) + 1
            self.new.each(lambda pipe, shard: pipe.set(shard.key(keys.BOARD), part))


def _ask_board(pipe: Any, shard: Shard) -> None:
    pipe.get(shard.key(keys.BOARD))


def now_ms() -> int:
    return time.time_ns() // 1_000_000
