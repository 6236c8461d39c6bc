"""A system on a cluster in mid-replay: masters are killed and replaced, slots move, a node hangs, workers die."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests
from redis.crc import key_slot

from db.live.sharding import tags
from dev.redis_cluster import RedisCluster
from tests.conftest import RedisServer, wait_until
from tests.integration.test_kills import FILES, assert_as_if_nothing_happened, telling, undisturbed  # noqa: F401
from tests.support import recordings
from tests.support.stories.count import some
from tests.support.system import System

SHARDS = 16
pytestmark = [pytest.mark.faults, recordings.needed, pytest.mark.xdist_group("kills")]


class ClusterSystem(System):
    """Live state on a cluster, jobs on a Redis of its own."""

    def __init__(self, folder: Path, cluster: RedisCluster, **settings: object) -> None:
        super().__init__(folder, **settings)
        self.cluster = cluster
        self.env |= {
            "REDIS_URL": cluster.url,
            "RQ_REDIS_URL": self.redis_url,
            "REDIS_CLUSTER": "1",
            "LIVE_SHARDS": str(SHARDS),
            "WORKER_PROCESSES": "2",
        }


class Reader(threading.Thread):
    """Reads the matches over and over. backwards: versions that fell; away: answers that were 503, by match."""

    def __init__(self, system: System, match_ids: list[str]) -> None:
        super().__init__(daemon=True)
        self.system, self.match_ids = system, match_ids
        self.versions: dict[str, int] = {}
        self.backwards: list[tuple[str, int, int]] = []
        self.away: dict[str, int] = {}
        self.reads = 0
        self.stopping = False

    def run(self) -> None:
        while not self.stopping:
            for match_id in self.match_ids:
                with suppress(requests.RequestException):
                    self._read(match_id)
            time.sleep(0.02)

    def _read(self, match_id: str) -> None:
        answer = self.system.get(f"/api/score/{match_id}", timeout=5)
        self.reads += 1
        if answer.status_code != 200:
            self.away[match_id] = self.away.get(match_id, 0) + 1
            return
        version, before = answer.json()["version"], self.versions.get(match_id, 0)
        if version < before:
            self.backwards.append((match_id, before, version))
        self.versions[match_id] = max(version, before)


@pytest.fixture
def system(tmp_path: Path, redis_cluster: RedisCluster, redis_server: RedisServer) -> Iterator[ClusterSystem]:
    redis_cluster.mend()
    redis_cluster.flush()
    system = ClusterSystem(tmp_path, redis_cluster)
    system.start()
    yield system
    # Shown where a test fails.
    for name, log in system.logs():
        print(f"--- {name}\n{log}")
    system.end()
    redis_cluster.mend()


def slot_of(number: int) -> int:
    return key_slot(tags(SHARDS)[number].encode())


def kill_master(system: ClusterSystem, n: int) -> None:
    cluster = system.cluster
    node = cluster.master_of(f"{tags(SHARDS)[n]}x")
    # What is acknowledged and not replicated is lost with a master, in any cluster (docs/scale.md). Here nothing is.
    node.redis.execute_command("CLIENT", "PAUSE", 5_000, "WRITE")
    assert node.redis.execute_command("WAIT", 1, 4_000)
    node.kill()
    wait_until(lambda: cluster.master_of(f"{tags(SHARDS)[n]}x") is not node, "the replica to be promoted")
    cluster.mend()


def fail_over(system: ClusterSystem, n: int) -> None:
    node = system.cluster.master_of(f"{tags(SHARDS)[n]}x")
    system.cluster.fail_over(node)
    wait_until(system.cluster.is_whole, "the old master to follow")


def move_slot(system: ClusterSystem, n: int) -> None:
    cluster = system.cluster
    old = cluster.master_of(f"{tags(SHARDS)[n]}x")
    new = next(node for node in cluster.nodes if node.is_master and node is not old)
    cluster.move(slot_of(n), old, new)
    cluster.move(slot_of(n), new, old)


def hang(system: ClusterSystem, n: int) -> None:
    node = system.cluster.master_of(f"{tags(SHARDS)[n]}x")
    node.pause()
    others = [other for other in system.cluster.nodes if other is not node]
    wait_until(
        lambda: any(master_port(other, slot_of(n)) not in (0, node.port) for other in others),
        "the replica to be promoted",
    )
    system.cluster.mend()


def master_port(node: Any, slot: int) -> int:
    for first, last, master, *_ in node.redis.execute_command("CLUSTER", "SLOTS"):
        if first <= slot <= last:
            return int(master[1])
    return 0


def kill_worker(system: ClusterSystem, _n: int) -> None:
    system.kill("worker-0")
    system.restart("worker-0")


def kill_web(system: ClusterSystem, _n: int) -> None:
    system.kill("web")
    system.restart("web")


@pytest.mark.parametrize(
    "disturbances",
    some(
        [(kill_master, move_slot, kill_worker), (fail_over, move_slot, kill_web, move_slot), (hang, move_slot)], count=1
    ),
    ids=some(["kills", "moves", "hangs"], count=1),
)
def test_a_cluster_disturbed_in_mid_replay(
    system: ClusterSystem,
    undisturbed: dict[str, object],  # noqa: F811
    disturbances: tuple[Callable[[ClusterSystem, int], None], ...],
) -> None:
    reader = Reader(system, list(undisturbed))
    with telling(system) as player:
        reader.start()
        for n, disturb in enumerate(disturbances):
            point = player.total * (n + 1) // (len(disturbances) + 2)
            wait_until(lambda point=point: player.sent >= point, f"{point} requests sent", 120)  # type: ignore[misc]
            print(f"{disturb.__name__} after {player.sent} of {player.total}")
            disturb(system, (n * 7) % SHARDS)
    reader.stopping = True
    reader.join()
    print(f"reads={reader.reads} away={sum(reader.away.values())}")
    assert reader.backwards == []
    assert_as_if_nothing_happened(system, undisturbed)
