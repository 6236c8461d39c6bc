"""Corrections in each provider's own wire form, and what becomes of them: score, timeline, and what followers hear.

One class a kind of correction; one writer a provider, which turns a small story into that provider's messages.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from db.domain import SCORING, Fact, FactKind, Match, Score, Status, Update, reduce
from feeds import FEEDS
from feeds.pull.mapping import load
from feeds.pull.parse import parse as parse_pulled

START_S = 1_767_283_200  # 2026-01-01T16:00:00Z
# Seconds after the start: the league has looked at it again.
DAYS_LATER = 2 * 86_400
LEAGUE = load("openligadb")


@dataclass(frozen=True)
class Goal:
    """of: the side. kind: `goal` or `own_goal`; voided: its provider's way to take it back."""

    id: int
    home: int
    away: int
    scorer: str = "First"
    minute: int = 10
    kind: str = "goal"
    voided: bool = False


Writer = Callable[[int, list[Goal], Score, str], list[tuple[int, Any]]]
# A moment of a story: seconds after the start, all goals known then, the score, the status.
Story = list[tuple[int, list[Goal], Score, str]]


def at(second: int) -> str:
    return datetime.fromtimestamp(START_S + second, UTC).isoformat()


def side(goal: Goal, before: Goal | None) -> str:
    return "home" if goal.home > (before.home if before else 0) else "away"


def sportradar(second: int, goals: list[Goal], score: Score, status: str) -> list[tuple[int, Any]]:
    """A timeline: a goal taken back is gone from it. Two documents, for one may be behind what is pushed."""
    events = [
        {
            "id": goal.id,
            "type": "score_change",
            "time": at(goal.id),
            "updated_time": at(second),
            "competitor": side(goal, goals[n - 1] if n else None),
            "match_time": goal.minute,
            "period": 1,
            "period_type": "regular_period",
            "home_score": goal.home,
            "away_score": goal.away,
            "players": [{"type": "scorer", "id": "sr:player:1", "name": goal.scorer}],
            "method": goal.kind,
        }
        for n, goal in enumerate(goals)
        if not goal.voided
    ]
    standing = {"home_score": score.home, "away_score": score.away, **SPORTRADAR[status]}
    document = {"sport_event": {"id": "sr:sport_event:9"}, "sport_event_status": standing, "timeline": events}
    return [(s, document | {"generated_at": at(s)}) for s in (second, second + 12)]


SPORTRADAR = {
    "live": {"status": "live", "match_status": "1st_half"},
    "finished": {"status": "closed", "match_status": "ended"},
}


def opta(second: int, goals: list[Goal], score: Score, status: str) -> list[tuple[int, Any]]:
    """SDDP deltas: a goal taken back becomes an event of type 84."""
    events = [
        {
            "id": goal.id,
            "eventId": goal.id,
            "typeId": 84 if goal.voided else 16,
            "periodId": 1,
            "timeMin": goal.minute - 1,
            "timeStamp": at(goal.id),
            "lastModified": at(second),
            "contestantId": "h" if side(goal, goals[n - 1] if n else None) == "home" else "a",
            "playerId": "p1",
            "playerName": goal.scorer,
            "qualifier": [],
        }
        for n, goal in enumerate(goals)
    ]
    contestants = [{"id": "h", "name": "Home", "position": "home"}, {"id": "a", "name": "Away", "position": "away"}]
    info = {"id": "9", "lastUpdated": at(second), "contestant": contestants}
    details = {"periodId": 1 if status == "live" else 14, "matchStatus": "Playing" if status == "live" else "Played"}
    details = details | {"scores": {"total": {"home": score.home, "away": score.away}}}
    content = {"fixtureUuid": "9", "matchInfo": info, "liveData": {"matchDetails": details, "event": events}}
    return [(second, {"content": content})]


def openligadb(second: int, goals: list[Goal], score: Score, status: str) -> list[tuple[int, Any]]:
    """The whole match, polled; a goal taken back is gone. Unchanged, it is accepted once more."""
    document = {
        "matchID": 9,
        "matchDateTimeUTC": at(0),
        "lastUpdateDateTime": at(second),
        "matchIsFinished": status == "finished",
        "matchResults": [
            {
                "pointsTeam1": score.home,
                "pointsTeam2": score.away,
                "resultTypeID": 2,
                "resultOrderID": 2,
                "resultName": "",
            }
        ],
        "goals": [
            {
                "goalID": goal.id,
                "scoreTeam1": goal.home,
                "scoreTeam2": goal.away,
                "goalGetterName": goal.scorer,
                "matchMinute": goal.minute,
            }
            for goal in goals
            if not goal.voided
        ],
    }
    return [(second, document), (second + 11, document)]


