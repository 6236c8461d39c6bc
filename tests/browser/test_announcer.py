"""What is said to those who listen: all goals, those of what is theirs, or nothing, as they chose in the sheet."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import Play
from tests.browser.test_board import points

OpenTab = Callable[..., Page]

LABEL = "Announcements for screen readers"


def choose(page: Page, words: str) -> None:
    page.get_by_role("button", name="Yours").click()
    page.get_by_label(LABEL).select_option(words)
    page.keyboard.press("Escape")
    expect(page.locator("dialog.sheet")).to_have_count(0)


def pinned(play: Play) -> tuple[str, str]:
    """Two matches in play, and a script that has pinned the first."""
    match_id = play.kick_off("Argentina", "France", "mine")
    play.kick_off("Lyon", "Nantes", "other")
    mark = f'[{{"subject": "matches", "id": "{match_id}", "name": "Argentina"}}]'
    return match_id, f"localStorage.setItem('favourites', {mark!r})"


def test_only_what_is_yours_is_announced_where_that_was_chosen(open_tab: OpenTab, play: Play) -> None:
    match_id, pins = pinned(play)
    page = open_tab(script=pins)
    expect(page.locator(f'.section.yours [data-id="{match_id}"]')).to_be_visible()
    expect(page.locator(".connection")).to_have_attribute("data-state", "live")
    choose(page, "Only what is yours")
    announcer = page.locator("#announcer")
    play.tell("goal", 1, 0, 5, "other", team="home")
    expect(points(page, play.id("other"))).to_have_text(["1", "0"])
    play.tell("goal", 1, 0, 6, "mine", team="home")
    expect(announcer).to_have_text("Goal for Argentina. Argentina 1–0 France.")

    page.reload()
    page.get_by_role("button", name="Yours").click()
    expect(page.get_by_label(LABEL)).to_have_value("mine")


def test_who_has_muted_it_hears_nothing_and_all_again_afterwards(open_tab: OpenTab, play: Play) -> None:
    match_id, pins = pinned(play)
    page = open_tab(script=pins)
    expect(page.locator(".connection")).to_have_attribute("data-state", "live")
    choose(page, "None")
    play.tell("goal", 1, 0, 5, "mine", team="home")
    expect(points(page, match_id)).to_have_text(["1", "0"])
    # What would be said waits a quarter of a second for more of its kind.
    page.wait_for_timeout(500)
    expect(page.locator("#announcer")).to_have_text("")
    choose(page, "All matches")
    play.tell("goal", 1, 0, 6, "other", team="home")
    expect(page.locator("#announcer")).to_have_text("Goal for Lyon. Lyon 1–0 Nantes.")


def test_the_match_that_is_open_is_yours(open_tab: OpenTab, play: Play) -> None:
    match_id = play.kick_off()
    page = open_tab(f"/match/{match_id}", script="localStorage.setItem('announcer', 'mine')")
    expect(page.locator(".connection")).to_have_attribute("data-state", "live")
    play.tell("goal", 1, 0, 5, team="home")
    expect(page.locator("#announcer")).to_have_text("Goal for Argentina. Argentina 1–0 France.")


def test_the_choice_is_in_the_readers_language(open_tab: OpenTab, play: Play) -> None:
    page = open_tab(locale="de-DE")
    page.locator("button.yours").click()
    select = page.get_by_label("Ansagen für Screenreader")
    expect(select.locator("option")).to_have_text(["Alle Spiele", "Nur was dir wichtig ist", "Keine"])
