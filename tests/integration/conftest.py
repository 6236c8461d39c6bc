"""A web process that several modules share; those are in the xdist group `held`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.holding import Connect, Origin


@pytest.fixture(scope="session")
def held_origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Origin]:
    with Origin.running(tmp_path_factory.mktemp("origin")) as origin:
        yield origin


@pytest.fixture
def origin(held_origin: Origin) -> Iterator[Origin]:
    """With the match `m` at some score, and nobody in the hub, before the test and after it."""
    held_origin.goal()
    held_origin.wait_for_here(0)
    yield held_origin
    held_origin.hang_up()
    held_origin.wait_for_here(0)
    held_origin.wait_for_nobody()


@pytest.fixture
def client(origin: Origin) -> Connect:
    return origin.client
