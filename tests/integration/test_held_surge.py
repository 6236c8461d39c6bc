"""A surge in a real process, turned on, turned off and forgotten, while readers wait, poll and stream."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from api.delivery.snapshot import SURGE_POLL_MS
from db.live.surge import SurgeSwitch
from tests.conftest import wait_until
from tests.support.holding import Connect, Origin

pytestmark = pytest.mark.xdist_group("held")

SCORE = "/api/score/m"


@pytest.fixture
def switch(origin: Origin) -> Iterator[SurgeSwitch]:
    """It is off before and after."""
    switch = SurgeSwitch(origin.live.redis)
    yield switch
    switch.turn_off()
    wait_for_surge(origin, is_on=False)


def turn_on(switch: SurgeSwitch, lasting_ms: int) -> None:
    switch.turn_on(now_ms=time.time_ns() // 1_000_000, lasting_ms=lasting_ms)


def wait_for_surge(origin: Origin, *, is_on: bool) -> None:
    """As a reader who polls learns of it."""
    wait_until(lambda: (origin.body(SCORE)["next"] is None) is is_on, "the switch")


def test_no_reader_is_lost_while_it_is_turned_on_off_and_forgotten(
    origin: Origin, client: Connect, switch: SurgeSwitch
) -> None:
    path = origin.next()
    waiting, stream = client().ask(path), client().ask(f"{SCORE}/stream")
    stream.event()
    origin.wait_for_here(2)

    turn_on(switch, 60_000)
    wait_for_surge(origin, is_on=True)
    refused = client().ask(path).body()
    assert {name: refused[name] for name in ("held", "next", "poll_after_ms")} == {
        "held": "full",
        "next": None,
        "poll_after_ms": SURGE_POLL_MS,
    }
    version = origin.goal()
    # Who is here already has it at once, and who polls with the next poll.
    assert (waiting.body()["version"], stream.event()["version"]) == (version, version)
    wait_until(lambda: origin.body(SCORE)["version"] == version, "the goal")

    switch.turn_off()
    wait_for_surge(origin, is_on=False)
    waiting.ask(origin.next())
    origin.wait_for_here(2)

    turn_on(switch, 5_000)
    wait_for_surge(origin, is_on=True)
    wait_for_surge(origin, is_on=False)
    newcomer = client().ask(origin.next())
    origin.wait_for_here(3)
    version = origin.goal()
    assert {reader["version"] for reader in (waiting.body(), newcomer.body(), stream.event())} == {version}
