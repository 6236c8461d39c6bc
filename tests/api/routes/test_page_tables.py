"""Tables, scorers, form and meetings on the pages without JavaScript: what they say, and what purges them."""

from __future__ import annotations

from typing import Any

import pytest

from api import competitions, meetings, teams
from db.domain.errors import Unavailable
from tests.api.conftest import Site, event
from tests.api.routes.test_competitions import CUP, at, goal, match, over, score_without_history, tell_league
from tests.support.html import Html

PAGES = (f"/competition/{CUP}", "/team/b", "/match/m3")


def page(site: Site, path: str) -> Html:
    answer = site.get(path)
    assert (answer.status_code, answer.mimetype) == (200, "text/html"), path
    return Html(answer.get_data(as_text=True))


def points(found: Html) -> list[str]:
    """The points of the table's rows, its last column."""
    columns, count = found.text("td"), len(found.attributes("th", scope="row"))
    width = len(columns) // count
    return columns[width - 1 :: width]


@pytest.fixture
def league(site: Site) -> Site:
    tell_league(site)
    return site


def test_the_table_of_a_competition_moves_with_the_goal(league: Site) -> None:
    found = page(league, PAGES[0])
    assert points(found) == ["4", "2", "1"]
    assert [one["title"] for one in found.attributes("abbr")][:3] == ["Position", "Played", "Won"]
    assert len(found.attributes("th", scope="col")) == 10
    # Both sides of the match in play, and the heading.
    assert found.attributes("a", **{"class": "in-play"}) == [{"class": "in-play", "href": "/match/m3"}] * 2
    assert len(found.attributes("tr", **{"data-live": ""})) == 2
    assert "Provisional" in found.text("span")
    score_without_history(league)
    assert points(page(league, PAGES[0])) == ["4", "3", "1"]
    league.tell(over("m3", 1, 0, -0.1, event_id="end"), goal("m3", 1, 0, 5, player="A. Striker"))
    over_now = page(league, PAGES[0])
    assert (over_now.attributes("a", **{"class": "in-play"}), "A. Striker" in over_now.text("bdi")) == ([], True)


def test_a_team_shows_its_form_and_where_it_stands(league: Site) -> None:
    score_without_history(league)
    league.work()
    found = page(league, "/team/b")
    assert found.attributes("a", **{"data-outcome": "lost"}) == [
        {"href": "/match/m1", "data-outcome": "lost", "aria-label": "Lost"}
    ]
    assert "Position 2 · Points: 3" in found.text("span")
    assert {"class": "in-play", "href": "/match/m3"} in found.attributes("a")


def test_a_tie_shows_its_aggregate_and_who_goes_on(site: Site) -> None:
    rounds = {"stage": "Knock-out", "round": "semi_finals"}
    site.tell(
        over("l0", 1, 1, -60),
        over("l1", 2, 1, -6),
        event("l2", event_type="kickoff", home_score=0, minute=0, timestamp=at(-0.5)),
        matches=(
            match("l0", "b", "a", -62, competition={"id": "friendly", "name": "Friendly"}),
            match("l1", "a", "b", -8, leg=1, **rounds),
            match("l2", "b", "a", -0.5, leg=2, **rounds),
        ),
    )
    site.tell(goal("l2", 2, 0, 9))
    found = page(site, "/match/l2")
    assert "2–3" in found.text("b")
    earlier = [one["href"] for one in found.attributes("a") if one.get("href", "").startswith("/match/")]
    assert earlier == ["/match/l1", "/match/l0"]
    site.tell(over("l2", 2, 0, -0.1))
    rounds_page = page(site, f"/competition/{CUP}")
    assert "Semi finals" in rounds_page.text("bdi")
    assert "Goes on" in rounds_page.text("span")
    # Both legs as the tie's first team sees them.
    assert [text for text in rounds_page.text("span") if "–" in text] == ["2–1", "0–2"]
    assert rounds_page.attributes("table") == []


def test_a_page_is_served_without_what_is_not_at_hand(league: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_args: Any) -> None:
        raise Unavailable("away")

    for module, name in ((competitions, "table"), (competitions, "top_scorers"), (teams, "team"),
                         (meetings, "head_to_head")):  # fmt: skip
        monkeypatch.setattr(module, name, away)
    for path in PAGES:
        found = page(league, path)
        assert found.attributes("table") == []
        assert {"class": "tables"} not in found.attributes("div"), path
