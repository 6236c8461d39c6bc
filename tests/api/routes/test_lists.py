"""Lists of matches and search: filters, pages and refusals, on both databases."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.api.conftest import Site, error, fields, fixture


def ids(site: Site, **query: Any) -> list[str]:
    answer = site.get(f"/api/matches?{urlencode(query)}")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return [match["match_id"] for match in answer.get_json()["matches"]]


def test_matches_can_be_narrowed(site_with_matches: Site) -> None:
    assert ids(site_with_matches) == ["over", "live", "soon"]
    assert ids(site_with_matches, date="2026-05-01") == ["live"]
    assert ids(site_with_matches, competition="final") == ["over"]
    assert ids(site_with_matches, team="fra", status="scheduled") == ["soon"]
    assert ids(site_with_matches, status="finished") == ids(site_with_matches, status="full_time") == ["over"]
    assert ids(site_with_matches, status="live") == ["live"]
    assert ids(site_with_matches, **{"from": "2026-05-01T18:00:00Z"}) == ["live", "soon"]
    assert ids(site_with_matches, to="2026-05-01T18:00:00Z") == ["over"]
    assert ids(site_with_matches, **{"from": "2026-05-01T20:30:00+02:00", "to": "2026-06-01T00:00:00Z"}) == ["soon"]
    assert ids(site_with_matches, nonsense="1") == ["over", "live", "soon"]


def test_a_day_is_the_one_of_its_zone(either: Site) -> None:
    starts = {"a": "2026-03-28T23:30:00Z", "b": "2026-03-29T21:30:00Z", "c": "2026-03-29T22:30:00Z"}
    either.tell(matches=tuple(fixture(id_, start_time=start) for id_, start in starts.items()))
    assert ids(either, date="2026-03-29") == ["b", "c"]
    assert ids(either, date="2026-03-29", tz="Europe/Berlin") == ["a", "b"]
    assert ids(either, date="2026-03-30", tz="Europe/Berlin") == ["c"]
    assert ids(either, date="2026-03-28", tz="America/New_York") == ["a"]


def test_pages_are_walked_to_the_end_under_their_filter(either: Site) -> None:
    either.tell(matches=tuple(fixture(f"m{n}", start_time=f"2026-05-01T{18 + n // 2}:00:00Z") for n in range(7)))
    either.tell(matches=(fixture("other", competition="Else"),))
    path, seen = "/api/matches?competition=world-cup&limit=2&date=2026-05-01&tz=UTC", []
    while path:
        body = either.get(path).get_json()
        seen.append([match["match_id"] for match in body["matches"]])
        path = body["next"]
    assert seen == [["m0", "m1"], ["m2", "m3"], ["m4", "m5"], ["m6"]]


def cursor(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "tampered",
    [
        "",
        "x",
        "é",
        "%00",
        "====",
        "a" * 201,
        cursor("1"),
        cursor("|m"),
        cursor("x|m"),
        cursor("1|"),
        cursor("1|a b"),
        cursor("1|\0"),
        cursor("1|m' OR 1=1"),
        cursor("9" * 30 + "|m"),
        cursor("1_0|m"),
        cursor("1|m|n"),
    ],
)
def test_a_cursor_that_is_not_ours_is_refused(either: Site, tampered: str) -> None:
    answer = either.get(f"/api/matches?cursor={tampered}")
    assert error(answer) == (400, "bad_request")
    assert fields(answer) == ["cursor"]


WRONG = [
    ("date", "yesterday"),
    ("date", "2026-02-30"),
    ("date", "0001-01-01"),
    ("date", "9999-12-31"),
    ("from", "noon"),
    ("from", "0001-01-01T00:00:00+14:00"),
    ("to", "9999-12-31T23:59:59-14:00"),
    ("to", "1e300"),
    ("limit", "0"),
    ("limit", "101"),
    ("limit", "ten"),
    ("limit", "9" * 5_000),
    ("tz", "Mars/Olympus"),
    ("tz", "../../etc/passwd"),
    ("tz", "\0"),
    ("status", "asleep"),
    ("team", "\0"),
    ("team", "a b"),
    ("team", "x" * 65),
    ("competition", "'"),
]


def test_a_query_that_is_not_understood_is_named(either: Site) -> None:
    for name, value in WRONG:
        answer = either.get(f"/api/matches?{urlencode({name: value})}")
        assert error(answer) == (400, "bad_request"), (name, value[:40])
        assert fields(answer) == [name], (name, value[:40])


def test_the_farthest_days_that_are_understood_are_answered(either: Site) -> None:
    for query in ({"date": "1900-01-01", "tz": "Asia/Tokyo"}, {"date": "2099-12-31", "tz": "Pacific/Honolulu"}):
        assert ids(either, **query) == []


# Search.


def test_search_answers_teams_competitions_and_matches(site_with_matches: Site) -> None:
    body = site_with_matches.get("/api/search?" + urlencode({"q": "FRANCE"})).get_json()
    assert body["teams"] == [{"id": "fra", "name": "France"}]
    assert [match["match_id"] for match in body["matches"]] == ["soon", "live", "over"]
    assert site_with_matches.get("/api/search?q=world").get_json()["competitions"] == [
        {"id": "world-cup", "name": "World Cup"}
    ]
    assert site_with_matches.get("/api/search?q=nobody").get_json() == {"teams": [], "competitions": [], "matches": []}


def test_percent_and_underscore_are_letters_like_any(site_with_matches: Site) -> None:
    for words in ("%%", "__", "!!", "''", "\\\\"):
        assert site_with_matches.get("/api/search?" + urlencode({"q": words})).get_json()["teams"] == [], words


@pytest.mark.parametrize("words", [None, "", "a", "   ", " a ", "x" * 101, "ab\0", "a\nb", "\u0301\u0301", "\x7f\x7f"])
def test_a_search_for_nothing_is_refused(either: Site, words: str | None) -> None:
    answer = either.get("/api/search" + (f"?{urlencode({'q': words})}" if words is not None else ""))
    assert error(answer) == (400, "bad_request")
    assert fields(answer) == ["q"]


def test_a_query_that_is_no_utf_8_is_no_bug(either: Site) -> None:
    for url in ("/api/search?q=%ff%fe%fd", "/api/matches?team=%ff", "/api/live?competition=%ff%00", "/api/score/%ff"):
        assert either.get(url).status_code < 500, url
