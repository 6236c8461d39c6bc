"""Refused payloads on their way from Redis, where they are safe at once, to SQL, where they are kept."""

from __future__ import annotations

import logging

from db.bugs import set_aside_on_bug
from db.live.store import LiveStore
from db.refusal import RefusedPayload
from db.sql.history import History

logger = logging.getLogger(__name__)


def collect(live: LiveStore, history: History, limit: int) -> int:
    """Bring up to `limit` of them to SQL; returns how many were waiting. Raises Unavailable, and may be repeated.

    A payload that SQL will not have is dropped, with a line of what is known of it: it must not stop what follows.
    """
    waiting = live.refusals.entries(limit)
    payloads = [payload for _, payload in waiting if payload]
    if not _kept(history, payloads):
        for payload in payloads:
            _keep_or_drop(history, payload)
    for entry_id in (entry_id for entry_id, payload in waiting if payload is None):
        logger.error("refused_dropped entry=%s reason='what Redis holds of it cannot be read'", entry_id)
    live.refusals.ack([entry_id for entry_id, _ in waiting])
    return len(waiting)


def _kept(history: History, payloads: list[RefusedPayload]) -> bool:
    with set_aside_on_bug("refused_batch_failed payloads=%d", len(payloads)):
        history.refused_payloads.keep(payloads)
        return True
    return False


def _keep_or_drop(history: History, payload: RefusedPayload) -> None:
    fields = (payload.id, payload.provider, payload.code, len(payload.body), payload.reason[:200])
    with set_aside_on_bug("refused_dropped id=%s provider=%s code=%s bytes=%d reason=%r", *fields):
        history.refused_payloads.keep([payload])
