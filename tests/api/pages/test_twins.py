"""What the server writes is what the page's modules write: both are given the same, and asked for the same."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import Any

import pytest

from api.pages import bidi, clock, lists, match_page, scoreline, tables, timeline
from db.domain import EVENT_TYPES, Status, phase_of
from pictures import emblem
from tests.support.paths import ROOT

# 2026-11-25T19:00:00Z.
NOW_MS = 1_795_633_200_000

SCRIPT = """
import { readFileSync } from "node:fs";
import * as about from "./about.js";
import * as badge from "./badge.js";
import * as bidi from "./bidi.js";
import * as clock from "./clock.js";
import * as meetings from "./meetings.js";
import * as parts from "./table_parts.js";
import * as scoreline from "./scoreline.js";
import * as tables from "./tables.js";
import * as timeline from "./timeline.js";
const given = JSON.parse(readFileSync(0, "utf8"));
const { entries, now, matches, names, events, rounds, groups, legs, team, meeting } = given;
console.log(JSON.stringify({
  clocks: matches.map((match) => clock.clockText(match, now)),
  statuses: matches.map((match) => clock.statusText(match, now)),
  winners: matches.map(clock.winner),
  scores: matches.map((match) => clock.scoreText(match)),
  monograms: names.map(badge.monogram),
  hues: names.map(badge.hue),
  isolated: names.map(bidi.isolate),
  order: timeline.arrange(events).moments.map(({ id }) => id),
  scorers: ["home", "away"].map((side) => timeline.scorers(events, side)),
  lines: ["home", "away"].map((side) => scoreline.scorerLines(entries, side)),
  sentOff: ["home", "away"].map((side) => scoreline.sentOff(entries, side)),
  rounds: rounds.map(about.roundOf),
  groups: groups.map(parts.groupTitle),
  legs: legs.map((match) => parts.leg(match, "a")),
  signs: [-2, 0, 3].map(parts.signed),
  competitions: tables.competitionsOf(team),
  meetings: meetings.meetingsOf(meeting).map(({ match_id: id }) => id),
}));
"""

NAMES = ["Argentina", "Saudi Arabia", "Paris Saint-Germain", "1. FC Köln", "FC", "Bosnia and Herzegovina", "Москва",
         "日本", "", "42", "الهلال", "Al-Hilal الهلال", "</script><img src=x>", "😀 United"]  # fmt: skip
ROUNDS = [
    {"stage": "Group Stage", "round": "2", "leg": None},
    {"stage": None, "round": "round_of_16", "leg": 2},
    {"stage": None, "round": None, "leg": None},
]

GROUPS = [{"stage": stage, "group": group} for stage in (None, "play_offs") for group in (None, "A")]
LEGS = [
    {"home_team": {"id": home}, "home_score": score, "away_score": 1, "shootout": kicks}
    for home in ("a", "b", None)
    for score in (None, 0, 2)
    for kicks in (None, {"home": 4, "away": 2})
]
TEAM = {
    "live": [{"competition": None}],
    "results": [{"competition": {"id": id_}} for id_ in ("cup", "league", "cup")],
    "fixtures": [{"competition": {"id": "other"}}],
}
MEETING = {"match_id": "m2", "matches": [{"match_id": f"m{number}"} for number in range(9)]}


def match(**more: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "status": "first_half", "phase": "live", "decided_by": None, "sport": "football", "home_score": 2,
        "away_score": 1, "shootout": None, "minute": 23, "added_minute": None, "period": 1, "clock": None,
        "minute_at": "2026-11-25T18:58:30.000Z", "start_time": "2026-11-25T18:30:00.000Z",
    }  # fmt: skip
    return body | more


def matches() -> list[dict[str, Any]]:
    """Every status in each sport, at minutes around the edges of periods, and every way to end."""
    shown = [
        match(status=status.value, phase=phase_of(status).value, sport=sport, period=period)
        for status in Status
        # A kick-off is written in the reader's zone and manner, which is the browser's affair.
        if status is not Status.SCHEDULED
        for sport in ("football", "basketball", "ice_hockey", "baseball")
        for period in (None, 2, 5)
    ]
    shown += [
        match(status=status, minute=minute, added_minute=added, minute_at=at)
        for status in ("first_half", "second_half", "et_first", "et_second", "live")
        for minute in (None, 0, 44, 45, 46, 90, 94, 105, 120)
        for added in (None, 3)
        for at in (None, "2026-11-25T18:59:59.000Z", "2026-11-25T18:30:00.000Z", "2026-11-25T19:30:00.000Z")
    ]
    over = {"status": "finished", "phase": "finished"}
    shown += [
        match(**over, decided_by=decided, sport=sport, home_score=home, away_score=1, shootout=kicks)
        for decided in (None, "regular", "extra_time", "penalties")
        for sport in ("football", "ice_hockey")
        for home in (None, 1, 2)
        for kicks in (None, {"home": 4, "away": 2})
    ]
    return [*shown, match(sport="ice_hockey", clock="4:12"), match(sport="baseball", clock="Top 3")]


def event(number: int, type_: str, **more: Any) -> dict[str, Any]:
    body = {
        "id": str(number), "event_type": type_, "team": "home", "minute": number % 120, "added_minute": None,
        "period": None, "player": {"id": None, "name": f"Player {number % 3}"}, "assist": None, "detail": None,
        "home_score": 1, "away_score": 0, "voided": False, "voids": None, "created_at": "",
    }  # fmt: skip
    return body | more


def events() -> list[dict[str, Any]]:
    """Every type with and without a minute, a period and a player."""
    variants: list[dict[str, Any]] = [
        {}, {"minute": None}, {"period": 2}, {"period": 2, "minute": None}, {"added_minute": 4}, {"player": None},
        {"voided": True}, {"team": "away", "player": {"id": None, "name": "سالم"}},
    ]  # fmt: skip
    types = [*sorted(EVENT_TYPES), "drone_over_pitch", "lineups"]
    pairs = [(type_, more) for more in variants for type_ in types]
    return [event(number * 7, type_, **more) for number, (type_, more) in enumerate(pairs)]


def entries() -> list[dict[str, Any]]:
    """Of a scoreline: each way to score, by one, by another, by nobody in particular, of each side and of none."""
    return [
        {"event_type": type_, "team": team, "player": player, "minute": minute, "added_minute": added}
        for type_ in ("goal", "own_goal", "penalty_goal", "red_card")
        for team in ("home", "away", None)
        for player in ("Kylian Mbappé", "سالم", None)
        for minute, added in ((80, None), (90, 3), (None, None))
    ]


@pytest.fixture(scope="module")
def modules() -> dict[str, Any]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node: apt-get install nodejs")
    given = {"now": NOW_MS, "matches": matches(), "names": NAMES, "events": events(), "rounds": ROUNDS}
    given |= {"entries": entries()}
    given |= {"groups": GROUPS, "legs": LEGS, "team": TEAM, "meeting": MEETING}
    command = [node, "--input-type=module", "--eval", SCRIPT]
    folder, env = ROOT / "api" / "static", {"PATH": os.environ["PATH"], "TZ": "UTC"}
    done = subprocess.run(
        command, cwd=folder, env=env, input=json.dumps(given), capture_output=True, text=True, check=True
    )
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def test_clocks_and_scores(modules: dict[str, Any]) -> None:
    assert [clock.clock_text(one, NOW_MS) for one in matches()] == modules["clocks"]
    assert [clock.status_text(one, NOW_MS) for one in matches()] == modules["statuses"]
    assert [clock.winner(one) for one in matches()] == modules["winners"]
    scores = [" ".join(filter(None, [clock.figures(one), clock.kicks(one)])) for one in matches()]
    known = [(ours, theirs) for ours, theirs in zip(scores, modules["scores"], strict=True) if theirs != "–"]
    assert [ours for ours, _ in known] == [theirs for _, theirs in known]


def test_badges_and_directions(modules: dict[str, Any]) -> None:
    assert [emblem.monogram(name) for name in NAMES] == modules["monograms"]
    assert [emblem.hue(name) for name in NAMES] == modules["hues"]
    assert [bidi.isolate(name) for name in NAMES] == modules["isolated"]


def test_timelines(modules: dict[str, Any]) -> None:
    assert [one["id"] for one in timeline.arrange(events())] == modules["order"]
    assert [timeline.scorers(events(), side) for side in ("home", "away")] == modules["scorers"]
    assert [match_page.round_of(one) for one in ROUNDS] == modules["rounds"]


def test_scorelines(modules: dict[str, Any]) -> None:
    assert [scoreline.scorer_lines(entries(), side) for side in ("home", "away")] == modules["lines"]
    assert [scoreline.sent_off(entries(), side) for side in ("home", "away")] == modules["sentOff"] == [36, 36]
    assert (scoreline.scorer_lines(None, "home"), scoreline.sent_off(None, "home")) == ([], 0)


def test_tables_and_meetings(modules: dict[str, Any]) -> None:
    assert [tables.group_title(one) for one in GROUPS] == modules["groups"]
    assert [tables.leg(one, "a") for one in LEGS] == modules["legs"]
    assert [tables.signed(number) for number in (-2, 0, 3)] == modules["signs"]
    assert tables.competitions_of(TEAM) == modules["competitions"] == ["cup", "league"]
    assert [one["match_id"] for one in tables.meetings(MEETING)] == modules["meetings"]


def test_a_day_is_named_as_people_name_it() -> None:
    days = ("2026-11-24", "2026-11-25", "2026-11-26", "2026-12-01")
    assert [lists.long_name(day, "2026-11-25") for day in days] == [
        "Yesterday", "Today", "Tomorrow", "Tuesday 1 December",
    ]  # fmt: skip
