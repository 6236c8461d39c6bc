"""What the listener makes of the news, told to it by the test; and its thread, on a real Redis."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from api.delivery import listener, render
from api.delivery.listener import CHUNK, Listener
from api.delivery.ramp import Ramp
from api.delivery.snapshot import BOARD, CHANGES, OF_BOARD, Snapshot
from db.domain import Match
from db.domain.errors import Unavailable
from db.live.pubsub import GAP, ChangeFeed, MatchChanged
from db.live.store import LiveStore
from tests.api.conftest import Site, event, fixture
from tests.conftest import wait_until
from tests.support.hub import Clock, CountingHub, Stream, score

V = 1_700_000_000_000


class Store:
    """Redis by version; broken: topics whose match cannot be rendered."""

    def __init__(self) -> None:
        self.at: dict[str, int] = {}
        self.reads: list[list[str]] = []
        self.broken: set[str] = set()
        self.down = False
        self.matches = SimpleNamespace(read=self.read)
        self.board = SimpleNamespace(read=self.read_board)
        self.sharded = SimpleNamespace(is_cluster=False)

    def read(self, topics: list[str]) -> list[Any]:
        self.reads.append(topics)
        if self.down:
            raise Unavailable("gone")
        return [SimpleNamespace(id=topic, version=self.at[topic]) if topic in self.at else None for topic in topics]

    def read_board(self) -> Any:
        self.reads.append([BOARD])
        return SimpleNamespace(version=self.at[BOARD], matches=())

    def render(self, match: Match) -> Snapshot:
        if match.id in self.broken:
            raise ZeroDivisionError
        return score(match.version, match.id)


class Ear:
    """A listener that hears what the test says, its hub, and a stream for each topic."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.hub = CountingHub(1_000, Clock().later)
        self.listener = Listener(lambda: ChangeFeed("redis://"), cast(LiveStore, store), self.hub)
        self.streams: dict[str, Stream] = {}

    def watch(self, *topics: str) -> None:
        for topic in topics:
            self.store.at[topic] = V
            self.hub.watch(topic)
            self.hub.know(score(V, topic))
            self.streams[topic] = Stream()
            self.hub.join(topic, self.streams[topic])

    def told(self, *news: tuple[str, int], board: bool = False, urgent: bool = False, quiet: bool = False) -> None:
        """And so it is in Redis."""
        for match_id, version in news:
            self.store.at[match_id] = version
            if board:
                self.store.at[BOARD] = version
        self.listener.hear(
            [MatchChanged(match_id, version, version if board else 0, urgent, not quiet) for match_id, version in news]
        )

    def offered(self, topic: str) -> list[int]:
        return self.streams[topic].offered


@pytest.fixture
def ear(monkeypatch: pytest.MonkeyPatch) -> Ear:
    store = Store()
    monkeypatch.setattr(render, "score", store.render)
    monkeypatch.setattr(render, "boards", lambda board: {topic: score(board.version, topic) for topic in OF_BOARD})
    return Ear(store)


def test_a_change_is_read_for_those_who_wait_for_it(ear: Ear) -> None:
    ear.watch("m", "n")
    ear.told(("m", V + 1), ("other", V + 1))
    assert (ear.offered("m"), ear.offered("n")) == ([V + 1], [])
    assert ear.store.reads == [["m"]]


def test_a_match_that_changes_twice_in_one_hearing_is_read_once(ear: Ear) -> None:
    ear.watch("m")
    ear.told(("m", V + 1), ("m", V + 2))
    assert ear.offered("m") == [V + 2]
    assert len(ear.store.reads) == 1


def test_what_nobody_waits_for_is_forgotten_when_it_changes(ear: Ear) -> None:
    ear.watch("m")
    ear.hub.part("m", ear.streams["m"])
    ear.told(("m", V + 1))
    assert ear.hub.watched() == []
    assert ear.store.reads == []


def test_what_is_just_being_read_is_read_again(ear: Ear) -> None:
    """The first reading may have been before the change."""
    ear.hub.watch("m")
    ear.told(("m", V + 1))
    known = ear.hub.snapshot("m")
    assert known
    assert known.version == V + 1


def test_after_a_gap_everything_watched_is_read_again(ear: Ear) -> None:
    topics = [f"m{n}" for n in range(CHUNK + 10)]
    ear.watch(*topics)
    ear.store.at |= dict.fromkeys(topics, V + 1)
    assert not ear.listener.up
    ear.listener.hear([GAP])
    assert ear.listener.up
    assert all(ear.offered(topic) == [V + 1] for topic in topics)
    assert [len(read) for read in ear.store.reads] == [CHUNK, 10]


def test_a_process_takes_more_readers_from_the_moment_at_which_it_hears_of_changes(ear: Ear) -> None:
    ear.hub.ramp = Ramp(3.0, lambda: 5.0)
    assert ear.hub.ramp.begun_at is None
    ear.listener.hear([GAP])
    assert ear.hub.ramp.begun_at == 5.0


