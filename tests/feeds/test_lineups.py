"""Line-ups and statistics in each provider's own wire form, and as news before the start."""

from __future__ import annotations

import json
from typing import Any

import pytest

from db.domain import Lineups, Person, Stats, TeamLineup, Update
from db.domain.errors import Refused
from feeds import FEEDS
from tests.support.paths import DATA

AT = 1_800_000_000_000
recorded = pytest.mark.skipif(not DATA.exists(), reason="no recordings at hand")


def told(provider: str, body: Any) -> list[Update]:
    return FEEDS[provider](json.dumps(body).encode(), received_at=AT).updates


def lineups_of(updates: list[Update]) -> Lineups:
    [lineups] = [update.lineups for update in updates if update.lineups]
    return lineups


def stats_of(updates: list[Update]) -> Stats:
    [stats] = [update.stats for update in updates if update.stats]
    return stats


def shape(lineup: TeamLineup | None) -> tuple[str | None, int, int]:
    """Formation, starters, bench."""
    assert lineup
    starters = sum(player.starter for player in lineup.players)
    return lineup.formation, starters, len(lineup.players) - starters


@recorded
def test_ma1_of_hamburg_and_sandhausen() -> None:
    body = (DATA / "statsperform" / "ma1-2021-09-11-hsv-sandhausen.json").read_bytes()
    lineups = lineups_of(FEEDS["statsperform"](body, received_at=AT).updates)
    assert lineups.confirmed
    assert shape(lineups.home) == ("4-3-3", 11, 9)
    assert shape(lineups.away)[1] == 11
    assert lineups.home
    assert lineups.home.coach == Person("Tim Laszlo Walter", "epklyppmaov5dmgvhzm3feml1")
    keeper = lineups.home.players[0]
    assert (keeper.name, keeper.number, keeper.position, keeper.place) == ("Daniel Heuer Fernandes", 1, "goalkeeper", 1)
    assert [player.place for player in lineups.home.players[:11]] == list(range(1, 12))
    assert {player.position for player in lineups.home.players} == {"goalkeeper", "defender", "midfielder", "forward"}


@recorded
def test_the_squads_of_a_skillcorner_file_by_the_generic_endpoint() -> None:
    match = json.loads((DATA / "skillcorner" / "2068-match_data.json").read_text())
    sides = {match["home_team"]["id"]: "home", match["away_team"]["id"]: "away"}
    squads: dict[str, Any] = {"home": {"players": []}, "away": {"players": []}}
    for player in match["players"]:
        side = sides.get(player["team_id"], "home")
        squads[side]["players"].append(
            {
                "id": player["id"],
                "name": f"{player['first_name']} {player['last_name']}",
                "number": player["number"],
                "position": player["player_role"]["name"],
                "starter": player["start_time"] == "00:00:00",
            }
        )
    lineups = lineups_of(told("generic", {"matches": [{"id": match["id"], "lineups": squads}]}))
    assert shape(lineups.home)[1] == shape(lineups.away)[1] == 11
    assert lineups.home
    assert all(player.id and player.name for player in lineups.home.players)


def sportradar(*, confirmed: bool = True, status: str = "not_started", **more: Any) -> dict[str, Any]:
    player = {"id": "sr:player:1", "name": "Neuer, Manuel", "type": "goalkeeper", "jersey_number": 1, "order": 1}
    side = {"formation": {"type": "4-2-3-1"}, "manager": {"id": "sr:player:9", "name": "Coach, A"}}
    bench = {"id": "sr:player:2", "name": "Müller, Thomas", "type": "forward", "jersey_number": 25, "starter": False}
    squad = side | {"players": [bench, player | {"starter": True}]}
    return {
        "generated_at": "2026-05-01T17:00:00+00:00",
        "sport_event": {"id": "sr:sport_event:1", "sport_event_conditions": {"lineups": {"confirmed": confirmed}}},
        "sport_event_status": {"status": status},
        "lineups": {"competitors": [squad | {"qualifier": "home"}, squad | {"qualifier": "away", "players": []}]},
        **more,
    }


