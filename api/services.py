"""What the web process works with, built once from the settings. No connection is made before the first use."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from typing import cast

from flask import current_app

from config import Settings
from db.history import History
from db.live import Live, connect
from db.session import engine
from workers import queues


@dataclass(frozen=True)
class Services:
    settings: Settings

    @cached_property
    def live(self) -> Live:
        return Live(connect(self.settings.redis_url), self.settings.ingest_shards)

    @cached_property
    def history(self) -> History:
        return History(engine(self.settings.sql_url))

    @cached_property
    def bells(self) -> queues.Bells:
        return queues.Bells(queues.connect(self.settings.queue_url))


def here() -> Services:
    return cast(Services, current_app.extensions["services"])


def now_ms() -> int:
    return time.time_ns() // 1_000_000
