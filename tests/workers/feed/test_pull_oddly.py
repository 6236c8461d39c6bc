"""Polled providers that answer oddly: a league that fails, an error page, a change that cannot be read at once."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from feeds.pull.mapping import load
from tests.conftest import wait_until
from tests.support.feed_world import FeedWorld
from tests.support.odd_provider import OddAnswer, OddProvider
from workers.feed.pull import PullReader

HTML = OddAnswer(parts=[b"<html>Busy.</html>"], headers={"ETag": '"page"', "Cache-Control": "max-age=600"})


class League:
    """OpenLigaDB with one match in play. faults: what the next requests for matches are answered instead."""

    def __init__(self) -> None:
        self.goals = 0
        self.edits = 0
        self.faults: list[OddAnswer] = []

    def score(self) -> None:
        self.goals += 1
        self.edits += 1

    def answer(self, path: str) -> OddAnswer:
        if "getlastchangedate" in path:
            return self._json(f"edit {self.edits}")
        if "typo" in path:
            return OddAnswer(404)
        if self.faults:
            return self.faults.pop(0)
        return self._json([self._match()])

    def _json(self, document: Any) -> OddAnswer:
        return OddAnswer(parts=[json.dumps(document).encode()])

    def _match(self) -> dict[str, Any]:
        start = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 600))
        goals = [{"goalID": n, "scoreTeam1": n, "scoreTeam2": 0} for n in range(1, self.goals + 1)]
        group = {"leagueSeason": 2026, "group": {"groupOrderID": 1}}
        return {"matchID": 1, "matchDateTimeUTC": start, "matchIsFinished": False, "goals": goals, **group}


@pytest.fixture
def league() -> League:
    return League()


@pytest.fixture
def provider(league: League) -> Iterator[OddProvider]:
    provider = OddProvider(league.answer)
    yield provider
    provider.close()


def reader(provider: OddProvider, *leagues: str) -> PullReader:
    mapping = load("openligadb")
    request = replace(mapping.request, live_s=0.1, idle_s=0.1, per_minute=10_000)
    return PullReader(replace(mapping, request=request), provider.url, leagues)


@pytest.mark.parametrize("fault", [OddAnswer(500), HTML, OddAnswer(parts=[b"[{]"]), OddAnswer(parts=[b"[{}]"])])
def test_a_change_that_could_not_be_read_is_asked_for_again(
    world: FeedWorld, league: League, provider: OddProvider, fault: OddAnswer
) -> None:
    with world.reading(reader(provider, "bl1")):
        world.wait_for("openligadb-1", "? live", 20.0)
        league.faults.append(fault)
        league.score()
        world.wait_for("openligadb-1", "1-0 live", 20.0)


def test_a_league_that_fails_keeps_nobody_from_the_others(
    world: FeedWorld, league: League, provider: OddProvider
) -> None:
    with world.reading(reader(provider, "typo", "bl1")):
        league.score()
        world.wait_for("openligadb-1", "1-0 live", 20.0)
        wait_until(lambda: "typo answers 404" in world.health("openligadb").reason, "the reason")
        assert world.health("openligadb").connected


def test_where_all_leagues_fail_it_is_down(world: FeedWorld, provider: OddProvider) -> None:
    with world.reading(reader(provider, "typo", "typo2")):
        wait_until(lambda: "typo answers 404" in world.health("openligadb").reason, "the reason")
        assert not world.health("openligadb").connected


def test_one_who_is_over_the_limit_asks_no_more(
    world: FeedWorld, provider: OddProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer: Callable[[str], OddAnswer] = lambda _: OddAnswer(429, headers={"Retry-After": "600"})  # noqa: E731
    monkeypatch.setattr(provider, "answer", answer)
    with world.reading(reader(provider, "bl1", "bl2")):
        wait_until(lambda: world.states.all() and world.health("openligadb").reason, "the reason")
        time.sleep(1.0)
    assert len(provider.paths) == 1
