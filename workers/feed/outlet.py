"""The outlet: publishes every version of every match to a topic of Kafka, keyed by its id, so that they stay in order.

It empties a mailbox of its own (db.live.outlet), so that nothing else waits for Kafka. What Kafka has not taken is
published again, so a version may come twice: readers ignore what is older than they have.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from db.domain.errors import Unavailable
from db.live import metrics
from db.live.outlet import OutletEntry
from feeds.generic.message import dated
from workers.feed.kafka import library, options_checked
from workers.feed.session import FeedSession

# Matches, and versions of each, that are handed to Kafka in one go.
MATCHES, ENTRIES = 50, 50
# s. Between two looks into an empty mailbox.
LOOK_S = 0.05
# s. Kafka is asked whether it is there when there is nothing to publish.
ASK_S = 20.0
# s. What Kafka may take for a batch, with librdkafka's own repeats.
TAKE_S = 10.0
FIXED = {"enable.idempotence": True, "linger.ms": 5, "message.timeout.ms": int(TAKE_S * 1000)}


class KafkaOutlet:
    """Reads what the commits have left, as a feed reads a provider; the same lease sees to it that one process does.

    servers: `host:port,host:port`.
    options: of librdkafka, such as certificates.
    """

    name = "kafka_out"
    silent_after_s = 3 * ASK_S
    places = 1

    def __init__(self, servers: str, topic: str, options: Mapping[str, Any]) -> None:
        self.topic = topic
        self.config = {**options, "bootstrap.servers": servers, **FIXED}
        self.kafka = library()
        with options_checked(self.kafka):
            self.kafka.Producer(self.config)

    def read(self, session: FeedSession) -> None:
        """Raises Unavailable where Kafka has not taken a batch, or Redis is away."""
        producer = self.kafka.Producer({**self.config, "error_cb": lambda _: None})
        asked_s = float("-inf")
        while not session.halt.is_set():
            boxes = session.live.outlet.batch(MATCHES, ENTRIES)
            if boxes:
                self._publish(producer, session, boxes)
                session.heard()
                continue
            if time.monotonic() - asked_s > ASK_S:
                self._ask(producer)
                asked_s = time.monotonic()
                session.heard()
            session.halt.wait(LOOK_S)

    def _ask(self, producer: Any) -> None:
        try:
            producer.list_topics(self.topic, timeout=TAKE_S)
        except self.kafka.KafkaException as error:
            raise Unavailable(str(error)) from error

    def _publish(self, producer: Any, session: FeedSession, boxes: Mapping[str, Sequence[OutletEntry]]) -> None:
        taken: set[tuple[str, str]] = set()
        reasons: list[str] = []

        def report(match_id: str, entry: OutletEntry, error: Any) -> None:
            reasons.append(str(error)) if error else taken.add((match_id, entry.id))

        for match_id, entries in boxes.items():
            for entry in entries:
                producer.produce(
                    self.topic,
                    dated(entry.message, entry.version, entry.updated_at),
                    match_id,
                    on_delivery=lambda error, _, match_id=match_id, entry=entry: report(match_id, entry, error),
                )
        if producer.flush(TAKE_S):
            producer.purge()
            producer.flush(TAKE_S)
            reasons.append("no answer in time")
        metrics.OUTLET_PUBLISHED.add(len(taken))
        session.live.outlet.ack(
            {match_id: _before_the_first_left(match_id, entries, taken) for match_id, entries in boxes.items()}
        )
        if reasons:
            raise Unavailable(f"Kafka has not taken {len(reasons)} messages: {reasons[0]}")


def _before_the_first_left(match_id: str, entries: Sequence[OutletEntry], taken: set[tuple[str, str]]) -> list[str]:
    """What is published again goes in order."""
    done: list[str] = []
    for entry in entries:
        if (match_id, entry.id) not in taken:
            break
        done.append(entry.id)
    return done
