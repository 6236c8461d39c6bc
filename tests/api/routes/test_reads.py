"""Public reads: shapes as the OpenAPI document says, caching, ETags, redirects, on both databases."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.api.conftest import Site, error, event, fixture

FORMAT = FormatChecker(["date-time", "date"])


LIVE = "public, max-age=1, s-maxage=2, stale-while-revalidate=1, stale-if-error=60"


RESTING = "public, max-age=5, s-maxage=30, stale-while-revalidate=30, stale-if-error=600"


# Without a CDN to purge, half a minute at the edge is the most.
FINAL = "public, max-age=30, s-maxage=30, stale-while-revalidate=30, stale-if-error=86400"


LIST = "public, max-age=2, s-maxage=5, stale-while-revalidate=5, stale-if-error=300"


MISSING = "public, max-age=2, s-maxage=5"


def document(site: Site) -> dict[str, Any]:
    body: dict[str, Any] = site.get("/api/openapi.json").get_json()
    return body


def check(site: Site, path: str, body: Any) -> None:
    """Against the schema that the document gives for 200 at this path."""
    whole = document(site)
    schema = whole["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    Draft202012Validator(schema | {"components": whole["components"]}, format_checker=FORMAT).validate(body)


def test_the_document_is_openapi(site: Site) -> None:
    OpenAPIV31SpecValidator(document(site)).validate()


def test_the_document_names_every_public_route(site: Site) -> None:
    shown = set(document(site)["paths"])
    assert {
        "/api/score/{match_id}",
        "/api/live",
        "/api/matches",
        "/api/matches/{match_id}",
        "/api/matches/{match_id}/events",
        "/api/search",
        "/api/ingest/{provider}",
        "/healthz",
        "/readyz",
    } <= shown


def test_the_document_takes_the_deliveries_that_the_door_takes(site: Site) -> None:
    whole = document(site)
    schema = whole["paths"]["/api/ingest/{provider}"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    validator = Draft202012Validator(schema | {"components": whole["components"]}, format_checker=FORMAT)
    for player in ("Zoë", {"name": "Zoë"}, {"id": "p", "name": "Zoë"}, None):
        body = {"events": [event(player=player, minute="90+6")], "matches": [fixture()]}
        validator.validate(body)
        assert site.deliver(body).status_code == 202


@pytest.mark.parametrize(
    "url", ["/api/matches?status=nil", "/api/search", "/api/score/none", "/api/matches/none/events"]
)
def test_the_document_names_the_refusals_of_a_read(site: Site, url: str) -> None:
    refusal = site.get(url)
    path = url.split("?", maxsplit=1)[0].replace("none", "{match_id}")
    responses = document(site)["paths"][path]["get"]["responses"]
    assert refusal.status_code in (400, 404)
    assert str(refusal.status_code) in responses


READS = [
    ("/api/score/live", "/api/score/{match_id}", LIVE),
    ("/api/score/over", "/api/score/{match_id}", FINAL),
    ("/api/score/soon", "/api/score/{match_id}", RESTING),
    ("/api/live", "/api/live", LIVE),
    ("/api/matches", "/api/matches", LIST),
    ("/api/matches/live", "/api/matches/{match_id}", LIST),
    ("/api/matches/live/events", "/api/matches/{match_id}/events", LIST),
    ("/api/matches/live/head-to-head", "/api/matches/{match_id}/head-to-head", LIST),
    ("/api/competitions/world-cup/table", "/api/competitions/{competition_id}/table", LIST),
    ("/api/competitions/world-cup/scorers", "/api/competitions/{competition_id}/scorers", LIST),
    ("/api/teams/fra", "/api/teams/{team_id}", LIST),
    ("/api/search?q=cote", "/api/search", LIST),
]


def test_every_read_has_its_shape_its_life_and_nothing_private(site_with_matches: Site) -> None:
    for url, path, cache in READS:
        answer = site_with_matches.get(url, Cookie="a=b", Origin="https://evil.example", Authorization="Bearer x")
        assert (answer.status_code, answer.mimetype) == (200, "application/json"), url
        assert answer.headers["Cache-Control"] == cache, url
        assert answer.headers["Access-Control-Allow-Origin"] == "*", url
        assert "Set-Cookie" not in answer.headers, url
        assert answer.headers.get("Vary", "Accept-Encoding") == "Accept-Encoding", url
        assert "evil" not in answer.get_data(as_text=True) + str(answer.headers), url
        check(site_with_matches, path, answer.get_json())


def test_head_is_get_without_its_body(site_with_matches: Site) -> None:
    for url, _, _ in READS:
        got, head = site_with_matches.get(url), site_with_matches.client.head(url)
        assert (head.status_code, head.data) == (200, b""), url
        for name in ("Cache-Control", "ETag", "Content-Length", "Content-Type"):
            assert head.headers.get(name) == got.headers.get(name), (url, name)


def test_no_read_takes_another_method(site_with_matches: Site) -> None:
    for url, _, _ in READS:
        for method in ("post", "put", "delete", "patch"):
            answer = getattr(site_with_matches.client, method)(url)
            assert error(answer) == (405, "wrong_method"), (method, url)
            assert "GET" in answer.headers["Allow"]
            assert answer.headers["Cache-Control"] == "private, no-store"


def test_a_score_in_full(site_with_matches: Site) -> None:
    body = site_with_matches.get("/api/score/live").get_json()
    assert body["home_team"] == {"id": "cote-d-ivoire", "name": "Côte d'Ivoire"}
    assert (body["home_score"], body["away_score"], body["status"], body["phase"]) == (1, 0, "first_half", "live")
    assert (body["minute"], body["added_minute"], body["shootout"], body["decided_by"]) == (45, 4, None, None)
    assert body["next"].startswith(f"/api/score/live/wait/{body['version']}.")
    assert body["poll_after_ms"] == 2_000
    over = site_with_matches.get("/api/score/over").get_json()
    assert (over["status"], over["decided_by"], over["shootout"]) == ("finished", "penalties", {"home": 4, "away": 2})
    soon = site_with_matches.get("/api/score/soon").get_json()
    assert (soon["home_score"], soon["away_score"], soon["phase"]) == (None, None, "scheduled")


def test_a_score_is_written_as_utf_8_not_escaped(site_with_matches: Site) -> None:
    assert "Côte d'Ivoire".encode() in site_with_matches.get("/api/score/live").data


@pytest.mark.parametrize("path", ["/api/score/live", "/api/matches/live", "/api/live", "/match/live"])
def test_a_precondition_that_does_not_hold_is_an_error_that_nobody_keeps(site_with_matches: Site, path: str) -> None:
    answer = site_with_matches.get(path, If_Match='"other"')
    assert error(answer) == (412, "bad_request")
    assert answer.headers["Cache-Control"] == "private, no-store"
    tag = site_with_matches.get(path).headers["ETag"]
    assert site_with_matches.get(path, If_Match='"other"', If_None_Match=tag).status_code == 412
    assert site_with_matches.get(path, If_Match="*").status_code == 200
    assert site_with_matches.get(path, If_Match="*", If_None_Match=tag).status_code == 304


def test_an_unchanged_score_is_304_and_a_changed_one_is_not(site_with_matches: Site) -> None:
    for url in ("/api/score/live", "/api/matches/live", "/api/matches/live/events", "/api/live"):
        first = site_with_matches.get(url)
        tag = first.headers["ETag"]
        same = site_with_matches.get(url, If_None_Match=tag)
        assert (same.status_code, same.data, same.headers["ETag"]) == (304, b"", tag), url
        assert same.headers["Cache-Control"] == first.headers["Cache-Control"]
        assert site_with_matches.get(url, If_None_Match=f'"other", {tag}').status_code == 304
        assert site_with_matches.get(url, If_None_Match='"other"').status_code == 200
    before = site_with_matches.get("/api/score/live").headers["ETag"]
    site_with_matches.tell(event("live", event_id="g3", home_score=2, timestamp="2026-05-01T18:50:00Z"))
    assert site_with_matches.get("/api/score/live", If_None_Match=before).status_code == 200


def test_voided_events_stay_on_the_timeline_marked(site_with_matches: Site) -> None:
    shown = site_with_matches.get("/api/matches/live/events").get_json()["events"]
    assert [(entry["event_type"], entry["voided"], entry["minute"]) for entry in shown] == [
        ("goal", False, 10),
        ("goal", True, 45),
        ("var_review", False, 45),
    ]
    assert shown[0]["player"] == {"id": "p1", "name": "Mbappé"}
    assert shown[2]["voids"] == "g2"


def test_live_lists_what_is_live_and_can_be_narrowed(site_with_matches: Site) -> None:
    assert [m["match_id"] for m in site_with_matches.get("/api/live").get_json()["matches"]] == ["live"]
    assert [m["match_id"] for m in site_with_matches.get("/api/live?competition=world-cup").get_json()["matches"]] == [
        "live"
    ]
    none = site_with_matches.get("/api/live?competition=final").get_json()
    assert none["matches"] == []
    assert none["poll_after_ms"] > 2_000


def test_a_match_gone_from_redis_is_served_from_history_in_the_same_shape(site_with_matches: Site) -> None:
    urls = [url for url, _, _ in READS if "live" not in url]
    before = [site_with_matches.get(url).get_json() for url in urls]
    site_with_matches.services.live.redis.flushall()
    after = [site_with_matches.get(url).get_json() for url in urls]
    for live, stored in zip(before, after, strict=True):
        assert {**live, "next": 0} == {**stored, "next": 0}


def test_without_redis_scores_come_from_history(site_with_matches: Site, make_site: Callable[..., Site]) -> None:
    away = make_site(site_with_matches.services.settings.database_url, redis_url="redis://127.0.0.1:1/0")
    answer = away.get("/api/score/over")
    assert (answer.status_code, answer.get_json()["home_score"]) == (200, 3)
    assert error(away.get("/api/live")) == (503, "unavailable")


def test_without_a_database_live_scores_go_on(site_with_matches: Site, make_site: Callable[..., Site]) -> None:
    away = make_site("postgresql://u:p@127.0.0.1:1/none")
    assert away.get("/api/score/live").status_code == 200
    assert away.get("/api/matches/live/events").status_code == 200
    for url in ("/api/matches", "/api/search?q=fra", "/api/score/nobody"):
        answer = away.get(url)
        assert error(answer) == (503, "unavailable"), url
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert int(answer.headers["Retry-After"]) >= 1


# What is not there.


@pytest.mark.parametrize(
    "url", ["/api/score/nobody", "/api/matches/nobody", "/api/matches/nobody/events", "/api/score/" + "x" * 65]
)
def test_an_unknown_match_is_a_404_that_the_edge_may_collapse(site: Site, url: str) -> None:
    answer = site.get(url)
    assert error(answer) == (404, "unknown_match")
    assert answer.headers["Cache-Control"] == MISSING


@pytest.mark.parametrize("odd", ["a b", "ü", "\0", "a\n", "{a}", "%", "'", "<b>", "\ud7ff", "..%2f", "*"])
def test_an_id_of_odd_letters_is_unknown_and_not_echoed_into_html(either: Site, odd: str) -> None:
    for path in ("/api/score/{}", "/api/matches/{}", "/api/matches/{}/events"):
        answer = either.get(path.format(quote(odd, safe="")))
        assert error(answer) == (404, "unknown_match"), path
    page = either.get(f"/match/{quote(odd, safe='')}")
    assert page.status_code == 404
    assert len(odd) == 1 or odd not in page.get_data(as_text=True)


@pytest.mark.parametrize("url", ["/api", "/api/scores", "/api/score/", "/static/x/..%2f..%2fconfig.py"])
def test_an_unknown_route_is_a_404(site: Site, url: str) -> None:
    assert site.get(url).status_code == 404
    assert error(site.get(url))[1] in ("unknown_route", "unknown_match")


def test_a_replaced_match_redirects_to_its_successor(site_with_matches: Site) -> None:
    site_with_matches.tell(matches=({"id": "soon", "replaced_by": "later"},))
    answer = site_with_matches.get("/api/matches/soon")
    assert (answer.status_code, answer.headers["Location"]) == (308, "/api/matches/later")
    assert answer.headers["Cache-Control"] == LIST
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_a_bug_is_a_500_that_nobody_stores(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: Any) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(type(site.services.history), "matches", broken)
    answer = site.get("/api/matches")
    assert error(answer) == (500, "internal")
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert "secret detail" not in answer.get_data(as_text=True)


# Operations and documents.


def test_healthz_touches_nothing_else(make_site: Callable[..., Site]) -> None:
    away = make_site("postgresql://u:p@127.0.0.1:1/none", redis_url="redis://127.0.0.1:1/0")
    answer = away.get("/healthz")
    assert (answer.status_code, answer.data, answer.headers["Cache-Control"]) == (200, b"ok\n", "private, no-store")


def test_readyz_says_what_is_away(make_site: Callable[..., Site], either: Site) -> None:
    url = either.services.settings.database_url
    ready = either.get("/readyz")
    assert ready.status_code == 200
    assert ready.headers["Cache-Control"] == "private, no-store"
    assert (ready.get_json()["redis"], ready.get_json()["sql"], ready.get_json()["status"]) == (True, True, "ready")
    degraded = make_site("postgresql://u:p@127.0.0.1:1/none").get("/readyz")
    assert (degraded.status_code, degraded.get_json()["status"]) == (200, "degraded")
    down = make_site(url, redis_url="redis://127.0.0.1:1/0").get("/readyz")
    assert (down.status_code, down.get_json()["status"], down.get_json()["sql"]) == (503, "down", True)


def test_readyz_counts_what_waits(either: Site) -> None:
    either.deliver({"events": [event("a"), event("b")]})
    body = either.get("/readyz").get_json()
    assert (body["ingest_waiting"], body["ingest_parked"], body["history_lag_ms"]) == (2, 0, 0)


def test_the_docs_page_reads_the_document(site: Site) -> None:
    answer = site.get("/api/docs")
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert "/api/score/{match_id}" in answer.get_data(as_text=True)


def test_the_document_is_json_that_does_not_change(site: Site) -> None:
    assert json.dumps(document(site)) == json.dumps(document(site))
