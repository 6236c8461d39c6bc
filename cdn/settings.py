"""The settings of an edge, tried one by one from where readers are; a wrong one is named in its vendor's words."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import closing, suppress

import requests
from websocket import WebSocketException, create_connection

from cdn.check import CANARY_PATH, READS, CanaryAddress, Finding
from cdn.routes import IDS, KEPT, PUBLIC, Route

# A hold is 20 s, and an answer takes a moment; a CDN that gives up sooner has a shorter time-out.
HOLD_S = 40.0
WEBSOCKET_S = 10.0

Trial = Callable[[CanaryAddress], Finding]

# What has to be changed, by the vendor: `*` for all others.
_CHANGE = {
    "query": {
        "cloudflare": 'the URL rewrite rule "drop the query"',
        "cloudfront": "the cache policy: no query strings",
        "bunny": 'the edge rule "drop the query"',
        "fastly": "the VCL: `set req.url = var.path`",
        "*": "the cache key: the path alone",
    },
    "reader": {
        "cloudflare": "the cache rule: cache key without cookies and headers",
        "cloudfront": "the cache policy: no headers, no cookies",
        "bunny": "Vary Cache: nothing but the listed parameters",
        "fastly": "the VCL: `unset req.http.Cookie` before `return(lookup)`",
        "*": "the cache key: no cookie, no header",
    },
    "browser": {
        "cloudflare": "Browser Cache TTL: respect existing headers",
        "cloudfront": "no response headers policy may set Cache-Control",
        "bunny": "Browser cache expiration: match server cache expiration",
        "*": "whatever rewrites Cache-Control",
    },
    "spelling": {
        "cloudflare": 'the security rule "other spellings"',
        "cloudfront": "the function at viewer request",
        "bunny": 'the edge rule "other spellings"',
        "*": "the list of routes: match the path as it was sent",
    },
    "routes": {
        "varnish": "its VCL is of another release: have it written and loaded anew (docs/deploy/servers.md)",
        "*": "its routes are of another release: apply what `flask edge config` prints",
    },
    "private": {
        "cloudflare": 'the cache rule "forward"',
        "cloudfront": "behaviours: CachingDisabled and AllViewerExceptHostHeader for what is forwarded",
        "bunny": 'the edge rule "forward"',
        "fastly": "the VCL: `return(pass)` for what is forwarded",
        "*": "what is forwarded keeps Authorization and is never kept",
    },
    "post": {
        "cloudflare": 'the security rule "wrong method", and challenges on /api/',
        "cloudfront": "behaviours: all methods allowed for what is forwarded",
        "bunny": "Block POST requests: off",
        "*": "methods other than GET for what is forwarded",
    },
    "compression": {
        "cloudfront": "behaviours: Compress, and gzip in the cache policy",
        "fastly": "the gzip policy: application/json",
        "*": "compression of application/json",
    },
    "hold": {
        "cloudfront": "the origin `patient`: a response timeout of 30 s",
        "fastly": "the VCL: first_byte_timeout = 30s in vcl_miss",
        "bunny": "the origin's response timeout: 30 s",
        "*": "the time-out to the first byte on /wait/: 30 s",
    },
    "websocket": {
        "cloudflare": "Network: WebSockets on",
        "bunny": "WebSockets: on",
        "fastly": "the product WebSockets, and `return(upgrade)` in the VCL",
        "*": "WebSockets on /api/ws",
    },
}


def try_settings(public_url: str, vendor: str) -> Iterator[Finding]:
    """One finding a setting, also after one that is wrong; none where nobody answers. The last takes up to 20 s.

    vendor: as in CDN.
    """
    with requests.Session() as session:
        address = CanaryAddress(session, public_url)
        seen = address.nonces()
        # Where nothing is kept, the key is nobody's concern.
        untried = set(_TRIALS) if not seen else {"query", "reader"} if len(seen) == READS else set[str]()
        for aspect, trial in _TRIALS.items():
            if aspect in untried:
                continue
            try:
                finding = trial(address)
            except requests.RequestException as error:
                finding = Finding(False, f"{aspect}: no answer ({type(error).__name__})")
            yield finding if finding.ok else Finding(False, f"{finding.message}. To change: {_change(aspect, vendor)}")


def _change(aspect: str, vendor: str) -> str:
    return _CHANGE[aspect].get(vendor, _CHANGE[aspect]["*"])


def _query(address: CanaryAddress) -> Finding:
    if _is_shared(address, lambda: address.get(f"{CANARY_PATH}?made-up={secrets.token_hex(4)}")):
        return Finding(True, "a made-up query is dropped")
    return Finding(False, "a made-up query is another key, and another request to the origin")


def _reader(address: CanaryAddress) -> Finding:
    own = {"Cookie": f"reader={secrets.token_hex(4)}", "Accept-Language": "xx", "Origin": "https://reader.example"}
    if _is_shared(address, lambda: address.session.get(address.url + CANARY_PATH, headers=own, timeout=10)):
        return Finding(True, "a reader's cookie and headers are no part of the key")
    return Finding(False, "a reader's cookie or headers are part of the key, so every reader asks the origin")


def _is_shared(address: CanaryAddress, read: Callable[[], requests.Response]) -> bool:
    """Whether one of some reads is answered by what others were answered: a POP has several caches."""
    known = address.nonces()
    return any(_nonce_of(read()) in known for _ in range(READS))


def _nonce_of(answer: requests.Response) -> str:
    try:
        return str(answer.json()["nonce"])
    except (ValueError, KeyError, TypeError):
        return ""


def _browser(address: CanaryAddress) -> Finding:
    value = address.get().headers.get("Cache-Control", "")
    if "max-age=0" in value.replace(" ", "").split(","):
        return Finding(True, "browsers are told what the service says")
    return Finding(False, f"browsers are told {value!r} instead of max-age=0")


def _spelling(address: CanaryAddress) -> Finding:
    for path in ("/api/edge/%63anary", "/api//edge/canary"):
        request = address.session.prepare_request(requests.Request("GET", address.url))
        # As it is written: the library would mend it.
        request.url = address.url + path
        if address.session.send(request, timeout=10).status_code == 200:
            return Finding(False, f"{path} is answered: another spelling is another key")
    return Finding(True, "other spellings of a path are refused")


# What a variable of a public path is in a request that every service answers. No version of a board is 1.
_SAMPLES = {
    **dict.fromkeys(IDS, "nobody"),
    "cursor": "1.0",
    "date": "2000-01-01",
    "digest": "latest",
    "name": "scores.js",
}


def _routes(address: CanaryAddress) -> Finding:
    refused = [route.path for route in PUBLIC if route.handling in KEPT and _is_refused(address, route)]
    if not refused:
        return Finding(True, "every route of this release is known")
    return Finding(False, f"the edge refuses {', '.join(refused)}")


def _is_refused(address: CanaryAddress, route: Route) -> bool:
    """By the edge, and not by the service, which says of what is not there how long it may be kept."""
    answer = address.get(route.written(str, _SAMPLES.__getitem__))
    return answer.status_code in (403, 404, 405) and "public" not in answer.headers.get("Cache-Control", "")


def _private(address: CanaryAddress) -> Finding:
    nobody = {"Authorization": f"Bearer {secrets.token_hex(16)}"}
    answer = address.session.get(f"{address.url}/api/me", headers=nobody, timeout=10)
    if answer.status_code != 401:
        return Finding(False, f"/api/me with an unknown token answers {answer.status_code} instead of 401")
    if "no-store" not in answer.headers.get("Cache-Control", ""):
        return Finding(False, "what belongs to one reader does not say no-store")
    if "header" in answer.text:
        return Finding(False, "Authorization does not reach the service")
    return Finding(True, "Authorization reaches the service, and the answer is kept by nobody")


def _post(address: CanaryAddress) -> Finding:
    answer = address.session.post(f"{address.url}/api/ingest/generic", data=b"{}", timeout=10)
    with suppress(ValueError, KeyError, TypeError):
        return Finding(True, f"deliveries reach the service ({answer.json()['error']['code']})")
    return Finding(False, f"a delivery does not reach the service: {answer.status_code}")


def _compression(address: CanaryAddress) -> Finding:
    packed = {"Accept-Encoding": "gzip"}
    answer = address.session.get(f"{address.url}/api/openapi.json", headers=packed, timeout=10)
    if answer.headers.get("Content-Encoding") == "gzip":
        return Finding(True, "JSON is compressed")
    return Finding(False, "JSON is not compressed")


def _websocket(address: CanaryAddress) -> Finding:
    url = address.url.replace("http", "ws", 1) + "/api/ws"
    try:
        with closing(create_connection(url, timeout=WEBSOCKET_S)):
            return Finding(True, "a WebSocket opens")
    except (WebSocketException, OSError) as error:
        return Finding(False, f"a WebSocket does not open ({type(error).__name__})")


def _hold(address: CanaryAddress) -> Finding:
    board = address.session.get(f"{address.url}/api/live", timeout=10)
    try:
        path = str(board.json()["next"])
    except (ValueError, KeyError, TypeError):
        return Finding(False, f"the board is not readable: {board.status_code}")
    answer = address.session.get(address.url + path, timeout=HOLD_S)
    if answer.status_code == 200:
        return Finding(True, "a hold of 20 s is answered")
    return Finding(False, f"a hold ends in {answer.status_code}")


_TRIALS: dict[str, Trial] = {
    "query": _query,
    "reader": _reader,
    "browser": _browser,
    "spelling": _spelling,
    "routes": _routes,
    "private": _private,
    "post": _post,
    "compression": _compression,
    "websocket": _websocket,
    "hold": _hold,
}
