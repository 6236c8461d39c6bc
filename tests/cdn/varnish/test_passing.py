"""What passes through a real Varnish and is never stored."""

from __future__ import annotations

import threading

import pytest
import requests

from tests.support.edge import Origin, Reply, Varnish


class TestPassing:
    def test_a_delivery_goes_through_whole_and_is_never_kept(self, edge: Varnish, origin: Origin) -> None:
        origin.replies["/api/ingest/generic"] = Reply(b'{"accepted":1}', {"Cache-Control": "public, max-age=60"}, 202)
        for n in range(2):
            headers = {"webhook-signature": f"v1,{n}", "X-Ingest-Secret": "s"}
            answer = edge.get("/api/ingest/generic", method="POST", data=b"body %d" % n, headers=headers)
            assert answer.status_code == 202
        deliveries = [one for one in origin.asked if one.method == "POST"]
        assert [one.body for one in deliveries] == [b"body 0", b"body 1"]
        said = {name.lower(): value for name, value in deliveries[1].headers.items()}
        assert (said["webhook-signature"], said["x-ingest-secret"]) == ("v1,1", "s")

    @pytest.mark.parametrize("path", ["/api/me", "/api/users", "/metrics", "/readyz", "/api/anything-new?x=1"])
    def test_what_belongs_to_one_reader_is_never_kept(self, edge: Varnish, origin: Origin, path: str) -> None:
        origin.replies[path] = lambda asked: Reply(
            asked.headers.get("Authorization", "nobody").encode(), {"Cache-Control": "public, max-age=60"}
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

    def test_a_websocket_is_a_pipe(self, edge: Varnish, origin: Origin) -> None:
        asked = b"GET /api/ws HTTP/1.1\r\nHost: scores\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
        origin.replies["/api/ws"] = lambda asked: Reply(
            f"{asked.headers.get('Upgrade')} {asked.headers.get('Connection')} {asked.headers.get('Host')}".encode(),
            {"Connection": "close"},
        )
        assert edge.raw(asked).endswith(b"websocket Upgrade scores")
