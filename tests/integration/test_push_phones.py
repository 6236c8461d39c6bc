"""A real final and a made-up one, before a thousand followers: what their phones show, and when they stay dark."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from db.domain import (
    DEFAULT_KINDS,
    Account,
    Device,
    Follow,
    Kind,
    Platform,
    Quiet,
    Subject,
    mask_of,
    topics_for,
    variant_of,
)
from db.sql.accounts import Accounts
from dev.emulators.journal import PushJournal
from dev.emulators.phone import Phone, phone_of
from dev.recordings import RecordedMessage, read
from feeds.generic import parse as generic
from tests.conftest import ROOT
from tests.support.accounts import set_up
from tests.support.emulators import Emulated
from tests.support.layouts import Layout
from tests.support.push import ALL, START, World, headline, transports_to
from tests.support.stories.count import scaled

RECORDING = ROOT.parent / "shared" / "data" / "openfootball" / "worldcup-2022.json"
FINAL = "world-cup-2022-12-18-argentina-france"
FANS = scaled(200, 1_000)

# What there was to tell, in order: the kind, a phone's title, the score below it.
STORY = [
    (Kind.KICKOFF, "Kick-off", "0–0 France"),
    (Kind.GOAL, "Goal for Argentina!", "1–0 France"),
    (Kind.GOAL, "Goal for Argentina!", "2–0 France"),
    (Kind.HALF_TIME, "Half-time", "2–0 France"),
    (Kind.GOAL, "Goal for France!", "2–1 France"),
    (Kind.GOAL, "Goal for France!", "2–2 France"),
    (Kind.EXTRA_TIME, "Extra time", "2–2 France"),
    (Kind.GOAL, "Goal for Argentina!", "3–2 France"),
    (Kind.GOAL, "Goal for France!", "3–3 France"),
    (Kind.SHOOTOUT, "Penalty shoot-out", "3–3 France (0–0 pens)"),
    (Kind.FULL_TIME, "Full-time, after penalties", "3–3 France (4–2 pens)"),
]
# The same for who wants no spoilers: what brings what already stands there shows nothing new.
TEAMS = "Argentina – France"
NEWS = (TEAMS, "There is news of this match")
DISCREET = [(TEAMS, "Kick-off"), NEWS, (TEAMS, "Half-time"), NEWS, (TEAMS, "The match is over")]


@dataclass
class Fan:
    """wants: what of the final should light this one's screen."""

    token: str
    platform: Platform
    follows: list[Follow]
    wants: frozenset[Kind]
    account: dict[str, Any] = field(default_factory=dict)
    topics: bool = False


def fans() -> Iterator[Fan]:
    """All sorts, by their number."""
    default = mask_of(DEFAULT_KINDS)
    for number in range(FANS):
        ios = number % 5 < 3
        token = f"{number:08x}" * 8 if ios else f"fan-{number:08d}:{START}"
        fan = Fan(token, Platform.IOS if ios else Platform.ANDROID, [], DEFAULT_KINDS)
        match number % 10:
            case 0 | 1:
                fan.follows = [Follow(Subject.MATCH, FINAL, default)]
            case 2:
                fan.follows = [Follow(Subject.TEAM, "argentina", default), Follow(Subject.TEAM, "france", default)]
            case 3:
                fan.follows = [Follow(Subject.COMPETITION, "world-cup", default)]
                fan.topics = not ios
            case 4:
                fan.wants = frozenset({Kind.FULL_TIME})
                fan.follows = [Follow(Subject.MATCH, FINAL, mask_of(fan.wants)), Follow(Subject.TEAM, "france", ALL)]
                fan.topics = number % 20 == 4
            case 5:
                fan.wants = frozenset()
                fan.follows = [Follow(Subject.TEAM, "argentina", ALL), Follow(Subject.MATCH, FINAL, 0)]
            case 6:
                fan.wants = frozenset()
                fan.follows = [Follow(Subject.TEAM, "argentina", ALL)]
                fan.account = {"quiet": Quiet(0, 24 * 60), "time_zone": "Asia/Tokyo"}
            case 7:
                # What is said of a team is not widened by the competition.
                fan.wants = frozenset({Kind.GOAL})
                fan.follows = [
                    Follow(Subject.TEAM, "argentina", mask_of([Kind.GOAL])),
                    Follow(Subject.COMPETITION, "world-cup", mask_of([Kind.KICKOFF])),
                ]
            case 8:
                fan.wants = frozenset()
                fan.follows = [Follow(Subject.TEAM, "brazil", ALL)]
            case 9:
                fan.follows = [Follow(Subject.MATCH, FINAL, default)]
                fan.account = {"spoiler_free": True}
        yield fan


