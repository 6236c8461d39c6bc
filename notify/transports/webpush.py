"""Web Push to browsers: one encrypted request each (RFC 8030, 8291, 8292), over the same sender.

The encryption is per recipient and costs about 0.3 ms of CPU, so the web is the dearest way to a follower.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from io import BytesIO
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from pydantic import ValidationError
from webpush import WebPush as Encryption
from webpush.types import WebPushKeys, WebPushSubscription

from db.domain import Device
from notify.content import payload
from notify.transports.base import Envelope
from notify.transports.connection import Reply, Request
from notify.transports.outcome import Delivered, Dropped, Gone, Later, OurFault, Outcome
from notify.transports.sender import KnownOutcome, RetryLater, Sender

logger = logging.getLogger(__name__)

# Whoever subscribes names the URL we are to call, so it must be a push service's: Chrome and Edge, Firefox, Safari,
# old Edge. A name matches itself and what is below it.
SERVICES = ("fcm.googleapis.com", "push.services.mozilla.com", "push.apple.com", "notify.windows.com")
# VAPID: at most 24 h (RFC 8292, 2); a lost one is then of no use for long.
VAPID_S = 12 * 3600
PAUSE_S = 30.0
# A 401 or 403 is said of a subscription made for another key, which anybody can register, as of a wrong key of ours. So
# many without one success between them are worth an operator's look, and no more than that.
REFUSED_IN_A_ROW = 20

_DELIVERED = Delivered()


class WebPush:
    """key: the VAPID private key, PEM. contact: an e-mail address for the push services' operators."""

    name = "webpush"

    def __init__(self, key: str, contact: str, *, services: tuple[str, ...] = SERVICES, ca: str | None = None) -> None:
        public = load_pem_private_key(key.encode(), None).public_key()
        public_pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        self.encryption = Encryption(BytesIO(key.encode()), BytesIO(public_pem), subscriber=contact, expiration=VAPID_S)
        self.services = services
        self.refused = 0
        self.sender = Sender(ca=ca)

    def send(self, parcels: Iterable[Envelope]) -> Iterator[tuple[Envelope, Outcome]]:
        """See Transport.send. Takes Device."""
        return self.sender.send(map(self._request, parcels), self._judge)

    def close(self) -> None:
        self.sender.close()

    def _request(self, parcel: Envelope) -> Request | KnownOutcome:
        device, message = parcel.address, parcel.message
        if not isinstance(device, Device) or not self.is_service(device.endpoint or ""):
            return KnownOutcome(parcel, Gone("not_a_push_service"))
        try:
            keys = WebPushKeys(auth=device.auth or "", p256dh=device.p256dh or "")
            subscription = WebPushSubscription.model_validate({"endpoint": device.endpoint, "keys": keys})
            sealed = self.encryption.get(payload.web(message), subscription)
        except (ValueError, ValidationError):
            return KnownOutcome(parcel, Gone("bad_subscription"))
        headers = [
            f"authorization: {sealed.headers['authorization']}",
            "content-encoding: aes128gcm",
            "content-type: application/octet-stream",
            f"ttl: {max(0, int(message.expires_at - time.time()))}",
            f"topic: {payload.web_topic(message)}",
            f"urgency: {'low' if message.silent else 'high'}",
        ]
        return Request(parcel, device.endpoint or "", headers, sealed.encrypted, message.expires_at)

    def is_service(self, endpoint: str) -> bool:
        place = urlsplit(endpoint)
        host = place.hostname or ""
        known = any(host == name or host.endswith(f".{name}") for name in self.services)
        return place.scheme == "https" and known

    def _judge(self, _request: Request, reply: Reply) -> Outcome | RetryLater:
        if reply.status < 300:
            self.refused = 0
        elif reply.status in (401, 403):
            self.refused += 1
            if self.refused % REFUSED_IN_A_ROW == 0:
                logger.error("push_key_refused status=%d in_a_row=%d", reply.status, self.refused)
        return judged(reply)


def judged(reply: Reply) -> Outcome | RetryLater:
    """RFC 8030, 5 and 7.3; RFC 8292, 4.2."""
    reason = f"status_{reply.status}"
    if reply.status < 300:
        return _DELIVERED
    if reply.status in (404, 410):
        return Gone(reason)
    if reply.status == 413:
        return OurFault(reason)
    if reply.status == 429:
        return Later(reason, reply.retry_after_s or PAUSE_S)
    return RetryLater(reason, reply.retry_after_s, fault=True) if reply.status >= 500 else Dropped(reason)
