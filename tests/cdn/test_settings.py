"""Each setting of an edge that is wrong is named, and with it what to change (a sound one: test_edge_local.py)."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator

import pytest

from cdn import check as checking
from cdn import settings as trying
from cdn.check import CANARY_PATH
from cdn.settings import try_settings
from tests.support.edge import Asked, Origin, Reply

numbers = itertools.count()


def fresh(_: Asked) -> Reply:
    return Reply(json.dumps({"nonce": next(numbers)}).encode(), {"Cache-Control": "public, max-age=0"})


CANARY = fresh(Asked("GET", "", {}, b""))
PRIVATE = {"Cache-Control": "private, no-store"}
MISSING = Reply(b"{}", {"Cache-Control": "public, max-age=2"}, 404)
NOBODY = Reply(b'{"error":{"code":"unauthorized","message":"No account has this token."}}', PRIVATE, 401)


@pytest.fixture
def edge() -> Iterator[Origin]:
    """An edge as it should be, but for WebSockets, which it cannot speak."""
    edge = Origin()
    edge.replies |= {
        CANARY_PATH: CANARY,
        "/api/me": NOBODY,
        "/api/ingest/generic": Reply(b'{"error":{"code":"signature"}}', status=401),
        "/api/openapi.json": Reply(b"", {"Content-Encoding": "gzip"}),
        "/api/live": Reply(b'{"next":"/api/live/wait/1.1"}'),
        "/api/live/wait/1.1": Reply(),
    }

    def otherwise(request: Asked) -> Reply:
        return CANARY if request.path.startswith(CANARY_PATH + "?") else MISSING

    edge.otherwise = otherwise
    edge.start()
    yield edge
    edge.stop()


@pytest.fixture(autouse=True)
def in_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trying, "HOLD_S", 1.0)
    monkeypatch.setattr(trying, "WEBSOCKET_S", 1.0)
    for module in (trying, checking):
        monkeypatch.setattr(module, "READS", 2)


def complaints(edge: Origin, vendor: str) -> list[str]:
    findings = list(try_settings(f"http://127.0.0.1:{edge.port}", vendor))
    return [finding.message for finding in findings if not finding.ok]


def per_query(request: Asked) -> Reply:
    return fresh(request) if request.path.startswith(CANARY_PATH + "?") else MISSING


def per_reader(request: Asked) -> Reply:
    return fresh(request) if "Cookie" in request.headers else CANARY


FAULTS: dict[str, tuple[str, str, str, Reply | Callable[[Asked], Reply]]] = {
    "query": ("cloudflare", "URL rewrite rule", "otherwise", per_query),
    "reader": ("cloudfront", "the cache policy: no headers", CANARY_PATH, per_reader),
    "browser": ("cloudflare", "Browser Cache TTL", CANARY_PATH, Reply(CANARY.body, {"Cache-Control": "max-age=14400"})),
    "spelling": ("bunny", "other spellings", "/api/edge/%63anary", CANARY),
    "routes": ("cloudflare", "refuses /match/{match_id}/{digest}.png. To change: its routes",
               "/match/nobody/latest.png", Reply(b"<html>", status=403)),
    "private": ("fastly", "return(pass)", "/api/me", Reply(NOBODY.body, {"Cache-Control": "public"}, 401)),
    "token": ("cloudfront", "AllViewerExceptHostHeader", "/api/me",
              Reply(b'{"message":"An Authorization header is required."}', NOBODY.headers, 401)),
    "post": ("bunny", "Block POST requests", "/api/ingest/generic", Reply(b"<html>", status=403)),
    "compression": ("fastly", "gzip policy", "/api/openapi.json", Reply()),
    "hold": ("fastly", "first_byte_timeout", "/api/live/wait/1.1", Reply(status=503)),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_setting_is_named_alone(edge: Origin, fault: str) -> None:
    vendor, change, path, reply = FAULTS[fault]
    if path == "otherwise":
        edge.otherwise = reply
    else:
        edge.replies[path] = reply
    first, second = complaints(edge, vendor)
    wrong, websocket = (second, first) if "WebSocket" in first else (first, second)
    assert change in wrong
    assert "WebSocket does not open" in websocket


def test_of_nobody_nothing_is_said(edge: Origin) -> None:
    edge.stop()
    assert complaints(edge, "varnish") == []


def test_where_nothing_is_kept_the_key_is_no_concern(edge: Origin) -> None:
    edge.replies[CANARY_PATH] = fresh
    assert [message.partition("(")[0].strip() for message in complaints(edge, "null")] == ["a WebSocket does not open"]
