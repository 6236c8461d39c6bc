"""Health, readiness and metrics, for the platform and the operator."""

from __future__ import annotations

import hmac
import json
import logging
from collections.abc import Callable
from typing import Any, TypeVar

import redis
from flask import Blueprint, Response, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from api.delivery.render import rfc3339
from api.services import here, now_ms
from api.web.openapi import documented
from cdn import headers
from db.domain.errors import Refused, Unavailable
from db.live import metrics
from db.live.feeds import FeedStates
from db.live.kickoffs import Kickoffs, WantedProcesses

logger = logging.getLogger(__name__)

T = TypeVar("T")

blueprint = Blueprint("ops", __name__)

# s. A subscription takes some milliseconds.
WARM_S = 1.0


@blueprint.get("/healthz")
@documented("Is the process alive", tag="operations", errors=())
def healthz() -> Response:
    """Depends on nothing else: restarting the process would not repair Redis."""
    return Response("ok\n", headers=headers.NO_STORE, content_type="text/plain")


@blueprint.get("/readyz")
@documented("Can it serve", tag="operations", errors=(503,))
def readyz() -> Response:
    """503 without Redis, and until this process hears of changes for the first time. Without SQL the status is
    `degraded`, and scores are still served.

    `listener` and its lag (ms from the last commit to its release), the readers who are `held` and the places for
    connections describe the process that answers. The answer is at most a second old: Redis and SQL are asked once a
    second, however often it is asked.
    """
    state = here().readiness.get(_readiness)
    return Response(
        json.dumps(state) + "\n",
        503 if state["status"] in ("down", "starting") else 200,
        headers.NO_STORE,
        content_type="application/json",
    )


def _status(*, redis: bool, warm: bool, whole: bool) -> str:
    if not redis:
        return "down"
    if not warm:
        return "starting"
    return "ready" if whole else "degraded"


def _readiness() -> dict[str, Any]:
    here().listener.heed()
    figures = here().connections.newest
    shards_away, sql = _shards_away(), _responds(here().history.ping)
    redis = shards_away is not None
    # A crowd that is sent here before would wait for the first reading. Once warm, a process that loses its
    # subscription stays: all would lose it together.
    warm = redis and here().listener.warm.wait(WARM_S)
    return {
        "redis": redis,
        "sql": sql,
        "history_months_ahead": _unless_away(_months_ahead) if sql else None,
        "status": _status(redis=redis, warm=warm, whole=sql and not shards_away),
        "live_shards_away": shards_away,
        "ingest_waiting": here().live.inbox.backlog() if redis else None,
        "ingest_parked": here().live.inbox.parked() if redis else None,
        "history_parked": here().live.outbox.parked() if redis else None,
        "history_lag_ms": _history_lag() if redis else None,
        "match_partial": here().partials.count() if redis else None,
        "live_undecodable": _unless_away(here().live.matches.undecodable) if redis else None,
        "memory_filled": _unless_away(here().live.room.filled) if redis else None,
        "feeds": _unless_away(_feed_states) if redis else None,
        "listener": here().listener.up,
        "listener_lag_ms": here().listener.lag_ms,
        "wanted_processes": Kickoffs(here().redis).wanted() if redis else None,
        "pictures_waiting": here().pictures.waiting() if redis else None,
        "surge_until": rfc3339(here().surge_watch.until_ms) if here().hub.surging else None,
        "held": here().hub.here,
        "held_limit": here().hub.limit,
        "places_taken": figures.taken if figures else None,
        "places": figures.places if figures else None,
    }


