"""From an alert to chunks: every device in one chunk, whatever happens to the planner."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from config import Settings
from db.domain import (
    Device,
    Event,
    Kind,
    Platform,
    Score,
    Side,
    Stamp,
    Update,
    mask_of,
)
from notify.content.alert import decode_alert
from tests.support.layouts import Layout
from tests.support.push import ALL, FINAL, START, Killed, World
from workers.ingest import Drain
from workers.push import planner


def test_a_bug_in_planning_holds_up_no_other_alert(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world.fan("fan")
    world.kick_off()

    def fail(*args: Any) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(world.push.planner, "_devices", fail)
        world.say(60, "goal", score=(1, 0))
    assert "alert_parked" in caplog.text
    assert world.plans.unplanned() == []
    world.say(160, "goal", score=(2, 0))
    assert len(world.phones.sent) == 1


@pytest.mark.faults
def test_a_planner_killed_at_any_step_leaves_everybody_in_one_chunk(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planner, "CHUNK", 2)
    everybody = world.fans(9)
    world.kick_off()
    steps = [(world.chunks, "put", call) for call in range(1, 6)]
    steps += [(world.plans, "chunked", 1), (world.plans, "planned", 1)]  # type: ignore[list-item]
    kills = [(owner, step, call, is_done) for owner, step, call in steps for is_done in (False, True)]
    for goals, (owner, step, call, is_done) in enumerate(kills, 1):
        world.phones.sent.clear()
        with monkeypatch.context() as patched:
            patched.setattr(owner, step, dying(getattr(owner, step), call, is_done=is_done))
            with pytest.raises(Killed):
                world.say(100 * goals, "goal", score=(goals, 0))
        world.end_leases()
        world.push = world.worker()
        world.at(100 * goals + 1)
        assert sorted(token for token, _ in world.phones.sent) == everybody, (step, call, is_done)


def dying(method: Callable[..., Any], call: int, *, is_done: bool) -> Callable[..., Any]:
    """The method, whose caller is killed at that call of it: before it, or when it is done."""
    calls = count(1)

    def die(*args: Any, **options: Any) -> Any:
        is_last = next(calls) == call
        if is_last and not is_done:
            raise Killed
        result = method(*args, **options)
        if is_last:
            raise Killed
        return result

    return die


def test_a_plan_in_slices_reaches_everybody_once_by_two_workers_one_of_whom_is_killed(
    layout: Layout, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("SLICED_ABOVE", 8), ("SLICES_MAX", 4), ("CHUNK", 3)):
        monkeypatch.setattr(planner, name, value)
    world = World(layout, Settings(database_url=postgresql_url).sql_url)
    everybody = sorted(world.fans(30, kinds=mask_of([Kind.GOAL])))
    world.kick_off()
    other = world.worker()

    def share() -> None:
        for _ in range(200):
            if not any([other.turn(now_ms=world.now_ms), world.push.turn(now_ms=world.now_ms)]):
                return
        pytest.fail("the workers find no end")

    monkeypatch.setattr(world, "run", share)
    world.say(100, "goal", score=(1, 0))
    assert sorted(token for token, _ in world.phones.sent) == everybody
    ((alert_id, _),) = world.alerts.recent(1)
    plan = world.plans.plan(alert_id)
    assert plan
    assert len(plan.bounds) == 3

    world.phones.sent.clear()
    with monkeypatch.context() as patched:
        patched.setattr(world.chunks, "put", dying(world.chunks.put, 4, is_done=True))
        with pytest.raises(Killed):
            world.say(200, "goal", score=(2, 0))
    world.end_leases()
    world.at(201)
    assert sorted(token for token, _ in world.phones.sent) == everybody
    world.close()


def test_two_planners_of_one_alert_make_one_plan(world: World) -> None:
    world.fan("fan")
    world.kick_off()
    stamp = Stamp(START + 60_000, source="test")
    goal = Event("g", "goal", stamp, stamp, team=Side.HOME)
    world.live.inbox.accept(
        [Update(FINAL, stamp, START + 60_000, event=goal, score=Score(1, 0))], now_ms=START + 60_000
    )
    Drain(world.live, world.bells).match(FINAL)
    world.push.read_mailboxes(now_ms=START + 60_000)
    (alert_id,) = world.plans.unplanned()
    plan = world.plans.plan(alert_id)
    assert plan
    assert world.chunks.put(plan, [(1, ALL)], None, "0 1")
    assert not world.chunks.put(plan, [(1, ALL)], None, "0 1")
    assert world.push.planner._devices(plan, decode_alert(plan.alert), world.now_ms) > 0
    assert world.plans.unplanned() == [alert_id]
    assert world.chunks.sending() == (1, 0)


def test_recently_active_devices_are_told_first(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, token in enumerate(("old", "older", "newest")):
        user_id = world.fan(token)
        active = START + [2, 1, 3][number] * 86_400_000
        world.accounts.add_device(user_id, Device(Platform.IOS, token), now_ms=active)
    monkeypatch.setattr(planner, "CHUNK", 1)
    world.kick_off()
    world.say(60, "goal", score=(1, 0))
    assert [token for token, _ in world.phones.sent] == ["newest", "old", "older"]
