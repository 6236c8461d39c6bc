"""What the web process works with, built once from the settings. No connection is made before the first use."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import gevent
import redis
from flask import current_app
from gevent import monkey

from api.delivery.answer import WaitOutcome
from api.delivery.connection_figures import ConnectionFigures
from api.delivery.details import Details
from api.delivery.goal_shelf import GoalShelf
from api.delivery.hub import Hub
from api.delivery.listener import Listener
from api.delivery.match_shelf import MatchShelf
from api.delivery.ramp import Ramp
from api.delivery.reader import SnapshotReader
from api.delivery.stamped import StampedCache
from api.server.places import places
from api.surge_watch import SurgeWatch
from api.web.bounded import BoundedDict, BoundedSet
from api.web.brief import BriefValue
from api.web.issuer_keys import IssuerKeys
from api.web.vapid import public_key
from cdn import headers
from config import Settings, pem
from db.live import metrics
from db.live.alerts import Alerts
from db.live.chunks import Chunks
from db.live.client import WEB_ANSWER_S, connect
from db.live.cluster import WEB_RETRIES, Cluster
from db.live.limits import Limits
from db.live.news import open_feed
from db.live.partials import Partials
from db.live.pictures import Pictures
from db.live.pubsub import NewsFeed
from db.live.purges import Purges
from db.live.shards import ShardCount
from db.live.store import LiveStore
from db.live.surge import SurgeSwitch
from db.sql.accounts import Accounts
from db.sql.audience import Audience
from db.sql.history import History
from db.sql.session import engine
from workers import queues

# Of a process's connections, how many may be waiting: the rest is for those who come and go, health checks among them.
HELD_PERCENT = 80
# s. A load balancer asks for /readyz every few seconds; anybody else may ask as often as they like.
READY_S = 1.0
# Pages kept rendered by a process: a board of 250 matches is 250 KB, a match 30 KB.
PAGES_MAX = 200
# Entries of a memory of tokens or addresses: 1 MB at most.
REMEMBERED = 10_000


@dataclass(frozen=True)
class Services:
    settings: Settings

    @cached_property
    def redis(self) -> redis.Redis:
        """One bounded pool of connections for all that this process asks Redis, but what is on a cluster."""
        return connect(self.settings.figures_url, answer_s=WEB_ANSWER_S)

    @cached_property
    def live(self) -> LiveStore:
        return LiveStore(self._cluster or self.redis, self.settings.live_shards, self.settings.replica_wait_ms)

    @cached_property
    def _cluster(self) -> Cluster | None:
        url = self.settings.redis_url
        return Cluster(url, answer_s=WEB_ANSWER_S, retries=WEB_RETRIES) if self.settings.redis_cluster else None

    @cached_property
    def shards(self) -> ShardCount:
        return ShardCount(self.live.sharded)

    @cached_property
    def history(self) -> History:
        replica = self.settings.sql_read_url
        return History(engine(self.settings.sql_url), engine(replica) if replica else None)

    @property
    def dialect(self) -> headers.Dialect:
        return self._dialects[self.hub.surging]

    @cached_property
    def _dialects(self) -> dict[bool, headers.Dialect]:
        """By whether the process surges."""
        usual = headers.dialect(self.settings.cdn)
        return {False: usual, True: usual.in_surge}

    @cached_property
    def accounts(self) -> Accounts:
        return Accounts(self.history.engine)

    @cached_property
    def audience(self) -> Audience:
        return Audience(self.history.engine)

    @cached_property
    def partials(self) -> Partials:
        return Partials(self.live.sharded)

    @cached_property
    def alerts(self) -> Alerts:
        return Alerts(self.live.sharded)

    @cached_property
    def chunks(self) -> Chunks:
        return Chunks(self.live.sharded)

    @cached_property
    def limits(self) -> Limits:
        return Limits(self.redis)

    @cached_property
    def surge_switch(self) -> SurgeSwitch:
        return SurgeSwitch(self.redis)

    @cached_property
    def surge_watch(self) -> SurgeWatch:
        return SurgeWatch(self.surge_switch, self.hub, now_ms)

    @cached_property
    def issuer_keys(self) -> IssuerKeys | None:
        """The keys of the issuer whose users are ours too."""
        return IssuerKeys(self.settings.auth_jwks_url) if self.settings.auth_jwks_url else None

    @cached_property
    def vapid_public_key(self) -> str | None:
        """What browsers subscribe with; None where this deployment sends them nothing."""
        return public_key(pem(self.settings.vapid_key)) if self.settings.vapid_key else None

    @cached_property
    def readiness(self) -> BriefValue[dict[str, Any]]:
        return BriefValue(READY_S)

    @cached_property
    def good_tokens(self) -> BoundedSet[str]:
        """Digests of bearer tokens that were right lately."""
        return BoundedSet(REMEMBERED)

    @cached_property
    def barred(self) -> BoundedDict[str, float]:
        """Addresses that sent too many wrong tokens, and until when (monotonic s) they are refused."""
        return BoundedDict(REMEMBERED)

    @cached_property
    def details(self) -> Details:
        return Details()

    @cached_property
    def shelf(self) -> MatchShelf:
        return MatchShelf(self.live, self.history.index)

    @cached_property
    def goals(self) -> GoalShelf:
        return GoalShelf(self.history.index)

    @cached_property
    def computed(self) -> StampedCache:
        return StampedCache()

    @cached_property
    def pages(self) -> Details:
        return Details(PAGES_MAX)

    @cached_property
    def reader(self) -> SnapshotReader:
        return SnapshotReader(self.live)

    @cached_property
    def hub(self) -> Hub:
        most = places(self.settings.worker_connections) * HELD_PERCENT // 100
        # Nothing in the hub gives way, so that only threads can meet in it.
        lock = nullcontext() if monkey.is_module_patched("threading") else None
        return Hub(most, later, _ended, lock, Ramp(self.settings.ramp_s))

    @cached_property
    def connections(self) -> ConnectionFigures:
        return ConnectionFigures()

    @cached_property
    def listener(self) -> Listener:
        return Listener(self.news, self.live, self.hub)

    def news(self) -> NewsFeed:
        """A new subscription."""
        return open_feed(self.settings.redis_url, self.settings.live_shards, is_cluster=self.settings.redis_cluster)

    @cached_property
    def purges(self) -> Purges:
        return Purges(self.live.sharded)

    @cached_property
    def pictures(self) -> Pictures:
        return Pictures(self.live.sharded)

    @cached_property
    def bells(self) -> queues.Doorbells:
        is_same = self.settings.queue_url == self.settings.figures_url
        return queues.Doorbells(self.redis if is_same else connect(self.settings.queue_url, answer_s=WEB_ANSWER_S))


def _ended(held: WaitOutcome, count: int) -> None:
    metrics.HELD_ENDED.add(count, held=held)


def later(seconds: float, action: Callable[[], None]) -> Callable[[], None]:
    """Do it then; what is returned takes it back.

    Under gevent nothing here gives way, for nothing in the hub may, which calls it. A thread's `start` would: it waits
    for the thread.
    """
    if monkey.is_module_patched("threading"):
        greenlet = gevent.spawn_later(seconds, action)
        return lambda: greenlet.kill(block=False)
    timer = threading.Timer(seconds, action)
    timer.daemon = True
    timer.start()
    return timer.cancel


def here() -> Services:
    return cast(Services, current_app.extensions["services"])


def now_ms() -> int:
    return time.time_ns() // 1_000_000