@blueprint.get("/metrics")
@documented("Figures for Prometheus", tag="operations", errors=(401, 503))
def metrics_page() -> Response:
    """Metrics of all processes of the deployment. Needs METRICS_TOKEN as a Bearer token; without one they
    are closed, but for METRICS_OPEN."""
    _may_see_metrics()
    registry = CollectorRegistry(auto_describe=False)
    registry.register(metrics.Collector(here().redis, _measured))
    registry.register(WantedProcesses(Kickoffs(here().redis)))
    try:
        text = generate_latest(registry)
    except redis.RedisError as error:
        raise Unavailable(f"the metrics cannot be read: {type(error).__name__}") from error
    return Response(text, headers=headers.NO_STORE, content_type=CONTENT_TYPE_LATEST)


def _may_see_metrics() -> None:
    settings = here().settings
    if settings.metrics_open and not settings.metrics_token:
        return
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not settings.metrics_token or not hmac.compare_digest(given.encode(), settings.metrics_token.encode()):
        raise Refused("The Bearer token is missing or wrong (METRICS_TOKEN).", "unauthorized")


def _measured() -> dict[str, tuple[str, float]]:
    live = here().live
    return _months_measured() | {
        "live_shards_away": ("Shards whose master does not answer", live.ping()),
        "ingest_waiting": ("Updates accepted and not yet applied", live.inbox.backlog()),
        "ingest_parked": ("Matches set aside after a bug", live.inbox.parked()),
        "match_partial": ("Matches not yet compared with what SQL knows of them", here().partials.count()),
        "live_undecodable": ("Matches that this release cannot read", _unless_away(live.matches.undecodable) or 0),
        "documents_waiting": (
            "Matches whose line-ups or statistics are not in SQL yet",
            _unless_away(live.documents.waiting) or 0,
        ),
        "live_memory_filled": (
            "Memory of Redis in use, as a share of its maxmemory; 0 without one",
            _unless_away(_memory_filled) or 0.0,
        ),
        "surge": ("1 while readers are asked to come less often", float(here().surge_switch.until_ms() > now_ms())),
        "purge_waiting": ("Cache keys that wait to be purged", here().purges.waiting()),
        "pictures_waiting": ("Matches whose pictures are to be drawn", here().pictures.waiting()),
        "outlet_lag_seconds": (
            "Age of the longest waiting version for Kafka",
            _age(live.outlet.waiting_since()) / 1000,
        ),
        "push_lag_seconds": ("Age of the longest waiting news", _push_lag() / 1000),
        "push_parked": ("Matches whose news was set aside after a bug", here().alerts.parked()),
        "push_chunks_waiting": ("Chunks of devices that wait to be sent", here().chunks.sending()[0]),
        "history_lag_seconds": ("Age of the longest waiting outbox", _history_lag() / 1000),
    }


def _unless_away(ask: Callable[[], T]) -> T | None:
    """What is in one shard only, which may be out of reach while others are not."""
    try:
        return ask()
    except Unavailable:
        return None


def _shards_away() -> int | None:
    """Shards of which no master answers; None if no shard can be asked."""
    try:
        return here().live.ping()
    except Unavailable as error:
        logger.warning("not_ready reason=%r", error.message)
        return None


def _responds(ping: Callable[[], None]) -> bool:
    try:
        ping()
    except Unavailable as error:
        logger.warning("not_ready reason=%r", error.message)
        return False
    return True


def _memory_filled() -> float:
    return here().live.room.filled() or 0.0


def _feed_states() -> dict[str, str]:
    """`ok`, `silent` or `down`, by feed."""
    return {health.name: health.state(now_ms()) for health in FeedStates(here().live.sharded).all()}


def _age(since: int | None) -> int:
    """ms."""
    return max(0, now_ms() - since) if since is not None else 0


def _push_lag() -> int:
    return _age(here().alerts.waiting_since())


def _months_measured() -> dict[str, tuple[str, float]]:
    months = _unless_away(_months_ahead)
    if months is None:
        return {}
    return {"history_months_ahead": ("Months beyond this one that history can be written to", months)}


def _months_ahead() -> int | None:
    return here().history.months.ahead(now_ms=now_ms())


def _history_lag() -> int:
    return _age(here().live.outbox.waiting_since())
