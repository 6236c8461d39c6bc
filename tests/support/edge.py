"""A real Varnish with our VCL in a test's hands, and an origin that says what the test wants and holds when told to."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests

from cdn.varnish.daemon import Edge
from dev.system import free_port

SECRET = "the purge secret of the tests"
# Of varnishd. Its own C compiler's options optimise the VCL, which takes most of the time of a start.
QUICK = {"thread_pool_min": "50", "cc_command": "exec gcc -fpic -shared -Wl,-x -o %o %s"}
JSON = {"Content-Type": "application/json"}


@dataclass
class Reply:
    """What the origin says. held: the answer waits until this is set; sent: body in parts, each when its event is."""

    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 200
    held: threading.Event | None = None
    parts: list[tuple[bytes, threading.Event]] = field(default_factory=list)


@dataclass
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


MISSING = Reply(b'{"error":{}}', {"Cache-Control": "no-store"}, 404)


class Origin:
    """Replies by path; a path may have a function of the request instead. All others get `otherwise`.

    asked: all requests but probes.
    """

    def __init__(self) -> None:
        self.replies: dict[str, Reply | Callable[[Asked], Reply]] = {}
        self.asked: list[Asked] = []
        self.port = free_port()
        self.server: ThreadingHTTPServer | None = None
        self.well = True
        self.otherwise: Reply | Callable[[Asked], Reply] = MISSING

    def start(self) -> None:
        self.server = _Server(("127.0.0.1", self.port), _handler(self))
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        """As a process that is killed: nobody listens, and open connections are cut."""
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server.cut()
            self.server = None

    def count(self, path: str) -> int:
        return sum(request.path == path for request in self.asked)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, *args: Any) -> None:
        self.open: set[socket.socket] = set()
        super().__init__(*args)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.open.discard(request)
        super().shutdown_request(request)

    def cut(self) -> None:
        for connection in list(self.open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that was cut is no news."""


def _handler(origin: Origin) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # An answer is two writes; the second would wait until the first is acknowledged, 40 ms on an open connection.
        disable_nagle_algorithm = True

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.path == "/healthz":
                self.say(Reply(b"ok", status=200 if origin.well else 503))
                return
            request = Asked(self.command, self.path, dict(self.headers.items()), body)
            origin.asked.append(request)
            reply = origin.replies.get(self.path, origin.otherwise)
            self.say(reply(request) if callable(reply) else reply)

        def say(self, reply: Reply) -> None:
            if reply.held:
                reply.held.wait(30)
            self.send_response(reply.status)
            for name, value in (JSON | reply.headers).items():
                self.send_header(name, value)
            if reply.parts:
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                for part, when in reply.parts:
                    when.wait(30)
                    self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
                self.wfile.write(b"0\r\n\r\n")
                return
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.body)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer

        def log_message(self, *args: Any) -> None:
            """Quiet."""

    return Handler


def score(version: int, *, ttl: int = 2, swr: int = 1, key: str = "match-m1") -> Reply:
    """As the API answers `/api/score/m1` in Varnish's dialect."""
    return Reply(
        json.dumps({"version": version}).encode(),
        {
            "Cache-Control": "public, max-age=1",
            "Surrogate-Control": f"max-age={ttl}, stale-while-revalidate={swr}, stale-if-error=60",
            "Surrogate-Key": key,
            "ETag": f'W/"m1-{version}"',
        },
    )


@dataclass
class Varnish:
    edge: Edge

    @property
    def url(self) -> str:
        return f"http://{self.edge.listen}"

    @property
    def admin(self) -> str:
        return f"http://{self.edge.admin}"

    def get(self, path: str, method: str = "GET", **options: Any) -> requests.Response:
        headers = {"Connection": "close"} | options.pop("headers", {})
        return requests.request(method, self.url + path, headers=headers, **({"timeout": 35} | options))

    def version(self, path: str = "/api/score/m1") -> int:
        return int(self.get(path).json()["version"])

    def purge(self, keys: str, *, secret: str = SECRET, url: str = "") -> requests.Response:
        headers = {"Surrogate-Key": keys, "X-Purge-Secret": secret, "Connection": "close"}
        return requests.request("PURGEKEYS", url or self.admin, headers=headers, timeout=5)

    def forget(self) -> None:
        """Every object goes. A purge leaves them for as long as they may be served stale."""
        command = ["varnishadm", "-n", str(self.edge.folder / "work"), "ban", "obj.status", "!=", "0"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    def counters(self) -> dict[str, int]:
        """varnishstat's. A thread adds its figures to the sum when its request is over."""
        command = ["varnishstat", "-n", str(self.edge.folder / "work"), "-1", "-j"]
        document = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
        return {name: int(counter["value"]) for name, counter in document["counters"].items()}

    def connect(self, request: bytes = b"") -> socket.socket:
        """A connection on which so much was sent."""
        host, port = self.edge.listen.split(":")
        connection = socket.create_connection((host, int(port)), timeout=10)
        connection.sendall(request)
        return connection

    def raw(self, request: bytes, timeout_s: float = 10) -> bytes:
        """A request as bytes, for what no client would send; returns all until the edge closes."""
        host, port = self.edge.listen.split(":")
        with socket.create_connection((host, int(port)), timeout=timeout_s) as wire:
            wire.sendall(request)
            data = b""
            with suppress(ConnectionResetError):
                while part := wire.recv(65_536):
                    data += part
            return data


@contextmanager
def varnish(folder: Path, origin: int | str, *, threads: int = 500, **settings: Any) -> Iterator[Varnish]:
    """origin: the port of one on this machine, or as Edge takes them. settings: of Edge."""
    origins = f"127.0.0.1:{origin}" if isinstance(origin, int) else origin
    listen, admin = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    edge = Edge(folder, origins, listen, admin, threads=threads, **({"storage": "32m"} | settings))
    with edge.running(SECRET, **QUICK):
        yield Varnish(edge)


def send_as_written(url: str, target: str, method: str = "GET", **options: Any) -> requests.Response:
    """A path in a spelling that the library would mend. url: of the edge, without a path."""
    request = requests.Request(method, url, **options).prepare()
    request.url = url + target
    with requests.Session() as session:
        return session.send(request, timeout=35)


def at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    """The calls side by side, each in a thread, and what they returned."""
    results: list[Any] = [None] * len(calls)

    def run(index: int) -> None:
        results[index] = calls[index]()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def seconds(call: Callable[[], Any]) -> float:
    started = time.monotonic()
    call()
    return time.monotonic() - started
