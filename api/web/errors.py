"""Exceptions → `{"error": {...}}`. The only place that maps them to status codes; no failure is ever a 200."""

from __future__ import annotations

import json
import logging
import random
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, request, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.routing import WebsocketMismatch

from api.delivery.answer import RenderedAnswer
from api.names import meant_match
from api.services import here
from api.web import failure_pages
from api.web.responses import moved, rendered
from cdn import headers, keys
from db.domain import ID_PATTERN
from db.domain.errors import Fault, LiveScoreError, Refused, Unavailable, Undecodable
from db.undecodable import tell

logger = logging.getLogger(__name__)

# Status by the code of a refusal; any other code is a 400.
STATUS = {
    "unknown_match": 404,
    "unknown_competition": 404,
    "unknown_team": 404,
    "unknown_route": 404,
    "signature": 401,
    "unauthorized": 401,
    "limit_reached": 409,
    "too_large": 413,
    "invalid": 422,
    "busy": 429,
    "too_fast": 429,
}


# Where no person looks: what is not there is told as data.
NO_PAGES = ("/api", "/static/")
# Readers who are sent away come back within so many times the least wait.
RETRY_SPREAD = 4
# Its own, for one that shares the global one makes seeded tests of others unrepeatable.
_spread = random.Random()


def register(app: Flask) -> None:
    app.register_error_handler(Refused, refused)
    app.register_error_handler(Unavailable, unavailable)
    app.register_error_handler(Undecodable, undecodable)
    app.register_error_handler(HTTPException, http)
    app.register_error_handler(WebsocketMismatch, websocket_mismatch)
    app.register_error_handler(Exception, bug)


def body(code: str, message: str, faults: tuple[Fault, ...] = ()) -> str:
    error: dict[str, Any] = {"code": code, "message": message}
    if faults:
        error["fields"] = [
            {"field": fault.field, "message": fault.message} | ({} if fault.index is None else {"index": fault.index})
            for fault in faults
        ]
    return json.dumps({"error": error}, ensure_ascii=False)


def answer(status: int, text: str, cache: dict[str, str] = headers.NO_STORE, retry_after_s: int = 0) -> Response:
    response = Response(text, status, cache, content_type="application/json")
    response.headers["Access-Control-Allow-Origin"] = "*"
    if retry_after_s:
        response.headers["Retry-After"] = str(retry_after_s)
    return response


def spread_s(least_s: int) -> int:
    """When to come back after an outage (s): readers at another time each, or all who failed together would fail
    together again. A sender is told the least, because a goal must not wait."""
    return _spread.randint(least_s, RETRY_SPREAD * least_s) if request.method in ("GET", "HEAD") else least_s


def refused(error: Refused) -> Response:
    meant = elsewhere() if error.code == "unknown_match" else None
    if meant:
        return meant
    status = STATUS.get(error.code, 400)
    cache = missing() if status == 404 else headers.NO_STORE
    wait_s = error.retry_after_s or 1 if status == 429 else 0
    response = answer(status, body(error.code, error.message, error.faults), cache, wait_s)
    if error.code == "unauthorized":
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def elsewhere() -> Response | None:
    """The same of the match that an unknown id is another name of; None where it is none."""
    values = request.view_args or {}
    name = values.get("match_id", "")
    if request.method not in ("GET", "HEAD") or not ID_PATTERN.fullmatch(name):
        return None
    match_id = meant_match(here(), name)
    if match_id is None:
        return None
    path = url_for(str(request.endpoint), **{**values, "match_id": match_id})
    return rendered(moved(path, here().dialect, name))


def missing() -> dict[str, str]:
    """Cache headers of a 404. On a public read it is cached for seconds, so that a wrong link cannot hammer the origin;
    creating the match purges it. For other methods it is not cached."""
    if request.method not in ("GET", "HEAD"):
        return headers.NO_STORE
    return here().dialect.headers(headers.MISSING, match_tags())


def match_tags() -> tuple[str, ...]:
    """The key of the match that was asked for, whose creation purges the 404."""
    match_id = (request.view_args or {}).get("match_id", "")
    return (keys.match(match_id),) if ID_PATTERN.fullmatch(match_id) else ()


def unavailable(error: Unavailable) -> Response:
    log_unavailable(error)
    return answer(503, body(error.code, error.message), retry_after_s=spread_s(error.retry_after_s))


def log_unavailable(error: Unavailable) -> None:
    logger.warning("unavailable route=%s reason=%r", _route(), error.message)


def undecodable(error: Undecodable) -> Response:
    tell(error)
    return answer(503, body(error.code, error.message), retry_after_s=error.retry_after_s)


def plain(error: LiveScoreError, topic: str, dialect: headers.Dialect) -> tuple[RenderedAnswer, ...]:
    """The error for held reads whose connections were parked before the read failed; of an outage several, which differ
    in when to come back, as in `spread_s`."""
    status = STATUS.get(error.code, 400) if isinstance(error, Refused) else 500
    cache = dialect.headers(headers.MISSING, [keys.match(topic)]) if status == 404 else headers.NO_STORE
    caches = [cache]
    if isinstance(error, Unavailable | Undecodable):
        status, least_s = 503, error.retry_after_s
        waits_s = range(least_s, RETRY_SPREAD * least_s + 1) if isinstance(error, Unavailable) else [least_s]
        caches = [cache | {"Retry-After": str(wait_s)} for wait_s in waits_s]
    line = f"{status} {HTTPStatus(status).phrase}"
    text = body(error.code, error.message).encode()
    return tuple(RenderedAnswer(text, cache, status=line) for cache in caches)


def http(error: HTTPException) -> Response:
    """Errors of Flask itself: unknown path, wrong method, body too large."""
    status = error.code or 500
    if status == 404 and request.method in ("GET", "HEAD") and not request.path.startswith(NO_PAGES):
        return rendered(failure_pages.missing())
    code = {404: "unknown_route", 405: "wrong_method", 413: "too_large"}.get(status, "bad_request")
    cache = missing() if status == 404 else headers.NO_STORE
    response = answer(status, body(code, error.description or error.name), cache)
    if status == 405 and (allowed := getattr(error, "valid_methods", None)):
        response.headers["Allow"] = ", ".join(sorted(allowed))
    return response


def websocket_mismatch(_error: WebsocketMismatch) -> Response:
    """A plain request of /api/ws is told what it speaks (RFC 9110, 15.5.22); a handshake elsewhere is a mistake."""
    message = "/api/ws, and only that, speaks WebSocket (RFC 6455)."
    if request.environ.get("HTTP_UPGRADE", "").lower() == "websocket":
        return answer(400, body("bad_request", message))
    response = answer(426, body("upgrade_required", message))
    response.headers.update({"Upgrade": "websocket", "Connection": "Upgrade"})
    return response


def bug(_error: Exception) -> Response:
    logger.exception("bug route=%s", _route())
    return answer(500, body("internal", "This is our fault. It has been logged."))


def _route() -> str:
    """The rule and not the path: paths contain device tokens."""
    return request.url_rule.rule if request.url_rule else "none"
