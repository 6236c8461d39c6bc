"""A chunk of iPhones and Androids while Apple and Google are slow, or away for two minutes: everybody is reached."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from db.domain import Kind, Platform, mask_of
from dev.emulators.journal import PushJournal
from dev.emulators.phone import phone_of
from notify.transports import breaker, retry
from notify.transports.fcm import Fcm
from tests.support.emulators import Emulated
from tests.support.layouts import Layout
from tests.support.push import START, World, counters, transports_to
from tests.support.stories.count import IN_FULL, scaled
from workers.push import sender

# Of each service; together they are one chunk.
PHONES = scaled(20, 500)
# Apple is given up after five seconds, Google after ten.
APPLE_MS, GOOGLE_MS = scaled(100, 4_500), scaled(200, 9_000)


class Followers(World):
    """Of the goals of one match."""

    def __init__(self, layout: Layout, sql_url: str, emulated: Emulated, name: str) -> None:
        super().__init__(layout, sql_url, transports_to(emulated))
        self.ledger = Path(emulated.ledger)
        self.iphones = [f"{name}-{START}-{number}".encode().hex().ljust(64, "0") for number in range(PHONES)]
        self.androids = [f"{name}:{START}:{number}" for number in range(PHONES)]
        for tokens, platform in ((self.iphones, Platform.IOS), (self.androids, Platform.ANDROID)):
            for token in tokens:
                self.fan(token, kinds=mask_of([Kind.GOAL]), platform=platform)
        self.kick_off()

    def assert_each_has_heard(self) -> None:
        """Who was reached after an answer that came too late has it without a sound."""
        with closing(PushJournal(self.ledger)) as journal:
            phones = [phone_of(journal.of(token), time.time() + 60) for token in (*self.iphones, *self.androids)]
        assert {len(phone.alerts) for phone in phones} == {1}
        assert max(phone.rings for phone in phones) == 1
        assert counters(self)["sent"] == 2 * PHONES
        assert not {"failed", "gone", "unknown"} & counters(self).keys()
        assert self.chunks.sending() == (0, 0)


@pytest.fixture
def followers(
    layout: Layout, sqlite_url: str, emulators: Emulated, request: pytest.FixtureRequest
) -> Iterator[Followers]:
    followers = Followers(layout, sqlite_url, emulators, request.node.originalname.removeprefix("test_")[:12])
    yield followers
    followers.close()


@pytest.mark.faults
def test_slow_services_reach_a_whole_chunk(
    followers: Followers, emulators: Emulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not IN_FULL:
        monkeypatch.setattr(sender, "BUDGET_S", 0.3)
    emulators.set_faults("apns", latency_ms=APPLE_MS)
    emulators.set_faults("fcm", latency_ms=GOOGLE_MS)
    followers.say(60, "goal", score=(1, 0))
    assert counters(followers).get("sent", 0) < 2 * PHONES, "the time of one chunk is up before"
    for second in range(65, 400, 5):
        followers.at(second)
    followers.assert_each_has_heard()


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the breaker and between tries are of the real clock, the minutes of the story are not."""
    for name in ("PATIENCE_S", "PAUSE_S", "PAUSE_MAX_S"):
        monkeypatch.setattr(breaker, name, 0.0)
    monkeypatch.setattr(retry, "TRIES_MAX", 1)


@pytest.mark.faults
@pytest.mark.usefixtures("no_pauses")
def test_services_that_are_back_after_two_minutes_reach_a_whole_chunk(
    followers: Followers, emulators: Emulated
) -> None:
    google = followers.transports.android
    assert isinstance(google, Fcm)
    assert google.check(), "its bearer token is from before"
    emulators.set_faults("apns", status_every=1, status=503, reason="ServiceUnavailable")
    emulators.set_faults("fcm", status_every=1, status=503, reason="UNAVAILABLE")
    followers.say(60, "goal", score=(1, 0))
    for second in range(65, 180, 5):
        followers.at(second)
    assert "sent" not in counters(followers)
    for service in ("apns", "fcm"):
        emulators.set_faults(service)
    for second in range(180, 500, 5):
        followers.at(second)
    followers.assert_each_has_heard()
