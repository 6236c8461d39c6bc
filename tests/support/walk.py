"""A walk over every route of the app: what a reader sends, and what an edge has to do with it by the table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from flask import Flask

from api.app import create_app
from cdn.routes import IDS, KEPT, PUBLIC, ROUTES, Handling, Route
from config import Settings

SAMPLES = {
    **dict.fromkeys(IDS, "m1"),
    "cursor": "7.3",
    "digest": "0123456789ab",
    "date": "2026-11-25",
    "name": "style.css",
}
KEEP, PASS, REFUSE = "keep", "pass", "refuse"


@dataclass(frozen=True)
class Step:
    """A request and what becomes of it.

    fetched: the path and query that reach the service; "" where that does not matter.
    may_refuse: an edge may refuse it instead.
    """

    method: str
    target: str
    action: str
    fetched: str = ""
    may_refuse: bool = False


@dataclass(frozen=True)
class Treatment:
    """What an edge did with a request.

    fetched: the path and query that it asks for; "" if refused.
    """

    action: str
    fetched: str = ""


@cache
def app() -> Flask:
    """With the routes of the demo."""
    return create_app(Settings(demo=True, control_url="http://127.0.0.1:1"))


def table_path(rule: str) -> str:
    """A Flask rule as the table writes it."""
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule)


def sample_path(route: Route) -> str:
    return re.sub(r"\{(\w+)\}", lambda match: SAMPLES.get(match[1], "x"), route.path)


def steps() -> list[Step]:
    """Over the routes that the app has, not over the table."""
    served = {table_path(rule.rule) for rule in app().url_map.iter_rules()}
    table = {route.path: route for route in ROUTES}
    walked = [step for path in sorted(served) for step in _of(table[path])]
    return [*walked, *_other_spellings()]


def steps_for_an_origin() -> list[Step]:
    """Without what the stand-in for the service takes for a probe (tests/support/edge.py)."""
    return [step for step in steps() if step.target.partition("?")[0] != "/healthz"]


def _of(route: Route) -> Iterator[Step]:
    path = sample_path(route)
    kept = route.handling in KEPT
    for method in route.methods:
        yield Step(method, path, KEEP if kept else PASS, path)
    if route.handling is Handling.PASSED:
        # A preflight (api/web/cors.py).
        yield Step("OPTIONS", path, PASS, path)
    if route in PUBLIC:
        for method in ("POST", "DELETE", "PATCH"):
            yield Step(method, path, REFUSE)
    if not kept:
        return
    if not route.parameters:
        yield Step("GET", f"{path}?x=1", KEEP, path)
    for name in route.parameters:
        yield Step("GET", f"{path}?{name}=a", KEEP, f"{path}?{name}=a")
        yield Step("GET", f"{path}?x=1&{name}=a", KEEP, f"{path}?{name}=a", may_refuse=True)
    if any(f"{{{name}}}" in route.path for name in IDS):
        sent = path.replace("m1", "sr%3Amatch%3A1")
        yield Step("GET", sent, KEEP)


def _other_spellings() -> Iterator[Step]:
    spellings = ("//api/score/m1", "/api/%73core/m1", "/api/score/%6d1", "/API/score/m1", "/api/score/m1/wait/7.3/x",
                 "/api/anything", "/api/score", "/match/m1/x", "/admin", "/static/0123456789ab/x/a.css",
                 "/api/score/m1/", "/api/score/./m1", "/api/score/x/../m1", "/api/score/m1;x")  # fmt: skip
    for path in spellings:
        yield Step("GET", path, REFUSE)


def is_as_told(step: Step, done: Treatment) -> bool:
    if done.action == REFUSE:
        return step.action == REFUSE or step.may_refuse
    return done.action == step.action and step.fetched in ("", done.fetched)
