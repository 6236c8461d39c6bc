"""The pages without JavaScript: what they say, how long they are kept, and that a name is text wherever it stands."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import jsonschema
import pytest

from cdn import headers, keys
from tests.api.conftest import Site, event, fixture
from tests.support.html import Html

ATTACK = "</script><img src=x onerror=alert(1)>\"'&{{7*7}}"
PUBLIC = "https://scores.example"

# schema.org/SportsEvent, as far as we use it and search engines ask for it.
ORGANIZATION = {
    "type": "object",
    "required": ["@type", "name"],
    "additionalProperties": False,
    "properties": {
        "@type": {"enum": ["SportsTeam", "SportsOrganization"]},
        "name": {"type": "string", "minLength": 1},
        "url": {"type": "string", "pattern": "^https://"},
    },
}
EVENT = {
    "type": "object",
    "required": ["@context", "@type", "@id", "url", "name", "description", "startDate", "eventStatus", "homeTeam",
                 "awayTeam", "sport"],
    "additionalProperties": False,
    "properties": {
        "@context": {"const": "https://schema.org"},
        "@type": {"const": "SportsEvent"},
        "@id": {"type": "string", "pattern": "^https://"},
        "url": {"type": "string", "pattern": "^https://"},
        "name": {"type": "string", "minLength": 1},
        "description": {"type": "string", "minLength": 1},
        "sport": {"type": "string"},
        "startDate": {"type": "string", "format": "date-time"},
        "eventStatus": {"type": "string", "pattern": "^https://schema.org/Event(Scheduled|Postponed|Cancelled)$"},
        "homeTeam": ORGANIZATION,
        "awayTeam": ORGANIZATION,
        "competitor": {"type": "array", "items": ORGANIZATION, "minItems": 2, "maxItems": 2},
        "organizer": ORGANIZATION,
        "location": {
            "type": "object", "required": ["@type", "name"], "properties": {"@type": {"const": "Place"}},
        },
    },
}  # fmt: skip


def page(site: Site, path: str, status: int = 200) -> Html:
    answer = site.get(path)
    assert (answer.status_code, answer.mimetype) == (status, "text/html"), answer.get_data(as_text=True)[:300]
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'")
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    return Html(answer.get_data(as_text=True))


def scores(found: Html) -> list[str]:
    """Of the rows of a list."""
    return re.findall(r'class="score">(\d*)<', found.source)


@pytest.fixture
def public(make_site: Callable[..., Site], sqlite_url: str) -> Site:
    """Behind a Varnish, with a public address and a match in play that started now."""
    site = make_site(sqlite_url, public_url=f"{PUBLIC}/", cdn="varnish", edge_purge_secret="s" * 20)
    now = datetime.now(UTC).replace(microsecond=0)
    goal = {"team": "home", "player": {"name": "Lionel Messi"}, "timestamp": now.isoformat(), "event_id": "g1"}
    site.tell(
        event("m", event_type="kickoff", home_score=0, minute=0, timestamp=(now - timedelta(minutes=1)).isoformat()),
        event("m", **goal),
        matches=(fixture("m", home_team="Argentina", start_time=now.isoformat()),),
    )
    return site


def test_the_match_is_in_the_page_with_its_score_and_timeline(public: Site) -> None:
    found = page(public, "/match/m")
    assert found.text("title") == ["Argentina 1–0 France · Live scores"]
    assert "1–0" in found.text("p")
    assert "Lionel Messi" in found.text("bdi")
    assert "Lionel Messi 10'" in found.text("li")
    assert found.attributes("li", **{"data-id": "g1", "data-type": "goal"})
    assert {"href": "/competition/world-cup"} in found.attributes("a")
    assert [tag for tag, attributes in found.tags if "style" in attributes or "onclick" in attributes] == []


def test_the_board_lists_what_is_live_with_its_score(public: Site) -> None:
    found = page(public, "/")
    (row,) = found.attributes("a", **{"class": "row"})
    assert row == {"class": "row", "href": "/match/m", "data-phase": "live"}
    assert scores(found) == ["1", "0"]
    assert {"Argentina", "France", "World Cup"} <= set(found.text("bdi"))


def test_a_day_a_team_and_a_competition_list_the_same_match(public: Site) -> None:
    for path in (f"/day/{datetime.now(UTC):%Y-%m-%d}", "/team/fra", "/competition/world-cup", "/search?q=france"):
        assert page(public, path).attributes("li", **{"data-id": "m"}), path
    assert page(public, "/team/fra").text("title") == ["France · Live scores"]


def test_the_board_parts_what_is_over_and_what_was_put_off(public: Site) -> None:
    now = datetime.now(UTC).isoformat()
    off = [fixture(f"m-{status}", status=status, start_time=now) for status in ("postponed", "cancelled")]
    public.tell(event("m", event_type="full_time", minute=90, timestamp=now), matches=tuple(off))
    found = page(public, "/")
    sections = [
        attributes["class"] for tag, attributes in found.tags if tag == "section" and "hidden" not in attributes
    ]
    assert sections == ["section done", "section off"]
    assert "No matches right now" in found.text("p")


@pytest.mark.parametrize(
    ("path", "lifetime", "tags"),
    [
        ("/match/m", headers.LIVE, ["match-m", "meeting-{meeting}"]),
        ("/", headers.LIVE, ["live", "day-{day}"]),
        ("/day/{day}", headers.LIST, ["day-{day}"]),
        ("/competition/world-cup", headers.LIST, ["competition-world-cup", "table-world-cup"]),
        ("/team/fra", headers.LIST, ["team-fra", "table-world-cup"]),
        ("/match/nobody", headers.MISSING, ["match-nobody"]),
    ],
)
def test_a_page_is_kept_as_its_data_is_and_has_the_keys_that_a_goal_purges(
    public: Site, path: str, lifetime: headers.Policy, tags: list[str]
) -> None:
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    answer = public.get(path.format(day=day))
    values = {"day": day, "meeting": keys.meeting("argentina", "fra").removeprefix("meeting-")}
    wanted = headers.dialect("varnish").headers(lifetime, [tag.format(**values) for tag in tags])
    assert {name: answer.headers.get(name) for name in wanted} == wanted


def test_a_page_follows_the_score_at_once_and_is_compressed_once(public: Site) -> None:
    before = public.get("/match/m", Accept_Encoding="gzip")
    assert before.headers["Content-Encoding"] == "gzip"
    etag = before.headers["ETag"]
    assert public.get("/match/m", If_None_Match=etag).status_code == 304
    now = datetime.now(UTC).isoformat()
    public.tell(event("m", home_score=2, minute=11, timestamp=now, team="home", event_id="g2"))
    assert "2–0" in page(public, "/match/m").text("p")
    assert scores(page(public, "/")) == ["2", "0"]
    assert public.get("/match/m", If_None_Match=etag).status_code == 200


def test_previews_and_search_engines_are_told_the_match(public: Site) -> None:
    found = page(public, "/match/m")
    jsonschema.validate(found.event, EVENT, format_checker=jsonschema.FormatChecker())
    assert found.event["name"] == "Argentina – France"
    assert "1–0" in found.event["description"]
    assert found.event["homeTeam"]["url"] == f"{PUBLIC}/team/argentina"
    # ogp.me: title, type, image and url are required.
    assert found.meta("og:title") == "Argentina 1–0 France"
    assert found.meta("og:type") == "website"
    assert found.meta("og:url") == f"{PUBLIC}/match/m"
    assert re.fullmatch(rf"{PUBLIC}/match/m/[0-9a-f]{{12}}\.png", found.meta("og:image"))
    assert found.meta("og:image:alt") == found.meta("og:description")
    assert found.meta("description") == found.meta("og:description")
    assert [link["href"] for link in found.attributes("link", rel="canonical")] == [f"{PUBLIC}/match/m"]
    board = page(public, "/")
    assert re.fullmatch(rf"{PUBLIC}/static/[0-9a-f]{{12}}/preview\.png", board.meta("og:image"))
    with public.get(board.meta("og:image").removeprefix(PUBLIC)) as image:
        assert (image.mimetype, image.data[16:24]) == ("image/png", (1200).to_bytes(4) + (630).to_bytes(4))


def test_without_a_public_address_none_is_made_up(site: Site) -> None:
    site.tell(event("m"), matches=(fixture("m"),))
    found = page(site, "/match/m")
    assert found.attributes("link", rel="canonical") == []
    assert found.attributes("meta", property="og:image") == []
    assert "url" not in found.event
    assert site.get("/sitemap.xml").status_code == 404
    assert b"Sitemap" not in site.get("/robots.txt").data


def test_robots_find_the_map_and_the_map_has_the_matches(public: Site) -> None:
    assert f"Sitemap: {PUBLIC}/sitemap.xml" in public.get("/robots.txt").get_data(as_text=True)
    answer = public.get("/sitemap.xml")
    assert answer.mimetype == "application/xml"
    names = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}
    root = ElementTree.fromstring(answer.data)
    assert [loc.text for loc in root.findall("s:url/s:loc", names)] == [f"{PUBLIC}/", f"{PUBLIC}/match/m"]
    (changed,) = root.findall("s:url/s:lastmod", names)
    assert datetime.fromisoformat(changed.text or "")
    with public.get("/favicon.ico") as icon:
        assert icon.mimetype == "image/x-icon"


def test_a_name_is_text_wherever_it_stands(public: Site) -> None:
    now = datetime.now(UTC).isoformat()
    named: dict[str, Any] = {
        "home_team": {"id": "attack-home", "name": ATTACK},
        "away_team": {"id": "attack-away", "name": f"الهلال{ATTACK}"},
        "competition": {"id": "attack-cup", "name": ATTACK},
        "venue": ATTACK,
        "round": ATTACK,
        "start_time": now,
    }
    person = {"player": {"name": ATTACK}, "assist": ATTACK, "detail": ATTACK, "timestamp": now}
    public.tell(
        event("attack", team="home", **person),
        event("attack", event_type="shootout_goal", team="home", **person),
        event("attack", event_type="substitution", team="away", **person),
        matches=(fixture("attack", **named),),
    )
    paths = ("/match/attack", "/", "/team/attack-home", "/competition/attack-cup", f"/search?q={quote(ATTACK)}")
    for path in paths:
        found = page(public, path)
        scripts = [attributes for tag, attributes in found.tags if tag == "script"]
        assert [one for one in scripts if "src" not in one and one.get("type") != "application/ld+json"] == [], path
        assert {image["src"].rsplit("/", 1)[1] for image in found.attributes("img")} == {"favicon.svg"}, path
        assert not any(name.startswith("on") for _, attributes in found.tags for name in attributes), path
        assert ATTACK in " ".join(text for _, text in found.texts), path
        assert "49" not in found.text("title")[0], path
    match = page(public, "/match/attack")
    assert ATTACK in match.event["name"]
    assert ATTACK in match.meta("og:title")
    assert match.text("title")[0].startswith(ATTACK)
    assert f"\u2068الهلال{ATTACK}\u2069" in match.text("title")[0]


def test_what_is_not_there_is_a_page_with_status_404(public: Site) -> None:
    for path in (
        "/match/nobody",
        "/match/a%20b",
        "/team/nobody",
        "/competition/nobody",
        "/day/2026-02-30",
        "/nothing",
        "/.env",
    ):
        found = page(public, path, 404)
        assert found.attributes("a", **{"class": "button", "href": "/"}), path
        assert found.attributes("link", rel="canonical") == [], path


def test_a_replaced_match_and_another_name_lead_to_the_match(public: Site) -> None:
    public.tell(matches=(fixture("old"),))
    public.tell(matches=({"id": "old", "replaced_by": "m"},))
    answer = public.get("/match/old")
    assert (answer.status_code, answer.headers["Location"]) == (308, "/match/m")


def test_an_edge_configured_for_one_shell_gets_one(public: Site) -> None:
    assert page(public, "/match/-").attributes("article", **{"data-served": ""})


def test_a_long_timeline_is_bounded_and_keeps_its_goals(public: Site) -> None:
    now = datetime.now(UTC).isoformat()
    passes = [event("m", event_type="pass", minute=12, event_id=f"p{n}", timestamp=now) for n in range(450)]
    public.tell(*passes[:250])
    public.tell(*passes[250:])
    found = page(public, "/match/m")
    assert found.attributes("li", **{"data-id": "g1"})
    assert not [one for one in found.attributes("li") if one.get("data-type") == "pass"]


def test_without_redis_and_sql_a_page_says_so_and_nobody_keeps_it(make_site: Callable[..., Site]) -> None:
    away = make_site("postgresql://u:p@127.0.0.1:1/none", redis_url="redis://127.0.0.1:1/0")
    for path in ("/", "/match/m", "/team/t"):
        answer = away.get(path)
        assert (answer.status_code, answer.mimetype) == (503, "text/html"), path
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert int(answer.headers["Retry-After"]) >= 1


def test_without_sql_the_board_still_has_what_is_live(public: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from db.domain.errors import Unavailable

    def away(*_args: Any) -> None:
        raise Unavailable("away")

    monkeypatch.setattr(type(public.services.history), "matches", away)
    assert page(public, "/").attributes("li", **{"data-id": "m"})
