"""Every reason APNs, FCM and the browsers' push services give, and what follows. docs/push.md shows the same tables.

APNs: "Handling notification responses from APNs"; for broadcasts and channels "Handling error responses from Apple Push
Notification service". FCM: reference of `ErrorCode`, "Scale", "Best practices for FCM registration token management".
Browsers: RFC 8030 (5, 7.3, 8.4), RFC 8292 (4.2).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from notify.transports.exchange import Reply
from notify.transports.outcome import ConfigFault, Dropped, Gone, Later, OurFault, Outcome
from notify.transports.retry import RetryLater


class Action(StrEnum):
    DELETE = "delete the address"
    DROP = "drop this push, keep the address"
    STOP = "stop the message"
    FIX = "pause the scope until somebody fixes the configuration"
    WAIT = "repeat after a pause"
    REPEAT = "repeat, and count it towards the breaker"
    MOVE = "repeat at once on another connection"
    SIGN = "sign anew, and repeat once"


APNS: Mapping[str, Action] = {
    # 400
    "BadCollapseId": Action.STOP,
    "BadDeviceToken": Action.DELETE,
    "BadExpirationDate": Action.STOP,
    "BadMessageId": Action.STOP,
    "BadPriority": Action.STOP,
    "BadTopic": Action.STOP,
    "DeviceTokenNotForTopic": Action.DELETE,
    "DuplicateHeaders": Action.STOP,
    "IdleTimeout": Action.MOVE,
    "InvalidPushType": Action.STOP,
    "MissingDeviceToken": Action.STOP,
    "MissingTopic": Action.STOP,
    "PayloadEmpty": Action.STOP,
    "TopicDisallowed": Action.FIX,
    # 403
    "BadCertificate": Action.FIX,
    "BadCertificateEnvironment": Action.FIX,
    "BadEnvironmentKeyIdInToken": Action.FIX,
    "ExpiredProviderToken": Action.SIGN,
    "Forbidden": Action.FIX,
    "InvalidProviderToken": Action.FIX,
    "MissingProviderToken": Action.FIX,
    "UnrelatedKeyIdInToken": Action.FIX,
    # 404, 405, 413
    "BadPath": Action.STOP,
    "MethodNotAllowed": Action.STOP,
    "PayloadTooLarge": Action.STOP,
    # 410
    "ExpiredToken": Action.DELETE,
    "Unregistered": Action.DELETE,
    # 429
    "TooManyProviderTokenUpdates": Action.MOVE,
    "TooManyRequests": Action.WAIT,
    # 500, 503
    "InternalServerError": Action.REPEAT,
    "ServiceUnavailable": Action.REPEAT,
    "Shutdown": Action.MOVE,
    # Broadcasts and channels
    "BadChannelId": Action.DELETE,
    "BadRequestParams": Action.STOP,
    "BadRequestPayload": Action.STOP,
    "CannotCreateChannelConfig": Action.FIX,
    "ChannelNotRegistered": Action.DELETE,
    "FeatureNotEnabled": Action.FIX,
    "MissingChannelId": Action.STOP,
    "MissingPushType": Action.STOP,
    "TopicMismatch": Action.FIX,
}
# The canonical codes are those of google.rpc.Code; FCM gives one where its own errorCode is missing.
FCM: Mapping[str, Action] = {
    "UNREGISTERED": Action.DELETE,
    "SENDER_ID_MISMATCH": Action.DELETE,
    # Of the token; of another field it stops the message (notify/transports/fcm.py).
    "INVALID_ARGUMENT": Action.STOP,
    "QUOTA_EXCEEDED": Action.WAIT,
    "UNAVAILABLE": Action.REPEAT,
    "INTERNAL": Action.REPEAT,
    "THIRD_PARTY_AUTH_ERROR": Action.FIX,
    "UNSPECIFIED_ERROR": Action.REPEAT,
    # google.rpc.Code
    "ABORTED": Action.REPEAT,
    "ALREADY_EXISTS": Action.STOP,
    "CANCELLED": Action.REPEAT,
    "DATA_LOSS": Action.REPEAT,
    "DEADLINE_EXCEEDED": Action.REPEAT,
    "FAILED_PRECONDITION": Action.FIX,
    "NOT_FOUND": Action.FIX,
    "OUT_OF_RANGE": Action.STOP,
    "PERMISSION_DENIED": Action.FIX,
    "RESOURCE_EXHAUSTED": Action.WAIT,
    "UNAUTHENTICATED": Action.SIGN,
    "UNIMPLEMENTED": Action.FIX,
    "UNKNOWN": Action.REPEAT,
}
# By status: browsers' push services agree on no other words.
WEB_PUSH: Mapping[int, Action] = {
    400: Action.DROP,
    401: Action.DROP,
    403: Action.DROP,
    404: Action.DELETE,
    406: Action.WAIT,
    408: Action.REPEAT,
    410: Action.DELETE,
    413: Action.STOP,
    421: Action.MOVE,
    429: Action.WAIT,
}
# Of a reason nobody has listed yet.
_BY_STATUS: Mapping[int, Action] = {
    401: Action.FIX,
    403: Action.FIX,
    404: Action.FIX,
    408: Action.REPEAT,
    409: Action.REPEAT,
    410: Action.DELETE,
    421: Action.MOVE,
    429: Action.WAIT,
    499: Action.REPEAT,
}


def apns_action(status: int, reason: str) -> Action:
    return APNS.get(reason) or _by_status(status)


def fcm_action(status: int, code: str) -> Action:
    return FCM.get(code) or _by_status(status)


def web_push_action(status: int) -> Action:
    return WEB_PUSH.get(status) or (Action.REPEAT if status >= 500 else Action.DROP)


def _by_status(status: int) -> Action:
    return _BY_STATUS.get(status) or (Action.REPEAT if status >= 500 else Action.STOP)


def verdict(
    action: Action,
    reason: str,
    reply: Reply,
    *,
    wait_s: float,
    repeat_s: float = 0.0,
    since_ms: int | None = None,
) -> Outcome | RetryLater:
    """The action as an outcome, or as a retry.

    wait_s: the pause of WAIT without Retry-After.
    repeat_s: the same of REPEAT; 0 grows from try to try.
    since_ms: of DELETE.
    """
    match action:
        case Action.DELETE:
            outcome: Outcome | RetryLater = Gone(reason, since_ms)
        case Action.DROP:
            outcome = Dropped(reason)
        case Action.STOP:
            outcome = OurFault(reason)
        case Action.WAIT:
            outcome = Later(reason, reply.retry_after_s or wait_s)
        case Action.REPEAT:
            outcome = RetryLater(reason, reply.retry_after_s or repeat_s, fault=True)
        case Action.MOVE:
            outcome = RetryLater(reason, reply.retry_after_s, soon=not reply.retry_after_s, leave=True)
        case Action.FIX | Action.SIGN:
            outcome = ConfigFault(reason)
    return outcome
