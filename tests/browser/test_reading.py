"""For every reader: light and dark, small screens, keyboard, screen reader, search."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Play
from tests.support.system import System

OpenTab = Callable[..., Page]

PAPER = "getComputedStyle(document.body).backgroundColor"
LIGHT, DARK = "rgb(245, 246, 244)", "rgb(16, 21, 27)"


def test_dark_and_light_follow_the_system_until_one_is_chosen(open_tab: OpenTab, scores: System) -> None:
    page = open_tab(color_scheme="dark")
    assert page.evaluate(PAPER) == DARK
    page.emulate_media(color_scheme="light")
    assert page.evaluate(PAPER) == LIGHT
    toggle = page.get_by_role("button", name="Dark mode")
    expect(toggle).to_have_attribute("aria-pressed", "false")
    toggle.click()
    assert page.evaluate(PAPER) == DARK
    expect(toggle).to_have_attribute("aria-pressed", "true")
    expect(page.locator("meta[name=theme-color]")).to_have_attribute("content", "#10151b")
    page.reload()
    assert page.evaluate(PAPER) == DARK


@pytest.mark.parametrize("path", ["/", "/match/{match_id}", "/api/docs"])
def test_nothing_is_wider_than_a_small_phone(open_tab: OpenTab, play: Play, path: str) -> None:
    match_id = play.kick_off("Borussia Mönchengladbach", "Wolverhampton Wanderers")
    play.tell("goal", 1, 0, 45, team="home", added_minute=11, player={"name": "Pierre-Emerick Aubameyang"})
    page = open_tab(path.format(match_id=match_id), viewport={"width": 360, "height": 740})
    if path != "/api/docs":
        expect(page.locator(".connection")).to_have_attribute("data-state", "live")
    page.wait_for_load_state("load")
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_the_keyboard_reaches_everything(open_tab: OpenTab, play: Play) -> None:
    match_id = play.kick_off()
    page = open_tab()
    expect(page.locator(f'[data-id="{match_id}"]')).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    link = page.locator(f'[data-id="{match_id}"] a')
    # Past all rows that other tests have put on the board.
    for _ in range(300):
        page.keyboard.press("Tab")
        if link.evaluate("link => link === document.activeElement"):
            break
    expect(link).to_be_focused()
    assert link.evaluate("link => getComputedStyle(link).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{play.system.url}/match/{match_id}")


def test_search_finds_a_team_by_keyboard_alone(open_tab: OpenTab, play: Play) -> None:
    match_id = play.kick_off("Côte d'Ivoire", "Fenerbahçe")
    play.system.wait_settled()
    page = open_tab()
    page.keyboard.press("/")
    expect(page.get_by_role("combobox")).to_be_focused()
    page.keyboard.type("cote d")
    results = page.locator(".results")
    expect(results.get_by_role("link", name="Côte d'Ivoire", exact=True)).to_be_visible()
    expect(page.locator("form.search [role=status]")).to_have_text("2 results")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{play.system.url}/match/{match_id}")
    expect(results).to_be_hidden()


def test_search_says_when_it_finds_nothing_and_escape_leaves_it(open_tab: OpenTab, scores: System) -> None:
    page = open_tab()
    page.get_by_role("combobox").fill("zzzzzz")
    expect(page.locator(".results")).to_contain_text("Nothing found")
    page.keyboard.press("Escape")
    expect(page.locator(".results")).to_be_hidden()
    expect(page.get_by_role("combobox")).to_be_focused()


def test_landmarks_and_headings_tell_the_page(open_tab: OpenTab, play: Play) -> None:
    match_id = play.kick_off()
    page = open_tab()
    expect(page.locator(f'[data-id="{match_id}"]')).to_be_visible()
    for role in ("banner", "main", "contentinfo", "search"):
        expect(page.get_by_role(role)).to_have_count(1)
    expect(page.get_by_role("navigation", name="Days")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("Live scores")
    expect(page.get_by_role("heading", level=2, name="Live now")).to_be_visible()
    expect(page.get_by_role("heading", level=3, name="World Cup").first).to_be_visible()


def test_without_motion_the_highlight_stands_still(open_tab: OpenTab, play: Play) -> None:
    match_id = play.kick_off()
    page = open_tab(reduced_motion="reduce")
    expect(page.locator(".connection")).to_have_attribute("data-state", "live")
    play.tell("goal", 1, 0, 5, team="home")
    row = page.locator(f'[data-id="{match_id}"] a')
    expect(row).to_have_attribute("data-scored", "goal")
    assert row.evaluate("row => parseFloat(getComputedStyle(row).animationDuration)") < 0.001


def test_the_page_may_load_nothing_foreign_or_inline(open_tab: OpenTab, scores: System) -> None:
    for path in ("/", "/match/any", "/api/docs"):
        policy = scores.get(path).headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
    page = open_tab()
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    page.reload()
    expect(page.locator(".connection")).to_have_attribute("data-state", "live")
    assert all(url.startswith(scores.url) for url in urls)


def test_the_api_page_lists_every_operation(open_tab: OpenTab, scores: System) -> None:
    page = open_tab("/api/docs")
    document = scores.get("/api/openapi.json").json()
    listed = page.locator(".toc code").all_inner_texts()
    assert sorted(set(listed)) == sorted(document["paths"])
    for name in document["components"]["schemas"]:
        expect(page.locator(f"#schema-{name}")).to_have_count(1)
