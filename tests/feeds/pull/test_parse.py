"""Polled documents by their mapping: recorded ones, the oddities of each preset, and whatever else a provider sends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.domain import Match, Phase, Score, Side, Status
from db.domain.errors import Refused
from feeds.pull.mapping import load
from feeds.pull.parse import PulledMatch, parse
from tests.support.feeds import match_after
from tests.support.paths import DATA

NOW = 1_739_125_500_000
LEAGUE = load("openligadb")
DATA_ORG = load("football_data")


def pulled(document: Any, mapping: Any = LEAGUE, now: int = NOW) -> PulledMatch:
    [match] = parse(mapping, json.dumps(document).encode(), received_at=now)
    return match


def after(*documents: Any, mapping: Any = LEAGUE) -> Match:
    return match_after(update for document in documents for update in pulled(document, mapping).updates)


def league_match(**fields: Any) -> dict[str, Any]:
    """In play since half an hour, no goal yet."""
    return {
        "matchID": 1,
        "matchDateTimeUTC": "2025-02-09T17:55:00Z",
        "leagueShortcut": "bl1",
        "leagueName": "Bundesliga",
        "team1": {"teamId": 1, "teamName": "Home"},
        "team2": {"teamId": 2, "teamName": "Away"},
        "lastUpdateDateTime": "2025-02-09T19:10:00.000",
        "matchIsFinished": False,
        "matchResults": [result(0, 0)],
        "goals": [],
    } | fields


def result(home: int, away: int, kind: int = 2, name: str = "Endergebnis") -> dict[str, Any]:
    return {"pointsTeam1": home, "pointsTeam2": away, "resultTypeID": kind, "resultOrderID": kind, "resultName": name}


def goal(number: int, home: int, away: int, **fields: Any) -> dict[str, Any]:
    return {"goalID": number, "scoreTeam1": home, "scoreTeam2": away, "matchMinute": 20, "goalGetterName": "A"} | fields


def polled(*polls: tuple[int, list[dict[str, Any]]]) -> Match:
    """What polls at these seconds make of it; a list of goals changes when it is first seen."""
    changed, updates = "", []
    for n, (second, goals) in enumerate(polls):
        if n == 0 or goals != polls[n - 1][1]:
            changed = edited(second)
        document = league_match(goals=goals, lastUpdateDateTime=changed, matchResults=[result(len(goals), 0)])
        updates += pulled(document, now=1_739_125_200_000 + second * 1000 + 500).updates
    return match_after(updates)


def edited(second: int) -> str:
    """A time of change in German local time."""
    return f"2025-02-09T19:{20 + second // 60:02}:{second % 60:02}.000"


@pytest.mark.skipif(not DATA.exists(), reason="no recordings at hand")
def test_the_recorded_match() -> None:
    document = json.loads((DATA / "openligadb" / "match-72395-leipzig-stpauli-2025-02-09.json").read_text())
    match = after(document)
    assert (match.score, match.status) == (Score(2, 0), Status.FINISHED)
    assert match.home
    assert match.home.name == "RB Leipzig"
    assert [(e.player.name, e.team, e.minute) for e in match.timeline if e.player] == [
        ("B. Šeško", Side.HOME, 16),
        ("Xavi Simons", Side.HOME, 35),
    ]


class TestOpenLigaDb:
    def test_a_match_is_in_play_from_its_start_until_it_is_finished(self) -> None:
        start = 1_739_123_700_000
        assert pulled(league_match(), now=start - 1).phase is Phase.SCHEDULED
        assert pulled(league_match(), now=start).phase is Phase.LIVE
        assert pulled(league_match(), now=start + 5 * 3_600_000).phase is None
        assert pulled(league_match(matchIsFinished=True), now=start).phase is Phase.FINISHED

    def test_before_the_start_there_is_no_score(self) -> None:
        (state,) = pulled(league_match(), now=1_739_100_000_000).updates
        assert state.score is None

    def test_its_times_are_german(self) -> None:
        scored, _ = pulled(league_match(goals=[goal(1, 1, 0)])).updates
        assert scored.stamp.at == 1_739_124_600_000

    def test_a_match_that_nobody_types_has_no_score(self) -> None:
        assert pulled(league_match(matchResults=[])).updates[-1].score is None

    def test_the_newest_goal_has_the_score_whatever_the_order_and_the_result(self) -> None:
        match = after(league_match(goals=[goal(2, 1, 1), goal(1, 1, 0)], matchResults=[result(1, 0)]))
        assert match.score == Score(1, 1)
        assert [event.team for event in match.timeline] == [Side.HOME, Side.AWAY]

    def test_a_goal_taken_back_is_void_once_two_documents_lack_it(self) -> None:
        first, both = [goal(1, 1, 0)], [goal(1, 1, 0), goal(2, 2, 0)]
        match = polled((0, both), (90, first))
        assert match.score == Score(2, 0)
        match = polled((0, both), (90, first), (101, first))
        assert match.score == Score(1, 0)
        assert [(event.id, event.voided) for event in match.timeline] == [("1", False), ("2", True)]

    def test_a_goal_given_back_stands_again(self) -> None:
        goals = [goal(1, 1, 0)]
        match = polled((0, goals), (90, []), (101, []), (200, goals))
        assert match.score == Score(1, 0)
        assert [event.voided for event in match.timeline] == [False]

    def test_an_edit_changes_the_goal_and_makes_none(self) -> None:
        documents = [
            league_match(goals=[goal(1, 1, 0, goalGetterName=name)], lastUpdateDateTime=edited(60 * n))
            for n, name in enumerate(["Wrong", "Right"])
        ]
        match = after(*documents)
        assert [event.player and event.player.name for event in match.timeline] == ["Right"]
        assert match.score == Score(1, 0)

    def test_extra_time_is_in_the_score_and_kicks_are_not(self) -> None:
        results = [result(1, 1), result(2, 2, 3, "nach Verlängerung"), result(6, 5, 4, "nach Elfmeterschießen")]
        match = after(league_match(matchIsFinished=True, matchResults=results))
        assert (match.score, match.decided_by) == (Score(2, 2), "penalties")


def data_match(**fields: Any) -> dict[str, Any]:
    entry = {
        "id": 7,
        "utcDate": "2025-02-09T17:55:00Z",
        "status": "IN_PLAY",
        "lastUpdated": "2025-02-09T18:10:00Z",
        "competition": {"code": "PL", "name": "Premier League"},
        "homeTeam": {"id": 1, "name": "Home"},
        "awayTeam": {"id": 2, "name": "Away"},
        "score": {"duration": "REGULAR", "fullTime": {"home": 1, "away": 0}},
    } | fields
    return {"matches": [entry]}


class TestFootballData:
    @pytest.mark.parametrize(
        ("word", "status"),
        [
            ("SCHEDULED", Status.SCHEDULED),
            ("TIMED", Status.SCHEDULED),
            ("IN_PLAY", Status.LIVE),
            ("PAUSED", Status.HALF_TIME),
            ("EXTRA_TIME", Status.ET_FIRST),
            ("PENALTY_SHOOTOUT", Status.SHOOTOUT),
            ("FINISHED", Status.FINISHED),
            ("SUSPENDED", Status.SUSPENDED),
            ("POSTPONED", Status.POSTPONED),
            ("CANCELLED", Status.CANCELLED),
            ("AWARDED", Status.AWARDED),
        ],
    )
    def test_each_status_word(self, word: str, status: Status) -> None:
        assert pulled(data_match(status=word), DATA_ORG).updates[-1].status is status

    def test_kicks_are_not_in_the_score(self) -> None:
        score = {
            "duration": "PENALTY_SHOOTOUT",
            "fullTime": {"home": 7, "away": 6},
            "regularTime": {"home": 2, "away": 2},
            "extraTime": {"home": 1, "away": 1},
            "penalties": {"home": 4, "away": 3},
        }
        match = after(data_match(status="FINISHED", score=score), mapping=DATA_ORG)
        assert (match.score, match.shootout, match.decided_by) == (Score(3, 3), Score(4, 3), "penalties")

    def test_a_score_that_drops_is_believed(self) -> None:
        lower = {"duration": "REGULAR", "fullTime": {"home": 0, "away": 0}}
        match = after(data_match(), data_match(score=lower, lastUpdated="2025-02-09T18:12:00Z"), mapping=DATA_ORG)
        assert match.score == Score(0, 0)

    def test_ids_may_be_text(self) -> None:
        assert pulled(data_match(id="7"), DATA_ORG).match_id == pulled(data_match(), DATA_ORG).match_id


class TestMappingFiles:
    def write(self, folder: Path, text: str) -> str:
        path = folder / "my-league.toml"
        path.write_text(text)
        return str(path)

    def test_a_small_one(self, tmp_path: Path) -> None:
        text = """
            [request]
            url = "{base}/{item}"
            [match]
            id = "n"
            [state]
            status = "s"
            home_score = "p[0]"
            away_score = "p[1]"
        """
        mapping = load(self.write(tmp_path, text))
        (state,) = pulled([{"n": 5, "s": "HT", "p": ["1", 2.0]}], mapping).updates
        assert (mapping.name, state.match_id, state.status, state.score) == (
            "my_league",
            "5",
            Status.HALF_TIME,
            Score(1, 2),
        )
        assert state.stamp.source == "my_league"

    @pytest.mark.parametrize(
        "wrong",
        [
            '[match]\nid = "n"',
            '[request]\nurl = "u"',
            '[request]\nurl = "u"\n[match]\nid = "a[["',
            '[request]\nurl = "u"\nspeed = 3\n[match]\nid = "n"',
            '[request]\nurl = "u"\nlive_s = 0\n[match]\nid = "n"',
            '[request]\nurl = 3\n[match]\nid = "n"',
            '[request]\nurl = "u"\n[match]\nid = "n"\nzone = "Middle/Earth"',
            '[request]\nurl = "u"\n[match]\nid = "n"\n[score]\nhome = "h"',
            "not toml",
            '[request]\nurl = "{base}/{league}"\n[match]\nid = "n"',
            '[request]\nurl = "{base}/{item"\n[match]\nid = "n"',
            '[request]\nurl = "u"\nmatch_url = "{base}/{item}"\n[match]\nid = "n"',
            '[request]\nurl = "u"\nchanged_url = "{base}/{season}"\n[match]\nid = "n"',
            '[request]\nurl = "u"\n[match]\nid = "no_function(n)"',
            '[request]\nurl = "u"\n[match]\nid = "n"\n[state]\nwords = { PAUSED = "haftime" }',
        ],
    )
    def test_a_wrong_one_stops_the_start(self, tmp_path: Path, wrong: str) -> None:
        with pytest.raises(Refused, match="my_league"):
            load(self.write(tmp_path, wrong))

    def test_one_that_is_not_there(self) -> None:
        with pytest.raises(Refused, match="cannot be read"):
            load("./nowhere.toml")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(league_match())), JSON, st.sampled_from(sorted(goal(1, 1, 0))), JSON)
def test_odd_values_are_skipped_or_refused_and_never_raise_the_score(
    name: str, value: Any, goal_name: str, goal_value: Any
) -> None:
    document = league_match(goals=[goal(1, 1, 0) | {goal_name: goal_value}]) | {name: value}
    try:
        matches = parse(LEAGUE, json.dumps(document).encode(), received_at=NOW)
    except Refused:
        return
    if name not in ("goals", "matchResults") and not goal_name.startswith("score"):
        assert all(u.score in (None, Score(1, 0), Score(0, 0)) for match in matches for u in match.updates)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    for mapping in (LEAGUE, DATA_ORG):
        try:
            parse(mapping, body, received_at=NOW)
        except Refused:
            continue
