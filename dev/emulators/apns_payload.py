"""Payloads a phone can use (Apple, "Generating a remote notification"; ActivityKit, "Starting and updating Live
Activities with ActivityKit push notifications").

The real APNs accepts others too, and the phone drops them in silence. Here they are refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Container
from typing import Any

from dev.emulators.provider_tokens import Refusal

Check = Callable[[object], bool]


def _text(value: object) -> bool:
    return isinstance(value, str)


def _number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _optional(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _is_flag(value: object) -> bool:
    return _number(value) and value in (0, 1)


def _is_relevance(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_APS: dict[str, Check] = {
    "alert": lambda value: isinstance(value, str | dict),
    "badge": _number,
    "sound": lambda value: isinstance(value, str | dict),
    "thread-id": _text,
    "category": _text,
    "content-available": _is_flag,
    "mutable-content": _is_flag,
    "target-content-id": _text,
    "interruption-level": lambda value: value in ("passive", "active", "time-sensitive", "critical"),
    "relevance-score": _is_relevance,
    "filter-criteria": _text,
    "stale-date": _number,
    "content-state": lambda value: isinstance(value, dict),
    "timestamp": _number,
    "event": lambda value: value in ("start", "update", "end"),
    "dismissal-date": _number,
    "attributes-type": _text,
    "attributes": lambda value: isinstance(value, dict),
    "input-push-channel": _text,
    "input-push-token": _is_flag,
}
_ALERT: dict[str, Check] = {
    **dict.fromkeys(("title", "subtitle", "body", "launch-image", "title-loc-key", "subtitle-loc-key"), _text),
    **dict.fromkeys(("loc-key", "sound"), _text),
    **dict.fromkeys(("title-loc-args", "subtitle-loc-args", "loc-args"), lambda value: isinstance(value, list)),
}
# The sample app's ActivityAttributes.ContentState, as its JSONDecoder reads it: a wrong type, or one of the first two
# missing, and the update is dropped. Other fields are ignored.
_REQUIRED_STATE: dict[str, Check] = {"version": _number, "status": _text}
_STATE: dict[str, Check] = {
    **_REQUIRED_STATE,
    **dict.fromkeys(("home_score", "away_score", "minute", "added_minute"), _optional(_number)),
    "shootout": _optional(lambda value: isinstance(value, dict) and value.keys() == {"home", "away"}),
}


def payload_of(body: bytes, limit: int) -> dict[str, Any]:
    """Raises Refusal."""
    if not body:
        raise Refusal(400, "PayloadEmpty")
    if len(body) > limit:
        raise Refusal(413, "PayloadTooLarge")
    try:
        payload = json.loads(body)
    except ValueError:
        raise Refusal(400, "BadRequestPayload") from None
    if not isinstance(payload, dict) or not isinstance(payload.get("aps"), dict):
        raise Refusal(400, "BadRequestPayload")
    return payload


def check(payload: dict[str, Any], push_type: str, channels: Container[str]) -> None:
    """Raises Refusal. channels: the ids of those that exist."""
    aps = payload["aps"]
    usable = _conforms(aps, _APS) and (not isinstance(aps.get("alert"), dict) or _conforms(aps["alert"], _ALERT))
    if push_type == "alert":
        usable = usable and bool(aps.get("alert"))
    if push_type == "liveactivity":
        usable = usable and _is_activity(aps) and (aps["event"] != "start" or _can_start(aps, channels))
    if not usable:
        raise Refusal(400, "BadRequestPayload")


def _conforms(document: dict[str, Any], checks: dict[str, Check]) -> bool:
    return all(name in checks and checks[name](value) for name, value in document.items())


def _is_activity(aps: dict[str, Any]) -> bool:
    if not {"event", "timestamp", "content-state"} <= aps.keys():
        return False
    state = aps["content-state"]
    return state.keys() >= _REQUIRED_STATE.keys() and all(
        _STATE[name](value) for name, value in state.items() if name in _STATE
    )


def _can_start(aps: dict[str, Any], channels: Container[str]) -> bool:
    complete = {"attributes-type", "attributes"} <= aps.keys() and bool(aps.get("alert"))
    return complete and ("input-push-channel" not in aps or aps["input-push-channel"] in channels)
