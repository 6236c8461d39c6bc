"""A feed's world, its Redis empty."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.feed_world import FeedWorld
from workers.boot import WorkerServices


@pytest.fixture
def world(services: WorkerServices) -> Iterator[FeedWorld]:
    built = FeedWorld(services)
    yield built
    built.close()
