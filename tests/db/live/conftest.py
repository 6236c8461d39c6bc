"""Live state on a real Redis, empty for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from db.live.store import LiveStore
from tests.support.layouts import Layout


@pytest.fixture
def client(layout: Layout) -> Iterator[redis.Redis]:
    client_ = layout.client()
    yield client_
    client_.close()


@pytest.fixture
def live(layout: Layout) -> Iterator[LiveStore]:
    live_ = layout.live()
    yield live_
    live_.redis.close()
    live_.sharded.connection.close()
