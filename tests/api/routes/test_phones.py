"""The demo's phones, read from the emulators' control server; elsewhere they are not there at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from flask.testing import FlaskClient

from api import create_app
from api.routes.phones import ANSWER_MAX
from config import Settings
from dev.system import free_port

Control = Callable[[bytes], str]


@pytest.fixture
def control() -> Iterator[Control]:
    """control(body): the address of a control server that answers every GET of the phones with it."""
    servers = []

    def open_(body: bytes) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200 if self.path == "/phones" else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield open_
    for server in servers:
        server.shutdown()
        server.server_close()


def client(**settings: object) -> FlaskClient:
    return create_app(Settings().with_(**settings)).test_client()


@pytest.mark.parametrize("settings", [{}, {"control_url": "http://127.0.0.1:9", "demo": False}])
def test_without_the_demo_or_the_emulators_there_is_neither_route_nor_panel(settings: dict[str, object]) -> None:
    reader = client(**settings)
    assert reader.get("/api/demo/phones").status_code == 404
    assert "phones" not in reader.get("/").text


def test_what_the_control_server_says_is_passed_on_and_never_kept(control: Control) -> None:
    reader = client(control_url=control(b'{"phones": []}'))
    answer = reader.get("/api/demo/phones?token=secret", headers={"X-Forwarded-Host": "elsewhere"})
    assert (answer.status_code, answer.data) == (200, b'{"phones": []}')
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert 'data-source="/api/demo/phones"' in reader.get("/").text


def test_a_control_server_that_is_down_or_says_too_much_is_a_503(control: Control) -> None:
    for url in (f"http://127.0.0.1:{free_port()}", control(b" " * (ANSWER_MAX + 1))):
        answer = client(control_url=url).get("/api/demo/phones")
        assert (answer.status_code, answer.get_json()["error"]["code"]) == (503, "unavailable")
