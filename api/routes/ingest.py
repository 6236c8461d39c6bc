"""The ingest endpoint: checks a provider's delivery, stores it in Redis and answers 202. Workers apply it later."""

from __future__ import annotations

import base64
import hmac
import json
import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, request
from standardwebhooks import Webhook, WebhookVerificationError
from standardwebhooks.webhooks import hmac_data

from api.services import here, now_ms
from api.web import schemas
from api.web.openapi import documented
from cdn import headers
from db.domain import Update
from db.domain.errors import Refused, Unavailable
from db.refusal import refused_payload
from feeds import FEEDS
from feeds.generic.parse import FAULTS_MAX
from feeds.generic.schema import DeliveryIn
from feeds.result import ParseResult, RefusedEntry

logger = logging.getLogger(__name__)

blueprint = Blueprint("ingest", __name__)

# A generic delivery of 256 KB is over a thousand events; the recorded provider formats send whole matches.
GENERIC_MAX = 256 * 1024
RECORDED_MAX = 4 * 1024 * 1024
DELIVERY_ID_MAX = 200


@blueprint.post("/api/ingest/<provider>")
@documented(
    "Deliver score events",
    schemas.Accepted,
    tag="ingest",
    status=202,
    body=DeliveryIn,
    errors=(400, 401, 404, 413, 422, 429, 503),
    headers=("webhook-id", "webhook-timestamp", "webhook-signature", "X-Ingest-Secret"),
)
def ingest(provider: str) -> Response:
    """`generic` takes Standard Webhooks: `webhook-signature` is `v1,` + the base64 HMAC-SHA256 of `id.timestamp.body`.

    `sportradar` and `statsperform` take the providers' own documents, with the shared secret in `X-Ingest-Secret`.
    202 means stored in Redis. The same `webhook-id` again is answered 202 and changes nothing. In a `generic` body a
    wrong entry refuses the entries of its match and no others: `refused` lists them. 422 means that all were refused.
    """
    secrets = here().settings.ingest_secrets(provider) if provider in FEEDS else ()
    if not secrets:
        raise Refused(f"Unknown provider {provider[:32]!r}.", "unknown_route")
    # Check a shared secret before reading the body.
    shared = None if provider == "generic" else _shared(secrets)
    body = _body(provider)
    delivery = _signed(secrets, body) if shared is None else shared
    # What is refused is kept, too.
    here().live.room.check()
    parsed = _parsed(provider, body)
    _not_too_busy()
    # Keep the refused entries first: once the rest is accepted, the delivery counts as seen and is never sent again.
    if parsed.refusal:
        _keep(provider, parsed.rest, parsed.refusal, now_ms())
    accepted = accept(parsed.updates, f"{provider}:{delivery}" if delivery else "")
    answer = _answer(parsed, accepted)
    return Response(json.dumps(answer), 202, headers.NO_STORE, content_type="application/json")


def _body(provider: str) -> bytes:
    """The whole body, or a refusal. werkzeug silently cuts a body without a length at its limit, so that limit is one
    byte higher than ours."""
    limit = GENERIC_MAX if provider == "generic" else RECORDED_MAX
    request.max_content_length = limit + 1
    body = request.get_data(cache=False) if (request.content_length or 0) <= limit else None
    if body is None or len(body) > limit:
        raise Refused(f"The delivery is larger than {limit} bytes; send several.", "too_large")
    return body


def _signed(secrets: Sequence[str], body: bytes) -> str:
    """Verify the signature and return the delivery's id. The library compares in constant time, with five minutes of
    tolerance."""
    refusals = [reason for secret in secrets if (reason := _signature_fault(secret, body))]
    if len(refusals) == len(secrets):
        raise Refused(f"The signature is invalid: {refusals[0]}.", "signature")
    return _delivery_id()


def _signature_fault(secret: str, body: bytes) -> str:
    """Why the signature is not one by this secret; "" if it is."""
    try:
        _Webhook(secret).verify(body.decode(errors="surrogateescape"), dict(request.headers), json_parse=False)
    except WebhookVerificationError as error:
        return str(error)
    except ValueError:
        # The signature is not base64.
        return "malformed"
    return ""


class _Webhook(Webhook):
    """The library signs text; this signs bytes, so that a body that is not UTF-8 gets 400 and not 401."""

    def sign(self, msg_id: str, timestamp: datetime, data: str) -> str:
        signed = f"{msg_id}.{int(timestamp.timestamp())}.{data}".encode(errors="surrogateescape")
        return f"v1,{base64.b64encode(hmac_data(self._whsecret, signed)).decode()}"


def _shared(secrets: Sequence[str]) -> str:
    given = request.headers.get("X-Ingest-Secret", "").encode()
    # All are compared, so that the time says nothing of which one it is.
    matches = [hmac.compare_digest(given, secret.encode()) for secret in secrets]
    if not any(matches):
        raise Refused("X-Ingest-Secret is missing or wrong.", "signature")
    return _delivery_id()


def _delivery_id() -> str:
    """Refuse an id that is too long; cutting it could make two deliveries look like one."""
    delivery = request.headers.get("webhook-id", "")
    if len(delivery) > DELIVERY_ID_MAX:
        raise Refused(f"A webhook-id has at most {DELIVERY_ID_MAX} characters.", "bad_request")
    return delivery


def _parsed(provider: str, body: bytes) -> ParseResult:
    """Parse the body. A refused body is kept with its reason, for an operator to look at and replay."""
    received_at = now_ms()
    try:
        return FEEDS[provider](body, received_at=received_at)
    except Refused as error:
        _keep(provider, body, error, received_at)
        raise


def _keep(provider: str, body: bytes, refusal: Refused, received_at: int) -> None:
    payload = refused_payload(provider, body, refusal, received_at)
    here().live.refusals.keep(payload)
    logger.warning("payload_refused id=%s provider=%s code=%s", payload.id, provider, payload.code)


def _answer(parsed: ParseResult, accepted: int) -> dict[str, Any]:
    """List every refused entry, and the first FAULTS_MAX faults."""
    answer: dict[str, Any] = {"accepted": accepted}
    left = FAULTS_MAX
    for entry in parsed.refused:
        answer.setdefault("refused", []).append(_refused(entry, left))
        left = max(left - len(entry.faults), 0)
    return answer


def _refused(entry: RefusedEntry, faults_max: int) -> dict[str, Any]:
    fields = [{"field": fault.field, "message": fault.message} for fault in entry.faults_in_body()[:faults_max]]
    if not entry.faults:
        fields = [{"field": entry.path, "message": "another entry of its match is refused"}]
    return {"list": entry.list, "index": entry.index, "fields": fields}


def _not_too_busy() -> None:
    inbox, limit = here().live.inbox, here().settings.ingest_backlog
    # Nobody is refused for updates that were applied meanwhile.
    if inbox.backlog_lately() > limit and (backlog := inbox.backlog()) > limit:
        raise Refused(f"{backlog} updates wait to be applied.", "busy")


def accept(updates: Sequence[Update], delivery: str = "") -> int:
    """Store updates in Redis and ring the workers. Returns how many were stored: 0 for a delivery seen before.

    Raises Unavailable if they could not be stored. The clock rings again where ringing failed.
    """
    resolved = here().live.names.resolved(updates)
    new, bells = here().live.inbox.accept(resolved, now_ms=now_ms(), delivery=delivery)
    for shard in bells:
        try:
            here().bells.ingest(shard)
        except Unavailable as error:
            logger.warning("bell_unrung shard=%d reason=%r", shard, error.message)
    return len(updates) if new else 0
