"""Every reason of every service has its action, the same in code and in docs/push.md, and its outcome."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from db.domain import Device, Kind, Platform
from notify.content.message import Message
from notify.transports.apns import DEVICE_PAUSE_S, Apns
from notify.transports.base import Envelope
from notify.transports.exchange import Reply, Request
from notify.transports.fcm import FIRST_REPEAT_S, QUOTA_PAUSE_S, Fcm
from notify.transports.outcome import ConfigFault, Dropped, Gone, Later, OurFault, Outcome
from notify.transports.reasons import (
    APNS,
    FCM,
    WEB_PUSH,
    Action,
    apns_action,
    fcm_action,
    verdict,
    web_push_action,
)
from notify.transports.retry import PAUSE_MAX_S, REFUSALS_MAX, TRIED_MAX_S, TRIES_MAX, RetryLater, pause_s, unanswered
from notify.transports.webpush import PAUSE_S
from tests.support.emulators import Emulated

# Apple, "Handling notification responses from APNs"; its last two lines, "Handling error responses from Apple Push
# Notification service".
OF_APPLE = """
BadCollapseId BadDeviceToken BadExpirationDate BadMessageId BadPriority BadTopic DeviceTokenNotForTopic DuplicateHeaders
IdleTimeout InvalidPushType MissingDeviceToken MissingTopic PayloadEmpty TopicDisallowed BadCertificate
BadCertificateEnvironment BadEnvironmentKeyIdInToken ExpiredProviderToken Forbidden InvalidProviderToken
MissingProviderToken UnrelatedKeyIdInToken BadPath MethodNotAllowed ExpiredToken Unregistered PayloadTooLarge
TooManyProviderTokenUpdates TooManyRequests InternalServerError ServiceUnavailable Shutdown
BadChannelId BadRequestParams BadRequestPayload CannotCreateChannelConfig ChannelNotRegistered FeatureNotEnabled
MissingChannelId MissingPushType TopicMismatch
"""
# Google, "ErrorCode" of FCM, then google.rpc.Code without OK.
OF_GOOGLE = """
UNSPECIFIED_ERROR INVALID_ARGUMENT UNREGISTERED SENDER_ID_MISMATCH QUOTA_EXCEEDED UNAVAILABLE INTERNAL
THIRD_PARTY_AUTH_ERROR
CANCELLED UNKNOWN DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED UNAUTHENTICATED RESOURCE_EXHAUSTED
FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED DATA_LOSS
"""
DOCS = Path(__file__).resolve().parents[3] / "docs" / "push.md"
RESULTS: Mapping[Action, object] = {
    Action.DELETE: Gone("reason", 5),
    Action.DROP: Dropped("reason"),
    Action.STOP: OurFault("reason"),
    Action.FIX: ConfigFault("reason"),
    Action.SIGN: ConfigFault("reason"),
    Action.WAIT: Later("reason", 30.0),
    Action.REPEAT: RetryLater("reason", 10.0, fault=True),
    Action.MOVE: RetryLater("reason", soon=True, leave=True),
}


def documented(service: str) -> dict[str, str]:
    """Reason → action, of the table under `### service`."""
    section = DOCS.read_text().split(f"### {service}\n", 1)[1].split("\n#", 1)[0]
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|", section, re.MULTILINE)
    return {reason: action for _, reasons, action in rows for reason in re.findall(r"`([^`]+)`", reasons)}


@pytest.mark.parametrize(("service", "table"), [("APNs", APNS), ("FCM", FCM), ("Web Push", WEB_PUSH)])
def test_the_docs_show_the_tables_of_the_code(service: str, table: Mapping[object, Action]) -> None:
    assert documented(service) == {str(reason): action.value for reason, action in table.items()}


def test_no_reason_of_the_services_is_left_out() -> None:
    assert APNS.keys() == set(OF_APPLE.split())
    assert FCM.keys() == set(OF_GOOGLE.split())


def expected(action: Action, reason: str, *, wait_s: float, repeat_s: float = 0.0) -> Outcome | RetryLater:
    """Of an answer without Retry-After."""
    outcomes: dict[Action, Outcome | RetryLater] = {
        Action.DELETE: Gone(reason),
        Action.DROP: Dropped(reason),
        Action.STOP: OurFault(reason),
        Action.FIX: ConfigFault(reason),
        Action.SIGN: ConfigFault(reason),
        Action.WAIT: Later(reason, wait_s),
        Action.REPEAT: RetryLater(reason, repeat_s, fault=True),
        Action.MOVE: RetryLater(reason, soon=True, leave=True),
    }
    return outcomes[action]


def envelope(platform: Platform) -> Envelope:
    now = time.time()
    goal = Message("m1", 1, Kind.GOAL, "Goal!", "1–0", "/match/m1", "m1", now, int(now) + 600)
    return Envelope(Device(platform, "ab" * 32), goal)


@pytest.mark.parametrize("reason", sorted(APNS))
def test_each_reason_of_apns_has_its_outcome(apns: Apns, reason: str) -> None:
    """Of a provider token that was just signed; an older one is in test_apns."""
    alert = apns._request(envelope(Platform.IOS))
    assert isinstance(alert, Request)
    apns.signature.issued_at = int(time.time())
    outcome = apns._judge(alert, Reply(400, json.dumps({"reason": reason}).encode()))
    assert outcome == expected(APNS[reason], reason, wait_s=DEVICE_PAUSE_S)


@pytest.mark.parametrize("code", sorted(FCM))
def test_each_code_of_fcm_has_its_outcome(fcm: Fcm, code: str) -> None:
    """Of another field than the token, and after a new bearer token; the rest is in test_fcm."""
    violations = {"fieldViolations": [{"field": "message.data"}]}
    bodies = [
        {"error": {"status": code, "details": [violations]}},
        {"error": {"status": "UNKNOWN", "details": [violations, {"errorCode": code}]}},
    ]
    for body in bodies:
        fcm.bearer.replaced_at = time.monotonic()
        alert = Request(envelope(Platform.ANDROID), fcm.url, fcm.bearer.headers, b"", 0.0)
        outcome = fcm._judge(alert, Reply(400, json.dumps(body).encode()))
        assert outcome == expected(FCM[code], code, wait_s=QUOTA_PAUSE_S, repeat_s=FIRST_REPEAT_S)


@pytest.mark.parametrize("status", WEB_PUSH)
def test_each_status_of_the_browsers_services_has_its_outcome(emulators: Emulated, status: int) -> None:
    web = emulators.webpush(emulators.settings["apns_key"])
    outcome = web._judge(request(), Reply(status))
    assert outcome == expected(WEB_PUSH[status], f"status_{status}", wait_s=PAUSE_S)
    web.close()


@pytest.mark.parametrize("action", Action)
def test_each_action_has_its_result(action: Action) -> None:
    result = verdict(action, "reason", Reply(400), wait_s=30.0, repeat_s=10.0, since_ms=5)
    assert result == RESULTS[action]


def test_retry_after_outweighs_our_own_pause() -> None:
    reply = Reply(503, retry_after_s=7.0)
    assert verdict(Action.WAIT, "r", reply, wait_s=30.0) == Later("r", 7.0)
    assert verdict(Action.REPEAT, "r", reply, wait_s=30.0, repeat_s=10.0) == RetryLater("r", 7.0, fault=True)
    assert verdict(Action.MOVE, "r", reply, wait_s=30.0) == RetryLater("r", 7.0, leave=True)


@pytest.mark.parametrize(
    ("status", "action"),
    [
        (400, Action.STOP),
        (401, Action.FIX),
        (403, Action.FIX),
        (404, Action.FIX),
        (408, Action.REPEAT),
        (409, Action.REPEAT),
        (410, Action.DELETE),
        (413, Action.STOP),
        (421, Action.MOVE),
        (429, Action.WAIT),
        (499, Action.REPEAT),
        (500, Action.REPEAT),
        (504, Action.REPEAT),
    ],
)
def test_a_reason_nobody_has_listed_goes_by_its_status(status: int, action: Action) -> None:
    assert apns_action(status, "WordOfTomorrow") is action
    assert fcm_action(status, "WORD_OF_TOMORROW") is action


@pytest.mark.parametrize(("status", "action"), [(418, Action.DROP), (302, Action.DROP), (502, Action.REPEAT)])
def test_a_status_of_web_push_nobody_has_listed(status: int, action: Action) -> None:
    assert web_push_action(status) is action


def request(**changes: object) -> Request:
    return Request(None, "https://push.example/", [], b"", 0.0, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("error", ["no_address", "no_connection", "no_tls", "certificate_refused"])
def test_without_a_connection_nothing_was_sent_and_the_next_try_waits(error: str) -> None:
    assert unanswered(request(), Reply(0, error=error)) == RetryLater(error, fault=True)


@pytest.mark.parametrize("error", ["connection_lost", "stream_reset", "no_answer"])
def test_what_was_sent_without_an_answer_is_in_doubt(error: str) -> None:
    assert unanswered(request(), Reply(0, error=error)) == RetryLater(error, soon=True, fault=True, unknown_fate=True)


def test_a_refused_stream_costs_no_try_unless_all_are_refused() -> None:
    refused, reply = request(tries=1), Reply(0, error="refused_stream")
    assert unanswered(refused, reply) == RetryLater("refused_stream", soon=True)
    assert (refused.tries, refused.refusals) == (0, 1)
    for _ in range(REFUSALS_MAX):
        refused.tries += 1
        last = unanswered(refused, reply)
    assert last == RetryLater("refused_stream")
    assert refused.tries > 0


def test_tries_and_long_pauses_are_left_to_the_caller() -> None:
    assert pause_s(request(tries=TRIES_MAX), RetryLater("r", soon=True), now=0.0) is None
    assert pause_s(request(tries=1), RetryLater("r", after_s=PAUSE_MAX_S + 1), now=0.0) is None
    assert pause_s(request(tries=1, begun_at=5.0), RetryLater("r", soon=True), now=5.1 + TRIED_MAX_S) is None
    assert pause_s(request(tries=1, begun_at=5.0), RetryLater("r", soon=True), now=4.9 + TRIED_MAX_S) == 0.0
    growing = [pause_s(request(tries=tries), RetryLater("r"), now=0.0) or 0.0 for tries in (1, 4)]
    assert 0.1 <= growing[0] <= 0.3
    assert 0.8 <= growing[1] <= 2.4