def enrol(world: World, fan: Fan, sdk: Sdk) -> None:
    """As the app does: an account, its follows, a device, and where it likes topics, their subscription."""
    accounts: Accounts = world.accounts
    user_id, _ = accounts.create(now_ms=START)
    account = Account(user_id, **fan.account)
    if fan.account:
        set_up(accounts, account)
    for follow in fan.follows:
        accounts.follow(user_id, follow, now_ms=START)
    topics = topics_for(account, fan.follows) if fan.topics else None
    device = Device(fan.platform, fan.token, topics=variant_of(account) if topics else None)
    accounts.add_device(user_id, device, now_ms=START)
    for name in (name for names in (topics or {}).values() for name in names):
        sdk.subscribe(fan.token, name)


class Sdk:
    """What the app's Firebase SDK does by itself: FCM HTTP v1, `registrations.topicSubscriptions.create`."""

    def __init__(self, emulated: Emulated) -> None:
        self.emulated, self.fcm = emulated, emulated.fcm()
        assert self.fcm.check()

    def subscribe(self, token: str, topic: str) -> None:
        assert self.emulated.subscribe(self.fcm, token, topic) == 200


@pytest.fixture
def world(layout: Layout, sqlite_url: str, emulators: Emulated) -> Iterator[World]:
    world = World(layout, sqlite_url, transports_to(emulators))
    yield world
    world.close()


def recorded() -> list[RecordedMessage]:
    if not RECORDING.exists():
        pytest.skip("the recorded World Cup is not beside the repository")
    return [message for message in read(RECORDING).messages if message.match_id == FINAL]


def replay(world: World, messages: list[RecordedMessage]) -> None:
    """At the pace of the match: as if it had begun when the test did."""
    started = messages[0].at_ms
    late = 0
    for message in messages:
        body = json.loads(message.body)
        for match in body.get("matches", []):
            match["home_team"], match["away_team"] = (
                {"id": name.lower(), "name": name} for name in (match["home_team"], match["away_team"])
            )
        # The recording knows minutes only; in play 97 s lay between the goals of the 80th and the 81st.
        late += 36_000 if any(event.get("event_id") == "goal-4" for event in body.get("events", [])) else 0
        now_ms = START + message.at_ms - started + late
        until(world, now_ms)
        for event in body.get("events", []):
            event["timestamp"] = (datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=now_ms)).isoformat()
        world.hear(generic.parse(json.dumps(body).encode(), received_at=now_ms), now_ms)


def until(world: World, now_ms: int) -> None:
    """Windows that end before something else happens."""
    while (due := world.alerts.work_at()) is not None and due <= now_ms:
        world.now_ms = due
        world.run()


def phones(emulated: Emulated) -> dict[str, Phone]:
    ledger = PushJournal(Path(emulated.ledger))
    by_target: dict[str, list[Any]] = {}
    for push in ledger.all():
        by_target.setdefault(push.target, []).append(push)
    ledger.close()
    return {target: phone_of(pushes, time.time() + 3_600) for target, pushes in by_target.items()}


@pytest.mark.faults
def test_each_fan_of_the_2022_final_saw_what_they_wanted_once(world: World, emulators: Emulated) -> None:
    everybody, sdk = list(fans()), Sdk(emulators)
    for fan in everybody:
        enrol(world, fan, sdk)
    sdk.fcm.close()
    replay(world, recorded())
    shown = phones(emulators)
    for fan in everybody:
        alerts = [] if fan.token not in shown else shown[fan.token].alerts
        if fan.account.get("spoiler_free"):
            assert [(alert.title, alert.body) for alert in alerts] == DISCREET, fan
            assert shown[fan.token].repeats == len(STORY) - len(DISCREET), fan
            continue
        lines = [(headline(entry.body), entry.title.replace("[", "").replace("]", "")) for entry in alerts]
        assert lines == [(title, f"Argentina {score}") for kind, title, score in STORY if kind in fan.wants], fan
        if fan.wants:
            # Each fact stands by itself, in the thread of the match.
            assert len(shown[fan.token].screen) == len(lines)
    counted = [fields for _, fields in world.alerts.recent(100)]
    assert not any(fields.keys() & {"failed", "later", "stopped", "refused"} for fields in counted)


