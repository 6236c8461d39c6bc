"""Pages that the server wrote, and the modules that take over from it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Play
from tests.conftest import wait_until
from tests.support.paths import ROOT
from tests.support.system import System

OpenTab = Callable[..., Page]

LONG = "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogoch" * 3
SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts.push(entry.value);
}).observe({ type: "layout-shift", buffered: true });
"""
WIDTH = "document.documentElement.scrollWidth"
AXE = ROOT / "tests/js/node_modules/axe-core/axe.min.js"
VIOLATIONS = """async () => {
  const { violations } = await axe.run();
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target).join(", ")}`);
}"""


@pytest.fixture
def match_id(play: Play) -> str:
    """In play, with a goal, a card and names that have nowhere to break. Since yesterday: a list that the server writes
    has the first forty of its day, and other tests have matches of today."""
    match_id = play.match("Argentina", "Wolverhampton Wanderers", "match", at=yesterday(), venue=LONG)
    play.tell("kickoff", 0, 0, 0, "match")
    play.system.wait_for(match_id, "0-0")
    play.tell("goal", 1, 0, 23, event_id="g1", team="home", player={"name": "Lionel Messi"}, assist=LONG)
    play.tell("red_card", 1, 0, 40, event_id="c1", team="away", player={"name": LONG})
    play.system.wait_for(match_id, "1-0")
    play.system.wait_settled()
    return match_id


def yesterday() -> datetime:
    return datetime.now(UTC) - timedelta(days=1)


def paths(match_id: str) -> tuple[str, ...]:
    return ("/", f"/match/{match_id}", f"/day/{yesterday():%Y-%m-%d}", "/team/argentina", "/competition/world-cup")


def taken_over(page: Page) -> Page:
    """Once the modules' view has taken the place of the server's."""
    expect(page.locator("[data-served]")).to_have_count(0)
    return page


def words_of(page: Page, selector: str) -> list[str]:
    return [" ".join(text.split()) for text in page.locator(selector).all_inner_texts()]


def test_score_and_timeline_are_there_without_javascript(open_tab: OpenTab, match_id: str) -> None:
    page = open_tab(f"/match/{match_id}", java_script_enabled=False)
    expect(page.locator(".big-score")).to_have_text("1–0")
    expect(page.locator('.timeline [data-id="g1"]')).to_contain_text("Lionel Messi")
    expect(page).to_have_title("Argentina 1–0 Wolverhampton Wanderers · Live scores")
    expect(page.locator(".connection")).to_be_hidden()
    page.goto("/")
    expect(page.locator(f'[data-id="{match_id}"] .score')).to_have_text(["1", "0"])
    page.get_by_role("combobox").fill("wolverhampton")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Search: wolverhampton")
    page.locator(f'[data-id="{match_id}"] a').click()
    expect(page.locator(".big-score")).to_have_text("1–0")


def test_the_modules_write_what_the_server_wrote_and_nothing_jumps(open_tab: OpenTab, match_id: str) -> None:
    for path in paths(match_id):
        # Not the running minute, which may have passed.
        own = ".match-head .side, .big-score, .timeline" if "/match/" in path else f'[data-id="{match_id}"] .team'
        plain = open_tab(path, java_script_enabled=False)
        # A list may be a moment old when it is served, and without JavaScript it stays so.
        wait_until(lambda page=plain, own=own: words_of(page, own) or not page.reload(), f"the match on {path}")  # type: ignore[misc]
        served = words_of(plain, own)
        for width, height in ((390, 844), (1280, 800)):
            page = open_tab(path, script=SHIFTS, viewport={"width": width, "height": height})
            assert words_of(taken_over(page), own) == served, path
            assert page.evaluate("shifts.reduce((sum, shift) => sum + shift, 0)") < 0.05, (path, width)


def test_a_page_that_cannot_go_on_stays_as_it_was_served(open_tab: OpenTab, match_id: str) -> None:
    page = open_tab("/api/docs")
    page.route("**/api/live*", lambda route: route.abort())
    page.route("**/api/matches*", lambda route: route.abort())
    page.goto("/")
    expect(page.locator(".connection")).to_have_attribute("data-state", "reconnecting")
    expect(page.locator(f'[data-served] [data-id="{match_id}"] .score')).to_have_text(["1", "0"])
    page.unroute_all()
    taken_over(page)
    expect(page.locator(".connection")).to_have_attribute("data-state", "live")


def test_a_link_that_has_the_focus_keeps_it(open_tab: OpenTab, match_id: str) -> None:
    page = open_tab("/api/docs")
    page.route("**/api/live", lambda route: route.abort())
    page.goto("/")
    page.locator(f'[data-served] [data-id="{match_id}"] a').focus()
    page.unroute_all()
    taken_over(page)
    expect(page.locator(f'[data-id="{match_id}"] a')).to_be_focused()


def test_addresses_of_before_show_the_same(open_tab: OpenTab, match_id: str) -> None:
    page = open_tab("/?team=argentina")
    expect(page.get_by_role("heading", level=1)).to_have_text("Argentina")
    page.goto("/?date=2026-06-11")
    expect(page.locator(".days a[aria-current=date] b")).to_have_text("11 Jun")


