"""Slow services and long plans: work ends itself in good time, and the rest is done by whoever comes next."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from itertools import islice

import pytest

from db.domain import Kind, Platform, mask_of
from notify.transports.base import Envelope
from notify.transports.outcome import Delivered, Later, Outcome
from tests.support.push import World, counters
from workers.push import planner, sender

PHONES = 30
GOALS = mask_of([Kind.GOAL])


class SlowService:
    """Answers so many requests at once, after a while. down: they are refused unsent."""

    def __init__(self, name: str, answer_s: float, log: list[tuple[str, str]]) -> None:
        self.name, self.answer_s, self.log = name, answer_s, log
        self.down = False

    def send(self, envelopes: Iterable[Envelope]) -> Iterator[tuple[Envelope, Outcome]]:
        iterator = iter(envelopes)
        while batch := list(islice(iterator, 10)):
            time.sleep(0 if self.down else self.answer_s)
            for envelope in batch:
                if not self.down:
                    self.log.append((self.name, envelope.address.token))  # type: ignore[union-attr]
                yield envelope, Later("breaker_open", 5.0) if self.down else Delivered()

    def close(self) -> None: ...


@pytest.fixture
def log(world: World) -> list[tuple[str, str]]:
    """Apple and Google, slow; what they took, in order."""
    log: list[tuple[str, str]] = []
    apple, google = SlowService("apns", 0.05, log), SlowService("fcm", 0.1, log)
    world.transports.apns["production"] = apple
    vars(world.transports)["android"] = google
    for number in range(PHONES):
        world.fan(f"iphone-{number}", kinds=GOALS)
        world.fan(f"pixel-{number}", kinds=GOALS, platform=Platform.ANDROID)
    world.kick_off()
    return log


def test_a_chunk_that_takes_too_long_leaves_the_rest_to_the_next_and_reaches_everybody_once(
    world: World, log: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "BUDGET_S", 0.2)
    world.say(60, "goal", score=(1, 0))
    assert len(log) < 2 * PHONES
    for second in range(61, 90):
        world.at(second)
    assert len(log) == len(set(log)) == 2 * PHONES
    assert counters(world)["sent"] == 2 * PHONES
    assert not {"failed", "failed:bug", "gone"} & counters(world).keys()


def test_services_of_a_chunk_go_side_by_side(world: World, log: list[tuple[str, str]]) -> None:
    world.say(60, "goal", score=(1, 0))
    names = [name for name, _ in log]
    assert names.index("fcm") < len(names) - 1 - names[::-1].index("apns")


def test_services_that_recover_after_two_minutes_reach_everybody(world: World, log: list[tuple[str, str]]) -> None:
    services = [world.transports.apns["production"], world.transports.android]
    for service in services:
        service.down, service.answer_s = True, 0  # type: ignore[union-attr]
    world.say(60, "goal", score=(1, 0))
    for second in range(61, 180):
        world.at(second)
    assert log == []
    for service in services:
        service.down = False  # type: ignore[union-attr]
    for second in range(180, 320):
        world.at(second)
    assert len(log) == len(set(log)) == 2 * PHONES
    assert "failed" not in counters(world)


def test_a_plan_that_takes_too_long_goes_on_from_its_last_chunk(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planner, "CHUNK", 2)
    monkeypatch.setattr(planner, "BUDGET_S", 0.0)
    for number in range(9):
        world.fan(f"fan-{number}", kinds=GOALS)
    world.kick_off()
    world.say(60, "goal", score=(1, 0))
    assert len(world.phones.sent) == 2
    for second in range(61, 66):
        world.end_leases()
        world.at(second)
    assert sorted(token for token, _ in world.phones.sent) == [f"fan-{number}" for number in range(9)]
