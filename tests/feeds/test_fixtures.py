"""What each provider tells of a match to come, in its own wire form: stage, round, leg, start, withdrawal."""

from __future__ import annotations

import json
from typing import Any

import pytest

from db.domain import MatchInfo, Score, Status, Update, reduce
from db.domain.errors import Refused
from feeds import FEEDS
from feeds.pull.mapping import load
from feeds.pull.parse import parse as parse_pulled
from feeds.pull.parse import parse_one

AT = 1_777_658_400_000  # 2026-05-01T18:00:00Z


def told(provider: str, body: Any) -> list[Update]:
    raw = json.dumps(body).encode()
    if provider in FEEDS:
        return FEEDS[provider](raw, received_at=AT).updates
    return [u for match in parse_pulled(load(provider), raw, received_at=AT) for u in match.updates]


def info_of(updates: list[Update]) -> MatchInfo:
    return next(update.info for update in updates if update.info)


def sport_event(**fields: Any) -> dict[str, Any]:
    return {"sport_event": {"id": "sr:sport_event:1", **fields}, "sport_event_status": {"status": "not_started"}}


CUP = {"name": "semifinal", "cup_round_sport_event_number": 2, "cup_round_number_of_sport_events": 2}
GROUP = {"id": "sr:group:1", "name": "World Cup 2026, Group A", "group_name": "A"}
CONTEXTS = [
    ("sportradar", sport_event(sport_event_context={"stage": {"phase": "regular season"}, "round": {"number": 5}})),
    ("sportradar", sport_event(sport_event_context={"stage": {"type": "cup"}, "round": CUP})),
    ("sportradar", sport_event(sport_event_context={"round": CUP | {"cup_round_number_of_sport_events": 1}})),
    ("statsperform", {"matchInfo": {"id": "o", "stage": {"name": "Group Stage"}, "week": "1"}}),
    (
        "statsperform",
        {"matchInfo": {"id": "o", "series": {"name": "Group A"}}, "liveData": {"matchDetails": {"leg": "2"}}},
    ),
    ("openligadb", [{"matchID": 1, "group": {"groupName": "21. Spieltag"}}]),
    ("football_data", {"matches": [{"id": 1, "stage": "REGULAR_SEASON", "matchday": 5}]}),
    ("football_data", {"matches": [{"id": 1, "stage": "GROUP_STAGE", "group": "GROUP_A", "matchday": 1}]}),
    ("sportradar", sport_event(sport_event_context={"stage": {"phase": "group stage"}, "groups": [GROUP, {}, 1]})),
    ("sportradar", sport_event(sport_event_context={"stage": {"type": "league"}, "groups": [{"name": "League"}]})),
    ("generic", {"matches": [{"id": 1, "stage": "Knock-out", "round": 5, "leg": "2"}]}),
]
ROUNDS = [
    ("regular season", "5", None),
    ("cup", "semifinal", 2),
    (None, "semifinal", None),
    ("Group Stage", "1", None),
    (None, "Group A", 2),
    (None, "21. Spieltag", None),
    ("REGULAR_SEASON", "5", None),
    ("GROUP_A", "1", None),
    ("Group A", None, None),
    ("league", None, None),
    ("Knock-out", "5", 2),
]


@pytest.mark.parametrize(
    ("provider", "body", "round_"), [(*told_, r) for told_, r in zip(CONTEXTS, ROUNDS, strict=True)]
)
def test_stage_round_and_leg(provider: str, body: Any, round_: tuple[Any, ...]) -> None:
    info = info_of(told(provider, body))
    assert (info.stage, info.round, info.leg) == round_


@pytest.mark.parametrize("fields", [{"leg": 0}, {"leg": 10}, {"leg": "first"}, {"round": {"a": 1}}, {"stage": ["x"]}])
def test_an_odd_round_is_refused_at_the_generic_endpoint(fields: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        told("generic", {"matches": [{"id": "m", **fields}]})


def test_a_start_that_is_not_confirmed_is_not_one() -> None:
    [update] = told("sportradar", sport_event(start_time="2026-05-09T18:00:00Z", start_time_confirmed=False))
    assert update.status is Status.TIME_TBD


def test_a_rescheduled_match_has_its_new_start_whatever_is_told_late() -> None:
    match = None
    for at, start in (("10:00", "18:00"), ("12:00", "20:30"), ("11:00", "18:00")):
        body = sport_event(start_time=f"2026-05-09T{start}:00Z") | {"generated_at": f"2026-05-01T{at}:00Z"}
        for update in told("sportradar", body):
            match, _ = reduce(match, update)
    assert match
    assert match.start_time == 1_778_358_600_000  # 20:30


def test_a_withdrawn_match_is_told_by_sportradar_with_its_successor_if_it_has_one() -> None:
    entries = [{"id": "sr:sport_event:1"}, {"id": "sr:sport_event:2", "replaced_by": "sr:sport_event:3"}, {"id": "?"}]
    gone, replaced = told("sportradar", {"generated_at": "2026-05-01T17:00:00Z", "sport_events_removed": entries})
    assert (gone.match_id, gone.status, gone.stamp.at) == ("sr:sport_event:1", Status.REMOVED, AT - 3_600_000)
    assert replaced.status is Status.REPLACED
    assert replaced.info
    assert replaced.info.replaced_by == "sr:sport_event:3"
    assert told("sportradar", {"sport_events_removed": []}) == []


@pytest.mark.parametrize("name", ["openligadb", "football_data"])
@pytest.mark.parametrize("body", ["", "null", "[]", "[null]"])
def test_one_match_that_a_polled_provider_has_no_more(name: str, body: str) -> None:
    assert parse_one(load(name), body.encode(), received_at=AT) is None


def test_one_match_is_parsed_as_in_a_list() -> None:
    entry = {
        "matchID": 7,
        "matchDateTimeUTC": "2026-05-01T18:00:00Z",
        "goals": [{"goalID": 1, "scoreTeam1": 1, "scoreTeam2": 0}],
    }
    one = parse_one(load("openligadb"), json.dumps(entry).encode(), received_at=AT + 60_000)
    assert one
    assert one.match_id == "openligadb-7"
    assert one.updates[-1].score == Score(1, 0)
