from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from tests.support.edge import Origin, Varnish, varnish


def pytest_itemcollected(item: pytest.Item) -> None:
    """Those who share the varnishd run in one process."""
    if isinstance(item, pytest.Function) and "edge_and_origin" in item.fixturenames:
        item.add_marker(pytest.mark.xdist_group("varnish"))


@pytest.fixture(scope="session")
def edge_and_origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Varnish, Origin]]:
    """One varnishd for all tests: compiling the VCL takes seconds. Each test asks for paths of its own."""
    if not shutil.which("varnishd", path="/usr/sbin:/usr/local/sbin:/usr/bin"):
        pytest.skip("no Varnish: apt-get install varnish varnish-modules")
    origin = Origin()
    origin.start()
    with varnish(tmp_path_factory.mktemp("varnish"), origin.port) as edge:
        yield edge, origin
    origin.stop()


@pytest.fixture
def origin(edge_and_origin: tuple[Varnish, Origin]) -> Iterator[Origin]:
    """Well, and empty."""
    origin = edge_and_origin[1]
    origin.replies.clear()
    origin.asked.clear()
    yield origin
    for reply in origin.replies.values():
        if held := getattr(reply, "held", None):
            held.set()


@pytest.fixture
def edge(edge_and_origin: tuple[Varnish, Origin], origin: Origin) -> Varnish:
    """With nothing in its cache."""
    edge = edge_and_origin[0]
    edge.purge("match-m1 live day-2026-11-25 competition-c canary any")
    return edge
