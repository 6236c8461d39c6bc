"""Feed processes of one Kafka group come, go and are killed while a match day is told: everything is applied once and
in order, and what is published ends as live."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from db.live.feeds import FeedStates
from db.live.sharding import ShardedRedis
from tests.conftest import wait_until
from tests.support.kafka import Topic, TopicReading
from tests.support.recordings import essence
from tests.support.stories.count import in_full, scaled
from tests.support.system import System

pytestmark = pytest.mark.faults

MATCHES = scaled(12, 246)
EVENTS = scaled(300, 10_000)
# While readers come and go.
EVENTS_PER_S = 100
OUT = "scores"


@pytest.fixture
def topic() -> Iterator[Topic]:
    topic = Topic("score-events")
    topic.send("nobody", b"")
    topic.producer.flush(10)
    yield topic
    topic.producer.flush(5)


@contextmanager
def telling(topic: Topic) -> Iterator[None]:
    """Goals of all matches in turn while the block runs; then, at once, what is missing of EVENTS."""
    stop = threading.Event()
    matches = itertools.cycle(f"m{number}" for number in range(MATCHES))

    def tell() -> None:
        while not stop.wait(1 / EVENTS_PER_S):
            topic.next_goal(next(matches))
            topic.producer.poll(0)

    teller = threading.Thread(target=tell)
    teller.start()
    try:
        yield
    finally:
        stop.set()
        teller.join()
    for match_id in itertools.islice(matches, max(0, EVENTS - topic.goals.total())):
        topic.next_goal(match_id)
    topic.producer.flush(30)


class Group:
    """Feed processes of a system, by name: `feed`, `feed-2`…"""

    def __init__(self, system: System) -> None:
        self.system = system

    def read_by(self, name: str) -> int:
        """Messages that the process has read."""
        holder = f":{self.system.processes[name].pid}"
        states = FeedStates(ShardedRedis(self.system.redis, self.system.settings.live_shards)).all()
        return sum(one.messages for one in states if one.holder.endswith(holder) and one.name != "kafka_out")

    def reads(self, name: str) -> None:
        """Wait until it goes on reading."""
        before = self.read_by(name)
        # Partitions change hands in two steps, each of some seconds on the emulated brokers.
        wait_until(lambda: self.read_by(name) > before, f"{name} to read", 240)

    def joins(self, name: str) -> None:
        self.system.restart(name)
        self.reads(name)

    def leaves(self, name: str, left: str) -> None:
        self.system.stop(name)
        self.reads(left)

    def is_killed(self, name: str, left: str) -> None:
        self.system.kill(name)
        self.reads(left)


def started(run_system: Callable[..., System], topic: Topic, **settings: Any) -> System:
    return run_system(FEEDS="kafka", KAFKA_SERVERS=topic.servers, KAFKA_TOPIC=topic.name, **settings)


def applied(system: System) -> int:
    """Events that were committed, each as often as it was; without those that were minutes late."""
    page = system.get("/metrics").text
    samples = [sample for family in text_string_to_metric_families(page) for sample in family.samples]
    counts = [s.value for s in samples if s.name == "feed_lag_seconds_count" and s.labels["source"] == "generic"]
    return round(sum(counts))


def wait_for_end(system: System, topic: Topic) -> None:
    for match_id, goals in topic.goals.items():
        wait_until(lambda: system.shown(match_id) == f"{goals}-0", f"{goals}-0 of {match_id}", 300)  # noqa: B023
    system.wait_settled()


def assert_applied_once(system: System, topic: Topic) -> None:
    wait_for_end(system, topic)
    assert applied(system) <= topic.goals.total()
    for match_id, goals in topic.goals.items():
        timeline = system.get(f"/api/matches/{match_id}/events").json()["events"]
        assert sorted(event["id"] for event in timeline) == sorted(f"g{n}" for n in range(1, goals + 1))


def assert_published_in_order(system: System, topic: Topic) -> None:
    """A version may come twice, and the newest of each match is the one that is live."""
    reading = TopicReading(topic.servers, OUT)
    live = {match_id: system.score(match_id)["version"] for match_id in topic.goals}

    def newest() -> dict[str, int]:
        reading.read()
        return {match_id: max(body["version"] for body in bodies) for match_id, bodies in reading.bodies.items()}

    wait_until(lambda: newest() == live, "the newest versions on the topic", 120)
    reading.close()
    for match_id, bodies in reading.bodies.items():
        by_version = {body["version"]: body["home_score"] for body in bodies}
        assert list(by_version) == sorted(by_version), "published in order"
        assert list(by_version.values()) == sorted(by_version.values()), "applied in order"
        assert by_version[live[match_id]] == topic.goals[match_id]


def assert_as_undisturbed(system: System, run_system: Callable[..., System], topic: Topic) -> None:
    other = started(run_system, topic, KAFKA_GROUP="undisturbed")
    wait_for_end(other, topic)
    for match_id in topic.goals:
        assert essence(other, match_id) == essence(system, match_id)


def test_one_of_two_readers_is_killed(run_system: Callable[..., System], topic: Topic) -> None:
    system = started(run_system, topic)
    group = Group(system)
    with telling(topic):
        group.reads("feed")
        group.joins("feed-2")
        group.is_killed("feed", left="feed-2")
    assert_applied_once(system, topic)


@in_full
def test_readers_come_and_go_on_a_match_day(run_system: Callable[..., System], topic: Topic) -> None:
    system = started(run_system, topic, KAFKA_OUT=OUT, WORKER_PROCESSES=2, LIVE_SHARDS=2)
    group = Group(system)
    with telling(topic):
        group.reads("feed")
        group.joins("feed-2")
        group.joins("feed-3")
        group.is_killed("feed", left="feed-3")
        group.joins("feed-4")
        group.leaves("feed-2", left="feed-4")
        group.is_killed("feed-3", left="feed-4")
        group.joins("feed")
        group.leaves("feed-4", left="feed")
    print(f"{topic.goals.total()} events of {len(topic.goals)} matches")
    assert_applied_once(system, topic)
    assert_published_in_order(system, topic)
    assert_as_undisturbed(system, run_system, topic)
