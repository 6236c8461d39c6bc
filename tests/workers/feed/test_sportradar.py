"""The Sportradar feed against its emulator: recorded matches, cut every few seconds, stalled, repeated, and gone."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest

from db.domain import Fact, FactKind, Match, Stamp, Status, Update
from db.domain.errors import Unavailable
from db.live.commits import CommitResult
from dev.providers.faults import Limit
from dev.providers.playback import Playback, playback
from dev.providers.server import ProviderServer
from dev.providers.sportradar import SportradarProvider
from dev.recordings import read
from tests.conftest import wait_until
from tests.support.feed_world import FeedWorld
from tests.support.paths import DATA
from workers.feed import sportradar, sportradar_rest
from workers.feed.session import now_ms
from workers.feed.sportradar import SportradarApi, SportradarStream
from workers.feed.sportradar_rest import SportradarRest

pytestmark = pytest.mark.skipif(not DATA.exists(), reason="no recordings at hand")

TIMELINE = DATA / "sportradar" / "soccer-timeline-2020-05-16-frankfurt-moenchengladbach.json"
MATCH = "sr:sport_event:19866060"
KEY = "a-key-of-the-tests"


class Sportradar:
    """The emulator over one recorded match, moved to now."""

    def __init__(self, speed: float, lead_s: float = 1.0) -> None:
        start_ms = time.time_ns() // 1_000_000
        self.matches: Playback = playback(
            [read(TIMELINE)], speed=speed, start_ms=start_ms, lead_ms=round(lead_s * 1000)
        )
        self.provider = SportradarProvider(self.matches, KEY, Limit(100_000, 60.0), heartbeat_s=0.5)
        self.server = ProviderServer(self.provider)

    def api(self) -> SportradarApi:
        api = SportradarApi(self.server.url, KEY, "trial")
        api.source.quota.per_minute = 100_000
        return api

    def readers(self) -> tuple[SportradarStream, SportradarRest]:
        return SportradarStream(self.api()), SportradarRest(self.api())

    def close(self) -> None:
        self.server.close()


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Periods that suit a match of half a minute."""
    monkeypatch.setattr(sportradar_rest, "SUMMARIES_S", 0.5)
    monkeypatch.setattr(sportradar_rest, "REMOVED_S", 0.5)
    monkeypatch.setattr(sportradar, "SILENT_S", 2.0)
    monkeypatch.setattr("workers.feed.runner.RETRY_MAX_S", 0.5)


@pytest.fixture
def recorded() -> Iterator[Any]:
    emulators: list[Sportradar] = []

    def play(speed: float, lead_s: float = 1.0) -> Sportradar:
        emulators.append(Sportradar(speed, lead_s))
        return emulators[-1]

    yield play
    for emulator in emulators:
        emulator.close()


def end_of(match: Match | None) -> tuple[Any, ...]:
    """What a reader sees at the end: score, status, and each standing goal by scorer."""
    assert match
    goals = [(e.id, e.team, e.minute, e.player and e.player.name) for e in match.timeline if e.counts]
    return match.score, match.status, goals


@pytest.fixture
def news(world: FeedWorld, monkeypatch: pytest.MonkeyPatch) -> Counter[str | None]:
    """How often each event was new in a commit: what followers hear of."""
    counts: Counter[str | None] = Counter()
    commit = world.live.commits.commit

    def counted(held: Any, after: Match, facts: tuple[Fact, ...], *args: Any, **options: Any) -> CommitResult:
        result = commit(held, after, facts, *args, **options)
        if result.done:
            counts.update(fact.event_id for fact in facts if fact.kind is FactKind.ADDED)
        return result

    monkeypatch.setattr(world.live.commits, "commit", counted)
    return counts


def test_a_match_ends_as_recorded(world: FeedWorld, recorded: Any, fast: None) -> None:
    source = recorded(3_000.0)
    with world.reading(*source.readers()):
        wait_until(lambda: source.matches.is_over, "the recording's end")
        world.wait_for(MATCH, "1-3 finished")
    score, _, goals = end_of(world.match(MATCH))
    assert (score.home, score.away) == (1, 3)
    assert len(goals) == 4


def test_cut_twice_a_second_with_each_message_twice_it_ends_the_same(
    world: FeedWorld, recorded: Any, fast: None, news: Counter[str | None]
) -> None:
    source = recorded(800.0)
    source.provider.faults.cut_every_s, source.provider.faults.repeat = 0.5, 2
    with world.reading(*source.readers()):
        wait_until(lambda: source.matches.is_over, "the recording's end")
        world.wait_for(MATCH, "1-3 finished")
    score, _, goals = end_of(world.match(MATCH))
    assert (score.home, score.away, len(goals)) == (1, 3, 4)
    assert [news[event_id] for event_id, *_ in goals] == [1, 1, 1, 1]
    assert source.provider.connections > 5
    assert world.health("sportradar").gaps >= source.provider.connections - 2


def test_an_outage_across_a_goal_is_made_good(world: FeedWorld, recorded: Any, fast: None) -> None:
    source = recorded(800.0)
    with world.reading(SportradarStream(source.api())):
        wait_until(lambda: world.shown(MATCH).endswith("first_half"), "kick-off")
        source.provider.faults.is_down, source.provider.faults.cut_every_s = True, 0.1
        wait_until(lambda: source.matches.is_over, "the recording's end")
        missed = world.shown(MATCH)
        source.provider.faults.is_down, source.provider.faults.cut_every_s = False, 0.0
        world.wait_for(MATCH, "1-3 finished")
    assert not missed.startswith("1-3")
    # With its own time, though told late.
    match = world.match(MATCH)
    assert match
    goals = [event for event in match.timeline if event.counts]
    assert all(event.since.at < event.created_at for event in goals)


