"""Several Varnishes, of which one is away for a while."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis

from cdn.backends.base import later
from cdn.backends.varnish import Varnish as VarnishBackend
from cdn.varnish.daemon import Edge
from db.live.client import connect
from db.live.keys import PURGE_PENDING
from db.live.purges import Purges, entry
from db.live.sharding import ShardedRedis
from dev.system import free_port
from tests.conftest import wait_until
from tests.support.edge import QUICK, SECRET, Origin, Varnish, score
from workers.purge import Purger

SCORE = "/api/score/m1"
KEY = "match-m1"


class Node(Varnish):
    """One that a test may kill, stop and start again where it was."""

    def __init__(self, folder: Path, origin_port: int) -> None:
        listen, admin = (f"127.0.0.1:{free_port()}" for _ in range(2))
        super().__init__(Edge(folder, f"127.0.0.1:{origin_port}", listen, admin, storage="32m", threads=500))
        self.stack = ExitStack()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = self.stack.enter_context(self.edge.running(SECRET, **QUICK))

    def signal(self, number: signal.Signals) -> None:
        """To the manager and the process that serves."""
        assert self.process
        os.killpg(self.process.pid, number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self.stack.close()


@pytest.fixture
def nodes(edge_and_origin: tuple[Varnish, Origin], origin: Origin, tmp_path: Path) -> Iterator[list[Node]]:
    nodes = [Node(tmp_path / name, origin.port) for name in ("a", "b")]
    for node in nodes:
        node.start()
    yield nodes
    for node in nodes:
        node.stack.close()


class Purging:
    """Goals of one match, and the worker that purges them at all nodes."""

    def __init__(self, client: redis.Redis, origin: Origin, nodes: list[Node]) -> None:
        self.client, self.origin = client, origin
        self.purges = Purges(ShardedRedis(client, 1))
        self.backend = VarnishBackend([node.admin for node in nodes], SECRET)
        self.purger = Purger(self.purges, self.backend)
        self.versions = itertools.count(2)

    def goal(self, lifetime_s: int = 3) -> int:
        """Committed, and due."""
        version = next(self.versions)
        self.origin.replies[SCORE] = score(version, ttl=60)
        self.client.zadd(PURGE_PENDING, {entry(KEY, lifetime_s): self.now_ms()})
        return version

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def round(self) -> None:
        self.purger.round(self.now_ms())

    def rounds_until(self, true: Callable[[], object], what: str) -> None:
        wait_until(lambda: (self.round(), true())[1], what)


@pytest.fixture
def purging(redis_url: str, origin: Origin, nodes: list[Node]) -> Iterator[Purging]:
    client = connect(redis_url)
    origin.replies[SCORE] = score(1, ttl=60)
    for node in nodes:
        assert node.version() == 1
    yield Purging(client, origin, nodes)
    client.close()


@pytest.mark.faults
def test_while_a_node_is_dead_the_other_is_purged_at_once_and_after_its_return_both_are(
    purging: Purging, nodes: list[Node]
) -> None:
    living, dead = nodes
    dead.kill()
    for _ in range(3):
        version = purging.goal()
        purging.round()
        assert living.version() == version
    assert purging.purges.waiting() == 1
    dead.start()
    assert dead.version() == version
    version = purging.goal()
    purging.rounds_until(lambda: not purging.purges.waiting(), "a yes of both")
    assert [node.version() for node in nodes] == [version, version]


@pytest.mark.faults
def test_what_a_node_missed_it_hears_when_it_is_back(purging: Purging, nodes: list[Node]) -> None:
    """Away with its cache, as behind a broken cable."""
    living, frozen = nodes
    frozen.signal(signal.SIGSTOP)
    try:
        version = purging.goal(lifetime_s=60)
        purging.round()
        assert (living.version(), purging.purges.waiting()) == (version, 1)
    finally:
        frozen.signal(signal.SIGCONT)
    purging.rounds_until(lambda: not purging.purges.waiting(), "a yes of both")
    assert frozen.version() == version


@pytest.mark.faults
def test_a_dead_node_is_asked_again_only_until_all_that_it_could_show_has_expired(
    purging: Purging, nodes: list[Node], caplog: pytest.LogCaptureFixture
) -> None:
    nodes[1].kill()
    purging.goal(lifetime_s=1)
    purging.rounds_until(lambda: not purging.purges.waiting(), "the end of the tries")
    assert "purge_moot cdn=varnish keys=1" in caplog.text
    # Nor is there a second purge of what was given up.
    assert purging.purges.next_ms() is None


@pytest.mark.faults
def test_a_node_that_hangs_is_waited_for_once_and_then_by_no_goal(
    purging: Purging, nodes: list[Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    living, frozen = nodes
    hung = purging.backend.nodes[1]
    frozen.signal(signal.SIGSTOP)
    try:
        purging.goal()
        purging.round()
        assert hung.failure
    finally:
        frozen.signal(signal.SIGCONT)
    over = threading.Event()
    monkeypatch.setattr(hung.control_plane, "send", lambda *_: (over.wait(60), later("over"))[1])
    for _ in range(5):
        version = purging.goal()
        purging.round()
        assert living.version() == version
        # A purge that had waited for it would have seen its end.
        assert hung.last_call
        assert not hung.last_call.done()
    over.set()
