"""APNs broadcast channels: created before a match, deleted after it. A few calls an hour, so one at a time.

Apple, "Sending channel management requests to APNs". An app has 10,000 channels at most.
"""

from __future__ import annotations

import io
import json
import time
from typing import Any

import certifi
import pycurl

from notify.transports.apns import DEVICE_PAUSE_S, reason_of
from notify.transports.exchange import ANSWER_BYTES_MAX, ANSWER_S, CONNECT_S, Reply
from notify.transports.outcome import Delivered, Later, Outcome
from notify.transports.reasons import apns_action, verdict
from notify.transports.retry import RetryLater
from notify.transports.signature import Signature

PRODUCTION = "https://api-manage-broadcast.push.apple.com:2196"
SANDBOX = "https://api-manage-broadcast.sandbox.push.apple.com:2195"
# "Most Recent Message": whoever joins late sees the score at once. The other policy, 0, stores nothing.
STORE_NEWEST = 1


class Channels:
    """signature: that of the Apns that publishes, so that Apple sees one token."""

    def __init__(self, signature: Signature, bundle: str, *, url: str = PRODUCTION, ca: str | None = None) -> None:
        self.signature, self.base, self.ca = signature, f"{url}/1/apps/{bundle}", ca or certifi.where()

    def create(self) -> str | Outcome:
        """The new channel's id."""
        body = json.dumps({"message-storage-policy": STORE_NEWEST, "push-type": "LiveActivity"}).encode()
        reply, headers = self._call("POST", "/channels", body=body)
        return headers["apns-channel-id"] if reply.status == 201 else _outcome(reply)

    def delete(self, channel_id: str) -> Outcome:
        """Delivered, or Gone where there is none with that id."""
        reply, _ = self._call("DELETE", "/channels", f"apns-channel-id: {channel_id}")
        return Delivered() if reply.status == 204 else _outcome(reply)

    def all(self) -> list[str] | Outcome:
        reply, _ = self._call("GET", "/all-channels")
        return [str(id_) for id_ in json.loads(reply.body)["channels"]] if reply.status == 200 else _outcome(reply)

    def _call(self, method: str, path: str, *headers: str, body: bytes = b"") -> tuple[Reply, dict[str, str]]:
        """A handle of its own makes a connection of its own, so libcurl repeats nothing by itself."""
        answer, fields = io.BytesIO(), dict[str, str]()
        easy: Any = pycurl.Curl()
        easy.setopt(pycurl.URL, self.base + path)
        easy.setopt(pycurl.CUSTOMREQUEST, method)
        easy.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS)
        easy.setopt(pycurl.CAINFO, self.ca)
        easy.setopt(pycurl.NOSIGNAL, 1)
        easy.setopt(pycurl.CONNECTTIMEOUT_MS, int(CONNECT_S * 1000))
        easy.setopt(pycurl.TIMEOUT_MS, int(ANSWER_S * 1000))
        easy.setopt(pycurl.MAXFILESIZE, ANSWER_BYTES_MAX * 16)
        bearer = f"authorization: bearer {self.signature.token(time.time())}"
        easy.setopt(pycurl.HTTPHEADER, [bearer, *headers, "content-type: application/json"])
        if body:
            easy.setopt(pycurl.POSTFIELDS, body)
        easy.setopt(pycurl.WRITEFUNCTION, answer.write)
        easy.setopt(pycurl.HEADERFUNCTION, lambda line: _read_header(fields, line))
        try:
            easy.perform()
        except pycurl.error as error:
            return Reply(0, error=f"curl_{error.args[0]}"), fields
        finally:
            easy.close()
        return Reply(int(fields.get(":status", 0)), answer.getvalue()), fields


def _read_header(fields: dict[str, str], line: bytes) -> None:
    name, _, value = line.decode("latin-1").partition(":")
    if name.startswith("HTTP/"):
        fields[":status"] = name.split()[1]
    elif value:
        fields[name.lower()] = value.strip()


def _outcome(reply: Reply) -> Outcome:
    if reply.status == 0:
        return Later(reply.error)
    reason = reason_of(reply)[0]
    result = verdict(apns_action(reply.status, reason), reason, reply, wait_s=DEVICE_PAUSE_S)
    return Later(result.reason, result.after_s) if isinstance(result, RetryLater) else result
