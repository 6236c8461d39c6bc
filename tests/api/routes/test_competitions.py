"""Tables, scorers, teams and meetings as readers get them, on both databases."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api import competitions
from dev.recordings import read
from tests.api.conftest import Site, error, event, fields, fixture
from tests.conftest import free_port
from tests.support.paths import DATA
from tests.support.seasons import needed
from workers.ingest import Drain

ATTACK = "</script><img src=x onerror=alert(1)>"
# A competition whose seasons do not change these days.
CUP = "cup" if datetime.now(UTC).month not in (6, 7) else "allsvenskan"
TABLE, SCORERS = f"/api/competitions/{CUP}/table", f"/api/competitions/{CUP}/scorers"


def at(hours: float) -> str:
    """A moment so many hours from now."""
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()


def match(id_: str, home: str, away: str, hours: float, **more: Any) -> dict[str, Any]:
    sides = {"home_team": {"id": home, "name": home.upper()}, "away_team": {"id": away, "name": away.upper()}}
    return fixture(id_, **(sides | {"start_time": at(hours), "competition": {"id": CUP, "name": "Cup"}} | more))


def over(id_: str, home: int, away: int, hours: float, **more: Any) -> dict[str, Any]:
    return event(id_, event_type="full_time", home_score=home, away_score=away, minute=90, timestamp=at(hours), **more)


def body(site: Site, path: str) -> dict[str, Any]:
    answer = site.get(path)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return dict(answer.get_json())


def ranks(table: dict[str, Any], group: int = 0) -> list[tuple[int, str, int]]:
    return [(row["position"], row["team"]["id"], row["points"]) for row in table["groups"][group]["rows"]]


def goal(id_: str, home: int, away: int, minute: int, **more: Any) -> dict[str, Any]:
    fields = {"home_score": home, "away_score": away, "minute": minute, "timestamp": at(-0.5 + minute / 600)}
    return event(id_, **(fields | {"event_id": f"{id_}-{minute}", "team": "home"} | more))


@pytest.fixture
def league(either: Site) -> Site:
    """A has beaten B and drawn with C. B and C are playing, without a goal so far; C and A will."""
    tell_league(either)
    return either


def tell_league(site: Site) -> None:
    site.tell(
        over("m1", 2, 0, -6),
        over("m2", 1, 1, -3),
        event("m3", event_type="kickoff", home_score=0, minute=0, timestamp=at(-0.5)),
        matches=(
            match("m1", "a", "b", -8),
            match("m2", "a", "c", -5),
            match("m3", "b", "c", -0.5),
            match("m4", "c", "a", 30, status="scheduled"),
        ),
    )


def score_without_history(site: Site) -> None:
    """The goal is committed and not yet written to SQL."""
    assert site.deliver({"events": [goal("m3", 1, 0, 5)]}).status_code == 202
    Drain(site.services.live, site.services.bells).match("m3")


def test_a_table_moves_with_the_goal_before_history_knows_it(league: Site) -> None:
    before = body(league, TABLE)
    assert (before["provisional"], before["competition"]) == (True, {"id": CUP, "name": "Cup"})
    assert ranks(before) == [(1, "a", 4), (2, "c", 2), (3, "b", 1)]
    score_without_history(league)
    after = body(league, TABLE)
    assert ranks(after) == [(1, "a", 4), (2, "b", 3), (3, "c", 1)]
    row = after["groups"][0]["rows"][1]
    assert (row["live"], row["form"], row["goals_for"], row["home"]["points"]) == ("m3", ["lost", "won"], 1, 3)
    assert after["version"] > before["version"]
    league.work()
    assert body(league, TABLE) == after


def test_the_final_whistle_and_a_correction_settle_it(league: Site) -> None:
    league.tell(over("m3", 1, 0, -0.1))
    settled = body(league, TABLE)
    assert (settled["provisional"], ranks(settled)[1]) == (False, (2, "b", 3))
    league.tell(matches=(match("m3", "b", "c", -0.5, status="abandoned"),))
    assert ranks(body(league, TABLE)) == [(1, "a", 4), (2, "c", 1), (3, "b", 0)]
    league.tell(event("m3", event_type="awarded", home_score=0, away_score=3, minute=None, timestamp=at(0)))
    assert ranks(body(league, TABLE))[:2] == [(1, "c", 4), (2, "a", 4)]


def test_an_answer_is_made_once_until_something_changes(league: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[int] = []
    count = competitions.standings

    def counting(*args: Any) -> Any:
        counted.append(1)
        return count(*args)

    monkeypatch.setattr(competitions, "standings", counting)
    etag = league.get(TABLE).headers["ETag"]
    for _ in range(3):
        assert league.get(TABLE, If_None_Match=etag).status_code == 304
    assert len(counted) == 1
    score_without_history(league)
    assert league.get(TABLE, If_None_Match=etag).status_code == 200
    assert len(counted) == 2


def test_after_a_change_only_the_match_that_changed_is_read(league: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    index, asked = league.services.history.index, list[str]()
    read = index.matches

    def reading(match_ids: Any) -> Any:
        asked.extend(match_ids)
        return read(match_ids)

    monkeypatch.setattr(index, "matches", reading)
    body(league, TABLE)
    assert sorted(asked) == ["m1", "m2", "m3", "m4"]
    league.tell(goal("m3", 1, 0, 5))
    body(league, TABLE)
    assert asked[4:] in (["m3"], [])


def test_without_redis_a_table_is_what_history_knows_and_without_history_there_is_none(
    make_site: Callable[..., Site], sqlite_url: str
) -> None:
    site = make_site(sqlite_url)
    tell_league(site)
    no_redis = make_site(sqlite_url, redis_url=f"redis://127.0.0.1:{free_port()}/0")
    for path in (TABLE, SCORERS, "/api/teams/a", "/api/matches/m3/head-to-head"):
        assert body(no_redis, path) == body(site, path)
    no_sql = make_site("postgresql://u:p@127.0.0.1:1/none")
    for path in (TABLE, SCORERS, "/api/teams/a", "/api/matches/m3/head-to-head"):
        assert error(no_sql.get(path)) == (503, "unavailable"), path


def test_one_id_has_many_seasons_and_the_newest_that_has_begun_is_shown(either: Site) -> None:
    either.tell(
        over("old", 2, 0, -8),
        over("new", 0, 1, -8),
        matches=(
            match(
                "old", "a", "b", 0, start_time="2024-05-01T18:00:00Z", competition={"id": "lig", "name": "Lig 23/24"}
            ),
            match(
                "new", "a", "b", 0, start_time="2024-08-01T18:00:00Z", competition={"id": "lig", "name": "Lig 24/25"}
            ),
            match("far", "a", "b", 0, start_time="2098-08-01T18:00:00Z", competition={"id": "lig", "name": "Lig"}),
        ),
    )
    shown = body(either, "/api/competitions/lig/table")
    assert (shown["season"], shown["competition"]["name"], ranks(shown)[0][1]) == ("2024-25", "Lig 24/25", "b")
    before = body(either, "/api/competitions/lig/table?season=2023-24")
    assert (before["competition"]["name"], ranks(before)[0][1]) == ("Lig 23/24", "a")
    assert body(either, "/api/competitions/lig/table?season=2021-22")["groups"] == []
    for wrong in ("2023", "2023-25", "last", "2023-24x"):
        refusal = either.get(f"/api/competitions/lig/table?season={wrong}")
        assert (error(refusal), fields(refusal)) == ((400, "bad_request"), ["season"]), wrong


def test_before_its_first_match_a_competition_shows_who_takes_part(either: Site) -> None:
    either.tell(matches=(match("m", "a", "b", 0, start_time="2098-08-01T18:00:00Z", status="scheduled"),))
    table = body(either, TABLE)
    assert table["season"] in ("2098-99", "2098")
    assert (ranks(table), table["provisional"]) == ([(1, "a", 0), (1, "b", 0)], False)


@pytest.mark.parametrize("path", ["/api/competitions/{}/table", "/api/competitions/{}/scorers", "/api/teams/{}"])
def test_what_does_not_exist_is_a_404_for_seconds(site: Site, path: str) -> None:
    noun = "team" if "teams" in path else "competition"
    for name in ("nobody", "a b", "x" * 65, "%00"):
        answer = site.get(path.format(name))
        assert error(answer) == (404, f"unknown_{noun}"), name
        assert answer.headers["Cache-Control"] == "public, max-age=2, s-maxage=5"
    assert error(site.get("/api/matches/nobody/head-to-head")) == (404, "unknown_match")


def test_names_that_attack_stay_text(either: Site) -> None:
    named = {"home_team": {"id": "a", "name": ATTACK}, "competition": {"id": CUP, "name": ATTACK}, "round": ATTACK}
    either.tell(goal("m", 1, 0, 9, player=ATTACK), matches=(match("m", "a", "b", -0.5, stage="Final", **named),))
    either.tell(goal("n", 1, 0, 9, player=ATTACK), matches=(match("n", "a", "b", -0.5, **named | {"round": 1}),))
    for path in (TABLE, SCORERS, "/api/teams/a", "/api/matches/m/head-to-head"):
        answer = either.get(path)
        assert (answer.mimetype, answer.headers.get("X-Content-Type-Options", "nosniff")) == (
            "application/json", "nosniff"
        )  # fmt: skip
        assert ATTACK in str(answer.get_json())
    assert body(either, TABLE)["groups"][0]["rows"][0]["team"] == {"id": "a", "name": ATTACK}
    assert body(either, SCORERS)["scorers"][0]["player"]["name"] == ATTACK


def test_scorers_are_those_of_goals_that_stand(league: Site) -> None:
    league.tell(
        goal("m3", 1, 0, 5, player={"id": "p1", "name": "A. Striker"}, assist="B"),
        goal("m3", 2, 0, 9, player={"id": "p1", "name": "A. Striker"}, event_type="penalty_goal"),
        goal("m3", 2, 1, 12, player="Unlucky", team="away", event_type="own_goal"),
        goal("m3", 3, 1, 20, player="B"),
    )
    league.tell(goal("m3", 2, 1, 22, event_type="goal_cancelled", voids="m3-20", player=None))
    scorers = body(league, SCORERS)
    assert scorers["provisional"] is True
    assert scorers["scorers"] == [
        {
            "position": 1,
            "player": {"id": "p1", "name": "A. Striker"},
            "team": {"id": "b", "name": "B"},
            "goals": 2,
            "penalties": 1,
            "assists": 0,
        }
    ]


def test_a_team_has_its_form_results_and_fixtures(league: Site) -> None:
    team = body(league, "/api/teams/a")
    assert team["form"] == [{"match_id": "m1", "outcome": "won"}, {"match_id": "m2", "outcome": "drawn"}]
    assert [entry["match_id"] for entry in team["results"]] == ["m2", "m1"]
    assert ([entry["match_id"] for entry in team["fixtures"]], team["live"]) == (["m4"], [])
    other = body(league, "/api/teams/b")
    assert ([entry["match_id"] for entry in other["live"]], other["fixtures"]) == (["m3"], [])
    score_without_history(league)
    assert body(league, "/api/teams/b")["live"][0]["home_score"] == 1


def test_a_team_that_is_another_name_is_the_same_team(league: Site) -> None:
    league.tell(over("m5", 1, 0, -9), matches=(match("m5", "x", "c", -12),))
    assert league.app.test_cli_runner().invoke(args=["teams", "merge", "x", "b"]).exit_code == 0
    league.work()
    assert [row["team"]["id"] for row in body(league, TABLE)["groups"][0]["rows"]] == ["a", "b", "c"]
    assert [entry["match_id"] for entry in body(league, "/api/teams/b")["results"]] == ["m1", "m5"]
    assert body(league, "/api/teams/x") == body(league, "/api/teams/b")
    assert body(league, "/api/matches/m3/head-to-head")["home_wins"] == 1


def test_meetings_count_for_the_sides_of_the_match_wherever_they_met(either: Site) -> None:
    either.tell(
        over("x1", 2, 0, -9),
        over("x2", 3, 1, -7),
        over("x3", 1, 1, -5),
        event("x4", event_type="kickoff", home_score=0, minute=0, timestamp=at(-0.5)),
        matches=(
            match("x1", "a", "b", -12),
            match("x2", "b", "a", -9),
            match("x3", "b", "a", -7),
            match("x4", "a", "b", -0.5),
            match("x5", "b", "a", 60, status="scheduled"),
            match("y", "a", "c", -9),
        ),
    )
    shown = body(either, "/api/matches/x4/head-to-head")
    assert (shown["home_wins"], shown["draws"], shown["away_wins"], shown["tie"]) == (1, 1, 1, None)
    assert [entry["match_id"] for entry in shown["matches"]] == ["x4", "x3", "x2", "x1"]
    reverse = body(either, "/api/matches/x5/head-to-head")
    assert (reverse["home_team"]["id"], reverse["home_wins"], reverse["away_wins"]) == ("b", 1, 1)


def test_two_legs_are_one_tie(either: Site) -> None:
    rounds = {"stage": "Knock-out", "round": "Semi-finals"}
    either.tell(
        over("l1", 2, 1, -6),
        event("l2", event_type="kickoff", home_score=0, minute=0, timestamp=at(-0.5)),
        matches=(match("l1", "a", "b", -8, leg=1, **rounds), match("l2", "b", "a", -0.5, leg=2, **rounds)),
    )
    either.tell(goal("l2", 2, 0, 9))
    tie = body(either, "/api/matches/l2/head-to-head")["tie"]
    assert ([team["id"] for team in tie["teams"]], tie["aggregate"], tie["winner"]) == (["a", "b"], [2, 3], None)
    either.tell(over("l2", 2, 0, -0.1))
    table = body(either, TABLE)
    assert (table["groups"], [each["round"] for each in table["rounds"]]) == ([], ["Semi-finals"])
    (shown,) = table["rounds"][0]["ties"]
    assert (shown["aggregate"], shown["winner"], shown["decided_by"]) == ([2, 3], "b", "regular")
    assert [(leg["match_id"], leg["leg"]) for leg in shown["matches"]] == [("l1", 1), ("l2", 2)]


def test_a_match_that_continues_as_another_is_counted_once_and_leads_there(league: Site) -> None:
    league.tell(matches=(match("m1", "a", "b", -8, replaced_by="m3"),))
    assert ranks(body(league, TABLE))[0] == (1, "c", 2)
    answer = league.get("/api/matches/m1/head-to-head")
    assert (answer.status_code, answer.headers["Location"]) == (308, "/api/matches/m3/head-to-head")


@needed
def test_a_whole_world_cup_told_by_its_events(site: Site) -> None:
    recording = read(DATA / "openfootball" / "worldcup-2022.json")
    told: dict[str, dict[str, list[Any]]] = {}
    for message in recording.messages:
        for kind, entries in json.loads(message.body).items():
            told.setdefault(message.match_id, {}).setdefault(kind, []).extend(entries)
    for delivery in told.values():
        assert site.deliver(delivery).status_code == 202
    site.work()
    table = body(site, "/api/competitions/world-cup/table")
    assert (table["season"], table["provisional"]) == ("2022", False)
    winners = [group["rows"][0]["team"]["id"] for group in table["groups"]]
    assert winners == ["netherlands", "england", "argentina", "france", "japan", "morocco", "brazil", "portugal"]
    (final,) = table["rounds"][-1]["ties"]
    assert (table["rounds"][-1]["round"], final["winner"], final["decided_by"]) == ("Final", "argentina", "penalties")
    assert final["aggregate"] == [3, 3]
    best = body(site, "/api/competitions/world-cup/scorers")["scorers"]
    # Two more are of a "Mbappé": there are no ids.
    assert [(row["player"]["name"], row["goals"]) for row in best[:2]] == [("Lionel Messi", 7), ("Kylian Mbappé", 6)]
    assert {row["goals"] for row in best[2:4]} == {4}
    argentina = body(site, "/api/teams/argentina")
    assert [entry["outcome"] for entry in argentina["form"]] == ["won"] * 5
