from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.layouts import Layout
from tests.support.push import World


@pytest.fixture
def world(layout: Layout, sqlite_url: str) -> Iterator[World]:
    world = World(layout, sqlite_url)
    yield world
    world.close()
