"""An HTTP server on a free port of this machine, a thread a connection, with one provider behind it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from dev.http_server import LocalServer, QuietHandler
from dev.providers.faults import ProviderFaults


@dataclass(frozen=True, slots=True)
class ProviderRequest:
    """path: without its query; `http://host/a/b` has `a`, `b`."""

    path: tuple[str, ...]
    query: dict[str, str]
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class ProviderAnswer:
    """body: JSON; of a stream, its chunks instead: it ends when they do, cut off in the middle where one is empty."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    chunks: Iterator[bytes] | None = None


class Provider(Protocol):
    faults: ProviderFaults

    def answer(self, request: ProviderRequest) -> ProviderAnswer: ...


class ProviderHandler(QuietHandler):
    provider: Provider

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer()

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = ProviderRequest(tuple(parts.path.strip("/").split("/")), dict(parse_qsl(parts.query)), headers)
        answer = ProviderAnswer(503) if self.provider.faults.is_down else self.provider.answer(request)
        if answer.chunks is not None:
            self._stream(answer)
        else:
            self._send(answer, headers)

    def _send(self, answer: ProviderAnswer, asked: dict[str, str]) -> None:
        body = b"" if answer.body is None else json.dumps(answer.body).encode()
        headers = dict(answer.headers)
        if "ETag" in headers and asked.get("if-none-match") == headers["ETag"]:
            answer, body = ProviderAnswer(304), b""
        self.send_response(answer.status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, answer: ProviderAnswer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.close_connection = True
        try:
            for chunk in answer.chunks or ():
                if not chunk:
                    # Cut: not even the chunk that ends the body.
                    return
                self.wfile.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
                self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            # The client has gone.
            return


class ProviderServer(LocalServer):
    """port: 0 takes a free one."""

    def __init__(self, provider: Provider, port: int = 0) -> None:
        super().__init__(ProviderHandler, port, provider=provider)


def etag_of(document: Any) -> dict[str, str]:
    """The header of an answer with this content."""
    return {"ETag": '"' + hashlib.sha1(json.dumps(document, sort_keys=True).encode()).hexdigest() + '"'}