def test_a_stream_that_stalls_is_left_and_opened_again(world: FeedWorld, recorded: Any, fast: None) -> None:
    source = recorded(1_600.0)
    with world.reading(SportradarStream(source.api())):
        wait_until(lambda: world.shown(MATCH).endswith("first_half"), "kick-off")
        source.provider.faults.is_stalled = True
        before = source.provider.connections
        wait_until(lambda: source.provider.connections > before, "another connection")
        source.provider.faults.is_stalled = False
        world.wait_for(MATCH, "1-3 finished")


def test_two_readers_of_one_feed_take_turns(world: FeedWorld, recorded: Any, fast: None) -> None:
    source = recorded(100.0)
    with world.reading(SportradarStream(source.api())):
        wait_until(lambda: source.provider.connections, "the first reader")
        with world.reading(SportradarStream(source.api())):
            time.sleep(2.0)
            assert source.provider.connections == 1
    # Both are gone: the lease was given back, and the next one need not wait for it to expire.
    with world.reading(SportradarStream(source.api())):
        wait_until(lambda: source.provider.connections == 2, "the next reader")


def test_a_wrong_key_is_a_failure_that_is_told(world: FeedWorld, recorded: Any, fast: None) -> None:
    source = recorded(1.0)
    with world.reading(SportradarStream(SportradarApi(source.server.url, "wrong", "trial"))):
        wait_until(lambda: world.states.all() and world.health("sportradar").reconnects, "a failure")
    assert world.health("sportradar").reason == "the stream answers 403"
    assert source.provider.connections == 0


def test_the_key_goes_to_the_providers_hosts_alone() -> None:
    same = sportradar._is_same_provider
    assert same("https://api.sportradar.com/x", "https://api.sportradar.com")
    assert same("https://playout-stream.sportradar.com/x", "https://api.sportradar.com")
    assert not same("http://playout-stream.sportradar.com/x", "https://api.sportradar.com")
    assert not same("https://sportradar.com.example.net/x", "https://api.sportradar.com")
    assert not same("http://api.sportradar.com/x", "https://api.sportradar.com")


def test_a_withdrawn_match_that_we_know_is_told_once(world: FeedWorld, recorded: Any, fast: None) -> None:
    source = recorded(1.0)
    source.provider.removed = [{"id": MATCH, "replaced_by": "sr:sport_event:2"}, {"id": "sr:sport_event:99"}]
    with world.reading(SportradarRest(source.api())):
        wait_until(lambda: (match := world.match(MATCH)) and match.replaced_by, "its successor")
    assert world.match("sr:sport_event:99") is None


def test_a_list_is_read_page_by_page(
    world: FeedWorld, recorded: Any, fast: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sportradar_rest, "PAGE", 1)
    source = recorded(1.0)
    source.provider.page = 1
    first = source.matches.messages[0]
    document = json.loads(first.body)
    document["sport_event"] |= {"id": "sr:sport_event:2"}
    second = replace(first, match_id="sr:sport_event:2", body=json.dumps(document).encode())
    source.matches.messages.insert(1, second)
    with world.reading(SportradarRest(source.api())):
        wait_until(lambda: world.match(MATCH) and world.match("sr:sport_event:2"), "both pages")


def test_a_match_that_the_provider_has_dropped_is_told_and_stops_nothing(
    world: FeedWorld, recorded: Any, fast: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.feed.reconciliation.STANDING_MS", 0)
    source, rest = recorded(1.0), "sportradar_rest"
    session = world.session(SportradarRest(source.api()), Event())
    session.put([Update("sr:sport_event:77", Stamp(now_ms(), source="sportradar"), now_ms(), status=Status.LIVE)])
    world.wait_for("sr:sport_event:77", "? live")
    with world.reading(SportradarRest(source.api())):
        wait_until(lambda: world.states.all() and world.health(rest).differing == 1, "it to be told")
        wait_until(lambda: world.match(MATCH), "the other matches")
    assert (world.health(rest).connected, world.health(rest).reconnects) == (True, 0)


def test_broken_bytes_in_the_stream_are_refused_and_the_next_message_is_taken(world: FeedWorld) -> None:
    reader = SportradarStream(SportradarApi("http://127.0.0.1:9", KEY, "trial"))
    session = world.session(reader, Event())
    status = {"status": "live", "match_status": "1st_half", "home_score": 1, "away_score": 0}
    goal = {"id": 1, "type": "score_change", "time": "2026-05-01T18:10:00Z", "home_score": 1, "away_score": 0}
    metadata = {"sport_event_id": "sr:sport_event_id:9"}
    message = {"payload": {"event": goal, "sport_event_status": status}, "metadata": metadata}
    whole = json.dumps(message).encode()
    parts = iter([b'{"payload":?}', whole[:40], b"\xff" + whole[60:], whole, b'{"heartbeat":{}}', b""])
    answer = SimpleNamespace(raw=SimpleNamespace(read1=lambda *_, **__: next(parts)))
    with pytest.raises(Unavailable):
        list(map(partial(reader._take, session), reader._values(session, answer)))  # type: ignore[arg-type]
    world.wait_for("sr:sport_event:9", "1-0 first_half")
    assert session.health.refused >= 2
    assert len(world.live.refusals.entries(10)) == session.health.refused


def test_what_the_contract_does_not_have_stops_nothing_else(world: FeedWorld, recorded: Any, fast: None) -> None:
    source = recorded(1.0)
    source.provider.not_in_contract = {"removed.json", "lineups.json"}
    with world.reading(SportradarRest(source.api())):
        wait_until(lambda: world.match(MATCH), "the match")
    assert world.health("sportradar_rest").reconnects == 0
