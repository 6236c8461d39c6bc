"""The outlet to Kafka, on the three brokers that librdkafka emulates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from config import Settings
from db.domain import Status
from db.live import metrics
from db.live.store import LiveStore
from tests.conftest import RedisServer, wait_until
from tests.support.feed_world import FeedWorld
from tests.support.kafka import Topic, TopicReading
from tests.support.live import NOW, apply, goal, whistle
from workers.boot import WorkerServices
from workers.feed.kafka import KafkaReader
from workers.feed.outlet import KafkaOutlet
from workers.feed.registry import readers
from workers.history import write_batch

MATCHES, GOALS = 8, 10
NOBODY = "127.0.0.1:1"


@pytest.fixture(scope="module")
def servers() -> Iterator[str]:
    topic = Topic("unused")
    yield topic.servers
    topic.producer.flush(5)


@pytest.fixture
def world(make_services: Callable[..., WorkerServices], sqlite_url: str) -> Iterator[FeedWorld]:
    built = FeedWorld(make_services(sqlite_url, kafka_out="scores"))
    yield built
    built.close()


def play(live: LiveStore, match_id: str, goals: int) -> list[int]:
    """The versions that come of it."""
    return [apply(live, goal(match_id, n)).version for n in range(1, goals + 1)]


def tick(live: LiveStore, match_id: str, times: int) -> list[int]:
    """The same of a match in which nothing but its minute changes."""
    apply(live, goal(match_id, 1))
    versions, held = [], live.matches.load(match_id)
    for n in range(times):
        assert held.match
        after = replace(held.match, minute=n)
        done = live.commits.commit(held, after, (), (), visible=True)
        versions.append(done.version)
        held = replace(held, match=after, rev=done.rev)
    return versions


def shown(live: LiveStore) -> dict[str, tuple[Any, ...]]:
    read = live.matches.read([f"m{m}" for m in range(MATCHES)])
    return {match.id: (match.score, match.status, match.minute) for match in read if match}


def test_every_version_is_published_in_order_and_the_topic_replays_to_the_same_scores(
    world: FeedWorld, servers: str, run_redis: Callable[[], RedisServer], sqlite_url: str
) -> None:
    versions = {f"m{m}": play(world.live, f"m{m}", GOALS) for m in range(MATCHES)}
    versions["m0"].append(apply(world.live, whistle("m0", Status.FINISHED, NOW + 99_000)).version)
    reading = TopicReading(servers, "all")
    with world.reading(KafkaOutlet(servers, "all", {})):
        wait_until(lambda: reading.has(MATCHES * GOALS + 1), "all versions on the topic")
        wait_until(lambda: world.live.outlet.waiting_since() is None, "the mailbox to be empty")
        assert world.health("kafka_out").state(world.health("kafka_out").heard_at) == "ok"
    reading.close()
    assert {match_id: [body["version"] for body in told] for match_id, told in reading.bodies.items()} == versions
    other = FeedWorld(WorkerServices(Settings(redis_url=run_redis().url, database_url=sqlite_url)))
    try:
        with other.reading(KafkaReader(servers, "all", "other", {})):
            wait_until(lambda: shown(other.live) == shown(world.live), "the same scores elsewhere")
    finally:
        other.close()
        other.live.redis.close()
        other.services.bells.client.close()


def test_a_kafka_that_is_away_delays_nothing_and_the_newest_versions_are_kept(
    world: FeedWorld, servers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[float] = []
    dropped = metrics.OUTLET_DROPPED
    with monkeypatch.context() as soon:
        soon.setattr("workers.feed.outlet.TAKE_S", 0.3)
        soon.setattr("workers.feed.outlet.FIXED", {"message.timeout.ms": 300})
        soon.setattr(type(dropped), "add", lambda self, n=1, **_: counted.append(n) if self is dropped else None)
        with world.reading(KafkaOutlet(NOBODY, "late", {})):
            versions = tick(world.live, "m0", 520)
            write_batch(world.services.live, world.services.history)
            stored = world.services.history.match("m0")
            assert stored, "history waits for nobody"
            wait_until(lambda: world.health("kafka_out").reconnects > 1, "it to give up twice")
            assert world.health("kafka_out").state(stored.updated_at) == "down"
    assert sum(counted) == 21
    reading = TopicReading(servers, "late")
    with world.reading(KafkaOutlet(servers, "late", {})):
        wait_until(lambda: reading.has(500), "what was kept")
    reading.close()
    assert [body["version"] for body in reading.bodies["m0"]] == versions[-500:]


def test_without_an_outlet_there_is_no_mailbox(services: WorkerServices) -> None:
    play(services.live, "m0", 2)
    assert services.live.outlet.batch(10, 10) == {}
    assert not list(services.live.redis.scan_iter("*outlet*"))


def test_the_feed_process_runs_it_where_it_is_set() -> None:
    settings = Settings(kafka_servers=NOBODY, kafka_out="scores")
    assert [reader.name for reader in readers(settings)] == ["kafka_out"]
