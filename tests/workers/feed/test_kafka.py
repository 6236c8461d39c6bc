"""A topic of Kafka, on the three brokers that librdkafka emulates."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from threading import Event
from typing import Any

import pytest

from db.domain.errors import Refused, Unavailable
from db.live.inbox import Inbox
from tests.conftest import wait_until
from tests.support.feed_world import FeedWorld
from workers.feed.kafka import KafkaReader, options_of

confluent_kafka = pytest.importorskip("confluent_kafka")
MATCHES, EVENTS = 12, 20


class Topic:
    """Brokers live in the producer. Their topics are made by what is first sent, with four partitions."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.producer = confluent_kafka.Producer({"test.mock.num.brokers": 3})
        brokers = self.producer.list_topics(timeout=10).brokers.values()
        self.servers = ",".join(f"{broker.host}:{broker.port}" for broker in brokers)

    def send(self, key: str, value: bytes) -> None:
        self.producer.produce(self.name, value, key)

    def goal(self, match_id: str, n: int) -> None:
        now = datetime.fromtimestamp(1_700_000_000 + n, UTC).isoformat()
        event = {"match_id": match_id, "event_type": "score", "home_score": n, "away_score": 0, "minute": n}
        self.send(match_id, json.dumps(event | {"timestamp": now}).encode())

    def reader(self) -> KafkaReader:
        return KafkaReader(self.servers, self.name, "ours", {"session.timeout.ms": 6_000})


def wait_for_score(world: FeedWorld, match_id: str, goals: int) -> None:
    wait_until(lambda: world.shown(match_id).startswith(f"{goals}-0 "), f"{goals}-0 of {match_id}")


@pytest.fixture
def topic() -> Iterator[Topic]:
    topic = Topic("score-events")
    yield topic
    topic.producer.flush(5)


def test_every_match_ends_as_it_was_told_and_another_reader_goes_on_from_there(world: FeedWorld, topic: Topic) -> None:
    for n in range(1, EVENTS + 1):
        for match in range(MATCHES):
            topic.goal(f"m{match}", n)
    topic.producer.flush(10)
    with world.reading(topic.reader()):
        for match in range(MATCHES):
            wait_for_score(world, f"m{match}", EVENTS)
        wait_until(lambda: world.health("kafka").messages == MATCHES * EVENTS, "all to be counted")
    topic.goal("m0", EVENTS + 1)
    topic.producer.flush(10)
    with world.reading(topic.reader()):
        wait_for_score(world, "m0", EVENTS + 1)
        assert world.health("kafka").messages <= 1, "what was committed is not read again"


def test_a_message_that_is_wrong_is_kept_and_passed_over(world: FeedWorld, topic: Topic) -> None:
    for body in (b"no JSON", b'{"match_id": "m", "minute": "soon"}', b""):
        topic.send("m", body)
    topic.goal("m", 1)
    topic.producer.flush(10)
    with world.reading(topic.reader()):
        wait_for_score(world, "m", 1)
    kept = [payload for _, payload in world.live.refusals.entries(10) if payload]
    assert [payload.provider for payload in kept] == ["generic", "generic"]
    assert kept[0].body == b"no JSON"


def test_what_redis_did_not_take_is_read_again(world: FeedWorld, topic: Topic, monkeypatch: pytest.MonkeyPatch) -> None:
    accept, failed = Inbox.accept, Event()

    def breaks(self: Inbox, *args: Any, **options: Any) -> Any:
        if not failed.is_set():
            failed.set()
            raise Unavailable("gone")
        return accept(self, *args, **options)

    monkeypatch.setattr(Inbox, "accept", breaks)
    topic.goal("m", 1)
    topic.goal("m", 2)
    topic.producer.flush(10)
    with world.reading(topic.reader()):
        wait_for_score(world, "m", 2)
    assert failed.is_set()


def test_it_polls_on_while_the_workers_catch_up(
    world: FeedWorld, topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = Event()
    busy.set()
    backlog = Inbox.backlog
    monkeypatch.setattr(Inbox, "backlog", lambda self: 10**9 if busy.is_set() else backlog(self))
    topic.goal("m", 1)
    topic.producer.flush(10)
    with world.reading(topic.reader()):
        wait_until(lambda: any(health.name == "kafka" for health in world.states.all()), "it to report")
        assert world.shown("m") == ""
        busy.clear()
        wait_for_score(world, "m", 1)


def test_options_are_an_object() -> None:
    assert options_of("") == {}
    assert options_of('{"security.protocol": "ssl"}') == {"security.protocol": "ssl"}
    with pytest.raises(Refused, match="KAFKA_OPTIONS"):
        options_of("ssl")
