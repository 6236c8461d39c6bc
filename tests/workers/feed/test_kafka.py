"""A topic of Kafka, on the three brokers that librdkafka emulates."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event
from typing import Any

import pytest

from db.domain.errors import Refused, Unavailable
from db.live.inbox import Inbox
from tests.conftest import wait_until
from tests.support.feed_world import FeedWorld
from tests.support.kafka import Topic
from workers.feed.kafka import KafkaReader, options_of

MATCHES, EVENTS = 12, 20


def reader_of(topic: Topic) -> KafkaReader:
    return KafkaReader(topic.servers, topic.name, "ours", {})


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
    with world.reading(reader_of(topic)):
        for match in range(MATCHES):
            wait_for_score(world, f"m{match}", EVENTS)
        wait_until(lambda: world.health("kafka").messages == MATCHES * EVENTS, "all to be counted")
    topic.goal("m0", EVENTS + 1)
    topic.producer.flush(10)
    with world.reading(reader_of(topic)):
        wait_for_score(world, "m0", EVENTS + 1)
        assert world.health("kafka").messages <= 1, "what was committed is not read again"


def test_a_message_that_is_wrong_is_kept_and_passed_over(world: FeedWorld, topic: Topic) -> None:
    deep = b'{"match_id": ' + b"[" * 100_000
    for body in (b"no JSON", b'{"match_id": "m", "minute": "soon"}', b"", deep, b"\xff\xfe", b"9" * 5_000, b'"m"'):
        topic.send("m", body)
    topic.goal("m", 1)
    topic.producer.flush(10)
    with world.reading(reader_of(topic)):
        wait_for_score(world, "m", 1)
        wait_until(lambda: world.health("kafka").refused == 6, "all to be counted")
        assert world.health("kafka").reconnects == 0
    kept = [payload for _, payload in world.live.refusals.entries(10) if payload]
    assert [payload.provider for payload in kept] == ["generic"] * 6
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
    with world.reading(reader_of(topic)):
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
    with world.reading(reader_of(topic)):
        wait_until(lambda: any(health.name == "kafka" for health in world.states.all()), "it to report")
        assert world.shown("m") == ""
        busy.clear()
        wait_for_score(world, "m", 1)


def test_where_no_server_answers_it_is_down(world: FeedWorld) -> None:
    with world.reading(KafkaReader("127.0.0.1:1", "score-events", "ours", {})):
        wait_until(lambda: world.health("kafka").reconnects > 0, "it to give up")
        assert not world.health("kafka").connected


def test_several_read_at_once_and_one_without_a_partition_is_there_too(world: FeedWorld, topic: Topic) -> None:
    for match in range(MATCHES):
        topic.goal(f"m{match}", 1)
    topic.producer.flush(10)
    places = {"kafka", *(f"kafka_{number}" for number in range(2, topic.PARTITIONS + 2))}
    with world.reading(*(reader_of(topic) for _ in places)):
        wait_until(lambda: {one.name for one in world.states.all() if one.connected} == places, "all to join")
        wait_until(lambda: sum(one.messages for one in world.states.all()) == MATCHES, "all to be read once")
    assert world.states.all() == [], "who ended is not listed"


def test_options_are_an_object() -> None:
    assert options_of("") == {}
    assert options_of('{"security.protocol": "ssl"}') == {"security.protocol": "ssl"}
    with pytest.raises(Refused, match="KAFKA_OPTIONS"):
        options_of("ssl")


def test_an_option_that_kafka_does_not_have_stops_the_start() -> None:
    with pytest.raises(Refused, match=r"KAFKA_OPTIONS.*no_such_option"):
        KafkaReader("127.0.0.1:9", "score-events", "ours", {"no_such_option": "x"})
