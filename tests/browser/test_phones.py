"""The embedded run's demo: a goal on the lock screens of its phones, and none of it beside real keys."""

from __future__ import annotations

import json
import re
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import psutil
import pytest
import requests
from playwright.sync_api import Locator, Page, expect

from db.live import keys
from db.live.client import connect
from dev.demo.fans import FANS
from dev.emulators.keys import Keys
from dev.replay.ingest_client import signed
from tests.conftest import wait_until
from tests.support.local import Local
from tests.support.stories.count import in_full
from tests.support.system import event
from workers import queues

OpenTab = Callable[..., Page]
MATCH = "argentina-japan"
# The window of a match may be open, 30 s, where kick-off and goal were not applied together.
ALERT_MS = 45_000
COUNTED = re.compile(r"^[1-9]\d* push(es)?$")


@pytest.fixture(scope="module")
def begun() -> Iterator[list[Local]]:
    started: list[Local] = []
    yield started
    for local in started:
        for process in local.look():
            if process.is_running():
                process.kill()
        local.process.wait()


@pytest.fixture(scope="module")
def scores(begun: list[Local], tmp_path_factory: pytest.TempPathFactory) -> Local:
    """What `make run` starts."""
    begun.append(Local(tmp_path_factory.mktemp("demo"), DEMO_SPEED=300, WORKER_PROCESSES=1))
    return begun[-1].up()


def deliver(local: Local, body: object) -> None:
    data = json.dumps(body).encode()
    secret = (local.var / "ingest_secret_generic").read_text().strip()
    headers = signed(secret, sha256(data).hexdigest(), data, datetime.now(UTC)) | {"Connection": "close"}
    assert requests.post(f"{local.url}/api/ingest/generic", data, headers=headers, timeout=10).status_code == 202


def announced(match_id: str, home: str, away: str, start_time: datetime) -> dict[str, str]:
    match = {"id": match_id, "home_team": home, "away_team": away, "competition": "World Cup"}
    return match | {"start_time": start_time.isoformat()}


def look_ahead(local: Local) -> list[str]:
    """The clock's minute comes now. The matches that have a channel so far."""
    env = dict(line.split("=", 1) for line in (local.var / "env").read_text().splitlines())
    with connect(env["REDIS_URL"]) as client:
        for lease in client.scan_iter(keys.lease("lookahead-*")):
            client.delete(lease)
        queues.Doorbells(client).prematch()
    with closing(sqlite3.connect(local.var / "scores.db")) as history:
        return [match_id for (match_id,) in history.execute("SELECT match_id FROM push_channels")]


def phone(page: Page, name: str) -> Locator:
    return page.locator(f'.phone[data-name="{name}"]')


def on(page: Page, name: str) -> Locator:
    """The goal's card on a phone. The iPhone is in German, and national teams have their names in it."""
    team = {"iPhone": "Argentinien", "Android": "Argentina"}[name]
    return phone(page, name).locator(".push", has_text=f"{team} [1]–0 Japan")


def test_on_a_narrow_window_a_button_leads_to_the_phones(open_tab: OpenTab, scores: Local) -> None:
    page = open_tab(viewport={"width": 390, "height": 844})
    way = page.get_by_role("link", name="Phones")
    expect(way).to_be_visible()
    expect(page.locator(".phone")).to_have_count(len(FANS), timeout=ALERT_MS)
    way.click()
    expect(page.locator(".phone").first).to_be_in_viewport()
    expect(way).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_a_match_announced_in_time_is_a_live_activity_on_the_iphone(open_tab: OpenTab, scores: Local) -> None:
    page = open_tab()
    expect(page.locator(".phone h3")).to_contain_text([fan.name for fan in FANS], timeout=ALERT_MS)
    deliver(scores, {"matches": [announced("spain-ghana", "Spain", "Ghana", datetime.now(UTC) + timedelta(hours=1))]})
    wait_until(lambda: "spain-ghana" in look_ahead(scores), "a channel")
    deliver(scores, {"events": [event("spain-ghana", "kickoff", 0, 0, 0, event_id="k")]})
    activity = phone(page, "iPhone").locator(".activity", has_text="Spanien")
    expect(activity).to_contain_text("0–0", timeout=ALERT_MS)
    deliver(scores, {"events": [event("spain-ghana", "goal", 1, 0, 7, event_id="g", team="home")]})
    expect(activity).to_contain_text("1–0", timeout=ALERT_MS)
    expect(phone(page, "Android").locator(".activity")).to_have_count(0)


