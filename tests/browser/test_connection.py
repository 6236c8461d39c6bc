"""What the page does when the way to the server, or the server, is not there."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Play
from tests.support.paths import ROOT
from tests.support.system import System

OpenTab = Callable[..., Page]

# A tab that can be hidden: headless Chromium shows all of them.
HIDEABLE = """
let hidden = false;
Object.defineProperty(document, "visibilityState", { get: () => (hidden ? "hidden" : "visible") });
Object.defineProperty(document, "hidden", { get: () => hidden });
window.hide = (value) => {
  hidden = value;
  document.dispatchEvent(new Event("visibilitychange"));
};
"""


@pytest.fixture(scope="module")
def scores(run_module_system: Callable[..., System]) -> System:
    """A system of its own: the first test finds no match in it, and the last ends its web process."""
    return run_module_system()


def score(page: Page, match_id: str) -> object:
    return page.locator(f'[data-id="{match_id}"] .score')


def state(page: Page) -> object:
    return page.locator(".connection")


def test_with_nothing_on_it_says_what_comes_next(open_tab: OpenTab, play: Play) -> None:
    """The first of this module: the system has no match yet."""
    match_id = play.match("Brazil", "Serbia", at=datetime.now(UTC) + timedelta(days=3))
    play.system.wait_settled()
    page = open_tab()
    expect(page.locator(".empty")).to_contain_text("No matches right now")
    expect(page.locator(".empty h3")).to_contain_text("Next kick-offs")
    expect(page.locator(f'.empty [href="/match/{match_id}"]')).to_be_visible()


def test_a_hidden_tab_asks_nothing_and_is_current_as_soon_as_it_is_shown(open_tab: OpenTab, play: Play) -> None:
    match_id = play.kick_off()
    page = open_tab(script=HIDEABLE)
    expect(state(page)).to_have_attribute("data-state", "live")
    page.evaluate("hide(true)")
    expect(state(page)).to_have_attribute("data-state", "paused")
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    play.tell("goal", 1, 0, 5, team="home")
    play.system.wait_for(match_id, "1-0")
    assert urls == []
    expect(score(page, match_id)).to_have_text(["0", "0"])
    page.evaluate("hide(false)")
    expect(score(page, match_id)).to_have_text(["1", "0"])
    expect(state(page)).to_have_attribute("data-state", "live")


@pytest.mark.faults
def test_offline_is_said_and_online_catches_up(open_tab: OpenTab, play: Play) -> None:
    match_id = play.kick_off()
    page = open_tab()
    expect(state(page)).to_have_attribute("data-state", "live")
    page.context.set_offline(True)
    expect(state(page)).to_have_attribute("data-state", "offline")
    expect(page.locator("#announcer")).to_have_text("Connection lost.")
    play.tell("goal", 0, 1, 5, team="away")
    page.context.set_offline(False)
    expect(score(page, match_id)).to_have_text(["0", "1"])
    expect(state(page)).to_have_attribute("data-state", "live")


@pytest.mark.faults
def test_a_restarted_server_is_found_again_by_itself(open_tab: OpenTab, play: Play) -> None:
    match_id = play.kick_off()
    board, match = open_tab(), open_tab(f"/match/{match_id}")
    for page in (board, match):
        expect(state(page)).to_have_attribute("data-state", "live")
        page.evaluate("window.loadedOnce = true")
    play.system.stop("web")
    for page in (board, match):
        expect(state(page)).to_have_attribute("data-state", "reconnecting")
    play.system.restart("web")
    play.tell("goal", 1, 0, 9, team="home")
    expect(score(board, match_id)).to_have_text(["1", "0"])
    expect(match.locator(".big-score")).to_have_text("1–0")
    for page in (board, match):
        expect(state(page)).to_have_attribute("data-state", "live")
        assert page.evaluate("window.loadedOnce")


FOREIGN = """
<script type="importmap">
{{"imports": {{"scores": "{client}"}}, "integrity": {{"{client}": "{digest}"}}}}
</script>
<p></p>
<script type="module">
  import {{ followMatches }} from "scores";
  const shown = document.querySelector("p");
  window.feed = followMatches(["{match_id}"], {{
    base: "{base}",
    onChange: (match) => (shown.textContent = `${{match.home_score}}-${{match.away_score}}`),
    onState: (state) => (shown.title = state),
  }});
</script>
"""


@pytest.fixture
def foreign(tmp_path: Path) -> Iterator[str]:
    """The address of somebody else's server of a folder."""
    handler = partial(SilentHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,)).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class SilentHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def test_a_page_of_another_origin_follows_a_match_with_a_pinned_client(
    open_tab: OpenTab, play: Play, foreign: str, tmp_path: Path
) -> None:
    match_id = play.kick_off()
    page = open_tab("/api/docs")
    base = play.system.url
    [(version, digest)] = re.findall(r"\| `([0-9.]+)` \| `(sha384-[^`]+)` \|", (ROOT / "docs/client.md").read_text())[
        :1
    ]
    client = f"{base}/static/latest/scores-{version}.js"
    html = FOREIGN.format(client=client, digest=digest, base=base, match_id=match_id)
    (tmp_path / "index.html").write_text(html)
    page.goto(foreign)
    expect(page.locator("p")).to_have_text("0-0")
    expect(page.locator("p")).to_have_attribute("title", "live")
    play.tell("goal", 1, 0, 9, team="home")
    expect(page.locator("p")).to_have_text("1-0")
    # The server's clock is readable from there.
    assert abs(page.evaluate("feed.now() - Date.now()")) < 60_000
