"""Composition root of worker processes: services are built on first use in the process that needs them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import redis

from cdn.backends import registry
from cdn.backends.base import Backend
from config import Settings
from db.domain import Precedence
from db.live.alerts import Alerts
from db.live.broadcasts import Broadcasts
from db.live.chunks import Chunks
from db.live.client import connect
from db.live.cluster import Cluster, connect_live
from db.live.kickoffs import Kickoffs
from db.live.news import open_feed
from db.live.partials import Partials
from db.live.pictures import Pictures
from db.live.plans import Plans
from db.live.pubsub import NewsFeed
from db.live.purges import Purges
from db.live.sharding import ShardedRedis
from db.live.shards import ShardCount
from db.live.store import LiveStore
from db.sql.accounts import Accounts
from db.sql.audience import Audience
from db.sql.history import History
from db.sql.session import engine
from feeds.generic.message import message_of
from workers import queues
from workers.push.transports import Transports
from workers.startup import settings_at_start


@dataclass(frozen=True)
class WorkerServices:
    settings: Settings

    @cached_property
    def live(self) -> LiveStore:
        message = message_of if self.settings.kafka_out else None
        return LiveStore(self._connect(), self.settings.live_shards, self.settings.replica_wait_ms, message)

    @cached_property
    def figures(self) -> redis.Redis:
        """Where metrics are counted."""
        return connect(self.settings.figures_url)

    def news(self) -> NewsFeed:
        """A new subscription."""
        return open_feed(self.settings.redis_url, self.settings.live_shards, is_cluster=self.settings.redis_cluster)

    def _connect(self) -> redis.Redis | Cluster:
        return connect_live(self.settings.redis_url, is_cluster=self.settings.redis_cluster)

    @cached_property
    def precedence(self) -> Precedence:
        sources = self.settings.sources.replace(",", " ").split()
        return Precedence(sources, self.settings.source_silence_s * 1000)

    @cached_property
    def shards(self) -> ShardCount:
        return ShardCount(self.live.sharded)

    @cached_property
    def history(self) -> History:
        return History(engine(self.settings.sql_url))

    @cached_property
    def accounts(self) -> Accounts:
        return Accounts(self.history.engine)

    @cached_property
    def partials(self) -> Partials:
        return Partials(self.live.sharded)

    @cached_property
    def purges(self) -> Purges:
        return Purges(self.live.sharded)

    @cached_property
    def pictures(self) -> Pictures:
        return Pictures(self.live.sharded)

    @cached_property
    def cdn(self) -> Backend:
        return registry.chosen(self.settings)

    @cached_property
    def _for_push(self) -> ShardedRedis:
        return ShardedRedis(self._connect(), self.settings.live_shards)

    @cached_property
    def alerts(self) -> Alerts:
        return Alerts(self._for_push)

    @cached_property
    def plans(self) -> Plans:
        return Plans(self._for_push)

    @cached_property
    def kickoffs(self) -> Kickoffs:
        return Kickoffs(self.figures)

    @cached_property
    def broadcasts(self) -> Broadcasts:
        return Broadcasts(self._for_push)

    @cached_property
    def chunks(self) -> Chunks:
        return Chunks(self._for_push)

    @cached_property
    def audience(self) -> Audience:
        return Audience(self.history.engine)

    @cached_property
    def transports(self) -> Transports:
        return Transports(self.settings)

    @cached_property
    def bells(self) -> queues.Doorbells:
        return queues.Doorbells(connect(self.settings.queue_url), tuple(_served))


# The queues that this worker process serves.
_served: list[str] = list(queues.ALL)


def serve(names: Sequence[str]) -> None:
    """Set the served queues. Call before the first use of `services`."""
    _served[:] = names


@lru_cache(maxsize=1)
def services() -> WorkerServices:
    """Raises Refused where settings of the CDN are missing."""
    settings = Settings.at_start()
    registry.check(settings)
    return WorkerServices(settings)


def begin() -> WorkerServices:
    """Services at process start, once the settings are checked."""
    settings_at_start()
    return services()
