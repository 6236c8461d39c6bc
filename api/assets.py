"""Files of the page, named by their content: an asset's URL changes when its bytes do, so it is cached for ever."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from flask import Blueprint, Response, send_file

from cdn import headers
from db.errors import Refused

FOLDER = Path(__file__).parent / "static"

blueprint = Blueprint("assets", __name__)


@blueprint.get("/static/<digest>/<name>")
def asset(digest: str, name: str) -> Response:
    """An old digest gets today's file and a short life: a page from before a release still loads."""
    if name not in _digests():
        raise Refused("There is no such file.", "unknown_route")
    response = send_file(FOLDER / name)
    response.headers.update(headers.ASSET if digest == _digests()[name] else headers.PAGE.headers())
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def url(name: str) -> str:
    return f"/static/{_digests()[name]}/{name}"


@cache
def _digests() -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:12] for path in FOLDER.iterdir() if path.is_file()
    }
