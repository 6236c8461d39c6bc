"""Polled feeds against emulators of their providers: a Saturday of OpenLigaDB, and the quota of football-data.org."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from db.domain import Side
from db.live.feeds import FeedStates
from dev.providers.faults import Limit
from dev.providers.football_data import FootballData
from dev.providers.openligadb import OpenLigaDb
from dev.providers.schedule import ScheduledMatch, match_day
from dev.providers.server import ProviderServer
from dev.recordings import read
from dev.recordings.recording import RecordedGoal
from feeds.pull.mapping import load
from tests.conftest import wait_until
from tests.support.feed_world import FeedWorld
from tests.support.paths import DATA
from workers.feed.pull import PullReader

pytestmark = pytest.mark.skipif(not DATA.exists(), reason="no recordings at hand")

# A poll of the tests: real ones are ten seconds apart, which changes nothing but the time a test takes.
POLL_S = 0.3


def saturday(count: int = 4, *, start_in_s: float = 0.0, speed: float = 60.0) -> list[ScheduledMatch]:
    recording = read(DATA / "openfootball" / "worldcup-2022.json")
    return match_day(recording, count=count, start_s=time.time() + start_in_s, speed=speed)


def reader(name: str, url: str, *items: str, per_minute: int = 10_000, key: str = "") -> PullReader:
    mapping = load(name)
    request = replace(mapping.request, live_s=POLL_S, idle_s=POLL_S, per_minute=per_minute)
    return PullReader(replace(mapping, request=request), url, items, key)


def id_of(match: ScheduledMatch) -> str:
    return f"openligadb-{match.number}"


@pytest.fixture
def day() -> list[ScheduledMatch]:
    """In play since an hour, at the pace of real matches: nothing happens unless the test says so."""
    matches = saturday(start_in_s=-3600, speed=1.0)
    for match in matches:
        match.goals = [entry for entry in match.goals if match.due_s(entry[1]) < time.time()]
    return matches


@pytest.fixture
def openligadb(day: list[ScheduledMatch]) -> Iterator[tuple[OpenLigaDb, str]]:
    provider = OpenLigaDb({"bl1": day}, Limit(10_000, 60.0))
    server = ProviderServer(provider)
    yield provider, server.url
    server.close()


def goal(team: Side, minute: int, scorer: str) -> RecordedGoal:
    return RecordedGoal(team, minute, None, scorer, "goal")


def test_a_whole_match_day_ends_as_recorded(world: FeedWorld) -> None:
    matches = saturday(6, start_in_s=1.0, speed=1200.0)
    server = ProviderServer(OpenLigaDb({"bl1": matches}, Limit(10_000, 60.0)))
    try:
        with world.reading(reader("openligadb", server.url, "bl1")):
            for match in matches:
                home, away = match.score(float("inf"))
                world.wait_for(id_of(match), f"{home}-{away} finished")
                stored = world.match(id_of(match))
                assert stored
                assert stored.home
                assert stored.home.name == match.home
                assert [event.player.name for event in stored.timeline if event.player] == [
                    scored.scorer for _, scored in match.goals
                ]
    finally:
        server.close()


def test_a_goal_is_on_the_board_within_one_poll(
    world: FeedWorld, openligadb: tuple[OpenLigaDb, str], day: list[ScheduledMatch]
) -> None:
    home, away = day[0].score(time.time())
    with world.reading(reader("openligadb", openligadb[1], "bl1")):
        world.wait_for(id_of(day[0]), f"{home}-{away} live")
        day[0].add_goal(goal(Side.HOME, 40, "A Player"))
        world.wait_for(id_of(day[0]), f"{home + 1}-{away} live")


def test_a_goal_taken_back_leaves_the_board_and_stays_on_the_timeline_as_void(
    world: FeedWorld, openligadb: tuple[OpenLigaDb, str], day: list[ScheduledMatch]
) -> None:
    home, away = day[0].score(time.time())
    with world.reading(reader("openligadb", openligadb[1], "bl1")):
        day[0].add_goal(goal(Side.AWAY, 40, "A Player"))
        world.wait_for(id_of(day[0]), f"{home}-{away + 1} live")
        day[0].take_back(-1)
        wait_until(lambda: world.shown(id_of(day[0])) == f"{home}-{away} live", "the goal to be taken back", 90)
    match = world.match(id_of(day[0]))
    assert match
    assert [event.voided for event in match.timeline if event.player and event.player.name == "A Player"] == [True]


def test_an_edited_scorer_is_the_same_goal(
    world: FeedWorld, openligadb: tuple[OpenLigaDb, str], day: list[ScheduledMatch]
) -> None:
    home, away = day[0].score(time.time())
    with world.reading(reader("openligadb", openligadb[1], "bl1")):
        day[0].add_goal(goal(Side.HOME, 40, "Wrong Player"))
        world.wait_for(id_of(day[0]), f"{home + 1}-{away} live")
        day[0].edit_scorer(-1, "Right Player")

        def scorers() -> list[str]:
            match = world.match(id_of(day[0]))
            return [event.player.name for event in match.timeline if event.player] if match else []

        wait_until(lambda: "Right Player" in scorers(), "the edit")
        assert "Wrong Player" not in scorers()
        assert world.shown(id_of(day[0])) == f"{home + 1}-{away} live"


def test_what_has_not_changed_is_not_accepted_again(
    world: FeedWorld, openligadb: tuple[OpenLigaDb, str], day: list[ScheduledMatch]
) -> None:
    with world.reading(reader("openligadb", openligadb[1], "bl1")):
        world.wait_for(id_of(day[0]), world.shown(id_of(day[0])) or "{}-{} live".format(*day[0].score(time.time())))
        provider = openligadb[0]

        def updates_after(polls: int) -> int:
            """As reported after that many more polls."""
            requests = provider.limit.total
            wait_until(lambda: provider.limit.total >= requests + polls, "more polls")
            polled_ms = time.time_ns() // 1_000_000
            wait_until(lambda: world.health("openligadb").heard_at > polled_ms, "a later report")
            return world.health("openligadb").updates

        assert updates_after(4) == updates_after(5)


def test_a_silent_provider_is_down_and_comes_back_by_itself(
    world: FeedWorld, openligadb: tuple[OpenLigaDb, str], day: list[ScheduledMatch]
) -> None:
    provider, url = openligadb
    home, away = day[0].score(time.time())
    with world.reading(reader("openligadb", url, "bl1")):
        world.wait_for(id_of(day[0]), f"{home}-{away} live")
        provider.faults.is_down = True
        wait_until(lambda: world.health("openligadb").state(time.time_ns() // 1_000_000) == "down", "it to be down")
        assert "answers 503" in world.health("openligadb").reason
        day[0].add_goal(goal(Side.HOME, 40, "A Player"))
        provider.faults.is_down = False
        world.wait_for(id_of(day[0]), f"{home + 1}-{away} live")


def test_silence_is_told_after_its_time() -> None:
    from db.live.feeds import FeedHealth

    health = FeedHealth("openligadb", connected=True, heard_at=1_000_000, silent_after_s=90.0)
    assert health.state(1_000_000 + 90_000) == "ok"
    assert health.state(1_000_000 + 90_001) == "silent"
    assert reader("openligadb", "http://127.0.0.1:9", "bl1", "bl2", "dfb").silent_after_s == 90.0


@pytest.mark.parametrize("string_ids", [False, True])
def test_the_quota_of_football_data_is_never_exceeded(world: FeedWorld, string_ids: bool) -> None:
    """Six competitions, each due every third of a second, and ten requests allowed in four seconds."""
    matches = saturday(2, start_in_s=-3600, speed=1.0)
    codes = ("PL", "BL1", "SA", "PD", "FL1", "CL")
    provider = FootballData(dict.fromkeys(codes, matches), "key", Limit(10, 60.0), string_ids=string_ids)
    server = ProviderServer(provider)
    try:
        for _ in range(2):
            # A second process, started anew, has to count what the first one asked.
            with world.reading(reader("football_data", server.url, *codes, per_minute=10, key="key")):
                wait_until(lambda: provider.limit.total >= 10, "ten requests")
                time.sleep(1.0)
        home, away = matches[0].score(time.time())
        world.wait_for(f"football-data-{matches[0].number}", f"{home}-{away} live")
        assert (provider.limit.total, provider.limit.exceeded) == (10, 0)
    finally:
        server.close()


def test_a_wrong_key_is_told_and_not_shown(world: FeedWorld) -> None:
    server = ProviderServer(FootballData({"PL": saturday(1)}, "right", Limit(100, 60.0)))
    try:
        with world.reading(reader("football_data", server.url, "PL", key="wrong-secret-key")):
            wait_until(lambda: world.states.all() and world.health("football_data").reconnects, "a failure")
        assert "answers 403" in world.health("football_data").reason
        assert "wrong-secret-key" not in world.health("football_data").reason
    finally:
        server.close()


def test_positions_are_kept_by_feed(world: FeedWorld) -> None:
    states = FeedStates(world.live.sharded)
    states.keep_position("a", {"times": [1.5]})
    assert states.position("a") == {"times": [1.5]}
    assert states.position("b") == {}


def test_a_match_to_come_that_is_listed_no_more_is_asked_for(world: FeedWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.feed.vanished.ABSENT_AGAIN_S", POLL_S)
    matches = saturday(4, start_in_s=7200, speed=1.0)
    provider = OpenLigaDb({"bl1": matches}, Limit(10_000, 60.0))
    server = ProviderServer(provider)
    moved, gone, refused = matches[1], matches[2], matches[3]
    provider.refused = {str(refused.number)}
    try:
        with world.reading(reader("openligadb", server.url, "bl1")):
            wait_until(lambda: all(world.shown(id_of(match)) for match in matches), "the fixtures")
            moved.start_s += 86_400
            provider.unlisted.append(moved)
            provider.unlisted.append(refused)
            matches.remove(gone)
            matches[0].edited_s = time.time()
            world.wait_for(id_of(gone), "? removed")
            wait_until(lambda: starts_at(world, moved), "the new start")
            wait_until(lambda: provider.asked >= {str(match.number) for match in (moved, gone, refused)}, "each")
        assert world.shown(id_of(moved)) == "? scheduled"
        assert world.shown(id_of(refused)) == "? scheduled"
        assert world.health("openligadb").reconnects == 0
    finally:
        server.close()


def starts_at(world: FeedWorld, match: ScheduledMatch) -> bool:
    stored = world.match(id_of(match))
    return bool(stored and stored.start_time == int(match.start_s) * 1000)
