"""What the jobs work with, on a real Redis and a real database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from config import Settings
from workers.boot import WorkerServices


@pytest.fixture
def make_services(redis_url: str) -> Iterator[Callable[..., WorkerServices]]:
    built: list[WorkerServices] = []

    def make(database_url: str, **changed: Any) -> WorkerServices:
        urls = {"redis_url": redis_url, "database_url": database_url}
        built.append(WorkerServices(Settings(**(urls | changed))))
        return built[-1]

    yield make
    for services in built:
        services.live.redis.close()
        services.bells.client.close()
        services.history.engine.dispose()


@pytest.fixture
def services(make_services: Callable[..., WorkerServices], sqlite_url: str) -> WorkerServices:
    return make_services(sqlite_url)
