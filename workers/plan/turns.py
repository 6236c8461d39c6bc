"""The plan's thread in the clock: a turn each minute, whichever clock takes it."""

from __future__ import annotations

import logging
import threading
import time

from db.bugs import set_aside_on_bug
from db.domain.errors import Unavailable
from db.live.kickoffs import Kickoffs
from workers.boot import WorkerServices
from workers.plan.booking import MINUTE_MS
from workers.plan.figures import BenchFigures
from workers.plan.readiness import Readiness
from workers.plan.scalers import registry
from workers.plan.settings import deployment, warmer

logger = logging.getLogger(__name__)

LOOK_S = 5.0
# s. A turn that was killed is made up for by that of the next minute.
LEASE_S = 120


class KickoffTurns(threading.Thread):
    def __init__(self, readiness: Readiness, kickoffs: Kickoffs, stopping: threading.Event) -> None:
        super().__init__(name="kickoff", daemon=True)
        self.readiness, self.kickoffs, self.stopping = readiness, kickoffs, stopping

    def run(self) -> None:
        while not self.stopping.wait(LOOK_S):
            self.take(time.time_ns() // 1_000_000)

    def take(self, now_ms: int) -> None:
        """The turn of this minute, unless it is taken."""
        try:
            with set_aside_on_bug("kickoff_failed"):
                if self.kickoffs.lease(f"turn-{now_ms // MINUTE_MS}", LEASE_S):
                    self.readiness.turn(now_ms)
        except Unavailable as error:
            logger.warning("kickoff_waits reason=%r", error.message)


def readiness(services: WorkerServices) -> Readiness:
    """Raises Refused where two scalers are set."""
    settings = services.settings
    return Readiness(
        services.live,
        services.history,
        services.audience,
        services.kickoffs,
        deployment(settings),
        registry.chosen(settings),
        warmer(settings),
        BenchFigures.load(),
    )


def begin(services: WorkerServices, stopping: threading.Event) -> None:
    KickoffTurns(readiness(services), services.kickoffs, stopping).start()
