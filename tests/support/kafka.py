"""The three brokers that librdkafka emulates, what is sent to them, and what a topic has. Needs confluent-kafka."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

confluent_kafka = pytest.importorskip("confluent_kafka")


class Topic:
    """Brokers live in the producer, and go with it. Topics are made by what is first sent, with four partitions.

    goals: by match, as they were sent.
    """

    PARTITIONS = 4

    def __init__(self, name: str) -> None:
        self.name = name
        self.producer = confluent_kafka.Producer({"test.mock.num.brokers": 3})
        brokers = self.producer.list_topics(timeout=10).brokers.values()
        self.servers = ",".join(f"{broker.host}:{broker.port}" for broker in brokers)
        self.goals: Counter[str] = Counter()

    def send(self, key: str, value: bytes) -> None:
        self.producer.produce(self.name, value, key)

    def goal(self, match_id: str, n: int, at: datetime | None = None) -> None:
        now = (at or datetime.fromtimestamp(1_700_000_000 + n, UTC)).isoformat()
        event = {"match_id": match_id, "event_type": "goal", "event_id": f"g{n}", "team": "home", "minute": n % 90}
        self.send(match_id, json.dumps(event | {"home_score": n, "away_score": 0, "timestamp": now}).encode())

    def next_goal(self, match_id: str) -> None:
        self.goals[match_id] += 1
        self.goal(match_id, self.goals[match_id], datetime.now(UTC))


class TopicReading:
    """All that a topic has, from its beginning. bodies: by key, in order."""

    def __init__(self, servers: str, topic: str) -> None:
        self.consumer = confluent_kafka.Consumer(
            {"bootstrap.servers": servers, "group.id": f"all of {topic}", "auto.offset.reset": "earliest"}
        )
        self.consumer.subscribe([topic])
        self.bodies: dict[str, list[dict[str, Any]]] = {}

    def has(self, count: int) -> bool:
        self.read()
        return sum(map(len, self.bodies.values())) >= count

    def read(self) -> None:
        for message in self.consumer.consume(1000, 0.2):
            if not message.error():
                self.bodies.setdefault(message.key().decode(), []).append(json.loads(message.value()))

    def close(self) -> None:
        self.consumer.close()
