"""What the page is to one reader: favourites, alerts while no page is open, the settings sheet, the installed page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Response, expect

from tests.browser.conftest import WITH_WINDOWS, Play
from tests.conftest import wait_until
from tests.support.browser_push import BrowserPush
from tests.support.emulators import Emulated
from tests.support.paths import ROOT

OpenTab = Callable[..., Page]

AXE = ROOT / "tests/js/node_modules/axe-core/axe.min.js"
# What axe finds wrong in the sheet and around it.
VIOLATIONS = """async () => {
  const { violations } = await axe.run();
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html)}`);
}"""
# The oscillators that were started.
HEARD = """
window.heard = 0;
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...args) { window.heard += 1; start.apply(this, args); };
"""


@pytest.fixture(scope="module")
def chromium(launch: Callable[..., Browser]) -> Browser:
    """One that shows notifications to those who permit them."""
    return launch(*WITH_WINDOWS)


def team(play: Play, name: str) -> dict[str, str]:
    """With an id of this test's own."""
    return {"id": f"{play.prefix}.{name.lower()}"[-64:], "name": name}


def kick_off(play: Play) -> tuple[str, str]:
    """A match in play, and the id of its home team."""
    home = team(play, "Argentina")
    match_id = play.kick_off(home, team(play, "France"))  # type: ignore[arg-type]
    play.system.wait_settled()
    return match_id, home["id"]


@pytest.fixture
def with_push(open_tab: OpenTab, emulators: Emulated) -> Callable[[], BrowserPush]:
    """A browser of its own whose push service is the emulator."""
    return lambda: BrowserPush(emulators, open_tab("/api/docs", permissions=["notifications"]))


def bell(page: Page, name: str = "Argentina") -> Locator:
    return page.get_by_role("button", name=f"Alerts for {name}")


def ring(browser: BrowserPush, team_id: str) -> Page:
    """The page of a team with its bell switched on."""
    page = browser.context.new_page()
    page.goto(f"/?team={team_id}")
    bell(page).click()
    expect(bell(page)).to_have_attribute("aria-pressed", "true")
    return page


def me(play: Play, page: Page) -> dict[str, Any]:
    """The account of this browser, as the server has it; {} once it is deleted."""
    token = page.evaluate("async () => (await (await caches.match('/yours/account'))?.json())?.token")
    answer = play.system.get("/api/me", headers={"Authorization": f"Bearer {token}"})
    return dict(answer.json()) if answer.ok else {}


def test_a_goal_of_a_followed_team_is_shown_while_no_page_is_open(
    with_push: Callable[[], BrowserPush], play: Play
) -> None:
    browser = with_push()
    match_id, team_id = kick_off(play)
    ring(browser, team_id).close()

    play.tell("goal", 1, 0, 23, team="home", player={"name": "Lionel Messi"}, event_id="g1")

    # The emulator has checked the signature and decrypted it; Chromium's own push service would need Google.
    alert = browser.wait_for("goal")
    browser.deliver(alert)
    wait_until(browser.shown, "a notification")
    (shown,) = browser.shown()
    assert (shown["title"], shown["data"]["link"]) == ("Argentina [1]–0 France", f"/match/{match_id}")
    assert "Lionel Messi" in shown["body"]

    page = browser.context.new_page()
    page.goto(f"/match/{match_id}#why=goal")
    sheet = page.get_by_role("dialog", name="Yours")
    expect(sheet).to_contain_text("Why did I get this alert?")
    expect(sheet).to_contain_text("You follow Argentina, and “Goals” is on.")
    assert "#" not in page.url

    witness = with_push()
    ring(witness, team_id)
    # The worker tells the pages that are open, and they ask what is followed now.
    with page.expect_response("**/api/me"):
        browser.click("mute")
    assert me(play, page)["follows"]["matches"][0]["muted"] is True
    play.tell("red_card", 1, 0, 33, team="away")
    witness.wait_for("red_card")
    assert browser.pushes("red_card") == []

    page.reload()
    page.get_by_role("button", name="Yours").click()
    sheet.get_by_role("button", name="Delete everything").click()
    sheet.get_by_role("button", name="Yes, delete it all").click()
    expect(sheet.locator(".message")).to_have_text("Everything was deleted.")
    assert me(play, page) == {}
    assert page.evaluate("({ ...localStorage })") == {}
    assert page.evaluate("caches.keys()") == []
    assert page.evaluate("async () => (await navigator.serviceWorker.getRegistrations()).length") == 0


def test_one_reader_has_the_same_alerts_on_two_devices(with_push: Callable[[], BrowserPush], play: Play) -> None:
    phone, laptop = with_push(), with_push()
    _, team_id = kick_off(play)
    first = ring(phone, team_id)
    first.get_by_role("button", name="Yours").click()
    first.get_by_role("button", name="Show the link").click()
    field = first.get_by_label("Link for another device")
    expect(field).to_be_visible()
    link = field.input_value()

    second = laptop.context.new_page()
    second.goto(link)
    assert "#" not in second.url
    second.get_by_role("button", name="Use them here").click()
    expect(second.locator(".message")).to_contain_text("come here as well")
    expect(second.locator(".marks a").first).to_have_text("Argentina")
    assert len(me(play, second)["devices"]) == 2

    play.tell("goal", 1, 0, 23, team="home", event_id="g1")
    assert phone.wait_for("goal") == laptop.wait_for("goal")

    second.get_by_role("button", name="Unfollow Argentina").click()
    expect(second.locator(".message")).to_have_text("No more alerts of that.")
    first.reload()
    expect(bell(first)).to_have_attribute("aria-pressed", "true")
    first.get_by_role("button", name="Yours").click()
    expect(first.locator(".marks").first).to_contain_text("No bell is on yet")
    expect(bell(first)).to_have_attribute("aria-pressed", "false")


def test_the_sheet_is_for_every_reader_and_keeps_what_is_chosen(
    with_push: Callable[[], BrowserPush], play: Play
) -> None:
    browser = with_push()
    match_id, team_id = kick_off(play)
    ring(browser, team_id).close()
    page = browser.context.new_page()
    page.set_viewport_size({"width": 320, "height": 700})
    page.goto(f"/match/{match_id}")
    opener = page.get_by_role("button", name="Yours")
    opener.focus()
    page.keyboard.press("Enter")
    sheet = page.get_by_role("dialog", name="Yours")
    expect(sheet.get_by_role("heading", name="Alerts of this match")).to_be_visible()
    sheet.locator("summary").click()
    if AXE.exists():  # sh tests/js/types.sh
        page.evaluate(AXE.read_text())
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            assert page.evaluate(VIOLATIONS) == []
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    # Nothing but the sheet takes the focus.
    for _ in range(40):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('dialog')")

    for change in (
        lambda: sheet.get_by_label("Red cards").set_checked(False),
        lambda: sheet.get_by_label("Quiet hours").check(),
        lambda: sheet.get_by_label("from").fill("23:00"),
        lambda: sheet.get_by_label("Without spoilers").check(),
        lambda: sheet.get_by_label("Language").select_option("es-419"),
    ):
        with page.expect_response(is_change):
            change()
    kept = me(play, page)
    (follow,) = kept["follows"]["teams"]
    assert (follow["notification_prefs"]["red_card"], follow["notification_prefs"]["goal"]) == (False, True)
    assert (kept["spoiler_free"], kept["time_zone"], kept["locale"]) == (True, "UTC", "es-419")
    assert kept["quiet_hours"] == {"since": "23:00", "until": "07:00"}
    sheet.get_by_role("button", name="Mute Argentina").click()
    expect(sheet).to_contain_text("You have muted Argentina")
    expect(sheet.get_by_role("heading", name="Yours")).to_be_focused()
    page.keyboard.press("Escape")
    expect(sheet).to_have_count(0)
    expect(opener).to_be_focused()


def is_change(answer: Response) -> bool:
    return "/api/me" in answer.url and answer.request.method in ("PUT", "PATCH", "DELETE")


def test_favourites_are_pinned_without_an_account_and_kept_without_a_network(open_tab: OpenTab, play: Play) -> None:
    match_id, team_id = kick_off(play)
    page = open_tab(f"/?team={team_id}", script=HEARD)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/api/me" in request.url else None)
    page.get_by_role("button", name="Pin Argentina").click()
    expect(page.get_by_role("button", name="Pin Argentina")).to_have_attribute("aria-pressed", "true")
    page.goto("/")
    pinned = page.locator(f'.section.yours [data-id="{match_id}"]')
    expect(pinned).to_be_visible()
    expect(page.locator(f'[data-id="{match_id}"]')).to_have_count(1)
    page.get_by_role("button", name="Yours").click()
    page.get_by_label("Sound at goals").check()
    assert page.evaluate("heard") == 2
    page.keyboard.press("Escape")
    play.tell("goal", 1, 0, 12, team="home")
    expect(pinned.locator(".score")).to_have_text(["1", "0"])
    wait_until(lambda: page.evaluate("heard") == 4, "the sound")
    assert asked == []

    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    play.system.wait_settled()
    page.reload()
    expect(pinned).to_be_visible()
    page.context.set_offline(True)
    page.reload()
    expect(pinned.locator(".score")).to_have_text(["1", "0"])
    expect(page.locator(".kept-note")).to_contain_text("Offline: scores as of")
    expect(page.locator(".connection")).to_have_attribute("data-state", "offline")
    page.context.set_offline(False)
    expect(page.locator(".kept-note")).to_have_count(0)
    expect(page.locator(".connection")).to_have_attribute("data-state", "live")
    page.get_by_role("button", name="Yours").click()
    page.get_by_role("button", name="Unpin Argentina").click()
    expect(page.locator(f'.section.live [data-id="{match_id}"]')).to_have_count(1)


def test_a_reader_who_has_marked_nothing_loads_no_worker(open_tab: OpenTab, play: Play) -> None:
    page = open_tab("/api/docs")
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    page.goto("/")
    expect(page.locator(".connection")).to_have_attribute("data-state", "live")
    for name in ("service-worker.js", "sheet.js", "alerts.js", "account.js", "goal_sound.js", "web-push"):
        assert not any(url.endswith(name) for url in urls), name
    assert page.evaluate("async () => (await navigator.serviceWorker.getRegistrations()).length") == 0


def test_chromium_takes_the_manifest(open_tab: OpenTab, play: Play) -> None:
    page = open_tab()
    manifest = page.context.new_cdp_session(page).send("Page.getAppManifest")
    assert manifest["url"] == f"{play.system.url}/manifest.webmanifest"
    assert manifest["errors"] == []


def test_a_bell_that_cannot_ring_says_why(open_tab: OpenTab, play: Play) -> None:
    match_id, _ = kick_off(play)
    page = open_tab(f"/match/{match_id}")
    page.get_by_role("button", name="Alerts for").click()
    expect(page.locator(".sheet .message")).to_contain_text("Notifications of this site are not allowed")
    expect(page.get_by_role("button", name="Alerts for")).to_have_attribute("aria-pressed", "false")
