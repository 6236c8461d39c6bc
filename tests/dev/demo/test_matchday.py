"""The demo's plan: what it tells adds up to the matches it is written from."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from db.domain import Match, Status, reduce
from dev.demo.matchday import PlannedMessage, fixtures, plan
from feeds.generic import parse as generic


def played(messages: list[PlannedMessage]) -> dict[str, Match]:
    """The round as the endpoint would read it, at one second a match minute."""
    matches: dict[str, Match] = {}
    for due in messages:
        moment = datetime.fromtimestamp(1_700_000_000 + max(due.at, -100.0), UTC).isoformat()
        body = {"events": [due.body | {"timestamp": moment}]} if due.kind == "event" else {"matches": [due.body]}
        for update in generic.parse(json.dumps(body).encode(), received_at=1_700_000_000_000):
            matches[update.match_id], _ = reduce(matches.get(update.match_id), update)
    return matches


@pytest.fixture(scope="module")
def finals() -> dict[str, Match]:
    return {match_id.removesuffix("-7"): match for match_id, match in played(plan(fixtures(), 7)).items()}


@pytest.mark.parametrize(
    ("name", "home", "away"),
    [
        ("argentina-france", 3, 3),
        ("argentina-saudi-arabia", 1, 2),
        ("canada-morocco", 1, 2),
        ("germany-japan", 1, 2),
        ("mexico-poland", 0, 0),
        ("wales-iran", 0, 2),
    ],
)
def test_every_match_ends_as_it_did(finals: dict[str, Match], name: str, home: int, away: int) -> None:
    match = finals[name]
    assert match.score
    assert (match.score.home, match.score.away, match.status) == (home, away, Status.FINISHED)


def test_the_final_is_decided_by_penalties(finals: dict[str, Match]) -> None:
    final = finals["argentina-france"]
    assert final.shootout
    assert (final.shootout.home, final.shootout.away, final.decided_by) == (4, 2, "penalties")
    assert [event.minute for event in final.timeline if event.counts] == [23, 36, 80, 81, 108, 118]


def test_the_goal_taken_back_stays_on_the_timeline(finals: dict[str, Match]) -> None:
    goals = [event for event in finals["argentina-saudi-arabia"].timeline if event.type == "goal"]
    assert [(event.minute, event.voided) for event in goals] == [(27, True), (48, False), (53, False)]


def test_unplayed_matches_have_no_score(finals: dict[str, Match]) -> None:
    assert {name: match.status for name, match in finals.items() if match.score is None} == {
        "arsenal-psv": Status.POSTPONED,
        "brazil-serbia": Status.SCHEDULED,
        "portugal-ghana": Status.SCHEDULED,
    }


def test_a_goal_comes_within_ten_seconds_at_demo_speed() -> None:
    """Five match minutes at 30 a minute."""
    goals = [due.at for due in plan(fixtures(), 1) if due.body.get("event_type", "").endswith("goal") and due.at > 0]
    assert min(goals) <= 5


def test_a_round_has_ids_of_its_own() -> None:
    ids = [{due.body.get("match_id", due.body.get("id")) for due in plan(fixtures(), n)} for n in (1, 2)]
    assert not ids[0] & ids[1]
