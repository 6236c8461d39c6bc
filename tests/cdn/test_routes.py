"""The table of routes against the app: nothing is missing, nothing is left over, and what it says is so."""

from __future__ import annotations

import re

import pytest

from cdn.routes import PUBLIC, ROUTES, Handling, pattern_of
from tests.support.walk import app, sample_path, table_path


def test_every_route_of_the_app_has_its_row_with_its_methods_and_no_row_is_left_over() -> None:
    """Add a row to cdn/routes.py for a new route: public with its handling, or private."""
    served: dict[str, set[str]] = {}
    for rule in app().url_map.iter_rules():
        served.setdefault(table_path(rule.rule), set()).update((rule.methods or set()) - {"OPTIONS"})
    assert served == {route.path: set(route.methods) for route in ROUTES}


def test_no_path_belongs_to_two_rows() -> None:
    for route in ROUTES:
        sample = sample_path(route)
        assert [other.path for other in ROUTES if re.fullmatch(other.pattern, sample)] == [route.path]


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
