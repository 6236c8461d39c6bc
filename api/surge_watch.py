"""Whether this process surges: asked of Redis once a second, so that no request has to ask."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from api.delivery.hub import Hub
from db.domain.errors import Unavailable
from db.live.surge import SurgeSwitch

logger = logging.getLogger(__name__)

# s. How long the switch takes to reach a process.
LOOK_S = 1.0


class SurgeWatch(threading.Thread):
    """hub: is told, and holds nobody then.
    now_ms: the time.
    until_ms: when the surge ends, as last read. It ends then, even if Redis is away.
    """

    def __init__(self, switch: SurgeSwitch, hub: Hub, now_ms: Callable[[], int]) -> None:
        super().__init__(name="surge", daemon=True)
        self.switch, self.hub, self.now_ms = switch, hub, now_ms
        self.until_ms = 0
        self.stopping = threading.Event()

    def run(self) -> None:
        while not self.stopping.wait(LOOK_S):
            self.look()

    def look(self) -> None:
        try:
            self.until_ms = self.switch.until_ms()
        except Unavailable as error:
            logger.debug("surge_unread reason=%r", error.message)
        surging = self.until_ms > self.now_ms()
        if surging != self.hub.surging:
            logger.warning("surge_on until=%d", self.until_ms) if surging else logger.warning("surge_off")
        self.hub.surging = surging
