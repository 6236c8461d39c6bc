"""Live Activities from kick-off to their end, on what phones show: who gets one, and who is told in words."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.domain import Account, Device, Follow, Kind, Platform, Quiet, Subject, mask_of
from db.live.chunks import CLAIM_MS
from db.sql.models import DeviceRow
from dev.emulators.journal import PushJournal
from dev.emulators.phone import Phone, history, phone_of
from tests.support.accounts import set_up
from tests.support.emulators import Emulated
from tests.support.layouts import Layout
from tests.support.push import ALL, START, Ahead, headline, transports_to
from workers.push import lanes

KICK_OFF_S = 3_600


class Stadium(Ahead):
    """A world with one match of its own at the emulated Apple. Phones are numbered."""

    def __init__(self, layout: Layout, sql_url: str, emulated: Emulated, match_id: str) -> None:
        super().__init__(layout, sql_url, transports_to(emulated))
        self.emulated, self.match_id = emulated, match_id
        self.phones_base = crc32(match_id.encode()) << 32

    def token(self, number: int) -> str:
        return f"{self.phones_base + number:064x}"

    def start_token(self, number: int) -> str:
        return f"{self.phones_base + number:0160x}"

    def owner(self, number: int, *, activity: bool = True, **more: Any) -> str:
        """A fan with an iPhone."""
        defaults = {"to": self.match_id, "live_activity_token": self.start_token(number) if activity else None}
        return self.fan(self.token(number), **defaults | more)

    def tell(self, seconds: float, kind: str, home: int, **more: Any) -> None:
        """Counted from kick-off."""
        self.say(KICK_OFF_S + seconds, kind, score=(home, 0), match_id=self.match_id, **more)

    def open(self) -> None:
        """As it is two hours before: announced, with a channel."""
        self.announce(START + KICK_OFF_S * 1000, self.match_id)
        self.look(START)

    def phone(self, number: int) -> Phone:
        ledger = PushJournal(Path(self.emulated.ledger))
        pushes = history(ledger, self.token(number), self.start_token(number))
        ledger.close()
        return phone_of(pushes, time.time() + 60)

    def activities(self, number: int) -> list[tuple[object, bool]]:
        """The home side's goals in each, and whether it has ended."""
        return [(activity.state["home_score"], activity.ended) for activity in self.phone(number).activities.values()]

    def titles(self, number: int) -> list[str]:
        return [headline(shown.body) for shown in self.phone(number).alerts]

    def start_tokens(self) -> dict[str, str | None]:
        with Session(self.history.engine) as session:
            rows = session.execute(select(DeviceRow.token, DeviceRow.live_activity_token))
            return {row.token: row.live_activity_token for row in rows}


@pytest.fixture
def stadium(layout: Layout, sqlite_url: str, emulators: Emulated, request: pytest.FixtureRequest) -> Iterator[Stadium]:
    stadium = Stadium(layout, sqlite_url, emulators, f"match-{crc32(request.node.name.encode())}")
    yield stadium
    stadium.close()


def test_followers_get_one_activity_that_shows_the_goal_and_ends_with_the_match(stadium: Stadium) -> None:
    stadium.owner(1)
    stadium.owner(2, subject=Subject.TEAM, to="arg")
    stadium.owner(3, subject=Subject.COMPETITION, to="cup")
    stadium.open()
    stadium.tell(0, "kickoff", 0)
    assert [stadium.activities(number) for number in (1, 2, 3)] == [[(0, False)]] * 3
    stadium.tell(600, "goal", 1)
    assert [stadium.activities(number) for number in (1, 2, 3)] == [[(1, False)]] * 3
    stadium.tell(6_000, "full_time", 1)
    assert [stadium.activities(number) for number in (1, 2, 3)] == [[(1, True)]] * 3
    for number in (1, 2, 3):
        assert stadium.titles(number) == ["Kick-off", "Goal for Argentina!", "Full-time"]
        assert [headline(shown.body) for shown in stadium.phone(number).screen.values()] == [
            "Goal for Argentina!",
            "Full-time",
        ]