def test_a_goal_arrives_on_each_phone_in_its_form_and_stands_there_after_a_restart(
    open_tab: OpenTab, scores: Local, begun: list[Local]
) -> None:
    page = open_tab()
    expect(page.locator(".phone h3")).to_contain_text([fan.name for fan in FANS], timeout=ALERT_MS)
    kickoff = event(MATCH, "kickoff", 0, 0, 0, event_id="k")
    goal = event(MATCH, "goal", 1, 0, 3, event_id="g", team="home", player={"name": "Lionel Messi"})
    match = announced(MATCH, "Argentina", "Japan", datetime.now(UTC))
    deliver(scores, {"matches": [match], "events": [kickoff, goal]})

    expect(on(page, "iPhone")).to_contain_text("Tor für Argentinien!", timeout=ALERT_MS)
    expect(on(page, "iPhone")).to_contain_text("time-sensitive · thread of its match · actions: match")
    expect(on(page, "Android")).to_contain_text("Goal for Argentina!", timeout=ALERT_MS)
    expect(on(page, "Android")).to_contain_text("channel goals · shown by the system")
    for name in ("iPhone", "Android"):
        expect(on(page, name)).to_contain_text("3' Lionel Messi")
        expect(phone(page, name).locator(".count")).to_have_text(COUNTED)
    expect(phone(page, "Android").locator(".push", has_text="Canada")).to_have_count(0)
    data = phone(page, "Android app")
    expect(data.locator(".push", has_text="الأرجنتين").first).to_contain_text("data message", timeout=ALERT_MS)
    browser = phone(page, "Browser")
    expect(browser.locator(".push").first).to_contain_text("Web Push", timeout=ALERT_MS)
    expect(browser.locator(".push", has_text="Argentine")).to_have_count(0)
    spoiler_free = phone(page, "Spoiler-free iPhone").locator(".push", has_text="Argentina – Japón")
    expect(spoiler_free).to_have_count(1, timeout=ALERT_MS)
    expect(phone(page, "Android at night")).to_contain_text("Quiet hours")
    expect(phone(page, "Android at night").locator(".push")).to_have_count(0)
    expect(page.locator(".phones [role=status]")).to_have_attribute("aria-live", "polite")
    who = (scores.var / "demo_phones.json").read_text()
    assert stat.S_IMODE((scores.var / "demo_phones.json").stat().st_mode) == 0o600
    assert scores.interrupt() == 130

    begun.append(Local(scores.folder, DEMO_SPEED=0.1, WORKER_PROCESSES=1))
    again = open_tab(base_url=begun[-1].up().url)
    for name in ("iPhone", "Android"):
        expect(on(again, name)).to_be_visible(timeout=ALERT_MS)
    assert (scores.var / "demo_phones.json").read_text() == who


@in_full
def test_beside_real_keys_there_are_no_emulators_and_no_phones(begun: list[Local], tmp_path: Path) -> None:
    key = Keys(tmp_path / "apple").apns_key.read_text()
    apple = {"APNS_KEY": key, "APNS_TEAM": "ABCDE12345", "APNS_KEY_ID": "KEYID12345", "APNS_BUNDLE": "com.example.app"}
    begun.append(Local(tmp_path, DEMO_SPEED=0.1, WORKER_PROCESSES=1, **apple))
    local = begun[-1].up()
    assert not (local.var / "emulators").exists()
    assert not (local.var / "demo_phones.json").exists()
    assert not any("dev.emulators" in " ".join(cmdline(process)) for process in local.look())
    assert requests.get(f"{local.url}/api/demo/phones", headers={"Connection": "close"}, timeout=10).status_code == 404
    assert "phones" not in requests.get(local.url, headers={"Connection": "close"}, timeout=10).text


def cmdline(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.NoSuchProcess:
        return []
