"""The Stats Perform feed against its emulator: a recorded MA3 match over the WebSocket, cut, stalled and refused."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from threading import Event
from typing import Any

import pytest

from db.domain.errors import Unavailable
from dev.providers.playback import playback
from dev.providers.server import ProviderServer
from dev.providers.statsperform import LivePush, StatsPerformProvider
from dev.recordings import read
from dev.recordings.recording import Recording
from tests.conftest import wait_until
from tests.support.feed_world import FeedWorld
from tests.support.odd_provider import OddAnswer, OddProvider
from tests.support.paths import DATA
from workers.feed import statsperform
from workers.feed.http import HttpSource
from workers.feed.session import FeedSession
from workers.feed.statsperform import StatsPerformApi, StatsPerformSocket

pytestmark = pytest.mark.skipif(not DATA.exists(), reason="no recordings at hand")

KEY, SECRET = "an-outlet-key-of-the-tests", "a-secret-of-the-tests"


def live_only(recording: Recording) -> Recording:
    """Without the document of days later; it ends with the last whistle."""
    return replace(recording, messages=recording.messages[:-1])


class StatsPerform:
    def __init__(self, speed: float, secret: str = "") -> None:
        recording = live_only(read(DATA / "statsperform" / "ma3-2021-09-11-hsv-sandhausen.json"))
        (self.match_id,) = recording.expected
        start_ms = time.time_ns() // 1_000_000
        self.matches = playback([recording], speed=speed, start_ms=start_ms, lead_ms=500)
        self.provider = StatsPerformProvider(self.matches, KEY, secret)
        self.server, self.push = ProviderServer(self.provider), LivePush(self.provider)

    def reader(self, key: str = KEY, secret: str = "") -> StatsPerformSocket:
        api = StatsPerformApi(self.server.url, self.server.url, key, secret, [])
        api.source.quota.per_minute = 100_000
        return StatsPerformSocket(self.push.url, api)


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(statsperform, "FIXTURES_S", 0.5)
    monkeypatch.setattr(statsperform, "PING_S", 0.3)
    monkeypatch.setattr(statsperform, "SILENT_S", 1.5)
    monkeypatch.setattr("workers.feed.runner.RETRY_MAX_S", 0.5)
    started: list[StatsPerform] = []

    def play(speed: float, secret: str = "") -> StatsPerform:
        started.append(StatsPerform(speed, secret))
        return started[-1]

    yield play
    for provider in started:
        provider.push.close()
        provider.server.close()


def goals(world: FeedWorld, match_id: str) -> int:
    match = world.match(match_id)
    return sum(event.counts for event in match.timeline) if match else 0


@pytest.mark.parametrize(("speed", "cut_every_s", "repeat"), [(3_600.0, 0.0, 1), (1_200.0, 1.0, 2)])
def test_a_match_ends_as_recorded(
    world: FeedWorld, recorded: Any, speed: float, cut_every_s: float, repeat: int
) -> None:
    source = recorded(speed)
    source.provider.faults.cut_every_s, source.provider.faults.repeat = cut_every_s, repeat
    with world.reading(source.reader()):
        wait_until(lambda: source.matches.is_over, "the recording's end")
        world.wait_for(source.match_id, "2-1 ended")
        # A scoreboard may be ahead of the goals.
        wait_until(lambda: goals(world, source.match_id) == 3, "three goals")
    assert (source.push.connections > 3) is (cut_every_s > 0)


def test_an_outage_is_made_good_by_documents(world: FeedWorld, recorded: Any) -> None:
    source = recorded(1_200.0)
    with world.reading(source.reader()):
        wait_until(lambda: world.shown(source.match_id).endswith("first_half"), "kick-off")
        source.provider.faults.is_down = True
        wait_until(lambda: source.matches.is_over, "the recording's end")
        assert not world.shown(source.match_id).startswith("2-1")
        source.provider.faults.is_down = False
        # After the end nothing is subscribed to any more: the fixture's own document tells the score.
        world.wait_for(source.match_id, "2-1 ended")


def test_a_connection_that_stalls_is_left(world: FeedWorld, recorded: Any) -> None:
    source = recorded(300.0)
    with world.reading(source.reader()):
        wait_until(lambda: source.push.connections, "a connection")
        source.provider.faults.is_stalled = True
        wait_until(lambda: source.push.connections > 1, "another connection")


def test_a_token_is_fetched_where_there_is_a_secret(world: FeedWorld, recorded: Any) -> None:
    source = recorded(3_600.0, SECRET)
    with world.reading(source.reader(secret=SECRET)):
        world.wait_for(source.match_id, "2-1 ended")
    assert len(source.provider.tokens) == 1


def test_a_wrong_outlet_key_is_told_and_not_shown(world: FeedWorld, recorded: Any) -> None:
    source = recorded(1.0)
    with world.reading(source.reader(key="another-key-of-nobody")):
        wait_until(lambda: world.states.all() and world.health("statsperform").reconnects, "a failure")
    assert "not authorised" in world.health("statsperform").reason
    assert "another-key-of-nobody" not in world.health("statsperform").reason


def test_the_outlet_key_does_not_follow_live_push_elsewhere(world: FeedWorld, recorded: Any) -> None:
    source = recorded(1.0)
    home = OddProvider(lambda _: OddAnswer(302, headers={"Location": source.push.url}))
    reader = StatsPerformSocket(home.url.replace("http:", "ws:"), source.reader().api)
    with pytest.raises(Unavailable):
        reader.read(world.session(reader, Event()))
    home.close()
    assert source.push.connections == 0


def test_a_token_that_is_no_longer_valid_is_replaced(world: FeedWorld, recorded: Any) -> None:
    source = recorded(3_600.0, SECRET)
    reader = source.reader(secret=SECRET)
    reader.api.source.headers["Authorization"] = "Bearer of yesterday"
    reader.api._token_until_s = float("inf")
    with world.reading(reader):
        world.wait_for(source.match_id, "2-1 ended")


def test_an_error_page_for_fixtures_leaves_live_push_as_it_is(
    world: FeedWorld, recorded: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = recorded(600.0)
    reader = source.reader()
    get = reader.api.source.get
    pages: list[str] = []

    def odd(session: FeedSession, url: str, **options: Any) -> bytes | None:
        if "/match/" in url and reader.subscribed:
            pages.append(url)
            return b"<html>Busy.</html>"
        return get(session, url, **options)

    monkeypatch.setattr(HttpSource, "get", lambda _, *args, **options: odd(*args, **options))
    with world.reading(reader):
        wait_until(lambda: len(pages) > 2, "some error pages")
        assert source.push.connections == 1
        assert world.health("statsperform").reconnects == 0
