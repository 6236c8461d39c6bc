"""What an FCM v1 message may be, and how errors are reported (REST reference of projects.messages; "Error codes")."""

from __future__ import annotations

import json
import re
from typing import Any

from dev.emulators.fcm_schema import MESSAGE, violation
from dev.emulators.topics import NAME

TOKEN_BYTES, TOPIC_BYTES = 4096, 2048
TTL_MAX_S = 2_419_200
_TARGETS = ("token", "fid", "topic", "condition")
_RESERVED = re.compile(r"from|message_type|gcm.*|google.*", re.IGNORECASE)
_TTL = re.compile(r"(\d+)(?:\.\d{1,9})?s")
_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
_BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"
_STATUS = {
    "UNREGISTERED": (404, "NOT_FOUND"),
    "SENDER_ID_MISMATCH": (403, "PERMISSION_DENIED"),
    "INVALID_ARGUMENT": (400, "INVALID_ARGUMENT"),
    "QUOTA_EXCEEDED": (429, "RESOURCE_EXHAUSTED"),
    "UNAVAILABLE": (503, "UNAVAILABLE"),
    "INTERNAL": (500, "INTERNAL"),
    "THIRD_PARTY_AUTH_ERROR": (401, "UNAUTHENTICATED"),
}


class InvalidMessage(Exception):
    """The request is refused. Raised and caught within the emulated FCM."""

    def __init__(self, code: str, message: str, *, field_path: str = "", status: tuple[int, str] | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.field_path = code, message, field_path
        self.status = status or _STATUS[code]
        self.retry_after_s = 0


def bad(field_path: str, message: str) -> InvalidMessage:
    """An error of the payload, reported with its field."""
    return InvalidMessage("INVALID_ARGUMENT", message, field_path=field_path)


def document_of(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except ValueError:
        raise bad("message", "Invalid JSON payload received.") from None
    if not isinstance(document, dict) or not isinstance(document.get("message"), dict):
        raise bad("message", "Message is required.")
    error = violation(document, {"message": MESSAGE, "validate_only": lambda value: isinstance(value, bool)}, "")
    if error:
        raise bad(error[0].removeprefix("."), error[1])
    return document


def target_of(message: dict[str, Any]) -> str:
    targets = [name for name in _TARGETS if message.get(name)]
    if len(targets) != 1 or not isinstance(message[targets[0]], str):
        raise bad("message.target", "Recipient of the message is not set.")
    if targets == ["topic"] and not NAME.fullmatch(message["topic"].removeprefix("/topics/")):
        raise bad("message.topic", "Malformed topic name.")
    return targets[0]


def check(message: dict[str, Any], limit: int) -> None:
    data = message.get("data", {})
    if reserved := [name for name in data if _RESERVED.fullmatch(name)]:
        raise bad("message.data", f"Invalid data payload key: {reserved[0]}")
    android = message.get("android", {})
    if "ttl" in android and seconds(android["ttl"]) is None:
        raise bad("message.android.ttl", "Invalid value at 'message.android.ttl'")
    content = {name: value for name, value in message.items() if name in ("data", "notification", "android")}
    if len(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()) > limit:
        raise bad("message", "Android message is too big")


def seconds(text: object) -> float | None:
    duration = _TTL.fullmatch(text) if isinstance(text, str) else None
    return float(duration[0][:-1]) if duration and float(duration[0][:-1]) <= TTL_MAX_S else None


def error_of(refusal: InvalidMessage) -> dict[str, Any]:
    """An error of the payload is a BadRequest with its field, one of the address an FcmError."""
    code, status = refusal.status
    if refusal.field_path:
        violation = {"field": refusal.field_path, "description": refusal.message}
        details: list[dict[str, Any]] = [{"@type": _BAD_REQUEST, "fieldViolations": [violation]}]
    else:
        details = [{"@type": _ERROR, "errorCode": refusal.code}] if refusal.code in _STATUS else []
    return {"error": {"code": code, "message": refusal.message, "status": status, "details": details}}
