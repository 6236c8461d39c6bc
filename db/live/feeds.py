"""What each connected feed is doing, and who reads it: written by the feed process, shown by every web process."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass, fields
from typing import Any

from db.live import keys
from db.live.client import guarded
from db.live.sharding import ShardedRedis, ShardScript

# A reader that was killed is replaced after this long. It renews three times in between.
LEASE_MS = 3_000


@dataclass(frozen=True, slots=True)
class FeedHealth:
    """One feed, as its reader sees it. Times are ms since the epoch, 0 for never.

    name: of the feed, or of the place of one of its readers.
    holder: host and process that reads it.
    connected: whether the provider answers, or the stream is open.
    since: when that changed.
    heard_at: last message or answer, heartbeats included.
    messages: with content.
    updates: accepted.
    refused: messages refused.
    reconnects: after a lost connection or a failed request.
    gaps: times that messages may have been missed and were asked for again.
    differences: fields in which a document differed from the live state, before it was applied.
    differing: matches that differ although their documents were applied.
    quota_left: requests left, None where the provider does not count.
    silent_after_s: a healthy feed is heard more often than this.
    reason: of the last failure.
    """

    name: str
    holder: str = ""
    connected: bool = False
    since: int = 0
    heard_at: int = 0
    messages: int = 0
    updates: int = 0
    refused: int = 0
    reconnects: int = 0
    gaps: int = 0
    differences: int = 0
    differing: int = 0
    quota_left: int | None = None
    silent_after_s: float = 60.0
    reason: str = ""

    def state(self, now_ms: int) -> str:
        """`ok`, `silent` (connected, and nothing heard for too long) or `down`."""
        if not self.connected:
            return "down"
        return "ok" if now_ms - self.heard_at <= self.silent_after_s * 1000 else "silent"


class FeedStates:
    """Health by feed, and where each feed goes on after a restart."""

    def __init__(self, sharded: ShardedRedis) -> None:
        home = sharded.home
        self.redis, self.healths, self.positions = home.redis, home.key(keys.FEEDS), home.key(keys.FEED_POSITIONS)

    @guarded
    def report(self, health: FeedHealth) -> None:
        self.redis.hset(self.healths, health.name, json.dumps(asdict(health)))

    @guarded
    def all(self) -> list[FeedHealth]:
        """By name. An entry of another release is read as far as it fits."""
        return [health for _, value in sorted(self.redis.hgetall(self.healths).items()) if (health := _health(value))]

    @guarded
    def forget(self, name: str) -> None:
        self.redis.hdel(self.healths, name)
        self.redis.hdel(self.positions, name)

    @guarded
    def position(self, name: str) -> dict[str, Any]:
        """{} where the feed was never read."""
        value = self.redis.hget(self.positions, name)
        document = json.loads(value) if value else {}
        return document if isinstance(document, dict) else {}

    @guarded
    def keep_position(self, name: str, position: dict[str, Any]) -> None:
        self.redis.hset(self.positions, name, json.dumps(position))


def _health(value: bytes) -> FeedHealth | None:
    try:
        document = json.loads(value)
        names = {field.name for field in fields(FeedHealth)}
        return FeedHealth(**{name: document[name] for name in names if name in document})
    except (ValueError, TypeError):
        return None


class Lease:
    """One reader a feed, or as many as it has places. Losing it does no harm to the data: two readers accept the same
    updates twice.

    place: that is held, the name of the feed for the first, `name_2` and so on for others; "" for none.
    """

    def __init__(self, sharded: ShardedRedis, name: str, places: int = 1) -> None:
        self.shard, self.place = sharded.home, ""
        self.places = [name, *(f"{name}_{number}" for number in range(2, places + 1))]
        self.token = secrets.token_hex(8)
        self._renew = ShardScript(sharded, "lease_renew")

    @guarded
    def acquire(self) -> bool:
        """Take the first place that is free, or keep the one that is held, for LEASE_MS."""
        places = [self.place] if self.place else self.places
        self.place = next((place for place in places if self._hold(place, LEASE_MS)), "")
        return bool(self.place)

    @guarded
    def release(self) -> None:
        if self.place:
            self._hold(self.place, 0)
        self.place = ""

    def _hold(self, place: str, for_ms: int) -> bool:
        return bool(self._renew(self.shard, [keys.feed_lease(place)], [self.token, for_ms]))
