"""Redis behind Sentinels: the master dies, its replica takes over, and the URL stays."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
import redis

from db.domain.errors import Unavailable
from db.live.client import connect
from db.live.pubsub import GAP, ChangeFeed
from db.live.sentinel import Sentinels
from db.live.store import LiveStore
from dev.local import redis_binary
from dev.system import free_port
from tests.conftest import RedisServer, answers, wait_until
from tests.support.live import apply, goal

pytestmark = pytest.mark.faults

# Silent for half a second is dead, for the one Sentinel that there is.
CONFIG = """
port {port}
bind 127.0.0.1
dir {folder}
sentinel monitor scores 127.0.0.1 {master} 1
sentinel down-after-milliseconds scores 500
sentinel failover-timeout scores 5000
"""


@pytest.fixture
def servers(run_redis: Callable[[], RedisServer]) -> tuple[RedisServer, RedisServer]:
    """A master, and a replica that has its writes."""
    master, replica = run_redis(), run_redis()
    with closing(redis.Redis(port=master.port)) as client:
        client.config_set("repl-diskless-sync-delay", 0)
    with closing(redis.Redis(port=replica.port)) as client:
        client.replicaof("127.0.0.1", master.port)
        wait_until(lambda: client.info("replication")["master_link_status"] == "up", "the replica")
    return master, replica


@pytest.fixture
def url(servers: tuple[RedisServer, RedisServer], tmp_path: Path) -> Iterator[str]:
    """Of two Sentinels, the first of which is away."""
    port = free_port()
    file = tmp_path / "sentinel.conf"
    file.write_text(CONFIG.format(port=port, folder=tmp_path, master=servers[0].port))
    process = subprocess.Popen([redis_binary(), str(file), "--sentinel"], stdout=subprocess.DEVNULL)
    wait_until(lambda: answers(port), "the Sentinel")
    with closing(redis.Redis(port=port)) as client:
        wait_until(lambda: replicas(client) == 1, "it to know the replica")
    yield f"redis+sentinel://127.0.0.1:1,127.0.0.1:{port}/scores/0"
    process.terminate()
    process.wait()


def replicas(sentinel: redis.Redis) -> int:
    return len(sentinel.sentinel_slaves("scores"))


def test_the_replica_that_is_promoted_is_found_and_listeners_hear_of_the_gap(
    servers: tuple[RedisServer, RedisServer], url: str
) -> None:
    master, replica = servers
    live, feed = LiveStore(connect(url), 1), ChangeFeed(url)
    feed.subscribe()
    wait_until(lambda: GAP in feed.next(0.1), "the subscription")
    first = apply(live, goal("m", 1))
    with closing(redis.Redis(port=replica.port)) as client:
        wait_until(lambda: client.exists("match:{m}:state"), "the write at the replica")
    master.kill()

    def is_written() -> bool:
        with suppress(Unavailable):
            return apply(live, goal("m", 2)).version > first.version
        return False

    def hears_a_gap() -> bool:
        with suppress(Unavailable):
            return GAP in feed.next(0.1)
        feed.close()
        with suppress(Unavailable):
            feed.subscribe()
        return False

    wait_until(is_written, "the next version, at the new master")
    with closing(redis.Redis(port=replica.port)) as client:
        assert client.info("replication")["role"] == "master"
    wait_until(hears_a_gap, "the listener at the new master")
    feed.close()
    live.redis.close()


def test_a_url_of_sentinels_is_read_in_full() -> None:
    sentinels = Sentinels("rediss+sentinel://u:p%40ss@a,b:2/main/3?ssl_cert_reqs=required&sentinel_password=word")
    assert sentinels.addresses == [("a", 26_379), ("b", 2)]
    assert (sentinels.master_name, sentinels.tls, sentinels.login["password"]) == ("main", True, "word")
    assert sentinels.options == {"username": "u", "password": "p@ss", "db": 3, "ssl_cert_reqs": "required"}


def test_where_no_sentinel_knows_the_master_redis_is_away() -> None:
    live = LiveStore(connect("redis+sentinel://127.0.0.1:1/scores", retries=0), 1)
    with pytest.raises(Unavailable):
        live.ping()
