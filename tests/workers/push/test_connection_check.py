"""Connections are checked before a goal needs them, and not more often than Apple likes."""

from __future__ import annotations

from typing import Any, cast

import pytest

from db.sql.audience import Audience
from workers.push.connection_check import CHECK_MS, ConnectionCheck
from workers.push.transports import Transports


class Service:
    def __init__(self, name: str, *, is_well: bool = True) -> None:
        self.name = name
        self.is_well = is_well
        self.checks = 0

    def check(self) -> bool:
        self.checks += 1
        return self.is_well

    def send(self, _envelopes: Any) -> Any:
        raise AssertionError

    def close(self) -> None:
        raise AssertionError


class World:
    """Of two environments of Apple's one has devices."""

    def __init__(self) -> None:
        self.apple = {"production": Service("apns"), "sandbox": Service("apns")}
        self.android: Any = Service("fcm", is_well=False)

    def environments(self) -> list[str]:
        return ["production"]

    def ios(self, environment: str) -> Service:
        return self.apple[environment]


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def check(world: World) -> ConnectionCheck:
    return ConnectionCheck(cast(Audience, world), cast(Transports, world))


def test_services_in_use_are_checked_once_in_a_while(
    world: World, check: ConnectionCheck, caplog: pytest.LogCaptureFixture
) -> None:
    for now_ms in (0, CHECK_MS - 1, CHECK_MS):
        check.run(now_ms=now_ms)
    assert [service.checks for service in (*world.apple.values(), world.android)] == [2, 0, 2]
    assert caplog.messages == ["push_service_away service=fcm"] * 2


def test_a_service_without_keys_is_not_checked(world: World, check: ConnectionCheck) -> None:
    world.android = None
    check.run(now_ms=0)
    assert world.apple["production"].checks == 1
