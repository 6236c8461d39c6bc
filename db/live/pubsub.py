"""What changed, as Redis tells it to whoever listens: the subscriber's side of `scores:changed`."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Protocol

import redis

from db.domain.errors import Unavailable
from db.live import keys
from db.live.client import connect

# Asked for a sign of life this often, and given up after thrice as long: a router that drops idle connections without
# a word is noticed before a held poll ends (20 s).
PING_S, SILENT_S = 5.0, 15.0
# News taken in one go. At a Saturday's 230 a second the rest waits for milliseconds.
MOST = 1_000


@dataclass(frozen=True, slots=True)
class MatchChanged:
    """One new version of a match. board: the board's version with it, 0 if the match is not on it.
    urgent: score or status changed. told: lists show something new of it, and more than a minute that ticks."""

    match_id: str
    version: int
    board: int
    urgent: bool
    told: bool = True


@dataclass(frozen=True, slots=True)
class Gap:
    """Stands among the news where something may have been missed: the subscription is new.

    shard: the number of the one that it is of; None for all.
    """

    shard: int | None = None


GAP = Gap()
News = MatchChanged | Gap


class NewsFeed(Protocol):
    """A subscription to all changes."""

    @property
    def deaf(self) -> int:
        """How many shards are not heard just now."""
        ...

    def subscribe(self) -> None:
        """Raises Unavailable. `next` then begins with a Gap."""
        ...

    def next(self, wait_s: float) -> list[News]:
        """What has come by now, after waiting at most `wait_s` for the first. Raises Unavailable once it is cut off."""
        ...

    def close(self) -> None: ...


class ChangeFeed:
    """One subscription. It never reconnects by itself: what was said meanwhile is gone, and the listener must know."""

    def __init__(self, url: str) -> None:
        client = connect(url, retries=0)
        # Any: redis-py leaves its pub/sub untyped.
        self.pubsub: Any = client.pubsub()  # type: ignore[no-untyped-call]
        self.client = client
        self.heard_at = self.pinged_at = 0.0
        self.deaf = 0

    def subscribe(self) -> None:
        """Raises Unavailable. `next` then begins with GAP."""
        try:
            self.pubsub.subscribe(keys.CHANGED)
        except (redis.RedisError, OSError) as error:
            raise Unavailable(f"the news are out of reach: {type(error).__name__}") from error
        self.heard_at = self.pinged_at = time.monotonic()

    def next(self, wait_s: float) -> list[News]:
        """What has come by now, after waiting at most `wait_s` for the first. Raises Unavailable once it is cut off."""
        messages: list[News] = []
        try:
            self._ping()
            while len(messages) < MOST and (message := self.pubsub.get_message(timeout=0.0 if messages else wait_s)):
                self.heard_at = time.monotonic()
                if message["type"] == "subscribe":
                    messages.append(GAP)
                elif message["type"] == "message":
                    messages.append(news_of(message["data"]))
                else:
                    break
        except (redis.RedisError, OSError) as error:
            raise Unavailable(f"the news are cut off: {type(error).__name__}") from error
        if time.monotonic() - self.heard_at > SILENT_S:
            raise Unavailable("the news have fallen silent")
        return messages

    def close(self) -> None:
        self.pubsub.close()
        self.client.close()

    def _ping(self) -> None:
        now = time.monotonic()
        if now - self.pinged_at > PING_S:
            self.pinged_at = now
            self.pubsub.ping()


def news_of(data: bytes) -> MatchChanged:
    match_id, version, board, urgent = data.decode().split(" ")
    return MatchChanged(match_id, int(version), int(board), urgent == "1", urgent != "-")
