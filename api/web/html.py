"""Our HTML: one way to render a template, so that every page has the same assets and the same policy."""

from __future__ import annotations

from typing import Any

from flask import Response, render_template

from api.services import here
from api.web.assets import url
from cdn.headers import Policy

# Everything a page needs is ours, and nothing of it is inline.
CONTENT_SECURITY = (
    "default-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)


def page(template: str, policy: Policy, status: int = 200, **context: Any) -> Response:
    response = Response(render_template(template, asset=url, **context), status)
    response.headers.update(here().dialect.headers(policy))
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    return response
