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
    """Whether there is such a match the shell asks the API, and says so; an id that cannot be one is told at once."""
    if ID_PATTERN.fullmatch(match_id):
        return _shell(headers.PAGE)
    return _shell(headers.MISSING, 404)


def _shell(policy: Policy, status: int = 200) -> Response:
    """With the demo's phones beside it where there are any."""
    return page("index.html", policy, status, phones="phones" in current_app.blueprints)
