"""Finds a connection to a push service dead, or makes it, before a goal needs it."""

from __future__ import annotations

import logging

from db.live.metrics import PUSH_CHECKS
from db.sql.audience import Audience
from notify.transports.base import Checkable
from workers.push.transports import Transports

logger = logging.getLogger(__name__)

# Apple takes a request that is for no device as an error of the connection, so this is done seldom; a router forgets an
# idle connection after some minutes (AWS NLB: 350 s).
CHECK_MS = 5 * 60_000


class ConnectionCheck:
    """Of one worker process: each has connections of its own."""

    def __init__(self, audience: Audience, transports: Transports) -> None:
        self.audience = audience
        self.transports = transports
        self.checked_ms = -CHECK_MS

    def run(self, *, now_ms: int) -> None:
        """Nothing where the last check is less than CHECK_MS ago. Not while something is sent."""
        if now_ms - self.checked_ms < CHECK_MS:
            return
        self.checked_ms = now_ms
        for transport in (*map(self.transports.ios, self.audience.environments()), self.transports.android):
            if isinstance(transport, Checkable):
                is_well = transport.check()
                PUSH_CHECKS.add(service=transport.name, result="well" if is_well else "away")
                if not is_well:
                    logger.warning("push_service_away service=%s", transport.name)
