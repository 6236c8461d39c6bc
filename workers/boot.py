"""The worker's composition root: services, built at first use in the process that uses them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from cdn import backends
from cdn.backend import Backend
from config import Settings
from db.alerts import Alerts
from db.audience import Audience
from db.chunks import Chunks
from db.connection import connect
from db.domain import Precedence
from db.errors import Refused
from db.history import History
from db.live import Live
from db.partials import Partials
from db.purges import Purges
from db.session import engine
from db.shards import Shards, agree_at_start
from workers import queues
from workers.transports import Transports


@dataclass(frozen=True)
class Services:
    settings: Settings

    @cached_property
    def live(self) -> Live:
        return Live(connect(self.settings.redis_url), self.settings.ingest_shards)

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
    def partials(self) -> Partials:
        return Partials(self.live.redis)

    @cached_property
    def purges(self) -> Purges:
        return Purges(self.live.redis)

    @cached_property
    def cdn(self) -> Backend:
        return backends.chosen(self.settings)

    @cached_property
    def alerts(self) -> Alerts:
        return Alerts(connect(self.settings.redis_url))

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
    def bells(self) -> queues.Bells:
        return queues.Bells(connect(self.settings.queue_url), tuple(_served))


# The queues whose jobs this process takes, once it is a worker.
_served: list[str] = list(queues.ALL)


def serve(names: Sequence[str]) -> None:
    """Before the first use of `services`."""
    _served[:] = names


@lru_cache(maxsize=1)
def services() -> Services:
    """Raises Refused where the settings of the CDN do not suffice."""
    settings = Settings.at_start()
    backends.check(settings)
    return Services(settings)


def begin() -> Services:
    """Of a process: a setting that does not suffice, or does not fit Redis, ends it with one sentence."""
    try:
        here = services()
        agree_at_start(here.settings.redis_url, here.settings.ingest_shards)
    except Refused as error:
        sys.exit(error.message)
    return here
