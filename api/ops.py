"""For the platform and the operator: is the process alive, and can it serve."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable

from flask import Blueprint, Response

from api.openapi import documented
from api.services import here, now_ms
from cdn import headers
from db.errors import Unavailable

logger = logging.getLogger(__name__)

blueprint = Blueprint("ops", __name__)


@blueprint.get("/healthz")
@documented("Is the process alive", tag="operations", errors=())
def healthz() -> Response:
    """Answers without touching anything else: a restart would not mend Redis."""
    return Response("ok\n", headers=headers.NO_STORE, content_type="text/plain")


@blueprint.get("/readyz")
@documented("Can it serve", tag="operations", errors=(503,))
def readyz() -> Response:
    """503 without Redis, for nothing can be served or taken; without SQL it is `degraded`, and scores go on."""
    redis, sql = _answers(here().live.ping), _answers(here().history.ping)
    state = {
        "redis": redis,
        "sql": sql,
        "status": "ready" if redis and sql else "degraded" if redis else "down",
        "ingest_waiting": here().live.backlog() if redis else None,
        "ingest_parked": here().live.parked() if redis else None,
        "history_parked": here().live.parked_history() if redis else None,
        "history_lag_ms": _history_lag() if redis else None,
    }
    return Response(json.dumps(state) + "\n", 200 if redis else 503, headers.NO_STORE, content_type="application/json")


def _answers(ping: Callable[[], None]) -> bool:
    try:
        ping()
    except Unavailable as error:
        logger.warning("not_ready reason=%r", error.message)
        return False
    return True


def _history_lag() -> int:
    since = here().live.history_waiting_since()
    return max(0, now_ms() - since) if since is not None else 0
