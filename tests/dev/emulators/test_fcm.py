"""The emulated FCM keeps Google's rules, without a socket."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from dev.emulators.exchange import EmulatorRequest
from dev.emulators.fcm import FcmEmulator, FcmRules
from dev.emulators.journal import PushJournal
from dev.emulators.oauth import GRANT, SCOPE, OAuth
from dev.emulators.topics import Topics
from tests.support.rsa_key import RSA_KEY

NOW = 1_700_000_000.0
AUDIENCE = "https://127.0.0.1/token"
PUBLIC = RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
GOOD = {"token": "device-token", "notification": {"title": "t"}}


class Desk:
    def __init__(self, folder: Path, **rules: Any) -> None:
        self.now = NOW
        self.journal = PushJournal(folder / "pushes.db")
        self.oauth = OAuth("push@p", PUBLIC, AUDIENCE, lambda: self.now)
        self.fcm = FcmEmulator(FcmRules("p", **rules), self.journal, self.oauth, lambda: self.now)
        self.bearer = self.exchange()[1]["access_token"]

    def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, Any]:
        answer = self.fcm.answer(
            None, EmulatorRequest(method, path, [("authorization", f"Bearer {self.bearer}")], body)
        )  # type: ignore[arg-type]
        self.journal.write()
        self.headers = answer.headers
        return answer.status, json.loads(answer.body)

    def exchange(self, **claims: Any) -> tuple[int, Any]:
        now = int(self.now)
        claims = {"iss": "push@p", "scope": SCOPE, "aud": AUDIENCE, "iat": now, "exp": now + 3600, **claims}
        form = urlencode({"grant_type": GRANT, "assertion": jwt.encode(claims, RSA_KEY, "RS256")})
        self.bearer = ""
        return self.ask("POST", "/token", form.encode())

    def send(self, message: Any, **more: Any) -> tuple[int, str]:
        """The status, and the error's code or field."""
        status, body = self.ask(
            "POST", "/v1/projects/p/messages:send", json.dumps({"message": message, **more}).encode()
        )
        if status == 200:
            assert body["name"].startswith("projects/p/messages/")
            return 200, ""
        [detail] = body["error"]["details"] or [{}]
        return status, detail.get("errorCode") or detail["fieldViolations"][0]["field"]

    def subscribe(self, token: str, topic: str) -> int:
        return self.ask("POST", f"/v1/projects/p/registrations/{token}/topicSubscriptions?topic_name={topic}")[0]


@pytest.fixture
def desk(tmp_path: Path) -> Any:
    desk = Desk(tmp_path)
    yield desk
    desk.journal.close()


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "other"},
        {"scope": "https://www.googleapis.com/auth/drive"},
        {"aud": "https://elsewhere.example/token"},
        {"exp": int(NOW) + 7200},
        {"exp": int(NOW) - 1},
        {"iat": int(NOW) + 3000, "exp": int(NOW) + 3100},
    ],
)
def test_an_assertion_google_would_refuse_gets_no_bearer(desk: Desk, claims: dict[str, Any]) -> None:
    status, body = desk.exchange(**claims)
    assert (status, body["error"]) == (400, "invalid_grant")


def test_a_bearer_ends(desk: Desk) -> None:
    assert desk.send(GOOD) == (200, "")
    desk.now += 3600
    status, body = desk.ask("POST", "/v1/projects/p/messages:send", b"{}")
    assert (status, body["error"]["status"]) == (401, "UNAUTHENTICATED")


def test_another_project_is_denied(desk: Desk) -> None:
    assert desk.ask("POST", "/v1/projects/q/messages:send", b"{}")[0] == 403


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ({"notification": {}}, "message.target"),
        ({**GOOD, "topic": "t"}, "message.target"),
        ({**GOOD, "shout": 1}, "message"),
        ({**GOOD, "android": {"shout": 1}}, "message.android"),
        ({**GOOD, "android": {"notification": {"shout": 1}}}, "message.android.notification"),
        ({**GOOD, "android": {"notification": {"sticky": "yes"}}}, "message.android.notification.sticky"),
        ({**GOOD, "notification": {"title": 1}}, "message.notification.title"),
        ({**GOOD, "webpush": {"headers": {"TTL": 60}}}, "message.webpush.headers"),
        ({**GOOD, "data": {"n": 1}}, "message.data"),
        ({**GOOD, "data": {"from": "x"}}, "message.data"),
        ({**GOOD, "data": {"google.x": "x"}}, "message.data"),
        ({**GOOD, "android": {"ttl": 60}}, "message.android.ttl"),
        ({**GOOD, "android": {"ttl": "60"}}, "message.android.ttl"),
        ({**GOOD, "android": {"ttl": "2419201s"}}, "message.android.ttl"),
        ({**GOOD, "android": {"priority": "high"}}, "message.android.priority"),
        ({**GOOD, "data": {"x": "y" * 4096}}, "message"),
        ({"topic": "t", "data": {"x": "y" * 2048}}, "message"),
        ({"topic": "no spaces"}, "message.topic"),
        ({"condition": "'a' in topics &&"}, "message.condition"),
        ("none", "message"),
    ],
)
def test_what_is_wrong_with_a_message_is_named_by_its_field(desk: Desk, message: Any, field: str) -> None:
    assert desk.send(message) == (400, field)