def test_on_the_phone_goals_are_merged_taken_back_and_never_repeated(world: World, emulators: Emulated) -> None:
    apple, other = f"{START:064x}", f"made-up:{START}"
    world.fan(apple, to="made-up")
    world.fan(other, to="made-up", platform=Platform.ANDROID)
    world.say(0, "kickoff", score=(0, 0), match_id="made-up")
    world.say(100, "goal", score=(1, 0), match_id="made-up", id="g1")
    world.say(110, "goal", score=(2, 0), match_id="made-up", id="g2")
    world.say(120, "goal", score=(3, 0), match_id="made-up", id="g3")
    world.at(130)
    world.say(200, "goal_cancelled", score=(2, 0), voids="g3", match_id="made-up", id="v3")
    world.push = world.worker()
    world.say(230, "full_time", score=(2, 0), match_id="made-up")
    for token in (apple, other):
        phone = phones(emulators)[token]
        assert [headline(entry.body) for entry in phone.alerts] == [
            "Kick-off",
            "Goal for Home team!",
            "2 goals for Home team!",
            "Goal cancelled: Home team",
            "Full-time",
        ]
        assert "[3]–0" in phone.alerts[2].title
        assert "2–0" in phone.alerts[3].title
        assert phone.repeats == 0


# A goal as its sender tells it: by its event, or by the scoreboard alone.
BY_EVENT = pytest.param({"kind": "goal", "id": "g1"}, id="event")
BY_BOARD = pytest.param({}, id="board")


def titles(emulated: Emulated, token: str) -> list[str]:
    return [headline(entry.body) for entry in phones(emulated)[token].alerts]


@pytest.mark.parametrize("fields", [BY_BOARD, BY_EVENT])
def test_a_score_that_falls_and_rises_again_shows_nothing_on_the_phone(
    world: World, emulators: Emulated, fields: dict[str, str]
) -> None:
    match_id, token = f"flaps-{len(fields)}", f"{START + 50_000 + len(fields):064x}"
    world.fan(token, to=match_id)
    world.say(0, "kickoff", score=(0, 0), match_id=match_id)
    world.say(100, score=(1, 0), match_id=match_id, **fields)
    world.say(140, "score", score=(0, 0), match_id=match_id)
    world.at(145)
    world.say(149, "score", score=(1, 0), match_id=match_id)
    world.at(200)
    assert titles(emulators, token) == ["Kick-off", "Goal for Home team!"]
    assert phones(emulators)[token].repeats == 0


@pytest.mark.parametrize("fields", [BY_BOARD, BY_EVENT])
def test_a_score_that_stays_fallen_shows_a_cancelled_goal_once(
    world: World, emulators: Emulated, fields: dict[str, str]
) -> None:
    match_id, token = f"falls-{len(fields)}", f"{START + 60_000 + len(fields):064x}"
    world.fan(token, to=match_id)
    world.say(0, "kickoff", score=(0, 0), match_id=match_id)
    world.say(100, score=(1, 0), match_id=match_id, **fields)
    world.say(140, "score", score=(0, 0), match_id=match_id)
    world.at(149)
    assert titles(emulators, token) == ["Kick-off", "Goal for Home team!"]
    world.at(150)
    world.at(200)
    assert titles(emulators, token) == ["Kick-off", "Goal for Home team!", "Goal cancelled: Home team"]


@pytest.mark.parametrize("trouble", [{"goaway_after": 150}, {"reset_every": 40}])
def test_trouble_at_apple_loses_nothing(world: World, emulators: Emulated, trouble: dict[str, int]) -> None:
    tokens = [f"{START + number + 10_000 * len(str(trouble)):064x}" for number in range(200)]
    for token in tokens:
        world.fan(token, to="troubled")
    world.say(0, "kickoff", score=(0, 0), match_id="troubled")
    emulators.set_faults("apns", **trouble)
    world.say(100, "goal", score=(1, 0), match_id="troubled", id="g1")
    for seconds in range(105, 300, 5):
        world.at(seconds)
    shown = phones(emulators)
    for token in tokens:
        assert [headline(entry.body) for entry in shown[token].alerts].count("Goal for Home team!") == 1
