"""A payload that an ingest endpoint refused, kept with its reason so that nothing a provider sent is lost."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from db.domain.errors import Refused


@dataclass(frozen=True, slots=True)
class RefusedPayload:
    """received_at, replayed_at: ms. reason: the faults, one a line."""

    id: str
    provider: str
    received_at: int
    code: str
    reason: str
    body: bytes
    replayed_at: int | None = None


def refused_payload(provider: str, body: bytes, refusal: Refused, received_at: int) -> RefusedPayload:
    """received_at: ms."""
    reason = "\n".join([refusal.message, *(f"{fault.field}: {fault.message}" for fault in refusal.faults)])
    return RefusedPayload(refused_id(provider, body), provider, received_at, refusal.code, reason, body)


def refused_id(provider: str, body: bytes) -> str:
    """From the content: a provider that retries what cannot succeed fills one row."""
    return hashlib.sha256(provider.encode() + b"\0" + body).hexdigest()[:20]