def test_an_activity_says_what_is_played_and_in_the_fans_language_that_it_begins(stadium: Stadium) -> None:
    stadium.owner(1, locale="de")
    stadium.open()
    stadium.tell(0, "kickoff", 0)
    phone = stadium.phone(1)
    (activity,) = phone.activities.values()
    assert activity.attributes == {
        "match_id": stadium.match_id,
        "home_team": "Argentinien",
        "away_team": "Frankreich",
        "competition": "Cup",
        "start_time": START // 1000 + KICK_OFF_S,
    }
    assert activity.state["status"] == "first_half"
    assert [headline(shown.body) for shown in phone.alerts] == ["Anpfiff"]


def test_who_did_not_ask_for_it_gets_no_activity(stadium: Stadium) -> None:
    muted = stadium.owner(1, subject=Subject.TEAM, to="arg")
    stadium.accounts.follow(muted, Follow(Subject.MATCH, stadium.match_id, 0), now_ms=START)
    stadium.owner(2, to="another-match")
    stadium.owner(3, quiet=Quiet(0, 24 * 60))
    stadium.owner(4, spoiler_free=True)
    stadium.owner(5, kinds=mask_of([Kind.GOAL]))
    stadium.owner(6, activity=False)
    stadium.owner(7, environment="sandbox")
    stadium.open()
    stadium.tell(0, "kickoff", 0)
    assert [stadium.activities(number) for number in range(1, 7)] == [[]] * 6
    assert [stadium.titles(number) for number in range(1, 7)] == [[], [], [], ["Kick-off"], [], ["Kick-off"]]
    assert stadium.activities(7) == [(0, False)]
    assert {stadium.phone(7).activities[stadium.match_id].channel} == {
        f"channel:{channel.id}"
        for channel in stadium.audience.channels([stadium.match_id])
        if channel.environment == "sandbox"
    }


def test_without_a_channel_kick_off_is_told_in_words(stadium: Stadium) -> None:
    stadium.owner(1)
    stadium.announce(START + KICK_OFF_S * 1000, stadium.match_id)
    stadium.tell(0, "kickoff", 0)
    assert (stadium.activities(1), stadium.titles(1)) == ([], ["Kick-off"])


def test_a_kick_off_told_again_begins_nothing(stadium: Stadium) -> None:
    stadium.owner(1)
    stadium.open()
    stadium.tell(0, "kickoff", 0)
    stadium.push = stadium.worker()
    stadium.tell(20, "kickoff", 0)
    assert stadium.emulated.counts()[stadium.start_token(1)] == 1


def test_a_start_token_taken_back_before_kick_off_begins_nothing(stadium: Stadium) -> None:
    user = stadium.owner(1)
    stadium.accounts.add_device(user, Device(Platform.IOS, stadium.token(1)), now_ms=START)
    stadium.open()
    stadium.tell(0, "kickoff", 0)
    assert (stadium.activities(1), stadium.titles(1)) == ([], ["Kick-off"])


@pytest.mark.parametrize(
    ("verdict", "kept"),
    [
        ({"status": 410, "reason": "Unregistered", "timestamp": START + 1}, False),
        ({"status": 410, "reason": "ExpiredToken", "timestamp": START - 1}, True),
        ({"status": 400, "reason": "BadDeviceToken"}, False),
    ],
)
def test_a_dead_start_token_is_forgotten_alone_and_kick_off_is_told(
    stadium: Stadium, verdict: dict[str, Any], kept: bool
) -> None:
    stadium.owner(1)
    stadium.owner(2)
    stadium.open()
    stadium.emulated.mark("apns", stadium.start_token(1), **verdict)
    stadium.tell(0, "kickoff", 0)
    assert stadium.start_tokens() == {
        stadium.token(1): stadium.start_token(1) if kept else None,
        stadium.token(2): stadium.start_token(2),
    }
    assert (stadium.activities(1), stadium.titles(1)) == ([], ["Kick-off"])
    assert (stadium.activities(2), stadium.titles(2)) == ([(0, False)], ["Kick-off"])
    (_, counts), *_ = stadium.alerts.recent(1)
    assert counts[f"gone:live_activity:{verdict['reason']}"] == "1"
    assert (counts["sent:live_activity:delivered"], counts["sent:apns:delivered"]) == ("1", "1")


