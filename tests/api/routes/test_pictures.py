"""The picture beside a link to a match: only what was drawn is handed out, and every other address leads there."""

from __future__ import annotations

import io
import time
from collections.abc import Callable

import pytest
from PIL import Image

from api.web import assets
from cdn import headers
from tests.api.conftest import Site, error, event, fixture
from tests.support.html import Html
from workers.pictures import Draughtsman

PUBLIC = "https://scores.example"
MADE_UP = "/match/m/0123456789ab.png"


@pytest.fixture
def public(make_site: Callable[..., Site], sqlite_url: str) -> Site:
    site = make_site(sqlite_url, public_url=PUBLIC, cdn="varnish", edge_purge_secret="s" * 20)
    site.tell(event("m"), matches=(fixture("m", home_team="Argentina"),))
    return site


def draw(site: Site) -> None:
    draughtsman = Draughtsman(site.services.live.matches, site.services.pictures)
    while draughtsman.next(time.time_ns() // 1_000_000):
        pass


def told_by(site: Site, path: str = "/match/m") -> str:
    """The path of the picture that a page names."""
    return Html(site.get(path).get_data(as_text=True)).meta("og:image").removeprefix(PUBLIC)


def test_the_page_names_the_picture_and_the_picture_is_there(public: Site) -> None:
    draw(public)
    page = Html(public.get("/match/m").get_data(as_text=True))
    assert page.meta("og:image:alt") == page.meta("og:description")
    assert (page.meta("og:image:width"), page.meta("og:image:height")) == ("1200", "630")
    assert [tag["content"] for tag in page.attributes("meta", name="twitter:card")] == ["summary_large_image"]
    answer = public.get(told_by(public), Accept_Encoding="gzip")
    assert (answer.status_code, answer.mimetype) == (200, "image/png")
    assert Image.open(io.BytesIO(answer.data)).size == (1200, 630)
    wanted = headers.dialect("varnish").headers(headers.PICTURE)
    assert {name: answer.headers.get(name) for name in wanted} == wanted
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    # Its bytes are compressed as they are.
    assert "Content-Encoding" not in answer.headers
    assert public.get(told_by(public), If_None_Match=answer.headers["ETag"]).status_code == 304
    refused = public.get(told_by(public), If_Match='"other"')
    assert (refused.status_code, refused.headers["Cache-Control"]) == (412, "private, no-store")
    assert public.get(told_by(public), If_Match=answer.headers["ETag"]).status_code == 200


def test_a_goal_makes_another_and_the_old_address_leads_there(public: Site) -> None:
    draw(public)
    before = told_by(public)
    public.tell(event("m", home_score=2, minute=11, team="home", event_id="g2"))
    after = told_by(public)
    assert after != before
    # Until it is drawn, the one before is the best there is.
    answer = public.get(after)
    assert (answer.status_code, answer.headers["Location"]) == (302, before)
    draw(public)
    assert public.get(after).status_code == 200
    answer = public.get(before)
    assert (answer.status_code, answer.headers["Location"]) == (302, after)
    wanted = headers.dialect("varnish").headers(headers.AT_ONCE, ["match-m"])
    assert {name: answer.headers.get(name) for name in wanted} == wanted


def test_what_is_made_up_draws_and_fills_nothing(public: Site) -> None:
    answer = public.get(MADE_UP)
    assert (answer.status_code, answer.headers["Location"]) == (302, assets.url("preview.png"))
    assert public.services.pictures.waiting() == 1
    draw(public)
    kept = public.services.pictures.kept("m")
    for digest in ("0123456789ab", "latest", "..", "x" * 300):
        assert public.get(f"/match/m/{digest}.png").status_code in (302, 404)
    assert public.services.pictures.kept("m") == kept
    assert public.services.pictures.waiting() == 0
    with public.get(assets.url("preview.png")) as shared:
        assert shared.mimetype == "image/png"


def test_an_unknown_match_has_no_picture(public: Site) -> None:
    answer = public.get("/match/nobody/0123456789ab.png")
    assert error(answer) == (404, "unknown_match")
    wanted = headers.dialect("varnish").headers(headers.MISSING, ["match-nobody"])
    assert {name: answer.headers.get(name) for name in wanted} == wanted


def test_a_match_that_continues_as_another_leads_to_its_picture(public: Site) -> None:
    public.tell(
        event("m2", event_type="kickoff"),
        matches=(fixture("m2"), fixture("m", status="replaced", replaced_by="m2")),
    )
    draw(public)
    answer = public.get(MADE_UP)
    assert (answer.status_code, answer.headers["Location"]) == (308, "/match/m2/0123456789ab.png")
    assert public.get(answer.headers["Location"]).headers["Location"] == told_by(public, "/match/m2")


def test_before_the_start_and_elsewhere_the_shared_picture_is_named(public: Site) -> None:
    public.tell(matches=(fixture("later", start_time="2099-01-01T18:00:00Z"),))
    for path in ("/match/later", "/", "/team/fra", "/competition/world-cup"):
        assert told_by(public, path) == assets.url("preview.png"), path


def test_without_redis_it_is_503_and_kept_nowhere(make_site: Callable[..., Site], sqlite_url: str) -> None:
    answer = make_site(sqlite_url, redis_url="redis://127.0.0.1:1/0", redis_cluster=False, live_shards=1).get(MADE_UP)
    assert answer.status_code == 503
    assert "no-store" in answer.headers["Cache-Control"]
