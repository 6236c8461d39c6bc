"""Files of the page, named by their content: an asset's URL changes when any of them does, so it is cached for ever.

One digest names the whole folder, so that a module finds its neighbours by a relative import, all of one release.
"""

from __future__ import annotations

import hashlib
import json
import mimetypes
from dataclasses import replace
from functools import cache
from pathlib import Path

from flask import Blueprint, Response, send_file

from api.delivery.answer import RenderedAnswer
from api.services import here
from api.web.responses import digest as digest_of
from api.web.responses import rendered
from cdn import headers
from db.domain.errors import Refused

FOLDER = Path(__file__).parents[1] / "static"
LATEST = "latest"
NO_SNIFF = {"X-Content-Type-Options": "nosniff"}

blueprint = Blueprint("assets", __name__)


@blueprint.get("/static/<digest>/<name>")
def asset(digest: str, name: str) -> Response:
    """An old digest gets today's file and a short life: a page from before a release still loads.

    So does `latest`, by which pages of other origins import the client (docs/client.md); a version of the client is the
    same for ever by it. By a digest that is made up nothing lasts, or copies of one file could fill an edge.
    """
    pinned = _versions().get(name)
    if pinned is None and name not in _names():
        raise Refused("There is no such file.", "unknown_route")
    answer = _answer(pinned or name)
    if digest == release_digest() or (pinned and digest == LATEST):
        return rendered(answer)
    return rendered(replace(answer, cache=here().dialect.headers(headers.PAGE) | NO_SNIFF))


@blueprint.get("/favicon.ico")
def favicon() -> Response:
    """Where browsers and crawlers look that have read no page."""
    response = send_file(FOLDER / "favicon.ico", mimetype="image/x-icon")
    response.headers.update(here().dialect.headers(headers.DOCUMENT))
    response.headers.update(NO_SNIFF)
    return response


def url(name: str) -> str:
    return f"/static/{release_digest()}/{name}"


def page_files() -> list[str]:
    """The addresses of all that the page may load, but for pictures and pinned clients."""
    return [url(name) for name in sorted(_names()) if name.endswith((".js", ".css", ".svg")) and "-" not in name]


@cache
def _answer(name: str) -> RenderedAnswer:
    """Compressed with care, once: not every edge compresses, and an embedded run has none."""
    body = (FOLDER / name).read_bytes()
    content_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    content_type += "; charset=utf-8" if content_type.startswith("text/") else ""
    return RenderedAnswer(body, headers.ASSET | NO_SNIFF, digest_of(body), content_type=content_type, level=9)


@cache
def _versions() -> dict[str, str]:
    """Files by the names under which each version of the client is pinned: earlier ones, which were kept when they were
    followed by another, and today's."""
    version = json.loads((FOLDER / "package.json").read_text())["version"]
    kept = {name: name for name in _names() if name.startswith("scores-")}
    return kept | {f"scores-{version}.js": "scores.js"}


@cache
def _names() -> frozenset[str]:
    return frozenset(path.name for path in FOLDER.iterdir() if path.is_file())


@cache
def release_digest() -> str:
    """Of all files, by name and content."""
    digest = hashlib.sha256()
    for name in sorted(_names()):
        digest.update(name.encode() + b"\0" + (FOLDER / name).read_bytes())
    return digest.hexdigest()[:12]
