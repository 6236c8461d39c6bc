"""APNs broadcast channels: created before a match, deleted after it. A few calls an hour, so one at a time.

Apple, "Sending channel management requests to APNs". An app has 10,000 channels at most.
"""

from __future__ import annotations

import json
import time

import certifi

from notify.transports.apns import DEVICE_PAUSE_S, reason_of
from notify.transports.call import call
from notify.transports.exchange import Reply
from notify.transports.outcome import Delivered, Later, Outcome
from notify.transports.reasons import apns_action, verdict
from notify.transports.retry import RetryLater
from notify.transports.signature import Signature

PRODUCTION = "https://api-manage-broadcast.push.apple.com:2196"
SANDBOX = "https://api-manage-broadcast.sandbox.push.apple.com:2195"
# "Most Recent Message": whoever joins late sees the score at once. The other policy, 0, stores nothing.
STORE_NEWEST = 1
# A good status without what Apple gives with it: something in between answered.
_NOT_APPLES = Later("not_understood")


class Channels:
    """signature: that of the Apns that publishes, so that Apple sees one token."""

    def __init__(self, signature: Signature, bundle: str, *, url: str = PRODUCTION, ca: str | None = None) -> None:
        self.signature, self.base, self.ca = signature, f"{url}/1/apps/{bundle}", ca or certifi.where()

    def create(self) -> str | Outcome:
        """The new channel's id."""
        body = json.dumps({"message-storage-policy": STORE_NEWEST, "push-type": "LiveActivity"}).encode()
        reply, headers = self._call("POST", "/channels", body=body)
        return (headers.get("apns-channel-id") if reply.status == 201 else None) or _outcome(reply)

    def delete(self, channel_id: str) -> Outcome:
        """Delivered, or Gone where there is none with that id."""
        reply, _ = self._call("DELETE", "/channels", f"apns-channel-id: {channel_id}")
        return Delivered() if reply.status == 204 else _outcome(reply)

    def all(self) -> list[str] | Outcome:
        reply, _ = self._call("GET", "/all-channels")
        if reply.status != 200:
            return _outcome(reply)
        try:
            return [str(id_) for id_ in json.loads(reply.body)["channels"]]
        except (ValueError, KeyError, TypeError):
            return _NOT_APPLES

    def _call(self, method: str, path: str, *headers: str, body: bytes = b"") -> tuple[Reply, dict[str, str]]:
        bearer = f"authorization: bearer {self.signature.token(time.time())}"
        return call(method, self.base + path, [bearer, *headers, "content-type: application/json"], body, ca=self.ca)


def _outcome(reply: Reply) -> Outcome:
    if reply.status == 0:
        return Later(reply.error)
    if reply.status < 300:
        return _NOT_APPLES
    reason = reason_of(reply)[0]
    result = verdict(apns_action(reply.status, reason), reason, reply, wait_s=DEVICE_PAUSE_S)
    return Later(result.reason, result.after_s) if isinstance(result, RetryLater) else result
