"""A provider that answers with whatever bytes and headers a test wants, and keeps what it was asked."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from dev.http_server import LocalServer, QuietHandler


@dataclass(frozen=True, slots=True)
class OddAnswer:
    """parts: of the body, sent one by one, `pause_s` apart. length: what Content-Length says, None for the truth;
    "" for none, which the end of the connection then is."""

    status: int = 200
    parts: Iterable[bytes] = ()
    headers: dict[str, str] = field(default_factory=dict)
    length: str | None = None
    pause_s: float = 0.0


class _OddHandler(QuietHandler):
    provider: OddProvider

    def do_GET(self) -> None:
        asked = {name.lower(): value for name, value in self.headers.items()}
        self.provider.requests.append((self.path, asked))
        answer = self.provider.answer(self.path)
        parts = list(answer.parts)
        length = str(sum(map(len, parts))) if answer.length is None else answer.length
        headers = {"Content-Length": length, **answer.headers} if length else answer.headers
        self.send_response(answer.status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.close_connection = answer.length is not None
        self._send(parts, answer.pause_s)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.do_GET()

    def _send(self, parts: list[bytes], pause_s: float) -> None:
        try:
            for part in parts:
                self.wfile.write(part)
                self.wfile.flush()
                time.sleep(pause_s)
        except OSError:
            # The client has gone.
            self.close_connection = True


class OddProvider:
    """answer: to a path with its query. requests: path and headers, in lower case, of each."""

    def __init__(self, answer: Callable[[str], OddAnswer]) -> None:
        self.answer = answer
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.server = LocalServer(_OddHandler, provider=self)
        self.url = self.server.url

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.requests]

    def close(self) -> None:
        self.server.close()
