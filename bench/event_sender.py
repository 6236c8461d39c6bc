"""Sends events to the signed endpoint of a system, at a rate, over a connection of its own, until it is stopped."""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from typing import Any, Protocol

from dev import system
from dev.replay.ingest_client import signed
from dev.system import System

# Messages of a request.
TOGETHER_MAX = 50
# s. After a refusal.
AGAIN_S = 0.2


class MatchTelling(Protocol):
    """What there is to tell of matches; called for one match by one thread at a time.

    first: bodies of deliveries before all. next, rest: events; the last are those without which the end is wrong.
    """

    def first(self, match_id: str) -> list[dict[str, Any]]: ...

    def next(self, match_id: str) -> dict[str, Any]: ...

    def rest(self, match_id: str) -> list[dict[str, Any]]: ...


class EventSender(threading.Thread):
    """Tells of some of the matches, in turn, at `rate` events a second. refused: tries that were not accepted."""

    def __init__(self, running: System, telling: MatchTelling, match_ids: list[str], rate: float) -> None:
        super().__init__(daemon=True)
        self.telling, self.match_ids, self.rate = telling, match_ids, rate
        self.wire = HTTPConnection("127.0.0.1", running.port, timeout=30)
        self.stopping, self.sent, self.requests, self.refused = threading.Event(), 0, 0, 0

    def begin(self) -> None:
        for match_id in self.match_ids:
            for body in self.telling.first(match_id):
                self._deliver(body)

    def run(self) -> None:
        began = time.monotonic()
        while not self.stopping.wait(max(0.0, began + (self.sent + 1) / self.rate - time.monotonic())):
            # Where the machine does much else, what has become due goes in one request.
            due = min(TOGETHER_MAX, int((time.monotonic() - began) * self.rate) - self.sent)
            turn = range(self.sent, self.sent + due)
            self._deliver({"events": [self.telling.next(self.match_ids[n % len(self.match_ids)]) for n in turn]})
            self.sent, self.requests = self.sent + due, self.requests + 1
        rest = [event for match_id in self.match_ids for event in self.telling.rest(match_id)]
        if rest:
            self._deliver({"events": rest})

    def _deliver(self, body: dict[str, Any]) -> None:
        data, name = json.dumps(body).encode(), f"{self.match_ids[0]}-{time.time_ns()}"
        while not self._is_taken(data, signed(system.SECRET, name, data, datetime.now(UTC))):
            self.refused += 1
            time.sleep(AGAIN_S)

    def _is_taken(self, data: bytes, headers: dict[str, str]) -> bool:
        try:
            self.wire.request("POST", "/api/ingest/generic", data, headers | {"Content-Type": "application/json"})
            answer = self.wire.getresponse()
            answer.read()
        except (OSError, HTTPException):
            self.wire.close()
            return False
        return answer.status == 202
