"""What becomes of what a feed reads: accepted, refused and counted, or not taken where Redis is away."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from threading import Event

import pytest

from db.domain import Score, Stamp, Update
from db.domain.errors import Refused, Unavailable
from db.live.feeds import FeedStates, Lease
from db.live.keys import feed_lease
from db.live.metrics import FEED_DIFFERENCES, _local
from feeds import FEEDS
from feeds.pull.mapping import load
from feeds.pull.parse import parse as pull
from tests.feeds.test_corrections import WRITERS
from tests.feeds.test_fuzz import base
from tests.support.feed_world import FeedWorld
from workers.feed.runner import FeedRunner
from workers.feed.session import FeedReader, FeedSession, now_ms


class NullReader:
    name = "openligadb"
    silent_after_s = 60.0
    places = 1

    def read(self, session: FeedSession) -> None:
        session.halt.wait()


class FailingReader(NullReader):
    """The first reads fail: a bug, a refusal, a lost connection."""

    def __init__(self) -> None:
        self.errors: list[Exception] = [KeyError("a bug"), Refused("a wrong key"), Unavailable("away")]
        self.is_read = Event()

    def read(self, session: FeedSession) -> None:
        if self.errors:
            raise self.errors.pop(0)
        session.heard()
        self.is_read.set()
        session.halt.wait()


def board(home: int, *, is_document: bool = False) -> Update:
    stamp = Stamp(now_ms(), source="openligadb")
    return Update("m", stamp, now_ms(), score=Score(home, 0), is_document=is_document)


@pytest.fixture
def session(world: FeedWorld) -> FeedSession:
    return world.session(NullReader(), Event())


def refuse(_body: bytes, _received_at: int) -> Sequence[Update]:
    raise Refused("No.", "invalid")


def test_what_is_refused_is_kept_and_counted_and_the_feed_goes_on(world: FeedWorld, session: FeedSession) -> None:
    assert session.accept(refuse, b"odd") is None
    assert session.accept(lambda *_: [board(1)], b"right") == 1
    assert (session.health.refused, session.health.messages, session.health.updates) == (1, 2, 1)
    [(_, payload)] = world.live.refusals.entries(10)
    assert payload
    assert (payload.provider, payload.body) == ("openligadb", b"odd")
    world.wait_for("m", "1-0 scheduled")


def test_a_message_that_comes_again_is_taken_and_counted_once(world: FeedWorld, session: FeedSession) -> None:
    for _ in range(2):
        session.accept(lambda *_: [board(1)], b"", delivery="openligadb:1")
    assert (session.health.messages, session.health.updates) == (2, 1)


def test_a_document_that_differs_is_counted(world: FeedWorld, session: FeedSession) -> None:
    session.accept(lambda *_: [board(1)], b"")
    world.wait_for("m", "1-0 scheduled")
    key = (FEED_DIFFERENCES.name, ("openligadb", "score"), "")
    before = _local.totals.get(key, 0)
    session.accept(lambda *_: [board(1, is_document=True)], b"")
    assert _local.totals.get(key, 0) == before
    session.accept(lambda *_: [board(2, is_document=True)], b"")
    assert _local.totals.get(key, 0) == before + 1


def test_the_position_outlasts_the_session(world: FeedWorld, session: FeedSession) -> None:
    session.keep(until_s=5.0)
    session.keep(times=[1.0])
    assert world.session(NullReader(), Event()).position == {"until_s": 5.0, "times": [1.0]}


def test_a_reader_that_fails_is_started_again(
    world: FeedWorld, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.feed.runner.RETRY_MAX_S", 0.1)
    caplog.set_level(logging.WARNING)
    reader = FailingReader()
    with world.reading(reader):
        assert reader.is_read.wait(60)
    lines = [record.getMessage() for record in caplog.records if record.name.startswith(("workers.feed", "db.bugs"))]
    assert [line.split()[0] for line in lines] == ["feed_failed", "feed_lost", "feed_lost", "feed_lost"]
    assert world.health("openligadb").reconnects == 3


def test_an_outage_of_hours_ends_no_reading(world: FeedWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pause that doubles is beyond any number after a thousand failures."""
    monkeypatch.setattr("workers.feed.runner.RETRY_MAX_S", 0.1)
    reader = FailingReader()
    stopping = Event()
    runner = world.runner(reader, stopping)
    runner.failures = 2_000
    runner.start()
    assert reader.is_read.wait(20)
    stopping.set()
    runner.join(60)


