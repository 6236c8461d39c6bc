"""Names written from right to left: the figures beside them keep their order, home first."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Play

OpenTab = Callable[..., Page]

# Where parts of an element's text are drawn (px from the left), each looked for after the one before.
LEFTS = """(element, parts) => {
  const nodes = [], walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) nodes.push(walker.currentNode);
  const text = nodes.map((node) => node.data).join("");
  let from = 0;
  const lefts = (start, end) => {
    const range = document.createRange();
    let before = 0;
    for (const node of nodes) {
      const place = (index) => index >= before && index <= before + node.data.length;
      if (place(start)) range.setStart(node, start - before);
      if (place(end)) {
        range.setEnd(node, end - before);
        break;
      }
      before += node.data.length;
    }
    return [...range.getClientRects()].filter(({ width }) => width).map(({ left }) => left);
  };
  return parts.map((part) => {
    const index = text.indexOf(part, from);
    if (index < 0) throw new Error(`${part} is not in ${text.slice(from)}`);
    from = index + part.length;
    return Math.min(...lefts(index, from));
  });
}"""
# A string as a tab, a screen or a braille line lays it out: its own first letter gives the direction.
PROBE = """(text) => {
  const probe = document.createElement("p");
  probe.id = "probe";
  probe.style = "position: fixed; top: 0; left: 0; width: 100%; unicode-bidi: plaintext; white-space: pre-line";
  document.querySelector("#probe")?.remove();
  probe.textContent = text;
  document.body.append(probe);
}"""


@dataclass(frozen=True)
class Names:
    home: str
    away: str
    scorer: str
    competition: str


ARABIC = Names("الهلال", "النصر", "سالم الدوسري", "دوري روشن (السعودية)")
HEBREW = Names("מכבי תל אביב", "הפועל באר שבע", "ערן זהבי", "ליגת העל (ישראל)")
both = pytest.mark.parametrize("names", [ARABIC, HEBREW], ids=["arabic", "hebrew"])
# Arabic letters turn the numbers behind them around too (UAX 9, W2), so what holds with them holds with Hebrew ones.
arabic = pytest.mark.parametrize("names", [ARABIC], ids=["arabic"])


def assert_in_order(element: Locator, *parts: str) -> None:
    """Drawn from left to right as they are told."""
    drawn = element.evaluate(LEFTS, list(parts))
    assert drawn == sorted(drawn), dict(zip(parts, drawn, strict=True))


def assert_ends_on_the_left(element: Locator, name: str) -> None:
    """A name from right to left, whose last character is a bracket."""
    first, last = element.evaluate(LEFTS, [name[:4], name[-1]])
    assert last < first


def assert_reads(page: Page, text: str, *parts: str) -> None:
    page.evaluate(PROBE, text)
    assert_in_order(page.locator("#probe"), *parts)


def one_nil(play: Play, names: Names, **more: str) -> str:
    match_id = play.kick_off(names.home, names.away, competition=names.competition, **more)
    scorer = {"team": "home", "player": {"name": names.scorer}}
    play.tell("goal", 1, 0, 23, event_id="g1", **scorer)
    play.system.wait_for(match_id, "1-0")
    return match_id


@both
def test_the_timeline_keeps_home_first_beside_a_scorer(open_tab: OpenTab, play: Play, names: Names) -> None:
    match_id = one_nil(play, names)
    play.tell("goal", 2, 0, 45, event_id="g2", team="home", player={"name": names.scorer}, added_minute=2)
    play.tell("goal", 2, 1, 50, event_id="g3", team="away", player={"name": names.scorer})
    assist = {"assist": {"name": names.home}, "detail": f"{names.away} 7"}
    play.tell("yellow_card", 2, 1, 60, event_id="y1", team="away", player={"name": names.scorer}, **assist)
    page = open_tab(f"/match/{match_id}")
    timeline = page.locator(".timeline")
    expect(timeline.locator('[data-id="y1"]')).to_be_visible()
    assert_in_order(timeline.locator('[data-id="g1"]'), "23'", names.scorer, "1", "0")
    assert_in_order(timeline.locator('[data-id="g2"]'), "45", "2", names.scorer, "2", "0")
    assert_in_order(timeline.locator('[data-id="g3"] .what'), names.scorer, "2", "1")
    assert_in_order(timeline.locator('[data-id="y1"] small'), "Yellow card", "assist", names.home, names.away)
    assert_in_order(page.locator(".scorers li").first, names.scorer, "23", "45", "2")
    assert_in_order(page.get_by_role("heading", level=1), names.home, names.away)


@both
def test_title_and_announcement_keep_home_first(open_tab: OpenTab, play: Play, names: Names) -> None:
    match_id = one_nil(play, names)
    page = open_tab(f"/match/{match_id}")
    expect(page.locator(".big-score")).to_have_text("1–0")
    assert_reads(page, page.title(), names.home, "1", "0", names.away, "Live scores")
    play.tell("goal", 2, 0, 45, event_id="g2", team="home", player={"name": names.scorer})
    expect(page.locator("#announcer")).to_contain_text("Goal for")
    announcement = page.locator("#announcer").text_content() or ""
    assert_reads(page, announcement, "Goal for", names.home, names.home, "2", "0", names.away)
    assert_reads(page, page.title(), names.home, "2", "0", names.away, "Live scores")


@arabic
def test_a_latin_name_beside_another_needs_no_marks(open_tab: OpenTab, play: Play, names: Names) -> None:
    match_id = play.kick_off(names.home, "France")
    play.tell("goal", 0, 1, 5, team="away")
    page = open_tab(f"/match/{match_id}")
    expect(page.locator(".big-score")).to_have_text("0–1")
    assert_reads(page, page.title(), names.home, "0", "1", "France", "Live scores")
    assert "\u2068France" not in page.title()


@arabic
def test_search_keeps_home_and_its_goals_first(open_tab: OpenTab, play: Play, names: Names) -> None:
    match_id = one_nil(play, names)
    play.system.wait_settled()
    page = open_tab()
    page.get_by_role("combobox").fill(names.home)
    link = page.locator(f'.results a[href="/match/{match_id}"]')
    expect(link).to_be_visible()
    assert_in_order(link, names.home, names.away, "1", "0")


@pytest.mark.parametrize(
    ("place", "names"),
    [("board", ARABIC), ("day", HEBREW), ("team", HEBREW), ("competition", ARABIC)],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_row_keeps_its_columns(open_tab: OpenTab, play: Play, names: Names, place: str) -> None:
    match_id = one_nil(play, names)
    play.tell("full_time", 1, 0, 90)
    play.system.wait_settled()
    match = play.system.get(f"/api/score/{match_id}").json()
    day = match["start_time"][:10]
    query = {"board": "/", "day": f"/day/{day}", "team": "/team/" + match["home_team"]["id"]}
    page = open_tab(query.get(place, f"/competition/{match['competition']['id']}"))
    row = page.locator(f'li[data-id="{match_id}"] a.row')
    # A page of a competition is at most a second old when it is served.
    expect(row).to_contain_text("FT")
    assert_in_order(row, "FT", names.home, "1")
    home, away = (points.bounding_box() for points in row.locator(".points").all())
    assert home
    assert away
    assert home["y"] < away["y"]
    expect(row.locator(".points")).to_have_text(["1", "0"])
    if place in ("board", "day"):
        group = page.locator(".group", has=page.locator(f'[data-id="{match_id}"]'))
        assert_ends_on_the_left(group.locator("h3"), names.competition)
    if place == "competition":
        assert_ends_on_the_left(page.get_by_role("heading", level=1), names.competition)
        assert_reads(page, page.title(), names.competition, "Live scores")


@arabic
def test_a_name_that_is_too_long_is_cut_at_its_end(open_tab: OpenTab, play: Play, names: Names) -> None:
    match_id = play.kick_off(" ".join([names.home] * 12), names.away)
    page = open_tab(viewport={"width": 360, "height": 740})
    name = page.locator(f'li[data-id="{match_id}"] .name').first
    expect(name).to_be_visible()
    box = name.bounding_box()
    assert box
    (left,) = name.evaluate(LEFTS, [names.home[:1]])
    assert box["x"] <= left < box["x"] + box["width"]


PANEL = """async (source) => {
  document.body.insertAdjacentHTML("beforeend", `<aside class="phones" data-source="${source}">
    <p class="notice" hidden></p><div class="table"></div><p role="status"></p></aside>
    <a class="to-phones" href="#"><span></span></a>`);
  const app = [...document.scripts].find(({ src }) => src.endsWith("app.js")).src;
  await import(app.replace("app.js", "phones.js"));
}"""


@arabic
def test_the_demos_phones_keep_home_first(open_tab: OpenTab, play: Play, names: Names) -> None:
    """The panel as the demo has it, with what the emulators would hold."""
    state = {"home_score": 1, "away_score": 0}
    attributes = {"competition": names.competition, "home_team": names.home, "away_team": names.away}
    score = f"\u2068{names.home}\u2069 1–0 \u2068{names.away}\u2069"
    push = {
        "id": "m",
        "at": 0,
        "title": f"Goal! \u2068{names.home}\u2069",
        "body": f"{score}\n23' \u2068{names.scorer}\u2069",
    }
    phone = {"name": "iPhone", "platform": "ios", "locale": "en", "about": "", "pushes": 1, "screen": [push]}
    phone["activities"] = [{"id": "a", "attributes": attributes, "state": state, "ended": False}]
    page = open_tab()
    body = json.dumps({"now": 60, "phones": [phone]})
    page.route("**/api/demo/phones", lambda route: route.fulfill(body=body, content_type="application/json"))
    page.evaluate(PANEL, "/api/demo/phones")
    expect(page.locator(".push b")).to_be_visible()
    assert_in_order(page.locator(".push b"), "Goal!", names.home)
    assert_in_order(page.locator(".push p"), names.home, "1", "0", names.away)
    assert_in_order(page.locator(".push p"), "23", names.scorer)
    activity = page.locator(".activity")
    assert_in_order(activity, names.home, "1", "0", names.away)
    assert_ends_on_the_left(activity.locator("small"), names.competition)