def test_a_token_that_died_after_a_new_one_came_costs_not_the_new_one(stadium: Stadium) -> None:
    user = stadium.owner(1)
    stadium.owner(2)
    stadium.open()
    stadium.emulated.mark("apns", stadium.start_token(1), status=400, reason="BadDeviceToken")
    forget = stadium.audience.forget

    def late(dead: Any) -> int:
        newer = Device(Platform.IOS, stadium.token(1), live_activity_token="ab" * 80)
        stadium.accounts.add_device(user, newer, now_ms=START)
        return forget(dead)

    stadium.audience.forget = late  # type: ignore[method-assign]
    stadium.tell(0, "kickoff", 0)
    assert stadium.start_tokens() == {stadium.token(1): "ab" * 80, stadium.token(2): stadium.start_token(2)}


def test_starts_that_apple_finds_wrong_are_stopped_and_alerts_go_on(
    stadium: Stadium, caplog: pytest.LogCaptureFixture
) -> None:
    stadium.owner(1)
    stadium.open()
    stadium.emulated.mark("apns", stadium.start_token(1), status=400, reason="BadRequestPayload")
    with caplog.at_level(logging.ERROR):
        stadium.tell(0, "kickoff", 0)
    assert "transport=live_activity reason=BadRequestPayload" in caplog.text
    assert stadium.titles(1) == ["Kick-off"]
    assert stadium.start_tokens() == {stadium.token(1): stadium.start_token(1)}


def test_a_start_apple_has_no_time_for_is_made_up_for(stadium: Stadium) -> None:
    stadium.owner(1)
    stadium.open()
    stadium.emulated.mark("apns", stadium.start_token(1), status=429, reason="TooManyRequests")
    stadium.tell(0, "kickoff", 0)
    assert (stadium.activities(1), stadium.titles(1)) == ([], [])
    stadium.emulated.mark("apns", stadium.start_token(1))
    stadium.at(KICK_OFF_S + 60)
    assert (stadium.activities(1), stadium.titles(1)) == ([(0, False)], ["Kick-off"])


def test_what_a_killed_worker_had_begun_is_one_activity_on_each_phone(
    stadium: Stadium, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 21):
        stadium.owner(number)
    stadium.open()

    class Killed(BaseException):
        pass

    def dies(transport: Any, envelopes: Any, *_args: Any, **_options: Any) -> Any:
        yield from ()
        for _ in zip(range(7), transport.send(iter(envelopes)), strict=False):
            pass
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(lanes, "_sent", dies)
        with pytest.raises(Killed):
            stadium.tell(0, "kickoff", 0)
    stadium.push = stadium.worker()
    stadium.at(KICK_OFF_S + 1 + CLAIM_MS / 1000)
    stadium.tell(600, "goal", 1)
    for number in range(1, 21):
        assert stadium.activities(number) == [(1, False)]
        assert stadium.titles(number) == ["Kick-off", "Goal for Argentina!"]
    counts = stadium.emulated.counts()
    sent = [counts[stadium.start_token(number)] for number in range(1, 21)]
    assert max(sent) == 2
    assert min(sent) >= 1


def test_a_phone_out_of_reach_for_an_hour_shows_the_score_once_it_is_back(stadium: Stadium) -> None:
    stadium.owner(1)
    stadium.open()
    stadium.tell(0, "kickoff", 0)
    stadium.emulated.turn(stadium.start_token(1), "offline")
    stadium.tell(600, "goal", 1)
    assert stadium.activities(1) == [(0, False)]
    stadium.emulated.turn(stadium.start_token(1), "online")
    assert stadium.activities(1) == [(1, False)]
    ledger = PushJournal(Path(stadium.emulated.ledger))
    (channel,) = stadium.audience.channels([stadium.match_id])
    kept = [push.expires_at - START / 1000 - KICK_OFF_S for push in ledger.of(f"channel:{channel.id}")]
    ledger.close()
    assert min(kept) > 3_600


def test_everything_of_a_deleted_account_goes(stadium: Stadium) -> None:
    user = stadium.owner(1)
    set_up(stadium.accounts, Account(user))
    stadium.accounts.delete(user)
    stadium.open()
    stadium.tell(0, "kickoff", 0)
    assert stadium.start_tokens() == {}
    assert stadium.activities(1) == []


def test_no_start_token_is_logged(stadium: Stadium, caplog: pytest.LogCaptureFixture) -> None:
    stadium.owner(1, kinds=ALL)
    stadium.open()
    with caplog.at_level(logging.DEBUG):
        stadium.tell(0, "kickoff", 0)
    assert stadium.activities(1) == [(0, False)]
    assert stadium.start_token(1).lstrip("0") not in caplog.text