def test_bad_tokens_are_told_by_their_code(desk: Desk) -> None:
    desk.fcm.rules.tokens = {"device-gone": "UNREGISTERED", "device-other": "SENDER_ID_MISMATCH"}
    assert desk.send({"token": "device-gone"}) == (404, "UNREGISTERED")
    assert desk.send({"fid": "device-other"}) == (403, "SENDER_ID_MISMATCH")
    assert desk.send({"token": "short"}) == (400, "INVALID_ARGUMENT")


def test_validate_only_sends_nothing(desk: Desk) -> None:
    assert desk.send(GOOD, validate_only=True) == (200, "")
    assert desk.journal.counts() == {}


def test_the_project_has_a_quota_by_the_minute(tmp_path: Path) -> None:
    desk = Desk(tmp_path, quota_per_minute=3)
    assert [desk.send({**GOOD, "token": f"device-{n}"})[0] for n in range(4)] == [200, 200, 200, 429]
    assert 0 < int(desk.headers["retry-after"]) <= 60
    desk.now += 60
    assert desk.send(GOOD) == (200, "")
    desk.journal.close()


def test_one_device_takes_so_many_a_minute_and_fewer_that_collapse(desk: Desk) -> None:
    collapsible = {**GOOD, "android": {"collapse_key": "m", "ttl": "60s"}}
    assert [desk.send(collapsible)[0] for _ in range(21)] == [200] * 20 + [429]
    assert "retry-after" not in desk.headers
    assert desk.send({**collapsible, "android": {"collapse_key": "m", "ttl": "0s"}}) == (200, "")
    desk.now += 180
    assert [desk.send(collapsible)[0] for _ in range(2)] == [200, 429]
    other = {"token": "device-two", "data": {"title": "t"}, "android": {"priority": "HIGH"}}
    assert [desk.send(other)[0] for _ in range(241)] == [200] * 240 + [429]


def test_subscriptions_are_made_once_ended_once_and_limited(desk: Desk) -> None:
    assert [desk.subscribe("device-1", "goals") for _ in range(2)] == [200, 409]
    ended = "/v1/projects/p/registrations/device-1/topicSubscriptions/goals"
    assert [desk.ask("DELETE", ended)[0] for _ in range(2)] == [200, 404]
    assert desk.ask("DELETE", ended + "?allow_missing=true")[0] == 200
    assert desk.subscribe("device-1", "no%20spaces") == 400
    assert {desk.subscribe("device-2", f"t{n}") for n in range(2000)} == {200}
    assert desk.subscribe("device-2", "one-more") == 429


def test_subscriptions_have_a_rate(tmp_path: Path) -> None:
    desk = Desk(tmp_path, subscriptions_per_second=2)
    assert [desk.subscribe(f"device-{n}", "goals") for n in range(3)] == [200, 200, 429]
    desk.now += 1
    assert desk.subscribe("device-2", "goals") == 200
    desk.journal.close()


def test_a_topic_message_reaches_its_listeners_at_the_rate_all_fan_outs_share(tmp_path: Path) -> None:
    desk = Desk(tmp_path, fan_out_per_s=10)
    for n in range(20):
        desk.subscribe(f"device-{n:02}", "goals")
    assert desk.send({"topic": "goals"}) == (200, "")
    assert desk.send({"topic": "goals"}) == (200, "")
    arrived = [push.at - NOW for push in desk.journal.all()]
    assert len(arrived) == 40
    assert (arrived[0], round(arrived[-1], 1)) == (0.0, 3.9)
    desk.journal.close()


@pytest.mark.parametrize(
    ("condition", "named"),
    [
        ("'a' in topics", {"1", "2"}),
        ("'a' in topics && 'b' in topics", {"2"}),
        ("'a' in topics || 'c' in topics && 'b' in topics", {"1", "2"}),
        ("('a' in topics || 'c' in topics) && 'b' in topics", {"2"}),
        ("!('a' in topics)", {"3"}),
        ("'a' in topics && !('b' in topics)", {"1"}),
        ("'nobody' in topics", set()),
        ("'a' in topics 'b' in topics", None),
        ("('a' in topics", None),
        ("a in topics", None),
        ("", None),
        (" && ".join(f"'{name}' in topics" for name in "abcdef"), None),
    ],
)
def test_conditions_name_who_they_say(condition: str, named: set[str] | None) -> None:
    topics = Topics()
    for token, topic in (("1", "a"), ("2", "a"), ("2", "b"), ("3", "c")):
        topics.add(token, topic)
    assert topics.matching(condition) == named