@pytest.mark.parametrize("hear", ["gap", "news"])
def test_one_that_cannot_be_rendered_keeps_none_of_the_others_from_its_readers(
    ear: Ear, caplog: pytest.LogCaptureFixture, hear: str
) -> None:
    ear.watch("a", "bad", "c")
    ear.store.broken = {"bad"}
    if hear == "gap":
        ear.store.at |= {"a": V + 1, "bad": V + 1, "c": V + 1}
        ear.listener.hear([GAP])
        assert ear.listener.up
    else:
        ear.told(("a", V + 1), ("bad", V + 1), ("c", V + 1))
    assert (ear.offered("a"), ear.offered("bad"), ear.offered("c")) == ([V + 1], [], [V + 1])
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR] == [
        "topic_unreadable topic=bad"
    ]


def test_without_redis_nothing_is_taken_for_a_bug(ear: Ear) -> None:
    ear.watch("m", "n")
    ear.store.down = True
    with pytest.raises(Unavailable):
        ear.listener.hear([GAP])
    assert len(ear.store.reads) == 1
    assert not ear.listener.up


def test_the_board_is_told_at_once_of_what_is_urgent_and_once_a_second_of_the_rest(
    ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1_000.0]
    monkeypatch.setattr(listener, "time", SimpleNamespace(monotonic=lambda: now[0], time_ns=time.time_ns))
    ear.watch(BOARD)
    ear.told(("m", V + 1), board=True)
    for n in range(2, 6):
        ear.told(("m", V + n), board=True)
    assert ear.offered(BOARD) == [V + 1]
    assert 0 < ear.listener._wait_s() <= 1
    now[0] += 1.0
    ear.listener.hear([])
    assert ear.offered(BOARD) == [V + 1, V + 5]
    ear.told(("m", V + 6), board=True, urgent=True)
    assert ear.offered(BOARD) == [V + 1, V + 5, V + 6]
    ear.told(("elsewhere", V + 7))
    now[0] += 1.0
    ear.listener.hear([])
    assert ear.offered(BOARD)[-1] == V + 6


def test_what_no_list_shows_is_not_told(ear: Ear, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1_000.0]
    monkeypatch.setattr(listener, "time", SimpleNamespace(monotonic=lambda: now[0], time_ns=time.time_ns))
    ear.watch(BOARD)
    ear.told(("m", V + 1), board=True, quiet=True)
    now[0] += 1.0
    ear.listener.hear([])
    assert (ear.offered(BOARD), ear.store.reads) == ([], [])


def test_the_board_is_read_once_for_those_who_want_it_whole_and_those_who_want_what_changed(ear: Ear) -> None:
    ear.watch(BOARD, CHANGES)
    ear.told(("m", V + 1), board=True, urgent=True)
    assert (ear.offered(BOARD), ear.offered(CHANGES)) == ([V + 1], [V + 1])
    assert ear.store.reads.count([BOARD]) == 1


def test_a_board_that_nobody_waits_for_is_forgotten(ear: Ear) -> None:
    ear.watch(BOARD)
    ear.hub.part(BOARD, ear.streams[BOARD])
    ear.told(("m", V + 1), board=True, urgent=True)
    assert ear.hub.snapshot(BOARD) is None
    assert ear.store.reads == []


# Its thread.


@pytest.fixture
def hearing(site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(listener, "LOOK_S", 0.05)
    monkeypatch.setattr(listener, "RECONNECT_S", (0.0, 0.05))
    site.tell(event("m"), matches=(fixture("m"),))
    ear = site.services.listener
    ear.heed()
    ear.heed()
    wait_until(lambda: ear.up, "the listener")
    yield site
    ear.stopping = True
    ear.join(60)
    assert not ear.is_alive()
    site.cut_off()


def watch(site: Site) -> Callable[[], int]:
    """The newest version of `m` that was offered."""
    hub, stream = site.services.hub, Stream()
    hub.watch("m")
    hub.join("m", stream)
    return lambda: stream.offered[-1] if stream.offered else 0


def newest(site: Site, home: int) -> int:
    site.tell(event("m", home_score=home, minute=10 + home, timestamp=f"2026-05-01T18:{10 + home}:00Z"))
    (match,) = site.services.live.matches.read(["m"])
    assert match
    return match.version


def test_a_bug_leaves_it_listening(
    hearing: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    offered = watch(hearing)
    with monkeypatch.context() as patched:
        patched.setattr(hearing.services.listener, "hear", lambda _: 1 / 0)
        wait_until(lambda: "listener_failed" in caplog.text, "the bug")
        version = newest(hearing, 2)
    wait_until(lambda: offered() == version, "the change")


def test_a_listener_that_was_cut_off_reads_again_what_it_missed(hearing: Site) -> None:
    offered = watch(hearing)
    for shard in hearing.services.live.sharded.shards:
        shard.redis.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
    version = newest(hearing, 2)
    wait_until(lambda: offered() == version, "the change")
    wait_until(lambda: hearing.services.listener.up, "the listener")
