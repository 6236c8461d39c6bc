"""What changed in a cluster: one connection and thread a master, which hears the channels of the shards there."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from queue import Empty, Full, Queue
from typing import Any

import redis
from redis.crc import key_slot

from db.live import keys
from db.live.client import connect_to
from db.live.cluster import Address, Topology
from db.live.pubsub import MOST, PING_S, SILENT_S, ChangeFeed, Gap, News, NewsFeed, news_of
from db.live.sharding import tags

logger = logging.getLogger(__name__)

# s. Between two attempts to hear a shard whose master is gone.
AGAIN_S = 0.2
# How long an ear waits for news before it looks whether to end.
LOOK_S = 1.0
# News that the listener has not taken; what comes then waits in Redis.
WAITING_MAX = 10_000


def open_feed(url: str, shards: int, *, is_cluster: bool) -> NewsFeed:
    return ClusterFeed(url, shards) if is_cluster else ChangeFeed(url)


class ClusterFeed:
    """One subscription to all shards. Where one is lost the others go on, and a Gap of it follows once it is heard
    again: the master was replaced, or its slot moved, of which nobody but a `sunsubscribe` tells."""

    def __init__(self, url: str, shards: int) -> None:
        self.topology = Topology(url)
        self.slots = {number: key_slot(tag.encode()) for number, tag in enumerate(tags(shards))}
        self.channels = {number: f"{tag}{keys.CHANGED}" for number, tag in enumerate(tags(shards))}
        self.news: Queue[News | None] = Queue(WAITING_MAX)
        self.ears: list[Ear] = []
        self.heard: set[int] = set()
        self.tuned_at = float("-inf")

    @property
    def deaf(self) -> int:
        return len(self.slots) - len(self.heard)

    def subscribe(self) -> None:
        self._tune()

    def next(self, wait_s: float) -> list[News]:
        self._tune()
        ends = time.monotonic() + (min(wait_s, AGAIN_S) if self.deaf else wait_s)
        messages: list[News] = []
        while len(messages) < MOST:
            try:
                item = self.news.get(timeout=0 if messages else max(0.0, ends - time.monotonic()))
            except Empty:
                break
            if item is None:
                break
            if isinstance(item, Gap) and item.shard is not None:
                self.heard.add(item.shard)
            messages.append(item)
        return messages

    def close(self) -> None:
        for ear in self.ears:
            ear.is_stopping = True

    def _tune(self) -> None:
        """An ear for every shard that has none, at the master that has it as far as is known."""
        for ear in [ear for ear in self.ears if not ear.is_alive()]:
            self.topology.doubt()
            self.heard -= ear.channels.keys()
            self.ears.remove(ear)
        without = self.slots.keys() - {number for ear in self.ears for number in ear.channels}
        if not without or time.monotonic() - self.tuned_at < AGAIN_S:
            return
        self.tuned_at = time.monotonic()
        by_master: dict[Address, list[int]] = {}
        for number in sorted(without):
            try:
                by_master.setdefault(self.topology.master_of(self.slots[number]), []).append(number)
            except redis.ConnectionError:
                continue
        for master, numbers in by_master.items():
            ear = Ear(self, master, numbers)
            self.ears.append(ear)
            ear.start()


class Ear(threading.Thread):
    """Hears some shards at one master, until the first trouble."""

    def __init__(self, feed: ClusterFeed, master: Address, numbers: Sequence[int]) -> None:
        super().__init__(name="ear", daemon=True)
        self.news = feed.news
        self.channels = {number: feed.channels[number] for number in numbers}
        self.client = connect_to(master, feed.topology.options, tls=feed.topology.tls)
        self.is_stopping = False

    def run(self) -> None:
        # Any: redis-py leaves its pub/sub untyped.
        pubsub: Any = self.client.pubsub()  # type: ignore[no-untyped-call]
        try:
            for channel in self.channels.values():
                # One command a shard: a channel is in a slot, too.
                pubsub.ssubscribe(channel)
            # A replica takes a subscription, too, and hears of its master over a link that may break. One that is asked
            # after it, and is the master, will say when it is none any more.
            role: Any = self.client.execute_command("ROLE")  # type: ignore[no-untyped-call]
            if role[0] == b"master":
                self._hear(pubsub)
        except (redis.RedisError, OSError, Full) as error:
            logger.info("ear_deaf shards=%d reason=%s", len(self.channels), type(error).__name__)
        finally:
            pubsub.close()
            self.client.close()
            # The feed looks after its ears; this only wakes it.
            with suppress(Full):
                self.news.put_nowait(None)

    def _hear(self, pubsub: Any) -> None:
        """Ends where the master gives up a shard, or falls silent."""
        numbers = {channel.encode(): number for number, channel in self.channels.items()}
        heard_at = pinged_at = time.monotonic()
        while not self.is_stopping and time.monotonic() - heard_at < SILENT_S:
            if time.monotonic() - pinged_at > PING_S:
                pinged_at = time.monotonic()
                pubsub.ping()
            message = pubsub.get_message(timeout=LOOK_S)
            if not message:
                continue
            heard_at = time.monotonic()
            if message["type"] == "ssubscribe":
                self.news.put(Gap(numbers[message["channel"]]), timeout=SILENT_S)
            elif message["type"] == "smessage":
                self.news.put(news_of(message["data"]), timeout=SILENT_S)
            elif message["type"] == "sunsubscribe":
                return
