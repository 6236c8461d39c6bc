"""The page of one match."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import Play

OpenTab = Callable[..., Page]


def test_a_goal_taken_back_stays_on_the_timeline_struck_through(open_tab: OpenTab, play: Play) -> None:
    match_id = play.kick_off()
    page = open_tab(f"/match/{match_id}")
    expect(page.locator(".big-score")).to_have_text("0–0")
    play.tell("goal", 1, 0, 23, team="home", player={"name": "Lionel Messi"}, event_id="g1")
    expect(page.locator(".big-score")).to_have_text("1–0")
    expect(page.locator("#announcer")).to_have_text("Goal for Argentina. Argentina 1–0 France.")
    goal = page.locator('.timeline [data-id="g1"]')
    expect(goal.locator("b")).to_have_text("Lionel Messi")
    expect(page.locator(".scorers").first).to_have_text("Lionel Messi 23'")

    play.tell("goal_cancelled", 0, 0, 25, team="home", voids="g1", event_id="v1")

    expect(page.locator(".big-score")).to_have_text("0–0")
    expect(page.locator("#announcer")).to_have_text("Score corrected: Argentina 0–0 France.")
    expect(goal.locator("s").first).to_have_text("Lionel Messi")
    expect(goal).to_contain_text("Taken back")
    expect(page.locator(".scorers").first).to_be_empty()
    expect(page.locator('.timeline [data-id="v1"]')).to_contain_text("Goal cancelled")


def test_the_timeline_tells_goals_cards_substitutions_and_what_nobody_has_heard_of(
    open_tab: OpenTab, play: Play
) -> None:
    match_id = play.kick_off()
    play.tell("penalty_goal", 1, 0, 23, team="home", player={"name": "Lionel Messi"})
    play.tell("yellow_card", 1, 0, 45, team="away", player={"name": "Adrien Rabiot"}, added_minute=7)
    play.tell("half_time", 1, 0, 45, period=1)
    play.tell("substitution", 1, 0, 64, team="home", player={"name": "Marcos Acuña"}, detail="off: Ángel Di María")
    play.tell("var_review", 1, 0, 70, detail="possible penalty")
    play.tell("drone_over_pitch", 1, 0, 71)
    page = open_tab(f"/match/{match_id}")
    entries = page.locator(".timeline > li")
    expect(entries).to_have_count(7)
    lines = [" ".join(text.split()) for text in entries.all_inner_texts()]
    assert lines[0].startswith("71'")
    assert "Drone over pitch" in lines[0]
    assert "possible penalty" in lines[1]
    assert "off: Ángel Di María" in lines[2]
    assert lines[3] == "Half-time 1–0"
    assert lines[4].startswith("45+7'")
    assert "Penalty goal" in lines[5]
    assert lines[6] == "Kick-off"


def test_a_shoot_out_stands_beside_the_score_and_shows_its_kicks(open_tab: OpenTab, play: Play) -> None:
    match_id = play.kick_off()
    page = open_tab(f"/match/{match_id}")
    play.tell("shootout_start", 3, 3, 120, period=5, shootout={"home": 0, "away": 0})
    expect(page.locator(".status")).to_have_text("Penalty shoot-out")
    kicks = [("away", "goal", 0, 1), ("home", "goal", 1, 1), ("away", "missed", 1, 1), ("home", "goal", 2, 1)]
    for n, (team, outcome, home, away) in enumerate(kicks):
        shootout = {"home": home, "away": away}
        play.tell(f"shootout_{outcome}", 3, 3, 120, team=team, player={"name": f"Taker {n}"}, shootout=shootout)
    expect(page.locator(".big-score")).to_have_text("3–3")
    expect(page.locator(".kicks-line")).to_have_text("(2–1 p)")
    expect(page.locator(".kicks").nth(1).locator("li")).to_have_text(["Taker 0: scored", "Taker 2: missed"])
    play.tell("full_time", 3, 3, 120, shootout={"home": 2, "away": 1})
    expect(page.locator(".status")).to_have_text("After penalties")
    expect(page.locator(".connection span")).to_have_text("Up to date")


def test_the_head_names_venue_competition_and_kick_off(open_tab: OpenTab, play: Play) -> None:
    match_id = play.kick_off()
    play.system.wait_settled()
    page = open_tab(f"/match/{match_id}")
    expect(page.locator(".facts")).to_contain_text("Lusail Stadium")
    expect(page.locator(".competition")).to_have_text("World Cup")
    expect(page).to_have_title("Argentina 0–0 France · Live scores")
    expect(page.get_by_role("heading", level=1)).to_have_text("Argentina – France")


def test_an_unknown_match_is_said_to_be_unknown(open_tab: OpenTab) -> None:
    for path in ("/match/nobody-played-this", "/match/no%20such%20id"):
        page = open_tab(path)
        expect(page.locator(".empty")).to_contain_text("There is no such match")
        expect(page.locator(".connection")).to_have_attribute("data-state", "missing")
        page.get_by_role("link", name="All matches").click()
        expect(page.locator(".connection")).to_have_attribute("data-state", "live")


def test_a_replaced_match_leads_to_the_one_that_took_its_place(open_tab: OpenTab, play: Play) -> None:
    new = play.kick_off("Luton", "Burnley", "new")
    old = play.match("Luton", "Burnley", "old", replaced_by=new)
    play.system.wait_settled()
    page = open_tab(f"/match/{old}")
    expect(page).to_have_url(f"{play.system.url}/match/{new}")
    expect(page.locator(".big-score")).to_have_text("0–0")


def test_line_ups_and_statistics_are_shown_where_they_are_told(open_tab: OpenTab, play: Play) -> None:
    players = [{"name": "A. Keeper", "number": 1, "starter": True}, {"name": "B. Bench", "number": 12}]
    squads = {"home": {"formation": "433", "coach": "C. Coach", "players": players}}
    told = play.match("Luton", "Burnley", "told", round=5, lineups=squads, stats={"home": {"shots": 3}})
    silent = play.match("Luton", "Burnley", "silent")
    play.system.wait_settled()
    page = open_tab(f"/match/{told}")
    expect(page.locator(".squad h3")).to_have_text("Luton 4-3-3")
    expect(page.locator(".squad ol").first).to_have_text("1A. Keeper")
    expect(page.locator(".squad .bench")).to_have_text("12B. Bench")
    expect(page.locator(".stats tbody tr")).to_have_text("3Shots–")
    expect(page.locator(".facts")).to_contain_text("5")
    page = open_tab(f"/match/{silent}")
    expect(page.locator(".facts")).to_be_visible()
    expect(page.locator(".about section:visible")).to_have_count(0)


def test_going_there_and_back_loads_no_page_again(open_tab: OpenTab, play: Play) -> None:
    match_id = play.kick_off()
    page = open_tab()
    page.evaluate("window.loadedOnce = true")
    page.locator(f'[data-id="{match_id}"] a').click()
    expect(page.locator(".big-score")).to_have_text("0–0")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    page.go_back()
    expect(page.locator(f'.section.live [data-id="{match_id}"]')).to_be_visible()
    page.go_forward()
    expect(page.locator(".big-score")).to_have_text("0–0")
    assert page.evaluate("window.loadedOnce")


def test_going_back_leads_to_where_one_was_reading(open_tab: OpenTab, play: Play) -> None:
    for n in range(8):
        match_id = play.kick_off(f"Home {n}", f"Away {n}", f"m{n}", competition=f"League {n}")
    page = open_tab(viewport={"width": 360, "height": 500})
    # The modules' own: the one that the server wrote gives way to it.
    link = page.locator(f':not([data-served]) > .columns [data-id="{match_id}"] a')
    link.scroll_into_view_if_needed()
    was = page.evaluate("scrollY")
    assert was > 300
    link.click()
    expect(page.locator(".big-score")).to_have_text("0–0")
    assert page.evaluate("scrollY") == 0
    page.go_back()
    expect(link).to_be_in_viewport()


def test_the_timeline_is_read_again_only_where_it_changed(open_tab: OpenTab, play: Play) -> None:
    match_id = play.kick_off()
    page = open_tab("/api/docs")
    reads: list[str] = []
    page.on("request", lambda request: reads.append(request.url) if request.url.endswith("/events") else None)
    page.goto(f"/match/{match_id}")
    expect(page.locator(".timeline > li")).to_have_count(1)
    before = len(reads)
    for minute in (3, 4, 5):
        play.tell("score", 0, 0, minute)
        expect(page.locator(".status")).to_have_text(f"{minute}'")
    assert len(reads) == before
    play.tell("yellow_card", 0, 0, 6, team="home")
    expect(page.locator(".timeline > li")).to_have_count(2)
    assert len(reads) > before
