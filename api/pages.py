"""The page: one shell for the board and for a match; all data comes through the public API."""

from __future__ import annotations

from flask import Blueprint, Response, render_template

from api.assets import url
from api.matches import checked_id
from cdn import headers

blueprint = Blueprint("pages", __name__, template_folder="templates")

# Everything the page needs is ours, and nothing of it is inline.
POLICY = "default-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"


@blueprint.get("/")
def board() -> Response:
    return _shell()


@blueprint.get("/match/<match_id>")
def match(match_id: str) -> Response:
    checked_id(match_id)
    return _shell()


def _shell() -> Response:
    response = Response(render_template("index.html", asset=url))
    response.headers.update(headers.PAGE.headers())
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    return response
