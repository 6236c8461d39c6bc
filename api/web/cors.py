"""Cross-origin requests (Fetch standard, "CORS protocol"): pages of any origin may use the API."""

from __future__ import annotations

from flask import Flask, Response, request

from api.delivery.cross_origin import READABLE

# Headers a client may send: the token, the type of a body, the version it has.
ALLOWED = "Authorization, Content-Type, If-None-Match"
# s. Browsers keep the answer to a preflight for two hours at most (Chromium).
PREFLIGHT_S = 7_200


def register(app: Flask) -> None:
    app.after_request(allow_origins)


def allow_origins(response: Response) -> Response:
    if not request.path.startswith("/api/") or request.path.startswith(("/api/ingest/", "/api/demo/")):
        return response
    response.headers.update(READABLE)
    if request.method == "OPTIONS":
        response.headers["Access-Control-Allow-Methods"] = ", ".join(sorted(response.allow))
        response.headers["Access-Control-Allow-Headers"] = ALLOWED
        response.headers["Access-Control-Max-Age"] = str(PREFLIGHT_S)
        response.headers["Cache-Control"] = "private, no-store"
    return response
