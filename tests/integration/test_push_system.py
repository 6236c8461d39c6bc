"""A running system with an emulated Apple and Google: an app signs up, a goal arrives, the operator looks on."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from api import create_app
from config import Settings
from dev.replay.ingest_client import signed
from tests.conftest import wait_until
from tests.support.emulators import Emulated
from tests.support.system import System

pytestmark = pytest.mark.xdist_group("push")

APPLE, GOOGLE = "5e" * 32, "system-test-android:token"


@pytest.fixture
def system(run_system: Callable[..., System], emulators: Emulated) -> System:
    names = set(Settings.__dataclass_fields__) & emulators.settings.keys()
    return run_system(LOG_LEVEL="DEBUG", **{name.upper(): emulators.settings[name] for name in names})


class Fan:
    """Someone with two phones."""

    def __init__(self, system: System) -> None:
        self.url = system.url
        account = requests.post(f"{self.url}/api/users", timeout=10).json()
        self.id, self.token = account["user_id"], account["token"]

    def ask(self, method: str, path: str, body: Any = None) -> None:
        headers = {"Authorization": f"Bearer {self.token}"}
        requests.request(method, self.url + path, json=body, headers=headers, timeout=10).raise_for_status()


def tell(system: System, kind: str, home: int) -> None:
    now = datetime.now(UTC)
    event = {
        "match_id": "derby",
        "event_type": kind,
        "event_id": f"{kind}-{home}",
        "home_score": home,
        "away_score": 0,
        "minute": 12,
        "team": "home",
        "timestamp": now.isoformat(),
    }
    body = json.dumps({"events": [event]}).encode()
    headers = signed(system.env["INGEST_SECRET_GENERIC"], f"{kind}-{home}-{now.timestamp()}", body, now)
    requests.post(f"{system.url}/api/ingest/generic", body, headers=headers, timeout=10).raise_for_status()


def shown(emulators: Emulated) -> list[int]:
    return [len(emulators.phone(token)["alerts"]) for token in (APPLE, GOOGLE)]


def flask(system: System, *words: str) -> str:
    runner = create_app(system.settings).test_cli_runner()
    result = runner.invoke(args=list(words))
    assert result.exit_code == 0, result.output
    return result.output


def test_an_app_signs_up_and_a_goal_reaches_its_phones(system: System, emulators: Emulated) -> None:
    fan = Fan(system)
    fan.ask("PUT", f"/api/me/devices/ios/{APPLE}")
    fan.ask("PUT", f"/api/me/devices/android/{GOOGLE}", {"locale": "es"})
    fan.ask("PUT", "/api/me/follows/matches/derby")
    for number, kind in enumerate(("kickoff", "goal")):
        tell(system, kind, number)
        wait_until(lambda n=number: shown(emulators) == [n + 1, n + 1], kind)  # type: ignore[misc]
    bodies = [alert["body"] for alert in emulators.phone(APPLE)["alerts"]]
    assert bodies == ["Kick-off", "Goal for Home team! 12'"]

    # A phone shows it before the worker has counted it.
    row = r"derby-\d+-goal +goal +devices 2 sent 2 rings 2 updates 0 gone 0 later 0 failed 0"
    wait_until(lambda: re.search(row, flask(system, "push", "status")), "the goal to be counted")
    row = json.loads(flask(system, "push", "status", "--json", "--limit", "1").splitlines()[0])
    assert (row["sent:apns:delivered"], row["sent:fcm:delivered"]) == (1, 1)
    dry = json.loads(flask(system, "push", "dry-run", "derby", "goal"))
    assert (dry["devices"], dry["quiet"]) == (2, 0)
    assert dry["messages"]["de"]["body"].startswith("Tor")
    tested = flask(system, "push", "test", fan.id)
    assert sorted(line.split()[0] for line in tested.splitlines()) == ["android", "ios"]
    assert tested.count("delivered") == 4
    assert len(emulators.phone(APPLE)["alerts"]) == 3

    logs = "".join(system.log(name).read_text() for name in ("web", *system.workers, "clock"))
    assert "alert_opened" in logs
    secrets = [APPLE, GOOGLE, fan.token, "PRIVATE KEY", "bearer ey", "ya29."]
    assert [secret for secret in secrets if secret in logs] == []
    assert not re.search(r"eyJ[A-Za-z0-9_-]{20,}\.", logs)
