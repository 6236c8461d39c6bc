"""What passes through a real Varnish and is never stored."""

from __future__ import annotations

import threading

import pytest
import requests

from tests.support.edge import Origin, Reply, Varnish

HANDSHAKE = (
    b"GET /api/ws HTTP/1.1\r\nHost: scores\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


class TestPassing:
    def test_a_delivery_goes_through_whole_and_is_never_kept(self, edge: Varnish, origin: Origin) -> None:
        origin.replies["/api/ingest/generic"] = Reply(b'{"accepted":1}', {"Cache-Control": "public, max-age=60"}, 202)
        for n in range(2):
            headers = {"webhook-signature": f"v1,{n}", "X-Ingest-Secret": "s"}
            answer = edge.get("/api/ingest/generic", method="POST", data=b"body %d" % n, headers=headers)
            assert answer.status_code == 202
        deliveries = [request for request in origin.asked if request.method == "POST"]
        assert [request.body for request in deliveries] == [b"body 0", b"body 1"]
        sent = {name.lower(): value for name, value in deliveries[1].headers.items()}
        assert (sent["webhook-signature"], sent["x-ingest-secret"]) == ("v1,1", "s")

    @pytest.mark.parametrize("path", ["/api/me", "/metrics", "/readyz?x=1"])
    def test_what_belongs_to_one_reader_is_never_kept(self, edge: Varnish, origin: Origin, path: str) -> None:
        origin.replies[path] = lambda request: Reply(
            request.headers.get("Authorization", "nobody").encode(), {"Cache-Control": "public, max-age=60"}
        )
        assert edge.get(path, headers={"Authorization": "Bearer a"}).text == "Bearer a"
        assert edge.get(path, headers={"Authorization": "Bearer b"}).text == "Bearer b"

    def test_a_stream_is_heard_as_it_is_told(self, edge: Varnish, origin: Origin) -> None:
        first, second = threading.Event(), threading.Event()
        parts = [(b"id: 1\ndata: {}\n\n", first), (b"id: 2\ndata: {}\n\n", second)]
        origin.replies["/api/score/m1/stream"] = Reply(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}, parts=parts
        )
        first.set()
        headers = {"Last-Event-ID": "0"}
        with requests.get(edge.url + "/api/score/m1/stream", stream=True, timeout=10, headers=headers) as answer:
            lines = answer.iter_lines()
            assert next(lines) == b"id: 1"
            second.set()
            assert b"id: 2" in lines
        assert origin.asked[-1].headers["Last-Event-ID"] == "0"

    def test_what_is_passed_keeps_its_spelling(self, edge: Varnish, origin: Origin) -> None:
        path = "/api/me/devices/apns/a%2Fb%3A?x=%41"
        origin.replies[path] = Reply(b"{}")
        request = f"PUT {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}"
        assert b" 200 " in edge.raw(request.encode())[:20]
        assert (origin.asked[-1].path, origin.asked[-1].body) == (path, b"{}")

    def test_a_websocket_is_a_pipe(self, edge: Varnish, origin: Origin) -> None:
        origin.replies["/api/ws"] = lambda request: Reply(
            f"{request.headers.get('Upgrade')} {request.headers.get('Host')}".encode(), {"Connection": "close"}
        )
        assert edge.raw(HANDSHAKE).endswith(b"websocket 127.0.0.1")
        assert "X-Route" not in origin.asked[-1].headers

    @pytest.mark.parametrize(
        "change",
        [
            (b"Upgrade: websocket\r\n", b""),
            (b"Upgrade: websocket", b"Upgrade: h2c"),
            (b"Connection: Upgrade", b"Connection: keep-alive"),
            (b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n", b""),
            (b"Version: 13", b"Version: 8"),
            (b"HTTP/1.1", b"HTTP/1.0"),
            (b"GET ", b"HEAD "),
            (b"Host: scores", b"Host: scores\r\nContent-Length: 1"),
        ],
        ids=["no upgrade", "other upgrade", "no connection", "no key", "old version", "HTTP/1.0", "HEAD", "body"],
    )
    def test_only_a_handshake_is_piped(self, edge: Varnish, origin: Origin, change: tuple[bytes, bytes]) -> None:
        request = HANDSHAKE.replace(*change)
        assert request != HANDSHAKE
        with edge.connect(request) as wire:
            assert b" 426 " in wire.recv(65_536)
        assert origin.asked == []
