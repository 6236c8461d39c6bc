"""Fields of an FCM v1 message and their types (REST reference of projects.messages). Google answers 400 to others."""

from __future__ import annotations

from collections.abc import Callable


def _text(value: object) -> bool:
    return isinstance(value, str)


def _flag(value: object) -> bool:
    return isinstance(value, bool)


def _number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _text_map(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())


def _anything(value: object) -> bool:
    return isinstance(value, dict)


def _one_of(*words: str) -> Callable[[object], bool]:
    return lambda value: value in words


Schema = dict[str, "Callable[[object], bool] | Schema"]

_ANDROID_NOTIFICATION: Schema = {
    **dict.fromkeys(("title", "body", "icon", "color", "sound", "tag", "click_action"), _text),
    **dict.fromkeys(("body_loc_key", "title_loc_key", "channel_id", "ticker", "image", "event_time"), _text),
    **dict.fromkeys(("body_loc_args", "title_loc_args", "vibrate_timings"), _texts),
    **dict.fromkeys(("sticky", "local_only", "default_sound", "default_vibrate_timings"), _flag),
    **dict.fromkeys(("default_light_settings", "bypass_proxy_notification"), _flag),
    "notification_count": _number,
    "light_settings": _anything,
    "notification_priority": _one_of(
        *(f"PRIORITY_{word}" for word in ("UNSPECIFIED", "MIN", "LOW", "DEFAULT", "HIGH", "MAX"))
    ),
    "visibility": _one_of("VISIBILITY_UNSPECIFIED", "PRIVATE", "PUBLIC", "SECRET"),
    "proxy": _one_of("PROXY_UNSPECIFIED", "ALLOW", "DENY", "IF_PRIORITY_LOWERED"),
}
_FCM_OPTIONS: Schema = {"analytics_label": _text}
MESSAGE: Schema = {
    "name": _text,
    **dict.fromkeys(("token", "fid", "topic", "condition"), _text),
    "data": _text_map,
    "notification": {"title": _text, "body": _text, "image": _text},
    "android": {
        **dict.fromkeys(("collapse_key", "ttl", "restricted_package_name"), _text),
        **dict.fromkeys(("direct_boot_ok", "bandwidth_constrained_ok", "restricted_satellite_ok"), _flag),
        "priority": _one_of("NORMAL", "HIGH"),
        "data": _text_map,
        "notification": _ANDROID_NOTIFICATION,
        "fcm_options": _FCM_OPTIONS,
    },
    "webpush": {
        "headers": _text_map,
        "data": _text_map,
        "notification": _anything,
        "fcm_options": {"link": _text, "analytics_label": _text},
    },
    "apns": {
        "headers": _text_map,
        "payload": _anything,
        "live_activity_token": _text,
        "fcm_options": {"analytics_label": _text, "image": _text},
    },
    "fcm_options": _FCM_OPTIONS,
}


def violation(value: object, schema: Schema, path: str) -> tuple[str, str] | None:
    """The first field that is wrong, with Google's words; None where all are right."""
    if not isinstance(value, dict):
        return path, f"Invalid value at '{path}'"
    for name, item in value.items():
        expected = schema.get(name)
        if expected is None:
            return path, f"Invalid JSON payload received. Unknown name \"{name}\" at '{path}': Cannot find field."
        if isinstance(expected, dict):
            error = violation(item, expected, f"{path}.{name}")
            if error:
                return error
        elif not expected(item):
            return f"{path}.{name}", f"Invalid value at '{path}.{name}'"
    return None
