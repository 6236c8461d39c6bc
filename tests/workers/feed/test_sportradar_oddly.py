"""Sportradar answering oddly: a stream without chunks, redirects to nowhere, limits, documents that fail."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from threading import Event

import pytest

from db.domain.errors import Unavailable
from tests.conftest import wait_until
from tests.support.feed_world import FeedWorld
from tests.support.odd_provider import OddAnswer, OddProvider
from workers.feed import sportradar_rest
from workers.feed.sportradar import SportradarApi, SportradarStream
from workers.feed.sportradar_rest import SportradarRest

KEY = "a-key-of-the-tests"
MATCH = "sr:sport_event:9"
STATUS = {"status": "live", "match_status": "1st_half", "home_score": 1, "away_score": 0}
LISTS = {"sport_event_timelines": [], "summaries": []}


def goal_message() -> bytes:
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    event = {"id": 1, "type": "score_change", "time": at, "home_score": 1, "away_score": 0, "competitor": "home"}
    metadata = {"sport_event_id": "sr:sport_event_id:9"}
    message = {"payload": {"event": event, "sport_event_status": STATUS}, "metadata": metadata}
    return json.dumps(message).encode()


def live_summaries() -> OddAnswer:
    generated_at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    summary = {"sport_event": {"id": MATCH}, "sport_event_status": STATUS}
    return OddAnswer(parts=[json.dumps({"generated_at": generated_at, "summaries": [summary]}).encode()])


@pytest.fixture
def provide() -> Iterator[Callable[[Callable[[str], OddAnswer]], OddProvider]]:
    providers: list[OddProvider] = []

    def one(answer: Callable[[str], OddAnswer]) -> OddProvider:
        providers.append(OddProvider(answer))
        return providers[-1]

    yield one
    for provider in providers:
        provider.close()


def api(provider: OddProvider) -> SportradarApi:
    api = SportradarApi(provider.url, KEY, "trial")
    api.source.quota.per_minute = 100_000
    return api


def stream_of(answer: OddAnswer) -> Callable[[str], OddAnswer]:
    """That answer to the stream, empty lists to all else."""
    return lambda path: answer if "/stream/" in path else OddAnswer(parts=[json.dumps(LISTS).encode()])


def test_a_stream_without_chunks_is_read_as_it_comes(world: FeedWorld, provide: Callable[..., OddProvider]) -> None:
    parts = [b'{"heartbeat":{}}', goal_message(), *[b'{"heartbeat":{}}'] * 400]
    provider = provide(stream_of(OddAnswer(parts=parts, length="", pause_s=0.1)))
    with world.reading(SportradarStream(api(provider))):
        world.wait_for(MATCH, "1-0 first_half", 20.0)


@pytest.mark.parametrize("location", ["http://[half", "http://.example/", "other://x", ""])
def test_a_redirect_to_nowhere_is_a_failure(
    world: FeedWorld, provide: Callable[..., OddProvider], location: str
) -> None:
    reader = SportradarStream(api(provide(stream_of(OddAnswer(302, headers={"Location": location})))))
    with pytest.raises(Unavailable):
        reader.read(world.session(reader, Event()))


def test_the_stream_is_not_asked_before_the_provider_wants_it(
    world: FeedWorld, provide: Callable[..., OddProvider]
) -> None:
    reader = SportradarStream(api(provide(stream_of(OddAnswer(429, headers={"Retry-After": "30"})))))
    session = world.session(reader, Event())
    with pytest.raises(Unavailable, match="the stream answers 429"):
        reader.read(session)
    assert reader.api.source.retry_at_s > time.time()
    session.halt.set()
    reader.read(session)
    assert session.health.messages == 0


def test_a_schedule_that_fails_keeps_nobody_from_the_matches_in_play(
    world: FeedWorld, provide: Callable[..., OddProvider], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sportradar_rest, "SUMMARIES_S", 0.1)
    days: list[str] = []

    def answer(path: str) -> OddAnswer:
        if "/live/summaries" in path:
            return live_summaries()
        if "/schedules/" in path:
            days.append(path)
            return OddAnswer(500) if len(days) == 2 else OddAnswer(parts=[json.dumps(LISTS).encode()])
        return OddAnswer(500 if "removed" in path else 404)

    with world.reading(SportradarRest(api(provide(answer)))):
        world.wait_for(MATCH, "1-0 first_half", 20.0)
        wait_until(lambda: len(set(days)) == sportradar_rest.SCHEDULE_DAYS, "the other days")
    health = world.health("sportradar_rest")
    assert health.connected
    assert "answers 500" in health.reason
    assert KEY not in health.reason
