"""Our HTML: one way to render a template, so that every page has the same assets and the same policy."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, current_app, render_template

from api.delivery.answer import RenderedAnswer
from api.pages import badge, clock, lists, rows, tables
from api.pages.head import SITE, Head
from api.services import here
from api.web.assets import url
from api.web.responses import digest, rendered
from cdn.headers import NO_STORE, Policy
from pictures.words import sentence

# Everything a page needs is ours, and nothing of it is inline. JSON-LD is data, which no policy of scripts is about.
CONTENT_SECURITY = (
    "default-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)
SECURITY = {
    "Content-Security-Policy": CONTENT_SECURITY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
DESCRIPTION = "Live scores, shown the moment they change."
# In which the page's modules write, each by its own name. There is a file of words for each but English.
LANGUAGES = {
    "en": "English",
    "ar": "العربية",
    "de": "Deutsch",
    "es": "Español",
    "fr": "Français",
    "it": "Italiano",
    "nl": "Nederlands",
    "pl": "Polski",
    "pt": "Português",
    "pt-BR": "Português (Brasil)",
    "tr": "Türkçe",
}
_OF_SITE = Head(SITE, DESCRIPTION, "")


def register(app: Flask) -> None:
    """What every template may call."""
    app.jinja_env.globals.update(badge=badge, clock=clock, lists=lists, rows=rows, tables=tables, sentence=sentence)


def page(template: str, policy: Policy, **context: Any) -> Response:
    """As `answer`."""
    return rendered(answer(template, policy, **context))


def answer(
    template: str,
    policy: Policy | None,
    *,
    status: int = 200,
    tags: Sequence[str] = (),
    head: Head = _OF_SITE,
    retry_after_s: int = 0,
    **context: Any,
) -> RenderedAnswer:
    """policy: None for what nobody may keep, whose reader comes back in retry_after_s.
    tags: the cache keys that it is purged by.
    context: of the template.
    """
    body = render_template(
        template,
        asset=url,
        languages=LANGUAGES,
        head=head,
        public_url=here().settings.public_url.rstrip("/"),
        phones="phones" in current_app.blueprints,
        **context,
    ).encode()
    cache = here().dialect.headers(policy, tags) if policy else NO_STORE | {"Retry-After": str(retry_after_s)}
    return RenderedAnswer(
        body,
        cache | SECURITY,
        etag=digest(body) if status == HTTPStatus.OK else None,
        status=f"{status} {HTTPStatus(status).phrase}",
        content_type="text/html; charset=utf-8",
    )
