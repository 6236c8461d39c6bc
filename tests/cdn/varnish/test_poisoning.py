"""Requests that try to poison the cache of a real Varnish."""

from __future__ import annotations

import pytest

from tests.cdn.varnish.paths import SCORE, new_path
from tests.support.edge import Asked, Origin, Reply, Varnish, score

# What an attacker may send with a request for a score, in the hope that the answer shows it and is kept.
POISON = {
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-For": "66.6.6.6",
    "X-Forwarded-Proto": "gopher",
    "X-Forwarded-Port": "666",
    "X-Forwarded-Prefix": "/evil",
    "Forwarded": "host=evil.example",
    "X-Original-URL": "/api/score/other",
    "X-Rewrite-URL": "/api/score/other",
    "X-HTTP-Method-Override": "DELETE",
    "X-HTTP-Method": "DELETE",
    "X-Method-Override": "DELETE",
    "Cookie": "session=evil",
    "Authorization": "Bearer evil",
    "Origin": "https://evil.example",
    "Accept": "text/evil",
    "Accept-Language": "ev",
    "Range": "bytes=0-1",
    "If-Range": '"evil"',
    "Cache-Control": "no-cache",
    "Pragma": "no-cache",
    "User-Agent": "evil",
    "Referer": "https://evil.example",
    "Last-Event-ID": "666",
    "X-Purge-Secret": "guess",
    "X-Route": "passed-evil",
    "X-Path": "/evil",
    "X-Query": "&evil",
    "X-Allow": "evil",
    "X-Body": "evil",
    "X-Stale-Ok": "evil",
    "X-Purged": "evil",
}


def echo(request: Asked) -> Reply:
    """An origin with the worst of habits: it shows everything it is told."""
    text = "\n".join(
        [request.method, request.path, *(f"{name}: {value}" for name, value in sorted(request.headers.items()))]
    )
    return Reply(text.encode() + request.body, {"Cache-Control": "public, s-maxage=60", "Surrogate-Key": "any"})


class TestPoisoning:
    @pytest.mark.parametrize("name", POISON)
    def test_a_header_that_is_no_part_of_the_key_does_not_reach_the_origin(
        self, edge: Varnish, origin: Origin, name: str
    ) -> None:
        path = new_path("poison")
        origin.replies[path] = echo
        poisoned = edge.get(path, headers={name: POISON[name]})
        clean = edge.get(path)
        assert poisoned.status_code == clean.status_code == 200
        assert POISON[name] not in clean.text.replace(path, "")
        assert origin.count(path) == 1

    def test_the_host_is_neither_told_nor_a_key(self, edge: Varnish, origin: Origin) -> None:
        path = new_path("poison")
        origin.replies[path] = echo
        edge.get(path, headers={"Host": "evil.example"})
        assert "evil" not in edge.get(path, headers={"Host": "good.example"}).text
        assert origin.count(path) == 1

    def test_a_query_does_not_make_a_second_copy(self, edge: Varnish, origin: Origin) -> None:
        origin.replies[SCORE] = score(1)
        for query in ("", "?a=1", "?cb=2&x[]=3", "?", "??", "?utm_source=x"):
            edge.get(SCORE + query)
        # No library sends a fragment; a script may.
        assert b" 200 " in edge.raw(f"GET {SCORE}#2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())[:20]
        assert origin.count(SCORE) == 1
        assert len(origin.asked) == 1

    def test_a_lists_parameters_are_known_ones_in_one_order(self, edge: Varnish, origin: Origin) -> None:
        key = "competition-c"
        origin.replies["/api/matches?date=2026-11-25&team=t"] = score(1, key=key)
        for query in (
            "date=2026-11-25&team=t",
            "team=t&date=2026-11-25",
            "x=1&team=t&utm=2&date=2026-11-25&",
            "&&team=t&date=2026-11-25",
        ):
            assert edge.get(f"/api/matches?{query}").status_code == 200, query
        origin.replies["/api/live"] = score(1, key=key)
        origin.replies["/api/live?competition=c"] = score(1, key=key)
        for query in ("", "?", "?x=1", "?competition=c", "?a=b&competition=c"):
            assert edge.get(f"/api/live{query}").status_code == 200, query
        origin.replies["/api/search?q=a%26b"] = score(1, key=key)
        assert edge.get("/api/search?callback=x&q=a%26b").status_code == 200
        assert len(origin.asked) == 4

    def test_a_get_with_a_body_is_refused(self, edge: Varnish, origin: Origin) -> None:
        path = new_path("poison")
        origin.replies[path] = echo
        assert edge.get(path, data=b"evil").status_code == 400
        chunked = "Host: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n1\r\nx\r\n0\r\n\r\n"
        assert b" 400 " in edge.raw(f"GET {path} HTTP/1.1\r\n{chunked}".encode())[:20]
        assert origin.count(path) == 0

    @pytest.mark.parametrize(
        "request_",
        [
            b"GET " + SCORE.encode() + b" HTTP/1.1\r\nHost: x\r\nX-Big: " + b"a" * 9_000 + b"\r\n\r\n",
            b"GET /api/score/" + b"m" * 9_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET " + SCORE.encode() + b" HTTP/1.1\r\nConnection: close\r\n\r\n",
            b"GET " + SCORE.encode() + b" HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
            b"GET "
            + SCORE.encode()
            + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"GET " + SCORE.encode() + b"\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        ],
        ids=["huge header", "huge path", "no host", "two hosts", "two lengths", "nul"],
    )
    def test_a_malformed_request_is_refused_and_nothing_of_it_kept(
        self, edge: Varnish, origin: Origin, request_: bytes
    ) -> None:
        answer = edge.raw(request_)
        assert b" 4" in answer[:13] or answer == b""
        assert origin.asked == []
        origin.replies[SCORE] = score(1)
        assert edge.version() == 1

    def test_a_method_that_is_overridden_or_unknown_stores_nothing(self, edge: Varnish, origin: Origin) -> None:
        path = new_path("poison")
        origin.replies[path] = echo
        assert edge.get(path, method="BREW").status_code == 405
        edge.get(path, method="POST", data=b"evil")
        clean = edge.get(path)
        assert clean.text.startswith("GET")
        assert "evil" not in clean.text

    def test_a_cookie_set_by_the_origin_is_not_handed_to_others(self, edge: Varnish, origin: Origin) -> None:
        reply = score(1)
        reply.headers["Set-Cookie"] = "session=1"
        origin.replies[SCORE] = reply
        assert [("Set-Cookie" in edge.get(SCORE).headers) for _ in range(2)] == [False, False]
        assert origin.count(SCORE) == 1
