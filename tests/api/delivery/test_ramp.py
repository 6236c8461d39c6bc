"""A process that has just begun holds few, and more each moment, until it holds as many as it may."""

from __future__ import annotations

import pytest

from api.delivery import ramp
from api.delivery.hub import Hub
from api.delivery.ramp import AT_ONCE, Ramp
from db.domain import Cursor
from tests.api.conftest import Site
from tests.support.hub import V1, Client, Clock, Stream, body, score


class Moment:
    now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def moment() -> Moment:
    return Moment()


def test_it_grows_evenly_from_the_moment_at_which_changes_are_heard(moment: Moment) -> None:
    slow = Ramp(10.0, moment)
    moment.now_s += 3_600
    assert (slow.limit(16_000), slow.left_s) == (AT_ONCE, 10.0)
    slow.begin()
    limits = []
    for _ in range(6):
        limits.append(slow.limit(16_000))
        moment.now_s += 2.0
        # A subscription that is lost and found begins nothing anew.
        slow.begin()
    assert limits == [AT_ONCE, 3_200, 6_400, 9_600, 12_800, 16_000]
    assert slow.left_s == 0.0


def test_a_small_process_and_one_without_a_ramp_hold_all_at_once(moment: Moment) -> None:
    assert Ramp(10.0, moment).limit(16) == 16
    assert Ramp(0, moment).limit(16_000) == 16_000


def test_beyond_it_readers_poll_and_are_held_a_little_later(moment: Moment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ramp, "AT_ONCE", 1)
    clock = Clock()
    hub = Hub(4, clock.later, ramp=Ramp(10.0, moment))
    hub.watch("m")
    hub.know(score(V1))
    hub.ramp.begin()
    assert hub.ask("m", Cursor(V1), Client(), clock.now_ms) is None
    answer = hub.ask("m", Cursor(V1), Client(), clock.now_ms)
    assert {name: body(answer)[name] for name in ("held", "next", "poll_after_ms")} == {
        "held": "full",
        "next": f"/api/score/m/wait/{V1}.0",
        "poll_after_ms": 2_000,
    }
    assert not hub.join("m", Stream())
    moment.now_s += 5.0
    assert hub.ask("m", Cursor(V1), Client(), clock.now_ms) is None
    moment.now_s += 5.0
    assert hub.join("m", Stream())
    assert hub.join("m", Stream())
    assert not hub.join("m", Stream())


def test_readyz_says_how_many_may_be_held(site: Site) -> None:
    state = site.get("/readyz").get_json()
    assert state["held"] == 0
    assert AT_ONCE <= state["held_limit"] <= site.services.hub.most
