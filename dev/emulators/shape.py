"""What a push asks of the phone beside its words, in the services' own terms. Pure."""

from __future__ import annotations

from typing import Any

from dev.emulators.journal import AcceptedPush


def shape_of(push: AcceptedPush) -> list[str]:
    match push.service:
        case "apns":
            return _apns(push.payload.get("aps", {}))
        case "fcm":
            return _fcm(push.payload)
        case "webpush":
            return ["declarative" if "web_push" in push.payload else "Web Push"]
    return []


def _apns(aps: dict[str, Any]) -> list[str]:
    level, category = aps.get("interruption-level"), aps.get("category")
    thread = "thread of its match" if "thread-id" in aps else None
    return [part for part in (level, thread, f"actions: {category}" if category else None) if part]


def _fcm(payload: dict[str, Any]) -> list[str]:
    """Its notification channel, and who shows it: the system, or the app from a data message."""
    if "notification" in payload:
        channel = payload.get("android", {}).get("notification", {}).get("channel_id")
        return [f"channel {channel}", "shown by the system"]
    return [f"channel {payload.get('data', {}).get('channel')}", "data message"]
