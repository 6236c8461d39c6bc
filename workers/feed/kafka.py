"""A topic of Kafka: each message is one event, or a whole delivery, in the generic format, keyed by its match.

Read in order of each partition. What is accepted is committed, so a message may be read twice and is never left out.
Kafka shares the partitions out among the processes that read. One that was given up and reads on for a moment does no
harm: both read a partition in order, and of a message that comes twice the second is left out.
confluent-kafka is an optional requirement (docs/decisions/0032), and runs in the feed process only: its calls would
stop a web process (confluent-kafka-python, issue 612).
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from threading import Event
from typing import Any

from db.domain import Update
from db.domain.errors import Refused, Unavailable
from feeds.generic import parse as generic
from workers.feed.session import BACKLOG_WAIT_S, FeedSession

INSTALL = "pip install -r requirements-kafka.txt"
# s. How long it waits for a message before it looks whether to end.
POLL_S = 0.5
# Messages taken in one go.
BATCH = 100
# Commits of positions are asked for in passing; the last one is waited for.
FIXED = {"enable.auto.commit": False, "auto.offset.reset": "earliest"}
# Kafka gives up a process that was killed after 6 s, the least that brokers allow ("group.min.session.timeout.ms");
# of itself it would wait for 45. When one comes or goes, the others read on what they keep.
DEFAULTS = {
    "session.timeout.ms": 6_000,
    "heartbeat.interval.ms": 1_000,
    "partition.assignment.strategy": "cooperative-sticky",
}
# Processes that read one topic; further ones wait.
PLACES = 16


class KafkaReader:
    """
    servers: `host:port,host:port`.
    group: of the consumers that share the topic, whose position Kafka keeps.
    options: of librdkafka, such as certificates.
    """

    name = "kafka"
    silent_after_s = 60.0
    places = PLACES

    def __init__(self, servers: str, topic: str, group: str, options: Mapping[str, Any]) -> None:
        self.topic = topic
        self.config = {**DEFAULTS, **options, "bootstrap.servers": servers, "group.id": group, **FIXED}
        self.kafka = library()
        with options_checked(self.kafka):
            self.kafka.Consumer(self.config).close()

    def read(self, session: FeedSession) -> None:
        """Raises Unavailable where no broker answers, or Redis is away: what was not accepted is read again."""
        failures: deque[str] = deque(maxlen=1)
        joined = Event()
        consumer = self.kafka.Consumer({**self.config, "error_cb": lambda error: failures.append(str(error))})
        # Also one who got no partition, for there are more readers than those, is there.
        consumer.subscribe([self.topic], on_assign=lambda *_: joined.set())
        waiting: deque[Any] = deque()
        try:
            while not session.halt.is_set():
                self._pause(consumer, session, waiting)
                waiting.extend(consumer.consume(BATCH, POLL_S) if not waiting else ())
                if not waiting and failures:
                    raise Unavailable(failures.pop())
                if not waiting and joined.is_set():
                    session.heard()
                while waiting and not session.halt.is_set():
                    self._take(consumer, session, waiting.popleft())
        finally:
            consumer.close()

    def _pause(self, consumer: Any, session: FeedSession, waiting: deque[Any]) -> None:
        """Whoever does not poll for long is taken for dead, so it polls on while the workers catch up."""
        while session.live.inbox.backlog() > session.backlog_max and not session.halt.is_set():
            consumer.pause(consumer.assignment())
            # Of partitions that were assigned meanwhile.
            waiting.extend(consumer.consume(BATCH, BACKLOG_WAIT_S))
            session.report()
        consumer.resume(consumer.assignment())

    def _take(self, consumer: Any, session: FeedSession, message: Any) -> None:
        if message.error():
            raise Unavailable(str(message.error()))
        place = f"kafka:{message.topic()}:{message.partition()}:{message.offset()}"
        # Its own time: an undated event that is read again gets the stamp that it had.
        _, sent_at = message.timestamp()
        session.accept(lambda body, _: _updates(session, body, sent_at), message.value() or b"", delivery=place)
        with suppress(self.kafka.KafkaException):
            consumer.commit(message=message, asynchronous=True)


def _updates(session: FeedSession, body: bytes, received_at: int) -> list[Update]:
    """What is wrong is kept with its reason under the name of the format, so that it can be replayed; the rest is
    taken. An empty message only says that its key is gone."""
    if not body:
        return []
    try:
        parsed = generic.read(_delivery(body), received_at=received_at)
    except Refused as error:
        session.refuse(body, error, received_at, provider="generic")
        return []
    if parsed.refusal:
        session.refuse(parsed.rest, parsed.refusal, received_at, provider="generic")
    return parsed.updates


def _delivery(body: bytes) -> bytes:
    """An event by itself is a delivery of one."""
    # What cannot be read is refused as a delivery.
    with suppress(ValueError, RecursionError):
        document = json.loads(body)
        if isinstance(document, dict) and "match_id" in document:
            return json.dumps({"events": [document]}).encode()
    return body


def options_of(text: str) -> dict[str, Any]:
    """KAFKA_OPTIONS. Raises Refused."""
    try:
        options = json.loads(text or "{}")
    except ValueError:
        options = None
    if not isinstance(options, dict):
        raise Refused('KAFKA_OPTIONS must be a JSON object, such as {"security.protocol": "ssl"}.')
    return options


@contextmanager
def options_checked(kafka: Any) -> Iterator[None]:
    """Makes a client only to see whether librdkafka takes its options. Raises Refused where it does not."""
    try:
        yield
    except (kafka.KafkaException, TypeError, ValueError) as error:
        reason = error.args[0]
        text = reason.str() if isinstance(reason, kafka.KafkaError) else reason
        raise Refused(f"KAFKA_OPTIONS has an option that Kafka does not take: {text}") from None


def library() -> Any:
    """confluent_kafka. Raises Refused where it is not installed."""
    try:
        import confluent_kafka  # noqa: PLC0415 - an optional requirement
    except ModuleNotFoundError:
        raise Refused(f"FEEDS=kafka and KAFKA_OUT need confluent-kafka: {INSTALL}") from None
    return confluent_kafka
