"""Live state on a real Redis, empty for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from db.live.client import connect
from db.live.store import LiveStore
from tests.support.layouts import Layout


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    client_ = connect(redis_url)
    yield client_
    client_.close()


@pytest.fixture
def live(client: redis.Redis, layout: Layout) -> LiveStore:
    return LiveStore(client, layout.shards)