def test_sportradars_line_ups() -> None:
    lineups = lineups_of(told("sportradar", sportradar()))
    assert (lineups.confirmed, lineups.away, shape(lineups.home)) == (True, None, ("4-2-3-1", 1, 1))
    assert lineups.home
    assert [player.name for player in lineups.home.players] == ["Neuer, Manuel", "Müller, Thomas"]
    assert lineups.home.coach == Person("Coach, A", "sr:player:9")


def test_sportradars_statistics() -> None:
    statistics = {
        "ball_possession": 54,
        "shots_total": 7,
        "corner_kicks": 0,
        "new_figure": 3,
        "odd": "x",
        "Bad Name": 1,
    }
    competitors = [{"qualifier": "home", "statistics": statistics}, {"qualifier": "away", "statistics": {"fouls": 2}}]
    stats = stats_of(told("sportradar", sportradar(statistics={"totals": {"competitors": competitors}})))
    assert stats == Stats({"possession": 54, "shots": 7, "corners": 0, "new_figure": 3}, {"fouls": 2})


def test_stats_performs_statistics() -> None:
    figures = [{"type": "possessionPercentage", "value": "54.3", "fh": "60"}, {"type": "wonCorners", "value": "x"}]
    body = {
        "matchInfo": {
            "id": "o",
            "lastUpdated": "2026-05-01T18:00:00Z",
            "contestant": [{"id": "h", "name": "H", "position": "home"}],
        },
        "liveData": {"lineUp": [{"contestantId": "h", "stat": figures}, {"contestantId": "?", "stat": figures}]},
    }
    assert stats_of(told("statsperform", body)) == Stats({"possession": 54.3}, {})


@pytest.mark.parametrize(
    ("body", "is_news"),
    [
        (sportradar(), True),
        (sportradar(confirmed=False), False),
        (sportradar(status="live"), False),
        (sportradar(lineups={"competitors": []}), False),
    ],
)
def test_confirmed_line_ups_are_news_before_the_start(body: dict[str, Any], is_news: bool) -> None:
    events = [update.event.type for update in told("sportradar", body) if update.event]
    assert events == (["lineups"] if is_news else [])


SQUAD = {"formation": "442", "coach": "A. Coach", "players": ["A", {"name": "B", "number": "7", "captain": True}]}


def test_the_generic_endpoint_takes_line_ups_and_statistics() -> None:
    [update] = told(
        "generic", {"matches": [{"id": "m", "lineups": {"home": SQUAD}, "stats": {"home": {"Shots": "3"}}}]}
    )
    assert update.lineups
    assert update.lineups.home
    assert (update.lineups.home.formation, update.lineups.home.coach) == ("4-4-2", Person("A. Coach"))
    assert [(player.name, player.number, player.captain) for player in update.lineups.home.players] == [
        ("B", 7, True),
        ("A", None, False),
    ]
    assert update.stats == Stats({"shots": 3.0}, {})


@pytest.mark.parametrize(
    "fields",
    [
        {"lineups": {"home": {"players": ["A"] * 61}}},
        {"lineups": {"home": {"players": [{"number": 1}]}}},
        {"stats": {"home": {"shots": "many"}}},
        {"stats": {"home": {"shots": -1}}},
        {"stats": {"home": {"a" * 41: 1}}},
        {"stats": {"home": {f"a{n}": 1 for n in range(81)}}},
    ],
)
def test_odd_ones_are_refused_at_the_generic_endpoint(fields: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        told("generic", {"matches": [{"id": "m", **fields}]})


@pytest.mark.parametrize(
    "odd", [None, 1, "x", [], {}, [None], {"competitors": 1}, {"competitors": [{"qualifier": []}]}]
)
def test_odd_documents_of_a_provider_have_none(odd: Any) -> None:
    for body in (sportradar(lineups=odd, statistics=odd), sportradar(statistics={"totals": odd}, lineups=odd)):
        assert all(update.stats is None for update in told("sportradar", body))
    ma1 = {"matchInfo": {"id": "o", "lastUpdated": "2026-05-01T18:00:00Z"}, "liveData": {"lineUp": odd}}
    assert all(update.lineups is None for update in told("statsperform", ma1))
