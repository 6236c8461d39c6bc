"""The reader of scores: one question to Redis for all who ask together, and no answer is older than its question."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from api.delivery import reader
from api.delivery.reader import SnapshotReader
from api.delivery.snapshot import BOARD, Snapshot
from db.domain.errors import Unavailable
from db.live.store import LiveStore
from tests.conftest import wait_until
from tests.support.hub import score

V = 1_700_000_000_000


class Redis:
    """Versions by topic. slowly: what happens during a question; broken: topics that cannot be rendered."""

    def __init__(self) -> None:
        self.matches = self
        self.sharded = SimpleNamespace(is_cluster=False)
        self.at: dict[str, int] = {"m": V, "n": V, BOARD: V}
        self.asked: list[list[str]] = []
        self.rendered: list[str] = []
        self.broken: set[str] = set()
        self.slowly: Callable[[], None] = lambda: None

    def versions(self, topics: list[str | None]) -> list[int | None]:
        named = [topic or BOARD for topic in topics]
        self.asked.append(named)
        self.slowly()
        return [self.at.get(topic) for topic in named]

    def read(self, _live: LiveStore, topics: list[str]) -> list[Snapshot | None]:
        if self.broken & set(topics):
            raise ZeroDivisionError
        self.rendered += topics
        return [score(self.at[topic], topic) if topic in self.at else None for topic in topics]


@pytest.fixture
def redis(monkeypatch: pytest.MonkeyPatch) -> Redis:
    made = Redis()
    monkeypatch.setattr(reader, "read", made.read)
    return made


@pytest.fixture
def asker(redis: Redis) -> SnapshotReader:
    return SnapshotReader(cast(LiveStore, redis))


def test_each_read_asks_for_the_version_and_renders_it_once(redis: Redis, asker: SnapshotReader) -> None:
    for _ in range(3):
        assert asker.read("m") == score(V)
    redis.at["m"] = V + 1
    assert asker.read("m") == score(V + 1)
    assert (len(redis.asked), redis.rendered) == (4, ["m", "m"])


def test_the_board_is_a_topic_like_others_and_what_is_not_there_is_none(redis: Redis, asker: SnapshotReader) -> None:
    assert asker.read(BOARD) == score(V, BOARD)
    assert asker.read("no-such") is None
    assert redis.rendered == [BOARD]


class Crowd:
    """One asks and is kept waiting; those who come meanwhile."""

    def __init__(self, redis: Redis, asker: SnapshotReader) -> None:
        self.redis, self.asker = redis, asker
        self.go = threading.Event()
        self.results: dict[int, Any] = {}
        self.threads: list[threading.Thread] = []
        redis.slowly = lambda: self.go.wait(60) and None
        self.ask("m")
        wait_until(lambda: len(redis.asked) == 1, "the first question")

    def ask(self, topic: str) -> None:
        number = len(self.threads)

        def run() -> None:
            try:
                self.results[number] = self.asker.read(topic)
            except Exception as error:
                self.results[number] = error

        self.threads.append(threading.Thread(target=run))
        self.threads[-1].start()

    def come(self, *topics: str) -> list[Any]:
        """What each of those who came during the first question got."""
        for topic in topics:
            self.ask(topic)
        wait_until(lambda: set(topics) <= set(self.asker.lanes[None].batch.topics), "all to have asked")
        self.go.set()
        for thread in self.threads:
            thread.join(60)
        return [self.results[number] for number in range(1, len(self.threads))]


def test_those_who_come_during_a_question_share_the_next_one(redis: Redis, asker: SnapshotReader) -> None:
    crowd = Crowd(redis, asker)
    redis.at["m"] = V + 1
    assert crowd.come(*["m", "n"] * 20) == [score(V + 1), score(V, "n")] * 20
    assert len(redis.asked) <= 4
    assert sorted(redis.asked[1]) == ["m", "n"]


def test_a_failure_is_said_to_all_who_shared_it_and_not_to_the_next(
    redis: Redis, asker: SnapshotReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "OUTAGE_S", 0.0)

    def fail() -> None:
        raise Unavailable("gone")

    redis.slowly = fail
    with pytest.raises(Unavailable):
        asker.read("m")
    redis.slowly = lambda: None
    assert asker.read("m") == score(V)


def test_one_that_cannot_be_rendered_keeps_none_of_the_others_from_their_readers(
    redis: Redis, asker: SnapshotReader
) -> None:
    crowd = Crowd(redis, asker)
    redis.broken = {"n"}
    redis.at["m"] = V + 1
    first, second = crowd.come("m", "n")
    assert first == score(V + 1)
    assert isinstance(second, ZeroDivisionError)


def test_who_asks_a_moment_too_late_for_the_question_is_asked_for_alone(redis: Redis, asker: SnapshotReader) -> None:
    """Another thread has listed the topics, and not yet begun the next batch."""
    crowd = Crowd(redis, asker)
    late = asker.lanes[None].batch
    late.topics["n"] = None
    late.done, late.snapshots = True, {"n": None}
    assert crowd.come("m") == [score(V)]


def test_of_documents_the_longest_unread_are_dropped(
    redis: Redis, asker: SnapshotReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "KEPT", 2)
    redis.at |= {"o": V}
    for topic in ("m", "n", "o"):
        asker.read(topic)
    assert list(asker.kept) == ["n", "o"]


def test_an_outage_is_waited_for_once(redis: Redis, asker: SnapshotReader, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise Unavailable("away")

    monkeypatch.setattr(reader.time, "monotonic", lambda: clock[0])
    clock = [100.0]
    redis.slowly = fail
    for _ in range(3):
        with pytest.raises(Unavailable, match="away"):
            asker.read("m")
    assert len(redis.asked) == 1
    redis.slowly = lambda: None
    clock[0] += reader.OUTAGE_S
    assert asker.read("m") is not None
