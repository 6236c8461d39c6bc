"""The subscriber's side of what changes, on a real Redis: what is told, in which order, and how a cut is noticed."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.domain import Event, Score, Side, Stamp, Status, Team, Update, reduce
from db.domain.errors import Unavailable
from db.domain.update import MatchInfo
from db.live import keys, pubsub
from db.live.client import connect
from db.live.pubsub import GAP, MOST, ChangeFeed, Gap, MatchChanged
from db.live.store import LiveStore
from tests.conftest import RedisServer

# More than any of these waits; what is there is told at once.
LONG_S = 60.0


@pytest.fixture
def live(redis_url: str) -> Iterator[LiveStore]:
    store = LiveStore(connect(redis_url), 1)
    yield store
    store.redis.close()


@pytest.fixture
def feed(redis_url: str) -> Iterator[ChangeFeed]:
    """That has said that whatever was before, it has missed."""
    feed = ChangeFeed(redis_url)
    feed.subscribe()
    assert feed.next(LONG_S) == [GAP]
    yield feed
    feed.close()


def heard(feed: ChangeFeed, count: int) -> list[MatchChanged | Gap]:
    """That many, in however many goes."""
    changes: list[MatchChanged | Gap] = []
    ends = time.monotonic() + LONG_S
    while len(changes) < count and time.monotonic() < ends:
        changes += feed.next(0.2)
    return changes


def tell(live: LiveStore, home: int, minute: int, status: Status = Status.FIRST_HALF) -> int:
    """One change of the match `m`, committed as the worker does; its version."""
    now = time.time_ns() // 1_000_000
    stamp = Stamp(now, source="test")
    info = MatchInfo(Team("h", "Home"), Team("a", "Away"), start_time=now)
    event = Event(f"g{home}", "goal", stamp, since=stamp, team=Side.HOME, minute=minute, created_at=now)
    update = Update("m", stamp, now, info, event, Score(home, 0), status=status, minute=minute)
    held = live.matches.load("m")
    after, facts = reduce(held.match, update)
    committed = live.commits.commit(held, after, facts, (), visible=True)
    assert committed.done
    return committed.version


def test_a_commit_is_told_with_its_version_and_the_boards(feed: ChangeFeed, live: LiveStore) -> None:
    versions = [tell(live, 1, minute=10), tell(live, 2, minute=20)]
    changes = heard(feed, 2)
    assert [(change.match_id, change.version) for change in changes if isinstance(change, MatchChanged)] == [
        ("m", v) for v in versions
    ]
    assert [change.board for change in changes if isinstance(change, MatchChanged)][-1] == live.board.read().version


def test_a_score_is_urgent_and_a_minute_is_not(feed: ChangeFeed, live: LiveStore) -> None:
    tell(live, 1, minute=10)
    tell(live, 1, minute=11)
    changes = heard(feed, 2)
    assert [change.urgent for change in changes if isinstance(change, MatchChanged)] == [True, False]


def test_many_are_taken_in_one_go_in_their_order_and_the_rest_in_the_next(feed: ChangeFeed, live: LiveStore) -> None:
    pipe = live.redis.pipeline(transaction=False)
    for version in range(MOST + 10):
        pipe.publish(keys.CHANGED, f"m {version} 0 0")
    pipe.execute()
    changes = heard(feed, MOST)
    assert len(changes) <= 2 * MOST
    changes += heard(feed, MOST + 10 - len(changes))
    assert changes == [MatchChanged("m", version, 0, False) for version in range(MOST + 10)]


def test_nothing_new_is_nothing(feed: ChangeFeed) -> None:
    assert feed.next(0.01) == []


def test_pings_keep_a_quiet_subscription(feed: ChangeFeed, live: LiveStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pubsub, "PING_S", 0.05)
    monkeypatch.setattr(pubsub, "SILENT_S", 1.0)
    ends = time.monotonic() + 1.5
    while time.monotonic() < ends:
        assert feed.next(0.05) == []
    live.redis.publish(keys.CHANGED, "m 7 0 1")
    assert heard(feed, 1) == [MatchChanged("m", 7, 0, True)]


# Cut off.


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """One that may be killed."""
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def cut(server: RedisServer) -> Iterator[ChangeFeed]:
    feed = ChangeFeed(server.url)
    feed.subscribe()
    assert feed.next(LONG_S) == [GAP]
    yield feed
    feed.close()


def test_a_redis_that_dies_is_noticed_and_another_subscription_begins_with_a_gap(
    server: RedisServer, cut: ChangeFeed
) -> None:
    server.kill()
    with pytest.raises(Unavailable, match="cut off"):
        cut.next(LONG_S)
    again = ChangeFeed(server.url)
    with pytest.raises(Unavailable, match="out of reach"):
        again.subscribe()
    server.start()
    again.subscribe()
    assert again.next(LONG_S) == [GAP]
    again.close()


def test_a_redis_that_says_nothing_any_more_is_given_up(
    server: RedisServer, cut: ChangeFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As behind a router that has dropped the connection without a word."""
    monkeypatch.setattr(pubsub, "PING_S", 0.05)
    monkeypatch.setattr(pubsub, "SILENT_S", 0.5)
    assert server.process
    server.process.send_signal(signal.SIGSTOP)
    try:
        with pytest.raises(Unavailable, match="silent"):
            heard(cut, 1)
    finally:
        server.process.send_signal(signal.SIGCONT)