def generic(second: int, goals: list[Goal], score: Score, status: str) -> list[tuple[int, Any]]:
    """Events: a goal taken back is a `goal_cancelled` that names it."""
    events = [
        {
            "match_id": "9",
            "event_id": f"void-{goal.id}" if goal.voided else str(goal.id),
            "event_type": "goal_cancelled" if goal.voided else goal.kind,
            **({"voids": str(goal.id)} if goal.voided else {"player": goal.scorer}),
            "team": side(goal, goals[n - 1] if n else None),
            "home_score": None if goal.voided else goal.home,
            "away_score": None if goal.voided else goal.away,
            "minute": goal.minute,
            "timestamp": at(second),
        }
        for n, goal in enumerate(goals)
    ]
    board = {"match_id": "9", "event_type": "score", "minute": None, "timestamp": at(second), "status": status}
    return [(second, {"events": [*events, board | {"home_score": score.home, "away_score": score.away}]})]


WRITERS: dict[str, Writer] = {
    "sportradar": sportradar,
    "statsperform": opta,
    "openligadb": openligadb,
    "generic": generic,
}


def updates(provider: str, second: int, document: Any) -> list[Update]:
    body, received_at = json.dumps(document).encode(), (START_S + second) * 1000
    if provider == "openligadb":
        return [u for match in parse_pulled(LEAGUE, body, received_at=received_at) for u in match.updates]
    return FEEDS[provider](body, received_at=received_at).updates


def reduced(provider: str, story: Story, *, repeat: int = 1) -> tuple[Match, list[Fact]]:
    """The match at the end, and the facts on the way."""
    match, facts = None, []
    for moment in story:
        for second, document in WRITERS[provider](*moment):
            for _ in range(repeat):
                for update in updates(provider, second, document):
                    match, new = reduce(match, update)
                    facts += list(new)
    assert match
    return match, facts


def goals_added(match: Match, facts: list[Fact]) -> int:
    """Goals that followers hear of."""
    goals = {event.id for event in match.timeline if event.type in SCORING}
    return sum(fact.kind is FactKind.ADDED and fact.event_id in goals for fact in facts)


@pytest.fixture(params=sorted(WRITERS))
def provider(request: pytest.FixtureRequest) -> str:
    return str(request.param)


ONE, TWO = Goal(100, 1, 0), Goal(200, 2, 0, "Second")


TAKEN_BACK: Story = [
    (100, [ONE], Score(1, 0), "live"),
    (200, [ONE, TWO], Score(2, 0), "live"),
    (300, [ONE, Goal(200, 2, 0, "Second", voided=True)], Score(1, 0), "live"),
]


class TestGoalTakenBack:
    def test_it_is_void_and_the_score_is_what_is_left(self, provider: str) -> None:
        match, _ = reduced(provider, TAKEN_BACK)
        assert match.score == Score(1, 0)
        goals = [event for event in match.timeline if event.type == "goal"]
        assert [event.voided for event in goals] == [False, True]

    def test_given_back_it_stands_again(self, provider: str) -> None:
        match, _ = reduced(provider, [*TAKEN_BACK, (400, [ONE, TWO], Score(2, 0), "live")])
        assert match.score == Score(2, 0)
        assert len([event for event in match.timeline if event.counts]) == 2


class TestDetailsChanged:
    @pytest.mark.parametrize(("later", "status"), [(160, "live"), (DAYS_LATER, "finished")])
    def test_another_scorer_and_minute_are_no_other_goal(self, provider: str, later: int, status: str) -> None:
        right = Goal(100, 1, 0, "Right Player", minute=12)
        story = [(100, [ONE], Score(1, 0), "live"), (later, [right], Score(1, 0), status)]
        match, facts = reduced(provider, story)
        [goal] = [event for event in match.timeline if event.counts]
        assert (goal.player and goal.player.name, goal.minute) == ("Right Player", 12)
        assert goals_added(match, facts) == 1


class TestRepeats:
    def test_everything_twice_is_the_same(self, provider: str) -> None:
        once, facts_once = reduced(provider, TAKEN_BACK)
        twice, facts_twice = reduced(provider, TAKEN_BACK, repeat=2)
        assert (once.score, once.status) == (twice.score, twice.status)
        assert goals_added(once, facts_once) == goals_added(twice, facts_twice) == 2


class TestAuthority:
    def test_a_score_without_goals_is_legal(self, provider: str) -> None:
        match, _ = reduced(provider, [(100, [], Score(3, 0), "finished")])
        assert (match.score, match.status) == (Score(3, 0), Status.FINISHED)
        assert not [event for event in match.timeline if event.counts]
