"""What this process counts of its connections, in metrics and for /readyz."""

from __future__ import annotations

from api.server.figures import Figures
from db.live import metrics


class ConnectionFigures:
    """newest: None on servers other than our gunicorn's, and in its first second."""

    def __init__(self) -> None:
        self.newest: Figures | None = None

    def report(self, figures: Figures) -> None:
        before, self.newest = self.newest or Figures(figures.places), figures
        metrics.CONNECTIONS.set(figures.taken, place="yes")
        metrics.CONNECTIONS.set(figures.extra, place="no")
        for way in ("hot", "handled"):
            if new := getattr(figures, way) - getattr(before, way):
                metrics.REQUESTS.add(new, way=way)
        if new := figures.placeless - before.placeless:
            metrics.CONNECTIONS_PLACELESS.add(new)
        if new := figures.slow - before.slow:
            metrics.CONNECTIONS_SLOW.add(new)
