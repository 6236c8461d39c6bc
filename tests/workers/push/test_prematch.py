"""Ahead of kick-off and after the end: reminders once for each start, channels made, published to and deleted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from db.domain import Kind, Subject, mask_of
from db.sql.audience import BroadcastChannel
from dev.emulators.journal import PushJournal
from notify.transports.channels import Channels
from notify.transports.outcome import Gone, Later, Outcome
from tests.support.emulators import Emulated
from tests.support.layouts import Layout
from tests.support.push import FINAL, START, Ahead, transports_to
from workers.history import write_batch
from workers.push import prematch
from workers.push.prematch import CHANNEL_AHEAD_MS, CHANNEL_KEEP_MS, LATER_MAX, REMIND_MS

MINUTE = 60_000


@pytest.fixture
def world(layout: Layout, sqlite_url: str) -> Iterator[Ahead]:
    world = Ahead(layout, sqlite_url)
    yield world
    world.close()


def test_a_reminder_comes_once_and_again_for_another_start(world: Ahead) -> None:
    world.fan("asked", kinds=mask_of([Kind.REMINDER]))
    world.fan("not asked", kinds=mask_of([Kind.GOAL]))
    start = START + 60 * MINUTE
    world.announce(start)
    world.look(start - REMIND_MS - MINUTE)
    assert world.phones.sent == []
    for minute in (15, 14, 1):
        world.look(start - minute * MINUTE + 1)
    assert world.phones.headlines("asked") == ["Kick-off in 15 minutes"]
    world.announce(start + 60 * MINUTE)
    world.look(start + 50 * MINUTE)
    assert world.phones.headlines("asked") == ["Kick-off in 15 minutes", "Kick-off in 10 minutes"]
    assert world.phones.headlines("not asked") == []


def test_a_reminder_comes_after_the_line_ups_of_the_same_version_too(world: Ahead) -> None:
    world.fan("asked", kinds=mask_of([Kind.REMINDER, Kind.LINEUPS]))
    start = START + 20 * MINUTE
    world.announce(start)
    world.say(60, "lineups")
    write_batch(world.live, world.history)
    world.look(start - REMIND_MS + 1)
    assert world.phones.headlines("asked")[1:] == ["Kick-off in 15 minutes"]
    assert len({alert_id for alert_id, _ in world.alerts.recent(9)}) == 2


@pytest.fixture
def cast(layout: Layout, sqlite_url: str, emulators: Emulated) -> Iterator[Ahead]:
    world = Ahead(layout, sqlite_url, transports_to(emulators))
    yield world
    world.close()


def published(emulated: Emulated, channel: BroadcastChannel) -> list[dict[str, object]]:
    ledger = PushJournal(Path(emulated.ledger))
    payloads = [push.payload["aps"] for push in ledger.of(f"channel:{channel.id}")]
    ledger.close()
    return payloads


def test_a_followed_match_has_a_channel_from_two_hours_before_until_a_day_after(
    cast: Ahead, emulators: Emulated
) -> None:
    start = START + 5 * 60 * MINUTE
    cast.announce(start)
    cast.look(start - CHANNEL_AHEAD_MS + MINUTE)
    assert cast.audience.channels([FINAL]) == []
    cast.fan(f"{START:064x}", subject=Subject.COMPETITION, to="cup")
    cast.look(start - CHANNEL_AHEAD_MS - MINUTE)
    assert cast.audience.channels([FINAL]) == []
    for _ in range(2):
        cast.look(start - CHANNEL_AHEAD_MS + MINUTE)
    (channel,) = cast.audience.channels([FINAL])
    assert channel.environment == "production"

    cast.say((start - START) / 1000, "kickoff", score=(0, 0))
    cast.say((start - START) / 1000 + 60, "goal", score=(1, 0))
    cast.say((start - START) / 1000 + 7_000, "full_time", score=(1, 0))
    payloads = published(emulators, channel)
    states = [payload["content-state"] for payload in payloads]
    assert [payload["event"] for payload in payloads] == ["update", "update", "end"]
    assert [(state["home_score"], state["status"]) for state in states] == [  # type: ignore[index]
        (0, "first_half"),
        (1, "first_half"),
        (1, "finished"),
    ]
    assert not any("alert" in payload for payload in payloads)

    made_at = start - CHANNEL_AHEAD_MS + MINUTE
    cast.look(made_at + CHANNEL_KEEP_MS)
    assert cast.audience.channels([FINAL]) == [channel]
    cast.look(made_at + CHANNEL_KEEP_MS + 1)
    assert cast.audience.channels([FINAL]) == []
    channels = cast.transports.channels("production")
    assert channels
    assert isinstance(channels.delete(channel.id), Gone)


def test_a_match_apple_puts_off_stops_no_other(
    cast: Ahead, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cast.fan(f"{START + 6:064x}", subject=Subject.COMPETITION, to="cup")
    for number in range(6):
        cast.announce(START + MINUTE, f"m{number}")
    create, attempts = Channels.create, 0

    def busy(channels: Channels) -> str | Outcome:
        nonlocal attempts
        attempts += 1
        return Later("TooManyRequests", 30.0) if attempts in late else create(channels)

    monkeypatch.setattr(Channels, "create", busy)
    late = [1, 2, 4]
    cast.look(START)
    assert (attempts, len(cast.audience.channels([f"m{number}" for number in range(6)]))) == (6, 3)
    assert caplog.text.count("channel_put_off") == 3
    attempts, late = 0, [1, 2, 3, 4]
    cast.look(START)
    assert attempts == LATER_MAX


def test_channels_that_only_apple_knows_are_swept_when_they_are_many(
    cast: Ahead, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    channels = cast.transports.channels("production")
    assert channels
    before = channels.all()
    assert isinstance(before, list)
    kept, *lost = (str(channels.create()) for _ in range(4))
    cast.audience.keep_channel(BroadcastChannel(FINAL, "production", kept), now_ms=START)
    everything = {*before, kept, *lost}
    monkeypatch.setattr(prematch, "SWEEP_MAX", len(before) + 2)

    def swept() -> set[str]:
        cast.end_leases("sweep")
        cast.look(START)
        listed = channels.all()
        assert isinstance(listed, list)
        return set(listed)

    monkeypatch.setattr(prematch, "SWEEP_ABOVE", len(everything))
    assert swept() == everything
    monkeypatch.setattr(prematch, "SWEEP_ABOVE", 1)
    assert len(swept()) == 2
    assert f"listed={len(everything)} lost={len(everything) - 1} deleted={len(before) + 2}" in caplog.text
    assert swept() == {kept}


def test_lock_screens_come_first_and_a_score_that_moved_at_once(world: Ahead) -> None:
    world.fan("fan")
    world.audience.keep_channel(BroadcastChannel(FINAL, "production", "channel"), now_ms=START)
    world.kick_off()
    world.say(60, "goal", score=(1, 0))
    assert [(message.silent, message.urgent) for _, message in world.phones.sent] == [(True, True), (False, True)]
    world.phones.sent.clear()
    world.say(2700, "half_time", score=(1, 0))
    assert [(message.silent, message.urgent) for _, message in world.phones.sent] == [(True, False), (False, True)]


def test_a_channel_apple_does_not_know_is_forgotten(cast: Ahead) -> None:
    cast.announce(START + MINUTE)
    lost = BroadcastChannel(FINAL, "production", "bm90LW9uZQ==")
    cast.audience.keep_channel(lost, now_ms=START)
    cast.say(60, "kickoff", score=(0, 0))
    assert cast.audience.channels([FINAL]) == []


def test_a_publication_that_fails_is_made_up_for(cast: Ahead, emulators: Emulated) -> None:
    cast.announce(START + MINUTE)
    cast.fan(f"{START + 5:064x}")
    cast.look(START)
    (channel,) = cast.audience.channels([FINAL])
    emulators.set_faults("apns", status_every=1, status=429, reason="TooManyRequests")
    cast.say(60, "goal", score=(1, 0))
    assert published(emulators, channel) == []
    emulators.set_faults("apns")
    cast.at(70)
    assert len(published(emulators, channel)) == 1
