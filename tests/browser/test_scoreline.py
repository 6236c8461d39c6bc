"""Scorers and red cards in the rows of a board and beside a match: for those who look and for those who listen."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Play
from tests.browser.test_board import row
from tests.browser.test_directions import ARABIC, HEBREW, Names, assert_in_order, both
from tests.browser.test_yours import AXE, VIOLATIONS

OpenTab = Callable[..., Page]

RED = "rgb(217, 48, 37)"
BACKGROUND = "mark => getComputedStyle(mark).backgroundColor"


def story(play: Play, home: str = "Argentina", away: str = "France", scorer: str = "Lionel Messi") -> str:
    """Two goals of one player, another's own goal, and a player of the away side sent off."""
    match_id = play.kick_off(home, away)
    by: dict[str, Any] = {"team": "home", "player": {"name": scorer}}
    play.tell("penalty_goal", 1, 0, 23, event_id="g1", **by)
    play.tell("goal", 2, 0, 45, event_id="g2", added_minute=2, **by)
    play.tell("own_goal", 2, 1, 50, event_id="g3", team="away", player={"name": "Emi Martínez"})
    play.tell("red_card", 2, 1, 60, event_id="r1", team="away", player={"name": "Adrien Rabiot"})
    play.system.wait_for(match_id, "2-1")
    return match_id


def mark(place: Locator) -> Locator:
    return place.locator(".red-cards")


def test_a_board_shows_them_and_follows_them(open_tab: OpenTab, play: Play) -> None:
    match_id = story(play)
    page = open_tab()
    there = row(page, match_id)
    expect(there.locator(".scorers")).to_have_text(["Lionel Messi 23' (pen), 45+2'", "Emi Martínez 50' (og)"])
    expect(mark(there.locator(".team.home"))).to_be_hidden()
    expect(mark(there.locator(".team.away"))).to_have_text("Red cards: 1")
    expect(page.locator(".connection")).to_have_attribute("data-state", "live")
    page.evaluate("window.loadedOnce = true")

    play.tell("second_yellow", 2, 1, 70, event_id="r2", team="away", player={"name": "Olivier Giroud"})
    expect(mark(there.locator(".team.away"))).to_have_text("2Red cards: 2")
    said = "Argentina 2 Lionel Messi 23' (pen), 45+2' France Red cards: 2 1 Emi Martínez 50' (og)"
    expect(there).to_have_accessible_name(re.compile(re.escape(said)))
    play.tell("goal_cancelled", 1, 1, 71, event_id="c1", team="home", voids="g2")
    play.tell("yellow_card", 1, 1, 72, event_id="r2", team="away", player={"name": "Olivier Giroud"})
    expect(there.locator(".scorers").first).to_have_text("Lionel Messi 23' (pen)")
    expect(mark(there.locator(".team.away"))).to_have_text("Red cards: 1")
    assert page.evaluate("window.loadedOnce")


def test_a_match_has_the_cards_beside_its_names(open_tab: OpenTab, play: Play) -> None:
    match_id = story(play)
    page = open_tab(f"/match/{match_id}")
    home, away = page.locator(".match-head .side").all()
    expect(mark(away)).to_have_text("Red cards: 1")
    expect(mark(home)).to_be_hidden()
    play.tell("red_card", 2, 1, 65, event_id="r2", team="home", player={"name": "Leandro Paredes"})
    expect(mark(home)).to_have_text("Red cards: 1")


def test_the_server_has_written_the_same(open_tab: OpenTab, play: Play) -> None:
    match_id = story(play)
    texts = []
    for has_script in (False, True):
        page = open_tab(java_script_enabled=has_script)
        there = row(page, match_id)
        if has_script:
            expect(page.locator("[data-served]")).to_have_count(0)
        expect(there.locator(".scorers")).to_have_count(2)
        texts.append(
            [there.locator(".scorers").all_inner_texts(), there.locator(".red-cards").all_text_contents()[-1:]]
        )
    assert texts[0] == texts[1]


@both
def test_names_from_right_to_left_keep_their_minutes(open_tab: OpenTab, play: Play, names: Names) -> None:
    match_id = story(play, names.home, names.away, names.scorer)
    for locale in ("en-GB", "ar"):
        page = open_tab(locale=locale)
        line = row(page, match_id).locator(".scorers.home bdi")
        expect(line).to_contain_text(names.scorer)
        expect(page.locator("[data-served]")).to_have_count(0)
        assert_in_order(line, names.scorer, "23", "45", "2")


@pytest.mark.parametrize("locale", ["en-GB", "ar"])
def test_they_are_seen_in_every_scheme(open_tab: OpenTab, play: Play, locale: str) -> None:
    match_id = story(play, ARABIC.home, HEBREW.away)
    page = open_tab(locale=locale, viewport={"width": 320, "height": 740})
    expect(page.locator("[data-served]")).to_have_count(0)
    there = row(page, match_id)
    expect(mark(there.locator(".team.away"))).to_be_visible()
    for colours in ("none", "active"):
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, forced_colors=colours)  # type: ignore[arg-type]
            assert mark(there.locator(".team.away")).evaluate(BACKGROUND) == RED
            if AXE.exists() and colours == "none":  # sh tests/js/types.sh
                page.evaluate(AXE.read_text())
                assert page.evaluate(VIOLATIONS) == []
    assert page.evaluate("document.documentElement.scrollWidth") == 320
