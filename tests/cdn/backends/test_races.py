"""The three races of a purge with the refill that follows it: reproduced, and shown not to leave an old score for long.

In each the old version is in the cache after the purge; the second purge drops it, and so does its lifetime.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cdn.varnish.daemon import Edge
from tests.cdn.varnish.paths import new_path
from tests.conftest import wait_until
from tests.support.edge import QUICK, SECRET, Origin, Varnish, at_once, free_port, score, varnish
from workers.purge import REBOUND_MS

SCORE = "/api/score/m1"


def rebound(edge: Varnish) -> None:
    edge.purge("match-m1")
    assert edge.version() == 2


def expiry(edge: Varnish) -> None:
    """Without any second purge."""
    wait_until(lambda: edge.version() == 2, "the lifetime of the old score")


ends = pytest.mark.parametrize("end", [rebound, expiry])


@ends
def test_a_fetch_that_began_before_the_commit_fills_the_cache_after_the_purge(
    edge: Varnish, origin: Origin, end: Callable[[Varnish], None]
) -> None:
    old = score(1)
    old.held = threading.Event()
    origin.replies[SCORE] = old
    reader = threading.Thread(target=edge.version)
    reader.start()
    wait_until(lambda: origin.count(SCORE), "the fetch that is under way")
    origin.replies[SCORE] = score(2)
    edge.purge("match-m1")
    old.held.set()
    reader.join()
    stale = edge.get(SCORE)
    assert (stale.json()["version"], stale.headers["X-Cache"]) == (1, "HIT")
    end(edge)


def test_a_fetch_that_ends_after_both_purges_leaves_an_old_score_for_no_longer_than_a_live_one(
    edge: Varnish, origin: Origin
) -> None:
    """A final score is kept for ten minutes, and an origin may take three seconds to say it."""
    path = new_path("slow")
    old = score(1, ttl=600, key="slow")
    old.held = threading.Event()
    origin.replies[path] = old
    reader = threading.Thread(target=edge.version, args=(path,))
    reader.start()
    wait_until(lambda: origin.count(path), "the fetch that is under way")
    threading.Timer(REBOUND_MS / 1000 + 0.2, old.held.set).start()
    reader.join()
    origin.replies[path] = score(2)
    assert edge.version(path) == 1
    wait_until(lambda: edge.version(path) == 2, "the lifetime of a live score", 10)


@ends
def test_an_origin_that_lags_behind_its_own_commit_is_asked_by_the_purge(
    edge: Varnish, origin: Origin, end: Callable[[Varnish], None]
) -> None:
    origin.replies[SCORE] = score(1)
    edge.version()
    lagging = [score(1)]
    origin.replies[SCORE] = lambda _: lagging.pop() if lagging else score(2)
    edge.purge("match-m1")
    assert edge.get(SCORE).json() == {"version": 1}
    assert edge.get(SCORE).headers["X-Cache"] == "HIT"
    end(edge)


class Shield(Edge):
    """Hands its lifetimes and keys on to the edges that ask it, as a CDN's own shield does."""

    def prepare(self) -> None:
        super().prepare()
        vcl = self.folder / "edge.vcl"
        kept = [line for line in vcl.read_text().splitlines() if "unset resp.http.Surrogate" not in line]
        vcl.write_text("\n".join(kept) + "\n")


@pytest.fixture
def shield(origin: Origin, tmp_path: Path) -> Iterator[Varnish]:
    shield = Shield(
        tmp_path / "shield",
        f"127.0.0.1:{origin.port}",
        f"127.0.0.1:{free_port()}",
        f"127.0.0.1:{free_port()}",
        storage="32m",
        threads=500,
    )
    with shield.running(SECRET, **QUICK):
        yield Varnish(shield)


@ends
def test_an_edge_purged_before_its_shield_takes_the_old_score_from_it(
    origin: Origin, shield: Varnish, tmp_path: Path, end: Callable[[Varnish], None]
) -> None:
    origin.replies[SCORE] = score(1)
    with varnish(tmp_path / "edge", int(shield.edge.listen.rsplit(":", 1)[1])) as edge:
        assert edge.version() == 1
        origin.replies[SCORE] = score(2)
        edge.purge("match-m1")
        assert edge.version() == 1
        shield.purge("match-m1")
        assert edge.get(SCORE).json() == {"version": 1}
        end(edge)


def test_a_purged_score_is_never_served_again_by_an_edge_whose_origin_is_well(edge: Varnish, origin: Origin) -> None:
    """Some caches keep a stale copy that outlives the purge and is handed out while the fetch is under way."""
    origin.replies[SCORE] = score(1, ttl=60)
    edge.version()
    slow = score(2)
    slow.held = threading.Event()
    origin.replies[SCORE] = slow
    edge.purge("match-m1")
    threading.Timer(0.5, slow.held.set).start()
    assert at_once([edge.version] * 20) == [2] * 20
    assert origin.count(SCORE) == 2
