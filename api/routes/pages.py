"""The page: one shell for the board and for a match; all data comes through the public API."""

from __future__ import annotations

from flask import Blueprint, Response, current_app

from api.web.html import page
from cdn import headers
from cdn.headers import Policy
from db.domain import ID_PATTERN

blueprint = Blueprint("pages", __name__)


@blueprint.get("/")
def board() -> Response:
    return _shell(headers.PAGE)


@blueprint.get("/match/<match_id>")
def match(match_id: str) -> Response:
    """The page asks the API whether the match exists. A malformed id gets 404 here."""
    if ID_PATTERN.fullmatch(match_id):
        return _shell(headers.PAGE)
    return _shell(headers.MISSING, 404)


def _shell(policy: Policy, status: int = 200) -> Response:
    """The page, with the demo's phones in the embedded run."""
    return page("index.html", policy, status, phones="phones" in current_app.blueprints)
