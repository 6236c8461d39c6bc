"""From a provider's message to what a device is sent: real Redis and SQL, a transport that records."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import update

from db.domain import (
    DEFAULT_KINDS,
    Follow,
    Kind,
    Match,
    Quiet,
    Side,
    Subject,
    mask_of,
)
from db.sql.models import DeviceRow
from notify.content import window
from notify.content.window_record import Window
from notify.transports.outcome import Later
from tests.support.push import ALL, FINAL, START, World, counters


def test_a_goal_reaches_the_followers_of_match_and_team_once_each(world: World) -> None:
    world.fan("match")
    world.fan("team", subject=Subject.TEAM, to="arg")
    both = world.fan("both", subject=Subject.TEAM, to="fra")
    world.accounts.follow(both, Follow(Subject.TEAM, "arg", ALL), now_ms=START)
    world.fan("elsewhere", subject=Subject.TEAM, to="bra")
    world.kick_off()
    world.say(60, "goal", score=(1, 0))
    assert sorted(token for token, _ in world.phones.sent) == ["both", "match", "team"]
    assert world.phones.headlines("match") == ["Goal for Argentina!"]
    assert "Argentina 1–0 France" in world.phones.scores("match")[0]


def test_preferences_decide_and_those_of_a_match_outweigh_its_teams(world: World) -> None:
    world.fan("ends", kinds=mask_of([Kind.FULL_TIME]))
    muted = world.fan("muted", subject=Subject.TEAM, to="arg")
    world.accounts.follow(muted, Follow(Subject.MATCH, FINAL, 0), now_ms=START)
    world.kick_off()
    world.say(60, "goal", score=(1, 0))
    assert world.phones.sent == []
    world.say(90, "full_time", score=(1, 0))
    assert [token for token, _ in world.phones.sent] == ["ends"]


def test_goals_of_half_a_minute_are_merged_and_97_seconds_apart_are_two(world: World) -> None:
    world.fan("fan")
    world.kick_off()
    world.say(100, "goal", score=(1, 0))
    world.say(197, "goal", score=(2, 0))
    world.say(207, "goal", score=(3, 0))
    world.say(217, "goal", score=(3, 1), team=Side.AWAY)
    world.at(226)
    assert len(world.phones.sent) == 2
    world.at(227)
    assert len(world.phones.sent) == 3
    assert "3–1" in world.phones.scores("fan")[-1]


def test_quiet_hours_are_those_of_the_fans_own_zone(world: World) -> None:
    here = datetime.fromtimestamp(START / 1000, UTC)
    minute = here.hour * 60 + here.minute
    now_quiet = Quiet((minute - 60) % 1440, (minute + 120) % 1440)
    world.fan("utc", quiet=now_quiet)
    # Tokyo has no summer time and is nine hours on.
    world.fan("tokyo asleep", quiet=Quiet((minute + 480) % 1440, (minute + 660) % 1440), time_zone="Asia/Tokyo")
    world.fan("tokyo awake", quiet=now_quiet, time_zone="Asia/Tokyo")
    world.kick_off()
    world.say(60, "goal", score=(1, 0))
    assert [token for token, _ in world.phones.sent] == ["tokyo awake"]


def test_a_follower_of_whom_this_release_knows_too_little_costs_nobody_else_the_alert(world: World) -> None:
    """A newer release may store another platform, and a newer database of time zones another zone."""
    world.fan("phone")
    world.fan("abroad", quiet=Quiet(0, 0), time_zone="Mars/Olympus_Mons")
    odd = {"watch": {"platform": "watch"}, "glass": {"payload": "hologram"}, "beta": {"environment": "beta"}}
    users = {token: world.fan(token) for token in odd}
    with world.history.engine.begin() as connection:
        for token, columns in odd.items():
            connection.execute(update(DeviceRow).where(DeviceRow.token == token).values(columns))
    world.kick_off()
    world.say(60, "goal", score=(1, 0))
    assert {token for token, _ in world.phones.sent} == {"phone", "abroad"}
    assert (counters(world)["sent"], counters(world)["vanished"], counters(world)["no_transport"]) == (2, 2, 1)
    assert not world.accounts.profile(users["watch"]).devices


def test_a_goal_told_before_quiet_hours_is_taken_back_in_them_without_a_sound(world: World) -> None:
    here = datetime.fromtimestamp(START / 1000 + 120, UTC)
    minute = here.hour * 60 + here.minute
    world.fan("sleeper", quiet=Quiet(minute, (minute + 60) % 1440))
    world.fan("awake")
    world.kick_off()
    world.say(50, "goal", score=(1, 0), id="g1")
    world.say(125, "goal_cancelled", score=(0, 0), voids="g1")
    world.say(300, "goal", score=(1, 0), id="g2")
    world.say(400, "goal_cancelled", score=(0, 0), voids="g2")
    messages = [(message.kind, message.silent) for token, message in world.phones.sent if token == "sleeper"]
    assert messages == [(Kind.GOAL, False), (Kind.GOAL_CANCELLED, True)]
    assert not any(message.silent for token, message in world.phones.sent if token == "awake")
    assert len(world.phones.headlines("awake")) == 4


def test_another_try_that_comes_in_quiet_hours_makes_no_sound(world: World) -> None:
    here = datetime.fromtimestamp(START / 1000 + 120, UTC)
    minute = here.hour * 60 + here.minute
    world.fan("sleeper", quiet=Quiet(minute, (minute + 60) % 1440))
    world.kick_off()
    world.phones.answers = {"sleeper": Later("TooManyRequests", 75.0)}
    world.say(50, "goal", score=(1, 0))
    world.phones.answers = {}
    world.at(180)
    assert [message.silent for _, message in world.phones.sent] == [True]


def test_without_spoilers_neither_score_nor_goal_is_told(world: World) -> None:
    world.fan("calm", spoiler_free=True)
    world.kick_off()
    world.say(60, "goal", score=(1, 0))
    ((_, message),) = world.phones.sent
    assert "1" not in message.title + message.body
    assert "goal" not in (message.title + message.body).lower()


def test_words_are_in_the_devices_language(world: World) -> None:
    for locale in ("de-AT", "pt-BR", "zh"):
        world.fan(locale, locale=locale)
    world.kick_off()
    world.say(60, "goal", score=(1, 0))
    languages = {token: message.language for token, message in world.phones.sent}
    assert languages == {"de-AT": "de", "pt-BR": "pt_BR", "zh": "en"}


def test_history_late_edits_and_a_second_worker_tell_nothing(world: World) -> None:
    world.fan("fan")
    world.kick_off()
    world.say(400, "goal", score=(1, 0), id="old", at=START + 60_000)
    assert world.phones.sent == []
    world.say(500, "goal", score=(2, 0), id="new")
    assert len(world.phones.sent) == 1
    world.say(560, "goal", id="new", minute=9)
    world.say(600, "goal", score=(2, 0), id="new")
    world.push = world.worker()
    world.at(700)
    assert len(world.phones.sent) == 1


def test_news_that_meets_a_bug_is_set_aside_and_the_rest_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world.fan("fan", to="healthy")
    world.kick_off()
    apply = window.apply

    def fail(kept: Window, match: Match, *args: Any, **more: Any) -> window.WindowResult:
        if match.id == FINAL:
            raise ZeroDivisionError
        return apply(kept, match, *args, **more)

    monkeypatch.setattr(window, "apply", fail)
    world.say(60, "goal", score=(1, 0))
    world.say(61, "kickoff", score=(0, 0), match_id="healthy")
    assert world.phones.headlines("fan") == ["Kick-off"]
    assert "push_parked match=final" in caplog.text
    monkeypatch.setattr(window, "apply", apply)
    world.fan("patient")
    world.alerts.unpark(before_ms=world.now_ms)
    world.at(62)
    assert world.phones.headlines("patient") == ["Goal for Argentina!"]


def test_defaults_leave_out_what_few_want() -> None:
    assert Kind.LINEUPS not in DEFAULT_KINDS
