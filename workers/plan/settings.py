"""What the settings say of the deployment that is planned for."""

from __future__ import annotations

from config import Settings, counts, words
from workers.plan.sizing import Hosting
from workers.plan.warming import Warmer


def deployment(settings: Settings) -> Hosting:
    return Hosting(
        caches=0 if settings.cdn == "null" else settings.edge_caches,
        web_concurrency=settings.web_concurrency,
        connections=settings.worker_connections,
        worker_processes=settings.worker_processes,
        factor=settings.prewarm_factor,
        floor=counts(settings.scale_floor),
        ceiling=counts(settings.scale_ceiling),
    )


def warmer(settings: Settings) -> Warmer | None:
    """None without a public address."""
    return Warmer([settings.public_url, *words(settings.warm_urls)]) if settings.public_url else None
