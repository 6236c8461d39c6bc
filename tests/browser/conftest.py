"""A headless Chromium, and tabs in it that fail their test when the page has a bug or breaks its own policy."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.conftest import systems
from tests.support import browser_push
from tests.support.emulators import Emulated
from tests.support.system import System, event

# On two busy cores a page has taken seconds to open.
expect.set_options(timeout=20_000)

WITH_WINDOWS = ("chromium", "google-chrome")
# Takes half the processor time, and refuses every permission.
WITHOUT = "chromium-headless-shell"
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """They share a Chromium, but for the phones, which take a third of the time. First, for xdist reads the marks in
    the same hook."""
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker(pytest.mark.xdist_group("phones" if item.path.stem == "test_phones" else "browser"))


@pytest.fixture(scope="session")
def launch() -> Iterator[Callable[..., Browser]]:
    """launch(*names): the first of these browsers that there is. They are closed at the end."""
    with sync_playwright() as playwright:
        browsers = []

        def launch_(*names: str) -> Browser:
            executable = next(filter(None, map(shutil.which, names)), None)
            if executable is None:
                pytest.skip("no Chromium: apt-get install chromium")
            browsers.append(playwright.chromium.launch(executable_path=executable, args=QUIET))
            return browsers[-1]

        yield launch_
        for browser in browsers:
            browser.close()


@pytest.fixture(scope="session")
def chromium(launch: Callable[..., Browser]) -> Browser:
    return launch(WITHOUT, *WITH_WINDOWS)


@pytest.fixture
def open_tab(chromium: Browser, scores: System) -> Iterator[Callable[..., Page]]:
    """open_tab(path, **context options): a page in a browser profile of its own, English and in UTC unless said."""
    contexts, faults = [], list[str]()

    def heed(message: ConsoleMessage) -> None:
        # A failed request is the business of the test; a broken policy is a bug of the page.
        if message.type == "error" and "Failed to load resource" not in message.text:
            faults.append(message.text)

    def open_(path: str = "/", script: str = "", **options: Any) -> Page:
        defaults = {"locale": "en-GB", "timezone_id": "UTC", "base_url": scores.url}
        contexts.append(chromium.new_context(**(defaults | options)))
        # Of all its pages, and of its service worker.
        contexts[-1].on("console", heed)
        contexts[-1].on("weberror", lambda failure: faults.append(str(failure.error)))
        page = contexts[-1].new_page()
        if script:
            page.add_init_script(script)
        page.goto(path)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not faults


@pytest.fixture(scope="session")
def scores(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, emulators_process: Emulated
) -> Iterator[System]:
    """A system that all tests share; each plays matches of its own. Alerts to browsers go to the emulator."""
    for run in systems(request.node, tmp_path_factory.mktemp("browser")):
        yield run(**browser_push.settings(emulators_process))


@pytest.fixture
def play(scores: System, request: pytest.FixtureRequest) -> Play:
    return Play(scores, request.node.name)


class Play:
    """Matches of one test."""

    def __init__(self, system: System, test: str) -> None:
        self.system, self.prefix = system, re.sub(r"\W+", "-", test.removeprefix("test_"))[-40:]

    def id(self, name: str = "match") -> str:
        return f"{self.prefix}.{name}"

    def match(self, home: str, away: str, name: str = "match", *, at: datetime | None = None, **more: Any) -> str:
        """Announce a match, starting now unless said; returns its id."""
        fields = {"competition": "World Cup", "venue": "Lusail Stadium"} | more
        start = at or datetime.now(UTC)
        self.system.post_match(self.id(name), home, away, start_time=start.isoformat(), **fields)
        return self.id(name)

    def tell(self, event_type: str, home: int, away: int, minute: int, name: str = "match", **more: Any) -> None:
        self.system.post_events(event(self.id(name), event_type, home, away, minute, **more))

    def kick_off(self, home: str = "Argentina", away: str = "France", name: str = "match", **more: Any) -> str:
        """A match in play, known to the API."""
        match_id = self.match(home, away, name, at=datetime.now(UTC) - timedelta(minutes=1), **more)
        self.tell("kickoff", 0, 0, 0, name)
        self.system.wait_for(match_id, "0-0")
        return match_id
