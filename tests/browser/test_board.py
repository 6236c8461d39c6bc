"""The board as a reader sees it, on a running system."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Play
from tests.conftest import wait_until
from tests.support.system import System

OpenTab = Callable[..., Page]


def row(page: Page, match_id: str) -> Any:
    return page.locator(f'li[data-id="{match_id}"] a.row')


def points(page: Page, match_id: str) -> Any:
    return row(page, match_id).locator(".score")


def test_a_goal_appears_without_a_reload_and_is_announced(open_tab: OpenTab, play: Play) -> None:
    match_id = play.kick_off()
    page = open_tab()
    expect(page.locator(".section.live").locator(f'[data-id="{match_id}"]')).to_be_visible()
    expect(points(page, match_id)).to_have_text(["0", "0"])
    expect(page.locator(".connection")).to_have_attribute("data-state", "live")
    page.evaluate("window.loadedOnce = true")

    play.tell("goal", 0, 1, 23, team="away", player={"name": "Kylian Mbappé"})

    expect(points(page, match_id)).to_have_text(["0", "1"])
    expect(row(page, match_id)).to_have_attribute("data-scored", "goal")
    expect(page.locator("#announcer")).to_have_text("Goal for France. Argentina 0–1 France.")
    expect(page.locator("#announcer")).to_have_attribute("aria-live", "polite")
    expect(row(page, match_id).locator(".clock")).to_have_text("23'")
    expect(row(page, match_id)).to_have_accessible_name("23' Argentina 0 France 1 Kylian Mbappé 23'")
    assert page.evaluate("window.loadedOnce")
    expect(row(page, match_id)).not_to_have_attribute("data-scored", "goal")


def test_two_tabs_show_one_goal(open_tab: OpenTab, play: Play) -> None:
    match_id = play.kick_off()
    tabs = [open_tab(), open_tab()]
    for page in tabs:
        expect(page.locator(".connection")).to_have_attribute("data-state", "live")
    play.tell("goal", 1, 0, 9, team="home")
    for page in tabs:
        expect(points(page, match_id)).to_have_text(["1", "0"])


def test_the_page_holds_one_request_and_does_not_poll(open_tab: OpenTab, play: Play) -> None:
    match_id = play.kick_off()
    page = open_tab()
    expect(page.locator(".connection")).to_have_attribute("data-state", "live")
    # Its first read is over, and all that follows is held.
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    for goal in range(1, 4):
        play.tell("goal", goal, 0, goal, team="home")
        expect(points(page, match_id)).to_have_text([str(goal), "0"])
    wait_until(lambda: held_reads(urls) >= 3 or page.wait_for_timeout(20), "a hold after each goal")
    assert not [url for url in urls if url.endswith("/api/live")]


def held_reads(urls: list[str]) -> int:
    return sum("/api/live/changes/" in url for url in urls)


def test_a_match_moves_from_upcoming_to_live_to_finished(open_tab: OpenTab, play: Play) -> None:
    match_id = play.match("Portugal", "Ghana", at=datetime.now(UTC))
    play.system.wait_settled()
    page = open_tab()
    expect(page.locator(f'.section.next [data-id="{match_id}"]')).to_be_visible()
    play.tell("kickoff", 0, 0, 0)
    expect(page.locator(f'.section.live [data-id="{match_id}"]')).to_be_visible()
    play.tell("full_time", 0, 0, 90)
    expect(page.locator(f'.section.done [data-id="{match_id}"]')).to_be_visible()
    expect(row(page, match_id)).to_have_accessible_name("FT Portugal 0 Ghana 0 Full time")
    expect(page.locator(f'[data-id="{match_id}"]')).to_have_count(1)


def test_matches_are_grouped_by_competition(open_tab: OpenTab, play: Play) -> None:
    first = play.kick_off("Lyon", "Nantes", "one", competition="Ligue 1")
    second = play.kick_off("Arsenal", "Everton", "two", competition="Premier League")
    page = open_tab()
    for name, match_id in (("Ligue 1", first), ("Premier League", second)):
        group = page.locator(".section.live .group", has=page.get_by_role("heading", name=name, exact=True))
        expect(group.locator(f'[data-id="{match_id}"]')).to_be_visible()


def test_a_score_not_known_is_no_nil_nil(open_tab: OpenTab, play: Play) -> None:
    match_id = play.match("Japan", "Spain")
    play.system.post_events(
        {
            "match_id": match_id,
            "event_type": "kickoff",
            "home_score": None,
            "away_score": None,
            "minute": None,
            "timestamp": datetime.now(UTC).isoformat(),
        }
    )
    page = open_tab()
    expect(points(page, match_id)).to_have_text(["–", "–"])


def test_a_name_is_text_whatever_it_says(open_tab: OpenTab, play: Play) -> None:
    match_id = play.kick_off("<img src=x onerror=alert(1)>", "<b>Away</b>")
    page = open_tab()
    expect(row(page, match_id).locator(".name")).to_have_text(["<img src=x onerror=alert(1)>", "<b>Away</b>"])
    expect(row(page, match_id).locator("img, b")).to_have_count(0)


def test_other_days_have_their_matches(open_tab: OpenTab, play: Play) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    match_id = play.match("Brazil", "Serbia", at=tomorrow.replace(hour=19, minute=30))
    play.system.wait_settled()
    page = open_tab()
    page.evaluate("window.loadedOnce = true")
    page.locator(".days li a").nth(4).click()
    expect(page).to_have_url(f"{play.system.url}/day/{tomorrow:%Y-%m-%d}")
    expect(row(page, match_id).locator(".clock")).to_have_text("19:30")
    expect(page.get_by_role("heading", level=1)).to_have_text("Tomorrow")
    expect(page.locator(".days a[aria-current=date] b")).to_have_text(f"{tomorrow:%-d %b}")
    page.go_back()
    expect(page.locator(".days a[aria-current=date] span")).to_have_text("Today")
    assert page.evaluate("window.loadedOnce")


def test_a_day_is_the_readers_own(open_tab: OpenTab, play: Play) -> None:
    """Half past one at night in London is the evening before in New York, and stays there past midnight."""
    match_id = play.match("Chile", "Peru", at=datetime(2026, 6, 12, 3, 30, tzinfo=UTC))
    play.system.wait_settled()
    page = open_tab("/day/2026-06-11", timezone_id="America/New_York")
    expect(row(page, match_id).locator(".clock")).to_have_text("23:30")
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    page.goto("/day/2026-06-12")
    expect(page.locator(".empty")).to_contain_text("No matches on this day")
    expect(page.locator(".connection")).to_have_attribute("data-state", "polling")
    assert not [url for url in urls if "/api/live" in url]


def test_a_team_and_a_competition_have_their_lists(open_tab: OpenTab, play: Play) -> None:
    match_id = play.match("Hansa Rostock", "Aue", competition="3. Liga", at=datetime.now(UTC) + timedelta(days=2))
    play.system.wait_settled()
    page = open_tab("/team/hansa-rostock")
    expect(page.get_by_role("heading", level=1)).to_have_text("Hansa Rostock")
    expect(row(page, match_id)).to_be_visible()
    page.goto("/competition/3-liga")
    expect(page.get_by_role("heading", level=1)).to_have_text("3. Liga")
    expect(row(page, match_id)).to_be_visible()


def test_a_list_that_cannot_be_reached_says_so_and_is_tried_again(open_tab: OpenTab, play: Play) -> None:
    match_id = play.kick_off()
    page = open_tab(f"/match/{match_id}")
    expect(page.locator(".connection")).to_have_attribute("data-state", "live")
    page.route("**/api/live*", lambda route: route.abort())
    page.route("**/api/matches*", lambda route: route.abort())
    # Within the page: a board that is loaded stays as the server wrote it.
    page.locator(".brand").click()
    expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
    expect(page.locator(".connection")).to_have_attribute("data-state", "reconnecting")
    # Not a click, which waits until the page has stopped trying by itself.
    with page.expect_request("**/api/live*"):
        page.get_by_role("button", name="Try again").dispatch_event("click")
    page.unroute_all()
    expect(row(page, match_id)).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.locator(".connection")).to_have_attribute("data-state", "live")


def test_only_rows_that_changed_are_touched_on_a_board_of_a_thousand(open_tab: OpenTab, scores: System) -> None:
    held: list[Route] = []
    page = open_tab("/api/docs")
    page.route("**/api/live", lambda route: route.fulfill(json=board(version=1)))
    page.route("**/api/matches?*", lambda route: route.fulfill(json={"matches": [], "next": None}))
    page.route("**/api/live/changes/**", lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks what it is given
    page.goto("/")
    expect(page.locator(".section.live .row")).to_have_count(1_000)
    expect(page.locator(".connection")).to_have_attribute("data-state", "live")
    page.evaluate(WATCH)
    goal = board(version=2)["matches"][500] | {"version": 2, "home_score": 1}
    changed = {"version": 2, "changed": [goal], "gone": [], "changes": "/api/live/changes/2.0", "held": "changed"}
    while not held:
        page.wait_for_timeout(20)
    held[0].fulfill(json=changed)
    expect(points(page, "m500")).to_have_text(["1", "0"])
    assert page.evaluate("touched()") == ["m500"]


# Ids of the rows that anything was done to.
WATCH = """
() => {
  const seen = new Set();
  const note = (records) => {
    for (const { target } of records) {
      const element = target instanceof Element ? target : target.parentElement;
      seen.add(element.closest("li").dataset.id);
    }
  };
  const observer = new MutationObserver(note);
  const list = document.querySelector(".section.live .groups");
  observer.observe(list, { subtree: true, childList: true, attributes: true, characterData: true });
  window.touched = () => (note(observer.takeRecords()), [...seen]);
}
"""


def board(version: int) -> dict[str, Any]:
    """A thousand matches in fifty competitions; breaks, so that no clock moves."""
    now = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0).isoformat()
    matches = [
        {
            "match_id": f"m{n}",
            "version": 1,
            "status": "half_time",
            "phase": "break",
            "decided_by": None,
            "sport": "football",
            "home_team": {"id": f"h{n}", "name": f"Home {n}"},
            "away_team": {"id": f"a{n}", "name": f"Away {n}"},
            "home_score": 0,
            "away_score": 0,
            "shootout": None,
            "minute": 45,
            "added_minute": None,
            "period": 1,
            "clock": None,
            "minute_at": now,
            "competition": {"id": f"c{n % 50}", "name": f"Competition {n % 50}"},
            "start_time": now,
            "updated_at": now,
        }
        for n in range(1_000)
    ]
    paths = {"next": f"/api/live/wait/{version}.0", "changes": f"/api/live/changes/{version}.0"}
    return {"version": version, "matches": matches, **paths, "poll_after_ms": 2_000}
