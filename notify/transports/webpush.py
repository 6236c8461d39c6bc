"""Web Push to browsers: one encrypted request each (RFC 8030, 8291, 8292), over the same sender.

The encryption is per recipient and costs about 0.3 ms of CPU, so the web is the dearest way to a follower.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from io import BytesIO

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from pydantic import ValidationError
from webpush import WebPush as Encryption
from webpush.types import WebPushKeys, WebPushSubscription

from db.domain import PUSH_SERVICES, Device, is_push_endpoint
from notify.content import payload
from notify.content.message import Message
from notify.transports.base import Envelope
from notify.transports.exchange import ANSWER_S, KnownOutcome, Reply, Request
from notify.transports.outcome import Delivered, Gone, Outcome
from notify.transports.reasons import verdict, web_push_action
from notify.transports.retry import RetryLater
from notify.transports.sender import Sender

logger = logging.getLogger(__name__)

# VAPID: at most 24 h (RFC 8292, 2); a lost one is then of no use for long.
VAPID_S = 12 * 3600
PAUSE_S = 30.0
# A 401 or 403 is given for a subscription made for another key, which anybody can register, as for a wrong key of ours.
# So many without one success between them are worth an operator's look, and no more than that.
REFUSED_IN_A_ROW = 20

_DELIVERED = Delivered()


class WebPush:
    """
    key: the VAPID private key, PEM.
    contact: an e-mail address for the push services' operators.
    services: host names of push services.
    ca: a file of certificates to trust instead of the public ones.
    site: the address of the page, for browsers that show an alert by themselves; "" where it is not known.
    """

    name = "webpush"

    def __init__(
        self,
        key: str,
        contact: str,
        *,
        services: tuple[str, ...] = PUSH_SERVICES,
        answer_s: float = ANSWER_S,
        ca: str | None = None,
        site: str = "",
    ) -> None:
        public = load_pem_private_key(key.encode(), None).public_key()
        public_pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        self.encryption = Encryption(BytesIO(key.encode()), BytesIO(public_pem), subscriber=contact, expiration=VAPID_S)
        self.services, self.site = services, site.rstrip("/")
        self.refused = 0
        self.sender = Sender(answer_s=answer_s, ca=ca)

    def send(self, envelopes: Iterable[Envelope]) -> Iterator[tuple[Envelope, Outcome]]:
        """See Transport.send. Takes Device."""
        return self.sender.send(map(self._request, envelopes), self._judge, self._silence)

    def close(self) -> None:
        self.sender.close()

    def _request(self, envelope: Envelope) -> Request | KnownOutcome:
        device, message = envelope.address, envelope.message
        if not isinstance(device, Device) or not is_push_endpoint(device.endpoint or "", self.services):
            return KnownOutcome(envelope, Gone("not_a_push_service"))
        try:
            headers, body = self._sealed(device, message)
        except (ValueError, ValidationError):
            return KnownOutcome(envelope, Gone("bad_subscription"))
        return Request(envelope, device.endpoint or "", headers, body, message.expires_at)

    def _silence(self, request: Request) -> None:
        envelope: Envelope = request.envelope
        if isinstance(envelope.address, Device):
            silent = replace(envelope.message, silent=True)
            request.headers, request.body = self._sealed(envelope.address, silent)

    def _sealed(self, device: Device, message: Message) -> tuple[list[str], bytes]:
        """Headers and encrypted body. Raises ValueError or ValidationError for keys that are none."""
        keys = WebPushKeys(auth=device.auth or "", p256dh=device.p256dh or "")
        subscription = WebPushSubscription.model_validate({"endpoint": device.endpoint, "keys": keys})
        sealed = self.encryption.get(payload.web(message, self.site), subscription)
        headers = [
            f"authorization: {sealed.headers['authorization']}",
            "content-encoding: aes128gcm",
            "content-type: application/octet-stream",
            f"ttl: {max(0, int(message.expires_at - time.time()))}",
            f"topic: {payload.web_topic(message)}",
            f"urgency: {'low' if message.silent else 'high'}",
        ]
        return headers, sealed.encrypted

    def _judge(self, _request: Request, reply: Reply) -> Outcome | RetryLater:
        if reply.status < 300:
            self.refused = 0
            return _DELIVERED
        if reply.status in (401, 403):
            self.refused += 1
            if self.refused % REFUSED_IN_A_ROW == 0:
                logger.error("push_key_refused status=%d in_a_row=%d", reply.status, self.refused)
        return verdict(web_push_action(reply.status), f"status_{reply.status}", reply, wait_s=PAUSE_S)
