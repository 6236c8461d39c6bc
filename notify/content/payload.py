"""A Message in each service's form and within its size limit. Pure."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from db.domain import Kind, Payload, clip
from notify.content.message import Message

# Apple, "Generating a remote notification": 4 KB. FCM, "ErrorCode": 4096 B to a token, 2048 B to a topic.
APNS_BYTES = 4096
FCM_BYTES = 4096
FCM_TOPIC_BYTES = 2048
# RFC 8291, 4: one 4096-byte record; its 86-byte header, 16-byte tag and delimiter leave 3993.
WEB_BYTES = 3993
# By kind; an app creates the channels with these ids. `silent`, `news` and `match` are the others.
_CHANNELS = {
    Kind.GOAL: "goals",
    Kind.SCORER: "goals",
    Kind.GOAL_CANCELLED: "goals",
    Kind.RED_CARD: "cards",
    Kind.PENALTY: "penalties",
    Kind.PENALTY_MISSED: "penalties",
    Kind.SHOOTOUT_KICK: "penalties",
    Kind.VAR_CHECK: "checks",
    Kind.REMINDER: "reminders",
    Kind.LINEUPS: "reminders",
    Kind.FULL_TIME: "results",
}
_TIME_SENSITIVE = frozenset(
    {Kind.GOAL, Kind.SCORER, Kind.GOAL_CANCELLED, Kind.RED_CARD, Kind.PENALTY, Kind.SHOOTOUT_KICK}
)
# Which of an app's notifications the summary shows first (Apple, `relevance-score`, 0 to 1); _RELEVANT of the others.
_RELEVANT = 0.5
_RELEVANCE = {Kind.GOAL: 1.0, Kind.GOAL_CANCELLED: 1.0, Kind.FULL_TIME: 0.9, Kind.RED_CARD: 0.8, Kind.REMINDER: 0.3}
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


def web(message: Message, site: str = "") -> bytes:
    """What our service worker shows; `silent` and `lang` as `showNotification` takes them.

    site: the address of the page. With it the message is a declarative one as well, which a browser shows by itself
        (W3C Push API, "Declarative push message"; Safari 18.4): there a service worker may be gone by then.
    """
    return fit(message, WEB_BYTES, lambda shortened: _web(shortened, site))


def _web(message: Message, site: str) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "title": message.title,
        "body": message.body,
        "tag": message.collapse_id,
        "lang": message.language.replace("_", "-"),
    }
    shown |= {"silent": True} if message.silent else {}
    about = _about(message)
    if not site:
        return shown | about
    return shown | about | {"web_push": 8030, "notification": shown | {"navigate": site + message.link, "data": about}}


def fcm(message: Message, target: dict[str, str], *, now: float) -> dict[str, Any]:
    """The body of `messages:send` for `{"token": …}`, `{"fid": …}`, `{"topic": …}` or `{"condition": …}`."""
    limit = FCM_BYTES if target.keys() & {"token", "fid"} else FCM_TOPIC_BYTES
    shape = _live_update if message.is_state else _fcm_data if message.payload is Payload.DATA else _fcm
    content: dict[str, Any] = json.loads(fit(message, limit, lambda shortened: shape(shortened, now)))
    return {"message": {**target, **content}}


def web_topic(message: Message) -> str:
    """The collapse id in the 32 URL-safe characters RFC 8030, 5.4 allows."""
    return urlsafe_b64encode(sha256(message.collapse_id.encode()).digest()[:24]).decode()


def fit(message: Message, limit: int, shape: Callable[[Message], dict[str, Any]]) -> bytes:
    """The payload in at most `limit` bytes of JSON: first old entries of the state go, then the body and the title are
    shortened."""
    while len(payload := encode(shape(message))) > limit:
        over = len(payload) - limit
        if (state := _shorter_state(message)) and encode(shape(replace(message, state=state))) != payload:
            message = replace(message, state=state)
        elif message.body:
            message = replace(message, body=_shorter(message.body, over))
        elif message.title:
            message = replace(message, title=_shorter(message.title, over))
        else:
            raise AssertionError(f"a message without words has {len(payload)} bytes, {limit} are allowed")
    return payload


def encode(shape: dict[str, Any]) -> bytes:
    return json.dumps(shape, ensure_ascii=False, separators=(",", ":")).encode()


def _shorter_state(message: Message) -> dict[str, object] | None:
    """Without the oldest entry of its longest list; None if there is none."""
    lists = {name: entries for name, entries in message.state.items() if isinstance(entries, list) and entries}
    if not lists:
        return None
    longest = max(lists, key=lambda name: len(lists[name]))
    return {**message.state, longest: lists[longest][1:]}


def _shorter(text: str, bytes_over: int) -> str:
    """Fewer characters: each has at most 4 bytes of UTF-8, and at least one must go."""
    return clip(text, max(0, len(text) - max(1, bytes_over // 4))) if len(text) > 1 else ""


def _about(message: Message) -> dict[str, Any]:
    """Fields for the app. The kind of a spoiler-free message would be a spoiler."""
    fields = {"match_id": message.match_id, "version": message.version, "link": message.link}
    return fields if message.spoiler_free else fields | {"kind": message.kind}


def _alert(message: Message) -> dict[str, Any]:
    """mutable-content: the app's extension may add a crest or drop an old version before it is shown. category: the
    actions it offers, to open the match and to mute it."""
    aps: dict[str, Any] = {
        "alert": {"title": message.title, "body": message.body},
        "thread-id": message.match_id,
        "category": "match",
        "mutable-content": 1,
        "interruption-level": _level(message),
        "relevance-score": _relevance(message),
    }
    return {"aps": aps if message.silent else aps | {"sound": "default"}, **_about(message)}


def _relevance(message: Message) -> float:
    return _RELEVANT if message.spoiler_free else _RELEVANCE.get(message.kind, _RELEVANT)


def _level(message: Message) -> str:
    """Apple, "Managing notifications", interruption levels. Time-sensitive ones break through a Focus, so they are for
    what is over in a minute; the app needs the entitlement, else they are active."""
    if message.silent:
        return "passive"
    return "time-sensitive" if message.kind in _TIME_SENSITIVE and not message.spoiler_free else "active"


def _activity(message: Message) -> dict[str, Any]:
    at = int(message.at)
    aps: dict[str, Any] = {
        "timestamp": message.state_at,
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
        "timestamp": message.state_at,
        "event": "start",
        "content-state": dict(message.state),
        "stale-date": at + STALE_S,
        "attributes-type": "MatchAttributes",
        "attributes": dict(message.attributes),
        "alert": {"title": message.title, "body": message.body},
    }
    return {"aps": aps | {"input-push-channel": channel} if channel else aps}


def _fcm(message: Message, now: float) -> dict[str, Any]:
    """The system tray shows it. High priority wakes the phone. A newer notification replaces one of the same tag; of a
    match only the newest waits for a phone out of reach, which keeps four keys at most."""
    ttl_s = max(0, int(message.expires_at - now))
    appearance: dict[str, Any] = {
        "tag": message.collapse_id,
        "channel_id": channel_of(message),
        "event_time": datetime.fromtimestamp(message.at, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "click_action": "MATCH",
    }
    return {
        "notification": {"title": message.title, "body": message.body},
        "data": {name: str(value) for name, value in _about(message).items()},
        "android": {
            "collapse_key": message.match_id,
            "priority": "NORMAL" if message.silent else "HIGH",
            "ttl": f"{ttl_s}s",
            "notification": appearance if message.silent else appearance | {"default_sound": True},
        },
        "webpush": {"headers": {"TTL": str(ttl_s), "Urgency": "high", "Topic": web_topic(message)}},
    }


def _fcm_data(message: Message, now: float) -> dict[str, Any]:
    """The app builds the notification, and leaves out what is older than the version it shows. Without a collapse key:
    a hundred wait for a phone out of reach, and no allowance of collapsible messages is used up."""
    fields = {
        "type": "alert",
        "title": message.title,
        "body": message.body,
        "fact": message.collapse_id,
        "channel": channel_of(message),
        "silent": "true" if message.silent else "false",
        "at": str(round(message.at * 1000)),
        "expires_at": str(message.expires_at),
        **{name: str(value) for name, value in _about(message).items()},
    }
    return _data(fields, "NORMAL" if message.silent else "HIGH", message, now)


def _live_update(message: Message, now: float) -> dict[str, Any]:
    """The state of a match for an ongoing notification (Android 16, "Live Updates": promoted, with a chip such as
    `1–0`). The app ends it when `over` is true."""
    fields = {
        "type": "live_update",
        "match_id": message.match_id,
        "version": str(message.version),
        "over": "true" if message.over else "false",
        "state": json.dumps(dict(message.state), ensure_ascii=False, separators=(",", ":")),
        "attributes": json.dumps(dict(message.attributes), ensure_ascii=False, separators=(",", ":")),
    }
    return _data(fields, "HIGH" if message.urgent else "NORMAL", message, now)


def _data(fields: dict[str, str], priority: str, message: Message, now: float) -> dict[str, Any]:
    ttl_s = max(0, int(message.expires_at - now))
    return {"data": fields, "android": {"priority": priority, "ttl": f"{ttl_s}s"}}


def channel_of(message: Message) -> str:
    """The Android notification channel, which its user can silence by itself; that of a spoiler-free message says
    nothing."""
    if message.silent:
        return "silent"
    return "news" if message.spoiler_free else _CHANNELS.get(message.kind, "match")
