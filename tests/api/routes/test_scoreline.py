"""Scorers and red cards wherever a match is listed: in the bodies and in the pages, from Redis and from history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.api.conftest import Site, event, fixture
from tests.support.html import Html

START = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=30)
ATTACK = "<img src=x onerror=alert(1)>"


def told(id_: str, type_: str, minute: int, home: int, away: int, **more: Any) -> dict[str, Any]:
    board = {"home_score": home, "away_score": away, "minute": minute}
    stamp = (START + timedelta(minutes=minute)).isoformat()
    return event("m", event_id=id_, event_type=type_, timestamp=stamp, **board, **more)


STORY = (
    told("k", "kickoff", 0, 0, 0, team=None, player=None),
    told("g1", "goal", 5, 1, 0, team="home", player={"name": ATTACK}),
    told("g2", "penalty_goal", 9, 1, 1, team="away", player={"name": "سالم الدوسري"}),
    told("r1", "second_yellow", 12, 1, 1, team="away", player={"name": "Pepe"}),
)
SCORERS = [
    {"team": "home", "player": ATTACK, "minute": 5, "added_minute": None, "event_type": "goal"},
    {"team": "away", "player": "سالم الدوسري", "minute": 9, "added_minute": None, "event_type": "penalty_goal"},
]
CARDS = [{"team": "away", "player": "Pepe", "minute": 12, "added_minute": None, "event_type": "second_yellow"}]
LISTS = ("/api/live", f"/api/matches?date={START:%Y-%m-%d}", "/api/search?q=argentina")


@pytest.fixture
def played(either: Site) -> Site:
    either.tell(*STORY, matches=(fixture("m", home_team="Argentina", start_time=START.isoformat()),))
    return either


def listed(site: Site, path: str) -> tuple[Any, Any]:
    (match,) = site.get(path).get_json()["matches"]
    return match["scorers"], match["cards"]


def test_every_list_and_the_score_tell_who_scored_and_who_was_sent_off(played: Site) -> None:
    body = played.get("/api/score/m").get_json()
    assert (body["scorers"], body["cards"]) == (SCORERS, CARDS)
    assert {path: listed(played, path) for path in LISTS} == dict.fromkeys(LISTS, (SCORERS, CARDS))
    (changed,) = played.get("/api/live/changes/1.0").get_json()["matches"]
    assert (changed["scorers"], changed["cards"]) == (SCORERS, CARDS)


def test_a_match_that_redis_has_lost_is_told_from_history(played: Site) -> None:
    played.services.live.redis.flushall()
    body = played.get("/api/score/m").get_json()
    assert (body["scorers"], body["cards"]) == (SCORERS, CARDS)


def test_what_is_taken_back_is_gone(played: Site) -> None:
    played.tell(told("c1", "goal_cancelled", 14, 1, 0, voids="g2", team="away", player=None))
    played.tell(told("r1", "yellow_card", 15, 1, 0, team="away", player={"name": "Pepe"}))
    assert listed(played, "/api/live") == (SCORERS[:1], [])


def test_other_sports_have_no_such_lists(site: Site) -> None:
    match = fixture("b", sport="basketball", start_time=START.isoformat())
    site.tell(event("b", event_type="score", home_score=2, away_score=0), matches=(match,))
    body = site.get("/api/score/b").get_json()
    assert (body["home_score"], body["scorers"], body["cards"]) == (2, None, None)


def test_pages_have_them_without_javascript(played: Site) -> None:
    for path in ("/", f"/day/{START:%Y-%m-%d}", "/team/fra", "/search?q=france"):
        found = Html(played.get(path).get_data(as_text=True))
        assert {f"{ATTACK} 5'", "\u2068سالم الدوسري\u2069 9' (pen)"} <= set(found.text("bdi")), path
        assert found.text("span").count("Red cards: 1") == 1, path
        assert not [tag for tag, attributes in found.tags if "onerror" in attributes]
    assert "Red cards: 1" in Html(played.get("/match/m").get_data(as_text=True)).text("span")


def test_a_row_without_any_has_no_empty_elements(site: Site) -> None:
    site.tell(told("k", "kickoff", 0, 0, 0, team=None, player=None), matches=(fixture("m"),))
    source = site.get("/").get_data(as_text=True)
    assert 'class="row"' in source
    assert "scorers" not in source.split("<main")[1]
    assert "red-cards" not in source
