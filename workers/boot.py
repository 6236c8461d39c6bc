"""Composition root of worker processes: services are built on first use in the process that needs them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from cdn.backends import registry
from cdn.backends.base import Backend
from config import Settings
from db.domain import Precedence
from db.domain.errors import Refused
from db.live.alerts import Alerts
from db.live.broadcasts import Broadcasts
from db.live.chunks import Chunks
from db.live.client import connect
from db.live.kickoffs import Kickoffs
from db.live.partials import Partials
from db.live.plans import Plans
from db.live.purges import Purges
from db.live.shards import Shards, agree_at_start
from db.live.store import LiveStore
from db.sql.accounts import Accounts
from db.sql.audience import Audience
from db.sql.history import History
from db.sql.session import engine
from workers import queues
from workers.push.transports import Transports


@dataclass(frozen=True)
class WorkerServices:
    settings: Settings

    @cached_property
    def live(self) -> LiveStore:
        return LiveStore(connect(self.settings.redis_url), self.settings.ingest_shards)

    @cached_property
    def precedence(self) -> Precedence:
        sources = self.settings.sources.replace(",", " ").split()
        return Precedence(sources, self.settings.source_silence_s * 1000)

    @cached_property
    def shards(self) -> Shards:
        return Shards(self.live.redis, self.settings.ingest_shards)

    @cached_property
    def history(self) -> History:
        return History(engine(self.settings.sql_url))

    @cached_property
    def accounts(self) -> Accounts:
        return Accounts(self.history.engine)

    @cached_property
    def partials(self) -> Partials:
        return Partials(self.live.redis)

    @cached_property
    def purges(self) -> Purges:
        return Purges(self.live.redis)

    @cached_property
    def cdn(self) -> Backend:
        return registry.chosen(self.settings)

    @cached_property
    def alerts(self) -> Alerts:
        return Alerts(connect(self.settings.redis_url))

    @cached_property
    def plans(self) -> Plans:
        return Plans(self.alerts.redis)

    @cached_property
    def kickoffs(self) -> Kickoffs:
        return Kickoffs(self.live.redis)

    @cached_property
    def broadcasts(self) -> Broadcasts:
        return Broadcasts(self.alerts.redis)

    @cached_property
    def chunks(self) -> Chunks:
        return Chunks(connect(self.settings.redis_url))

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
    """Services at process start. A missing setting, or one that contradicts Redis, exits with one sentence."""
    try:
        started = services()
        agree_at_start(started.settings.redis_url, started.settings.ingest_shards)
    except Refused as error:
        sys.exit(error.message)
    return started