@pytest.mark.parametrize("locale", ["en-GB", "de-DE", "ar"])
def test_nothing_is_too_wide_at_any_width_in_any_colours(open_tab: OpenTab, match_id: str, locale: str) -> None:
    for path in (*paths(match_id)[:2], "/search?q=argentina"):
        page = open_tab(path, locale=locale)
        if "search" not in path:
            taken_over(page)
        for width in (320, 390, 768, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                assert page.evaluate(WIDTH) <= width, (path, width, locale)


def test_a_page_is_in_the_readers_language_and_mirrored_where_it_is_read_so(open_tab: OpenTab, match_id: str) -> None:
    german = taken_over(open_tab("/", locale="de-AT"))
    expect(german.get_by_role("heading", level=2, name="Jetzt live")).to_be_visible()
    expect(german).to_have_title("Live-Ergebnisse")
    expect(german.locator("html")).to_have_attribute("lang", "de")
    expect(german.get_by_role("combobox")).to_have_attribute("placeholder", "Suchen")
    arabic = taken_over(open_tab(f"/match/{match_id}", locale="ar-EG"))
    expect(arabic.locator("html")).to_have_attribute("dir", "rtl")
    expect(arabic.locator('.timeline [data-id="g1"] small')).to_contain_text("هدف")
    home, away = (side.bounding_box() for side in arabic.locator(".side").all())
    assert home
    assert away
    assert home["x"] > away["x"]
    arabic.get_by_role("button", name="Français").click()
    expect(arabic.locator("html")).to_have_attribute("lang", "fr")
    expect(taken_over(arabic).get_by_role("heading", level=2, name="Fil du match")).to_be_visible()


def test_at_twice_the_size_names_can_be_read(open_tab: OpenTab, match_id: str) -> None:
    page = taken_over(open_tab("/", viewport={"width": 390, "height": 844}))
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    name = page.locator(f'[data-id="{match_id}"] .name').first
    assert name.evaluate("name => name.scrollHeight - name.clientHeight") <= 1
    lines = name.evaluate("name => name.getBoundingClientRect().height / parseFloat(getComputedStyle(name).lineHeight)")
    assert round(lines) == 1
    assert page.evaluate(WIDTH) <= 390


def test_in_forced_colours_the_chosen_day_can_be_told(open_tab: OpenTab, scores: System) -> None:
    page = taken_over(open_tab("/", forced_colors="active"))
    assert page.locator(".days a[aria-current=date]").evaluate("day => getComputedStyle(day).outlineStyle") == "solid"


def test_the_chosen_day_can_be_seen_whichever_way_the_page_is_read(open_tab: OpenTab, scores: System) -> None:
    for locale in ("en-GB", "ar"):
        page = taken_over(open_tab("/", locale=locale, viewport={"width": 390, "height": 844}))
        expect(page.locator(".days a[aria-current=date]")).to_be_in_viewport(ratio=1)


def test_table_and_aggregate_move_with_the_goal_and_nothing_jumps(open_tab: OpenTab, play: Play) -> None:
    semi = {"competition": "Moving League", "stage": "Knock-out", "round": "Semi-finals"}
    first = play.kick_off("Real Alpha", LONG[:56], "first", leg=1, **semi)
    play.tell("full_time", 2, 1, 90, "first")
    play.system.wait_for(first, "2-1")
    second = play.kick_off(LONG[:56], "Real Alpha", "second", leg=2, **semi)
    play.kick_off("Alpha", "Beta", competition="Moving League")
    play.system.wait_settled()
    options = {"script": SHIFTS, "viewport": {"width": 320, "height": 800}, "locale": "ar"}
    league = taken_over(open_tab("/competition/moving-league", **options))
    leader = league.locator(".standings tbody tr").first
    expect(leader).to_contain_text("Alpha")
    expect(league.locator(".standings .in-play")).to_have_count(2)
    match = taken_over(open_tab(f"/match/{second}", **options))
    expect(match.locator(".aggregate b")).to_have_text("2–1")
    play.tell("goal", 0, 1, 20, team="away", player={"name": "Omega"})
    play.tell("goal", 1, 0, 20, "second", team="home")
    expect(leader).to_contain_text("Beta")
    expect(league.locator(".top-scorers tbody th")).to_contain_text("Omega")
    expect(match.locator(".aggregate b")).to_have_text("2–2")
    for page in (league, match):
        assert page.evaluate(WIDTH) <= 320
        # The scorers' table is new, and nobody has touched the page.
        assert page.evaluate("shifts[0] ?? 0") < 0.05


def test_what_was_put_off_stands_under_its_own_heading(open_tab: OpenTab, play: Play) -> None:
    match_id = play.match("Genoa", "Spezia", status="postponed")
    play.system.wait_settled()
    page = taken_over(open_tab("/"))
    expect(page.locator(f'.section.off [data-id="{match_id}"] .clock')).to_have_text("Postp.")


def test_what_does_not_exist_has_a_page(open_tab: OpenTab, scores: System) -> None:
    page = open_tab("/team/nobody-plays-here")
    expect(page.locator(".empty")).to_contain_text("There is no such page")
    expect(page.locator(".connection")).to_be_hidden()
    page.get_by_role("link", name="All matches").click()
    expect(page.locator(".connection")).to_have_attribute("data-state", "live")


@pytest.mark.skipif(not AXE.exists(), reason="no axe-core: sh tests/js/types.sh")
def test_axe_finds_nothing(open_tab: OpenTab, match_id: str) -> None:
    for path in (*paths(match_id), "/search?q=argentina", "/match/nobody"):
        for scheme in ("light", "dark"):
            page = open_tab(path, color_scheme=scheme, locale="ar" if scheme == "dark" else "en-GB")
            if "/search" not in path:
                taken_over(page)
            page.evaluate(AXE.read_text())
            assert page.evaluate(VIOLATIONS) == [], (path, scheme)