def test_a_redis_that_goes_as_a_reader_begins_ends_no_reading(
    world: FeedWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    position, answers = FeedStates.position, [Unavailable("gone")]

    def goes_once(self: FeedStates, name: str) -> dict[str, object]:
        if answers:
            raise answers.pop()
        return position(self, name)

    monkeypatch.setattr(FeedStates, "position", goes_once)
    reader = FailingReader()
    reader.errors.clear()
    with world.reading(reader):
        assert reader.is_read.wait(60)


def test_a_lease_is_one_readers(world: FeedWorld) -> None:
    first, second = Lease(world.live.sharded, "a"), Lease(world.live.sharded, "a")
    assert first.acquire()
    assert not second.acquire()
    second.release()
    assert first.acquire()
    first.release()
    assert second.acquire()


def test_a_lease_of_several_places_is_as_many_readers(world: FeedWorld) -> None:
    leases = [Lease(world.live.sharded, "a", 2) for _ in range(3)]
    assert [lease.acquire() for lease in leases] == [True, True, False]
    assert [lease.place for lease in leases] == ["a", "a_2", ""]
    leases[0].release()
    assert [lease.acquire() for lease in leases[1:]] == [True, True]
    assert [lease.place for lease in leases] == ["", "a_2", "a"]


def test_a_reader_that_has_failed_for_hours_is_tried_again(world: FeedWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.feed.runner.RETRY_MAX_S", 0.01)
    reader, stopping = FailingReader(), Event()
    runner: FeedRunner = world.runner(reader, stopping)
    runner.failures = 1_100
    reader.errors = [Unavailable("away")]
    runner.start()
    assert reader.is_read.wait(60)
    stopping.set()
    runner.join(60)


def test_a_reader_whose_lease_is_anothers_stops(world: FeedWorld) -> None:
    stopping = Event()
    runner: FeedRunner = world.runner(NullReader(), stopping)
    runner.start()
    lease = Lease(world.live.sharded, "openligadb")
    key = lease.shard.key(feed_lease("openligadb"))
    while world.live.redis.get(key) is None:
        stopping.wait(0.02)
    world.live.redis.set(key, "another process")
    stopping.wait(2.0)
    assert world.live.redis.get(key) in (b"another process", "another process")
    stopping.set()
    runner.join(60)
    assert not runner.is_alive()


def test_health_of_another_release_is_read_as_far_as_it_fits(world: FeedWorld) -> None:
    world.live.redis.hset(world.live.sharded.home.key("feeds"), "x", '{"name": "x", "connected": true, "new_field": 1}')
    world.live.redis.hset(world.live.sharded.home.key("feeds"), "y", "odd")
    assert [(health.name, health.connected) for health in FeedStates(world.live.sharded).all()] == [("x", True)]


def reader_protocol(reader: FeedReader) -> FeedReader:
    """For the type checker: the test's readers are readers."""
    return reader


reader_protocol(NullReader())


@pytest.mark.parametrize("provider", sorted(WRITERS))
def test_broken_messages_end_no_session_and_each_is_counted(
    world: FeedWorld, session: FeedSession, provider: str
) -> None:
    body = json.dumps(base(provider)).encode()
    read = FEEDS.get(provider)

    def parse(broken: bytes, received_at: int) -> Sequence[Update]:
        if read:
            return read(broken, received_at=received_at).updates
        return [u for match in pull(load(provider), broken, received_at=received_at) for u in match.updates]

    cuts = [body[:at] for at in range(1, len(body) - 1, len(body) // 20)]
    for cut in cuts:
        assert session.accept(parse, cut) is None
    assert (session.health.refused, session.health.updates) == (len(cuts), 0)
    assert session.accept(parse, body) > 0
