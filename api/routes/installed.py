"""What makes the page an app of the reader's: its manifest, its service worker, and the key that its alerts are signed
by."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from flask import Blueprint, Response

from api.delivery.render import dumps
from api.services import here
from api.web import account_schemas, assets
from api.web.html import CONTENT_SECURITY
from api.web.openapi import documented
from api.web.responses import public
from cdn import headers

blueprint = Blueprint("installed", __name__)

WORKER = Path(__file__).parents[1] / "static" / "worker" / "service_worker.js"
# Sizes that systems ask for (web.dev, "Add a web app manifest"); the maskable one has room to be cut round.
ICONS = (
    ("icon-192.png", "192x192", "any"),
    ("icon-512.png", "512x512", "any"),
    ("icon-mask.png", "512x512", "maskable"),
)


@blueprint.get("/manifest.webmanifest")
def manifest() -> Response:
    """W3C "Web Application Manifest". `id` never changes: a page that was installed is known by it."""
    icons = [
        {"src": assets.url(name), "sizes": sizes, "type": "image/png", "purpose": purpose}
        for name, sizes, purpose in ICONS
    ]
    icons.append({"src": assets.url("favicon.svg"), "sizes": "any", "type": "image/svg+xml", "purpose": "any"})
    document = {
        "id": "/",
        "name": "Live scores",
        "short_name": "Scores",
        "description": "Live scores, shown the moment they change.",
        "lang": "en",
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#f5f6f4",
        "theme_color": "#f5f6f4",
        "categories": ["sports", "news"],
        "icons": icons,
    }
    return _file(dumps(document), "application/manifest+json")


@blueprint.get("/service-worker.js")
def service_worker() -> Response:
    """At the root, for a worker may serve only what is below its own path. Before it stands what this release's page
    loads, so that each release is another worker, and browsers take the newer one."""
    page = {
        "digest": assets.release_digest(),
        "files": assets.page_files(),
        "icon": assets.url("icon-192.png"),
        "badge": assets.url("badge.png"),
    }
    return _file(f"self.PAGE = {json.dumps(page)};\n{_worker()}".encode(), "text/javascript; charset=utf-8")


@blueprint.get("/api/web-push")
@documented("The key for alerts to browsers", account_schemas.WebPushKey, tag="accounts", errors=())
def web_push() -> Response:
    """`public_key` is the `applicationServerKey` of `PushManager.subscribe()`. It is null where the server has no
    `VAPID_KEY`: then no browser can be a device. A subscription made for another key has to be made anew."""
    return public({"public_key": here().vapid_public_key}, headers.DOCUMENT)


@cache
def _worker() -> str:
    return WORKER.read_text()


def _file(body: bytes, content_type: str) -> Response:
    """As a page: it changes with a release. A worker's own policy binds what it fetches and runs."""
    response = Response(body, headers=here().dialect.headers(headers.PAGE), content_type=content_type)
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
