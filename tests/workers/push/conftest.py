from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.push import World


@pytest.fixture
def world(redis_url: str, sqlite_url: str) -> Iterator[World]:
    world = World(redis_url, sqlite_url)
    yield world
    world.close()
