"""What search engines read first: robots.txt and the map of the site."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, Response, render_template

from api.delivery.answer import RenderedAnswer
from api.pages.days import DAY_MS
from api.pages.rows import match_path
from api.services import here, now_ms
from api.web.responses import digest, rendered
from cdn import headers
from db.domain.errors import Refused
from db.sql.history import MatchFilter

blueprint = Blueprint("crawlers", __name__)

# Matches in the map, by their ids alone.
MAPPED_MOST = 500
# Those that started within a day, or will within three (ms): what is older has been read by then.
BACK_MS, AHEAD_MS = DAY_MS, 3 * DAY_MS

ROBOTS = """\
User-agent: *
Disallow: /search
"""


@blueprint.get("/robots.txt")
def robots() -> Response:
    public_url = here().settings.public_url.rstrip("/")
    text = ROBOTS + (f"\nSitemap: {public_url}/sitemap.xml\n" if public_url else "")
    return _document(text, "text/plain; charset=utf-8")


@blueprint.get("/sitemap.xml")
def sitemap() -> Response:
    """Board and matches (sitemaps.org). Its addresses are whole, so without PUBLIC_URL there is none. Raises
    Unavailable."""
    public_url = here().settings.public_url.rstrip("/")
    if not public_url:
        raise Refused("There is no map without a PUBLIC_URL.", "unknown_route")
    now = now_ms()
    matches = here().history.changed(MatchFilter(now - BACK_MS, now + AHEAD_MS), MAPPED_MOST)
    pages = [(public_url + match_path(match_id), _written(changed_ms)) for match_id, changed_ms in matches]
    return _document(render_template("sitemap.xml", public_url=public_url, pages=pages), "application/xml")


def _document(text: str, content_type: str) -> Response:
    body = text.encode()
    cache = here().dialect.headers(headers.DOCUMENT)
    return rendered(RenderedAnswer(body, cache, digest(body), content_type=content_type))


def _written(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"
