"""Heroku's Platform API as far as a formation goes, with its rules and limits.

Rules (devcenter.heroku.com, "Platform API Reference" and "Scaling Your Dyno Formation"; `cannot_run_above_limit` as
reported in github.com/flowhub/guv/issues/16): version 3 in `Accept`, a Bearer token, 4,500 calls an hour; of a Cedar
app 100 dynos in all, 10 of a type of a performance size, one of a basic one; of a Fir app 255. A call that breaks a
rule does nothing at all.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dev.http_server import LocalServer, QuietHandler

ACCEPT = "application/vnd.heroku+json; version=3"
CALLS_AN_HOUR = 4_500
DYNOS = {"cedar": 100, "fir": 255}
# Dynos of one type, by what its size begins with.
OF_A_TYPE = {"performance": 10, "private": 10, "shield": 10, "basic": 1, "eco": 1}


@dataclass
class Formation:
    """An app.

    processes: quantity by type.
    sizes: dyno size by type; standard-1x unless it is there.
    calls: those that were answered, method and document.
    broken: statuses that the next calls get instead of an answer.
    """

    name: str
    token: str
    processes: dict[str, int]
    sizes: dict[str, str] = field(default_factory=dict)
    generation: str = "cedar"
    calls_left: int = CALLS_AN_HOUR
    calls: list[tuple[str, Any]] = field(default_factory=list)
    broken: list[int] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, method: str, path: str, headers: Mapping[str, str], document: Any) -> tuple[int, Any]:
        with self.lock:
            fault = self._fault(path, headers)
            if fault:
                return fault
            self.calls_left -= 1
            self.calls.append((method, document))
            if self.broken:
                return self.broken.pop(0), {"id": "unavailable", "message": "Try again."}
            return (200, self._rows()) if method == "GET" else self._change(document)

    def _fault(self, path: str, headers: Mapping[str, str]) -> tuple[int, Any] | None:
        if headers.get("Accept") != ACCEPT:
            return 406, {"id": "not_acceptable", "message": "Name a version of this API in Accept."}
        if headers.get("Authorization") != f"Bearer {self.token}":
            return 401, {"id": "unauthorized", "message": "Invalid credentials provided."}
        if path != f"/apps/{self.name}/formation":
            return 404, {"id": "not_found", "message": "Couldn't find that app."}
        if self.calls_left <= 0:
            return 429, {"id": "rate_limit", "message": "Your account reached the API rate limit."}
        return None

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {"type": kind, "quantity": count, "size": self.sizes.get(kind, "standard-1x")}
            for kind, count in self.processes.items()
        ]

    def _change(self, document: Any) -> tuple[int, Any]:
        after = dict(self.processes)
        for update in document["updates"]:
            kind, count = update["type"], update["quantity"]
            if kind not in after:
                return 404, {"id": "not_found", "message": f"Couldn't find that process type ({kind})."}
            if not isinstance(count, int) or count < 0:
                return 422, {"id": "invalid_params", "message": "Quantity is invalid."}
            limit = OF_A_TYPE.get(self.sizes.get(kind, "standard-1x").partition("-")[0], DYNOS[self.generation])
            if count > limit:
                return 422, _above(limit, kind)
            after[kind] = count
        if sum(after.values()) > DYNOS[self.generation]:
            return 422, _above(DYNOS[self.generation], "app")
        self.processes = after
        return 200, self._rows()


def _above(limit: int, what: str) -> dict[str, Any]:
    message = f"Cannot run more than {limit} dynos of this {what}."
    return {"id": "cannot_run_above_limit", "message": message, "limit": limit}


class FormationHandler(QuietHandler):
    app: Formation

    def do_GET(self) -> None:
        self._answer(None)

    def do_PATCH(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0)))))

    def _answer(self, document: Any) -> None:
        status, body = self.app.answer(self.command, self.path, dict(self.headers), document)
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("RateLimit-Remaining", str(self.app.calls_left))
        self.send_header("Request-Id", str(time.time_ns()))
        self.end_headers()
        self.wfile.write(data)


class PlatformServer(LocalServer):
    """On a free port of this machine."""

    def __init__(self, app: Formation) -> None:
        super().__init__(FormationHandler, app=app)
