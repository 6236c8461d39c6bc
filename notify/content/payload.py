"""A Message in each service's form and within its size limit. Pure."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any

from notify.content.message import Message
from notify.content.wording import clip

# Apple, "Generating a remote notification": 4 KB. FCM, "ErrorCode": 4096 B to a token, 2048 B to a topic.
APNS_BYTES = 4096
FCM_BYTES = 4096
FCM_TOPIC_BYTES = 2048
# RFC 8291, 4: one 4096-byte record; its 86-byte header, 16-byte tag and delimiter leave 3993.
WEB_BYTES = 3993
# A Live Activity without an update for this long is shown as out of date. Only score and status are published, and the
# longest half of a World Cup without a change of either lasted an hour (England v Iran, 2022: 45 + 14).
STALE_S = 65 * 60
# It stays on the lock screen this long after the final whistle (the Guardian's figure).
DISMISS_S = 60 * 60


def apns_alert(message: Message) -> bytes:
    """An ordinary notification (Apple, "Generating a remote notification")."""
    return fit(message, APNS_BYTES, _alert)


def apns_activity(message: Message) -> bytes:
    """A Live Activity's next state, its last one when the match is over (ActivityKit, "Starting and updating Live
    Activities with push notifications")."""
    return fit(message, APNS_BYTES, _activity)


def apns_start(message: Message, channel: str | None) -> bytes:
    """Starts a Live Activity that listens to `channel` (iOS 18; older systems refuse such a start)."""
    return fit(message, APNS_BYTES, lambda shortened: _start(shortened, channel))


def web(message: Message) -> bytes:
    """What our service worker shows; `silent` as `showNotification` takes it."""
    return fit(message, WEB_BYTES, _web)


def _web(message: Message) -> dict[str, Any]:
    silent = {"silent": True} if message.silent else {}
    return {"title": message.title, "body": message.body, **silent, **_about(message)}


def fcm(message: Message, target: dict[str, str], *, now: float) -> dict[str, Any]:
    """The body of `messages:send` for `{"token": …}`, `{"fid": …}`, `{"topic": …}` or `{"condition": …}`."""
    limit = FCM_BYTES if target.keys() & {"token", "fid"} else FCM_TOPIC_BYTES
    content: dict[str, Any] = json.loads(fit(message, limit, lambda shortened: _fcm(shortened, now)))
    return {"message": {**target, **content}}


def web_topic(message: Message) -> str:
    """The collapse id in the 32 URL-safe characters RFC 8030, 5.4 allows."""
    return urlsafe_b64encode(sha256(message.collapse_id.encode()).digest()[:24]).decode()


def fit(message: Message, limit: int, shape: Callable[[Message], dict[str, Any]]) -> bytes:
    """The payload in at most `limit` bytes of JSON: first the body is shortened, then the title."""
    while len(payload := encode(shape(message))) > limit:
        over = len(payload) - limit
        if message.body:
            message = replace(message, body=_shorter(message.body, over))
        elif message.title:
            message = replace(message, title=_shorter(message.title, over))
        else:
            raise AssertionError(f"a message without words has {len(payload)} bytes, {limit} are allowed")
    return payload


def encode(shape: dict[str, Any]) -> bytes:
    return json.dumps(shape, ensure_ascii=False, separators=(",", ":")).encode()


def _shorter(text: str, bytes_over: int) -> str:
    """Fewer characters: each has at most 4 bytes of UTF-8, and at least one must go."""
    return clip(text, max(0, len(text) - max(1, bytes_over // 4))) if len(text) > 1 else ""


def _about(message: Message) -> dict[str, Any]:
    """Fields for the app. The kind of a spoiler-free message would be a spoiler."""
    fields = {"match_id": message.match_id, "version": message.version, "link": message.link}
    return fields if message.spoiler_free else fields | {"kind": message.kind}


def _alert(message: Message) -> dict[str, Any]:
    aps: dict[str, Any] = {
        "alert": {"title": message.title, "body": message.body},
        "thread-id": message.match_id,
        "interruption-level": "passive" if message.silent else "active",
    }
    return {"aps": aps if message.silent else aps | {"sound": "default"}, **_about(message)}


def _activity(message: Message) -> dict[str, Any]:
    at = int(message.at)
    aps: dict[str, Any] = {
        "timestamp": at,
        "event": "end" if message.over else "update",
        "content-state": dict(message.state),
        "stale-date": at + STALE_S,
    }
    if message.over:
        aps["dismissal-date"] = at + DISMISS_S
    return {"aps": aps if message.silent else aps | {"alert": {"title": message.title, "body": message.body}}}


def _start(message: Message, channel: str | None) -> dict[str, Any]:
    at = int(message.at)
    aps: dict[str, Any] = {
        "timestamp": at,
        "event": "start",
        "content-state": dict(message.state),
        "stale-date": at + STALE_S,
        "attributes-type": "MatchAttributes",
        "attributes": dict(message.attributes),
        "alert": {"title": message.title, "body": message.body},
    }
    return {"aps": aps | {"input-push-channel": channel} if channel else aps}


def _fcm(message: Message, now: float) -> dict[str, Any]:
    """High priority wakes the phone. A newer notification replaces an older one of the same tag."""
    ttl_s = max(0, int(message.expires_at - now))
    appearance: dict[str, Any] = {"tag": message.collapse_id, "channel_id": "silent" if message.silent else "scores"}
    return {
        "notification": {"title": message.title, "body": message.body},
        "data": {name: str(value) for name, value in _about(message).items()},
        "android": {
            "collapse_key": message.collapse_id,
            "priority": "NORMAL" if message.silent else "HIGH",
            "ttl": f"{ttl_s}s",
            "notification": appearance if message.silent else appearance | {"default_sound": True},
        },
        "webpush": {"headers": {"TTL": str(ttl_s), "Urgency": "high", "Topic": web_topic(message)}},
    }
