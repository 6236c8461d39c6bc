"""One host of a push service: its connection, its circuit breaker, and what waits for room on it."""

from __future__ import annotations

import logging
import time
from collections import deque

from notify.transports.breaker import Breaker
from notify.transports.curl import CurlConnection
from notify.transports.exchange import Reply, Request
from notify.transports.outcome import ConfigFault, Dropped, Later, Outcome

logger = logging.getLogger(__name__)

# A wrong key stays wrong until a person has acted; one request a minute notices when they have.
CONFIG_PAUSE_S = 60.0


class Host:
    """What is wrong with one host says nothing of another: each has its own limit, breaker and config faults."""

    def __init__(self, name: str, connection: CurlConnection) -> None:
        self.name = name
        self.connection = connection
        self.breaker = Breaker()
        self.backlog: deque[Request] = deque()
        # By scope: the fault, and when it was reported or last tried.
        self.faults: dict[str, tuple[ConfigFault, float]] = {}

    @property
    def busy(self) -> bool:
        return bool(self.backlog) or self.connection.busy

    def has_room(self, now: float) -> bool:
        """A host that may be back is tried with one request; the others wait for its answer."""
        if not self.breaker.closed and not self.breaker.is_open(now) and self.connection.busy:
            return False
        return self.connection.room > 0

    def refusal(self, request: Request, now: float) -> Outcome | None:
        """What a request is answered with unsent: it expired, the host is away, or its scope is not set up, except for
        one request each CONFIG_PAUSE_S."""
        if request.expires_at <= time.time():
            return Dropped("expired")
        if self.breaker.is_open(now):
            return Later("breaker_open", self.breaker.wait_s(now), request.possibly_sent)
        if request.scope not in self.faults:
            return None
        fault, tried_at = self.faults[request.scope]
        if now - tried_at < CONFIG_PAUSE_S:
            return fault
        self.faults[request.scope] = (fault, now)
        return None

    def failed(self, reason: str) -> None:
        """The host, not this request, is in trouble."""
        now = time.monotonic()
        if self.breaker.failed(now):
            logger.warning(
                "push_breaker_open host=%s reason=%s pause_s=%.0f", self.name, reason, self.breaker.wait_s(now)
            )

    def answered(self, request: Request, reply: Reply, outcome: Outcome) -> None:
        """A final answer came. One that was on its way when its scope was found misconfigured proves nothing."""
        if reply.status < 300:
            self.connection.widen()
            if self.breaker.failing_since is None and self.breaker.closed and not self.faults:
                return
        now = time.monotonic()
        self.breaker.succeeded(now)
        scope = request.scope
        if scope in self.faults and request.started_at < self.faults[scope][1]:
            return
        if not isinstance(outcome, ConfigFault):
            self.faults.pop(scope, None)
            return
        logger.error(
            "push_misconfigured host=%s scope=%s reason=%s pause_s=%.0f",
            self.name,
            scope,
            outcome.reason,
            CONFIG_PAUSE_S,
        )
        self.faults[scope] = (outcome, now)
