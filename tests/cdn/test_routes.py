"""The table of routes against the app: nothing is missing, nothing is left over, and what it says is so."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from api.app import create_app
from cdn.routes import PUBLIC, ROUTES, Handling, Route, pattern_of
from config import Settings


@pytest.fixture(scope="module")
def app() -> Flask:
    """With the routes of the demo."""
    return create_app(Settings(demo=True, control_url="http://127.0.0.1:1"))


def table_path(rule: str) -> str:
    """A Flask rule as the table writes it."""
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule)


def test_every_route_of_the_app_has_its_row_with_its_methods_and_no_row_is_left_over(app: Flask) -> None:
    """Add a row to cdn/routes.py for a new route: public with its handling, or private."""
    served: dict[str, set[str]] = {}
    for rule in app.url_map.iter_rules():
        served.setdefault(table_path(rule.rule), set()).update((rule.methods or set()) - {"OPTIONS"})
    assert served == {route.path: set(route.methods) for route in ROUTES}


def test_no_path_belongs_to_two_rows() -> None:
    for route in ROUTES:
        sample = sample_path(route)
        assert [other.path for other in ROUTES if re.fullmatch(other.pattern, sample)] == [route.path]


SAMPLES = {"match_id": "m1", "cursor": "7.3", "digest": "0123456789ab", "name": "style.css"}


def sample_path(route: Route) -> str:
    return re.sub(r"\{(\w+)\}", lambda match: SAMPLES.get(match[1], "x"), route.path)


@pytest.mark.parametrize("route", [route for route in PUBLIC if route.fetched_as], ids=lambda route: route.path)
def test_where_one_answer_is_kept_for_all_paths_all_answers_are_the_same(app: Flask, route: Route) -> None:
    client = app.test_client()
    bodies = {client.get(path).data for path in (sample_path(route), route.fetched_as)}
    assert len(bodies) == 1
    assert re.fullmatch(route.pattern, route.fetched_as)


@pytest.mark.parametrize("path", ["/api/score/..", "/api/score/.", "/api/score/m1/", "//api/score/m1", "/api/score/é",
                                  "/api/score/m1%31", "/api/score/" + "m" * 65, "/api/score/m1/wait/01.0",
                                  "/api/score/m1/wait/1.00", "/api/score/m1/wait/1", "/static/../x.css",
                                  "/static/0123456789ab/../style.css", "/api/LIVE"])  # fmt: skip
def test_another_spelling_is_no_public_path(path: str) -> None:
    assert not re.search(pattern_of(PUBLIC), path)


def test_an_id_may_have_what_providers_put_there() -> None:
    for match_id in ("sr:match:1", "2026-11-25_a.b", "...", "m" * 64):
        assert re.search(pattern_of(PUBLIC), f"/api/score/{match_id}")


def test_a_held_answer_is_never_stale() -> None:
    assert {route.stale_s for route in ROUTES if route.handling is not Handling.STORED} == {0}
