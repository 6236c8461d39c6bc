"""A claim on a chunk holds as long as its worker lives, whatever the worker waits for."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from db.domain.errors import Unavailable
from db.live import keys
from db.live.chunks import CLAIM_MS
from db.sql.audience import Recipient
from notify.transports.base import Envelope
from tests.conftest import wait_until
from tests.support.live import key_of
from tests.support.push import World, counters
from workers.push import sender


def renewal_of_claim(world: World) -> float:
    """Waits for one; until when the claim holds then."""

    def claimed_until() -> float:
        return float(world.redis.zrange(key_of(world.live, "final", keys.PUSH_CLAIMED), 0, 0, withscores=True)[0][1])

    before = claimed_until()
    wait_until(lambda: claimed_until() > before, "a renewal", 20)
    return claimed_until()


def test_a_claim_holds_as_long_as_its_worker_lives(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "RENEW_S", 0.01)
    world.fan("fan")
    world.kick_off()
    renewals: list[float] = []

    def wait(parcel: Envelope) -> None:
        renewals.extend(renewal_of_claim(world) for _ in range(2))

    world.phones.before = wait
    world.say(60, "goal", score=(1, 0))
    assert renewals == sorted(set(renewals))
    assert world.chunks.sending() == (0, 0)


def test_a_claim_holds_while_sql_takes_its_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a second worker would begin the chunk, and a third, and none would ever hand anybody over."""
    monkeypatch.setattr(sender, "RENEW_S", 0.01)
    world.fan("fan")
    world.kick_off()
    devices = world.audience.devices

    def read_slowly(ids: Collection[int]) -> list[Recipient]:
        renewal_of_claim(world)
        return devices(ids)

    monkeypatch.setattr(world.audience, "devices", read_slowly)
    world.say(60, "goal", score=(1, 0))
    assert len(world.phones.sent) == 1


def test_a_worker_that_stood_still_gives_back_no_chunk_that_another_has_sent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "RENEW_S", 60)
    world.fan("fan")
    world.kick_off()
    other, devices = world.worker(), world.audience.devices

    def stand_still(_ids: Collection[int]) -> list[Recipient]:
        """Its claim runs out, another sends the chunk, and then SQL is away."""
        monkeypatch.setattr(world.audience, "devices", devices)
        other.sender.turn(now_ms=world.now_ms + CLAIM_MS + 1)
        raise Unavailable("SQL is away")

    monkeypatch.setattr(world.audience, "devices", stand_still)
    with pytest.raises(Unavailable):
        world.say(60, "goal", score=(1, 0))
    world.at(90)
    assert len(world.phones.sent) == counters(world)["sent"] == 1
