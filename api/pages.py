"""The page: one shell for the board and for a match; all data comes through the public API."""

from __future__ import annotations

from flask import Blueprint, Response

from api.html import page
from cdn import headers
from db.domain import ID_PATTERN

blueprint = Blueprint("pages", __name__)


@blueprint.get("/")
def board() -> Response:
    return page("index.html", headers.PAGE)


@blueprint.get("/match/<match_id>")
def match(match_id: str) -> Response:
    """Whether there is such a match the shell asks the API, and says so; an id that cannot be one is told at once."""
    if ID_PATTERN.fullmatch(match_id):
        return page("index.html", headers.PAGE)
    return page("index.html", headers.MISSING, 404)
