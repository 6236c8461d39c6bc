"""The emulated APNs keeps Apple's rules, one test a rule, without a socket."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from dev.emulators.apns import ApnsEmulator, ApnsRules
from dev.emulators.channels import ChannelsEmulator, ChannelStore
from dev.emulators.exchange import EmulatorRequest
from dev.emulators.journal import PushJournal
from dev.emulators.wire import ServerConnection

NOW = 1_700_000_000.0
BUNDLE = "com.example.scores"
TOKEN = "ab" * 32
STATE = {"version": 1, "status": "live"}


def keys() -> tuple[str, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return private, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


PRIVATE, PUBLIC = keys()
OTHER, OTHER_PUBLIC = keys()


class Wire(ServerConnection):
    """A connection without a socket: it records what would be written."""

    def __init__(self, service: Any) -> None:
        super().__init__(service)
        self.left: str | None = None
        service.opened(self)

    def allow(self, streams: int) -> None:
        self.max_streams = streams

    def go_away(self, reason: str) -> None:
        self.left = reason


class Desk:
    """An APNs, one connection to it, and a clock."""

    def __init__(self, folder: Path) -> None:
        self.now = NOW
        self.tokens: dict[tuple[str, str, str], str] = {}
        self.rules = ApnsRules(BUNDLE, {"KEY1": ("TEAM", PUBLIC), "KEY2": ("TEAM", OTHER_PUBLIC)})
        self.journal = PushJournal(folder / "pushes.db")
        self.apns = ApnsEmulator(self.rules, self.journal, ChannelStore(limit=2), lambda: self.now)
        self.connection = Wire(self.apns)

    def signed(self, key: str = PRIVATE, kid: str = "KEY1", **claims: Any) -> str:
        """A token; at one time always the same one, though a signature is different each time."""
        claims = {"iss": "TEAM", "iat": int(self.now), **claims}
        cache_key = (key, kid, str(claims))
        if cache_key not in self.tokens:
            given = {name: value for name, value in claims.items() if value is not None}
            self.tokens[cache_key] = jwt.encode(given, key, "ES256", {"kid": kid})
        return self.tokens[cache_key]

    def push(
        self, *, path: str = f"/3/device/{TOKEN}", method: str = "POST", body: bytes | None = None, **headers: Any
    ) -> Any:
        """The status and the reason, if any. Headers by their name with _ for -, None leaves one out."""
        usual = {
            "authorization": f"bearer {self.signed()}",
            "apns_topic": BUNDLE,
            "apns_push_type": "alert",
            "apns_expiration": str(int(self.now) + 60),
        }
        given = {
            name.replace("_", "-"): str(value) for name, value in {**usual, **headers}.items() if value is not None
        }
        payload = json.dumps({"aps": {"alert": {"title": "t", "body": "b"}}}).encode() if body is None else body
        answer = self.apns.answer(self.connection, EmulatorRequest(method, path, list(given.items()), payload))
        self.journal.write()
        return (answer.status, json.loads(answer.body)["reason"]) if answer.body else answer.status


@pytest.fixture
def desk(tmp_path: Path) -> Any:
    desk = Desk(tmp_path)
    yield desk
    desk.journal.close()


def activity(event: str = "update", **aps: Any) -> bytes:
    return json.dumps({"aps": {"timestamp": 1, "event": event, "content-state": STATE, **aps}}).encode()


def test_a_good_push_is_taken_and_written_down(desk: Desk) -> None:
    assert desk.push() == 200
    assert [push.target for push in desk.journal.all()] == [TOKEN]


def test_tokens_may_be_longer_than_they_are_today(desk: Desk) -> None:
    assert desk.push(path=f"/3/device/{'cd' * 80}") == 200


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"path": "/3/devices/x"}, (404, "BadPath")),
        ({"path": "/3/device/"}, (400, "MissingDeviceToken")),
        ({"path": "/3/device/xyz"}, (400, "BadDeviceToken")),
        ({"method": "GET"}, (405, "MethodNotAllowed")),
        ({"apns_id": "not-a-uuid"}, (400, "BadMessageId")),
        ({"apns_id": str(uuid.uuid4()).upper()}, (400, "BadMessageId")),
        ({"apns_topic": None}, (400, "MissingTopic")),
        ({"apns_topic": "com.other.app"}, (400, "TopicDisallowed")),
        ({"apns_topic": f"{BUNDLE}.voip"}, (400, "BadTopic")),
        ({"apns_push_type": None}, (400, "InvalidPushType")),
        ({"apns_push_type": "shout"}, (400, "InvalidPushType")),
        ({"apns_push_type": "liveactivity"}, (400, "BadTopic")),
        ({"apns_collapse_id": "x" * 65}, (400, "BadCollapseId")),
        ({"apns_collapse_id": "ü" * 33}, (400, "BadCollapseId")),
        ({"apns_expiration": "soon"}, (400, "BadExpirationDate")),
        ({"apns_priority": "7"}, (400, "BadPriority")),
        ({"apns_push_type": "background", "apns_priority": "10"}, (400, "BadPriority")),
        ({"body": b""}, (400, "PayloadEmpty")),
        ({"body": b"{}"}, (400, "BadRequestPayload")),
        ({"body": b"not json"}, (400, "BadRequestPayload")),
        ({"body": json.dumps({"aps": {"alert": "x" * 4096}}).encode()}, (413, "PayloadTooLarge")),
        ({"authorization": None}, (403, "MissingProviderToken")),
        ({"authorization": "bearer x.y.z"}, (403, "InvalidProviderToken")),
    ],
)
def test_errors_are_refused_with_the_reason_apple_gives(
    desk: Desk, changes: dict[str, Any], refusal: tuple[int, str]
) -> None:
    assert desk.push(**changes) == refusal


def test_a_live_activity_wants_its_own_topic_and_a_full_payload(desk: Desk) -> None:
    headers = {"apns_push_type": "liveactivity", "apns_topic": f"{BUNDLE}.push-type.liveactivity"}
    assert desk.push(body=activity(), **headers) == 200
    assert desk.push(body=activity("start"), **headers) == (400, "BadRequestPayload")
    assert desk.push(body=activity(timestamp="now"), **headers) == (400, "BadRequestPayload")
    full = {"attributes-type": "A", "attributes": {}, "alert": {"title": "t"}}
    assert desk.push(body=activity("start", **full), **headers) == 200
    for missing in full:
        less = {name: value for name, value in full.items() if name != missing}
        assert desk.push(body=activity("start", **less), **headers) == (400, "BadRequestPayload")
    assert desk.push(body=activity("start", **full)) == (400, "DeviceTokenNotForTopic")


def test_a_start_may_name_a_channel_that_there_is(desk: Desk) -> None:
    headers = {"apns_push_type": "liveactivity", "apns_topic": f"{BUNDLE}.push-type.liveactivity"}
    full = {"attributes-type": "A", "attributes": {}, "alert": {"title": "t"}}
    channel = Office(desk).create(1)
    assert desk.push(body=activity("start", **full, **{"input-push-channel": channel}), **headers) == 200
    unknown = activity("start", **full, **{"input-push-channel": "unknown"})
    assert desk.push(body=unknown, **headers) == (400, "BadRequestPayload")


@pytest.mark.parametrize(
    "aps",
    [
        {"interruption-level": "loud"},
        {"relevance-score": "high"},
        {"mutable-content": True},
        {"thread-id": 7},
        {"shout": 1},
        {"alert": {"headline": "t"}},
        {"sound": 1},
    ],
)
def test_an_alert_no_phone_could_use_is_refused(desk: Desk, aps: dict[str, Any]) -> None:
    body = json.dumps({"aps": {"alert": {"title": "t"}, **aps}}).encode()
    assert desk.push(body=body) == (400, "BadRequestPayload")


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"version": 1},
        {**STATE, "version": "1"},
        {**STATE, "home_score": "2"},
        {**STATE, "minute": 45.5},
        {**STATE, "shootout": {"home": 1}},
    ],
)
def test_a_state_the_app_cannot_decode_is_refused(desk: Desk, state: dict[str, Any]) -> None:
    headers = {"apns_push_type": "liveactivity", "apns_topic": f"{BUNDLE}.push-type.liveactivity"}
    assert desk.push(body=activity(**{"content-state": state}), **headers) == (400, "BadRequestPayload")
    whole = {**STATE, "home_score": None, "away_score": 2, "shootout": None, "field_of_tomorrow": 1}
    assert desk.push(body=activity(**{"content-state": whole}), **headers) == 200


def test_a_token_and_a_key_of_the_other_environment_are_refused(desk: Desk) -> None:
    desk.rules.tokens_elsewhere.add(TOKEN)
    assert desk.push() == (400, "BadDeviceToken")
    desk.rules.keys_elsewhere.add("KEY1")
    desk.connection = Wire(desk.apns)
    assert desk.push() == (403, "BadEnvironmentKeyIdInToken")


def test_the_id_is_echoed_and_a_repeated_one_is_no_duplicate(desk: Desk) -> None:
    name = str(uuid.uuid4())
    assert [desk.push(apns_id=name), desk.push(apns_id=name)] == [200, 200]
    assert desk.journal.counts() == {TOKEN: 2}


@pytest.mark.parametrize(
    "claims", [{"iss": "OTHER"}, {"iat": "1700000000"}, {"iat": None}, {"iss": None}, {"iat": int(NOW) + 3600}]
)
def test_a_token_with_wrong_claims_is_invalid(desk: Desk, claims: dict[str, Any]) -> None:
    assert desk.push(authorization=f"bearer {desk.signed(**claims)}") == (403, "InvalidProviderToken")


def test_a_token_signed_by_another_key_is_invalid(desk: Desk) -> None:
    assert desk.push(authorization=f"bearer {desk.signed(OTHER)}") == (403, "InvalidProviderToken")
    assert desk.push(authorization=f"bearer {desk.signed(kid='KEY9')}") == (403, "InvalidProviderToken")


def test_a_connection_that_saw_an_expired_token_answers_nothing_else(desk: Desk) -> None:
    old = desk.signed(iat=int(NOW) - 3601)
    assert desk.push(authorization=f"bearer {old}") == (403, "ExpiredProviderToken")
    assert desk.push() == (403, "ExpiredProviderToken")
    desk.connection = Wire(desk.apns)
    assert desk.push() == 200


def test_a_second_new_token_within_twenty_minutes_is_one_too_many(desk: Desk) -> None:
    assert desk.push(authorization=f"bearer {desk.signed()}") == 200
    desk.now += 60
    assert desk.push(authorization=f"bearer {desk.signed()}") == (429, "TooManyProviderTokenUpdates")
    desk.now += 20 * 60
    assert desk.push(authorization=f"bearer {desk.signed()}") == 200


def test_a_connection_belongs_to_the_key_of_its_first_push(desk: Desk) -> None:
    assert desk.push() == 200
    desk.now += 1300
    other = desk.signed(OTHER, "KEY2")
    assert desk.push(authorization=f"bearer {other}") == (403, "UnrelatedKeyIdInToken")


def test_one_stream_until_the_first_good_push(desk: Desk) -> None:
    assert desk.connection.max_streams == 1
    assert desk.push(authorization="bearer x.y.z") == (403, "InvalidProviderToken")
    assert desk.connection.max_streams == 1
    assert desk.push() == 200
    assert desk.connection.max_streams == 1000


def test_dead_tokens_answer_with_the_time_of_their_death_and_harm_nobody(desk: Desk) -> None:
    desk.rules.tokens[TOKEN] = (410, "Unregistered", 1_699_000_000_000)
    for _ in range(200):
        assert desk.push() == (410, "Unregistered")
    assert desk.connection.left is None


def test_many_bad_tokens_end_the_connection(desk: Desk) -> None:
    bearer = f"bearer {desk.signed()}"
    for _ in range(51):
        desk.push(path="/3/device/xyz", authorization=bearer)
    assert desk.connection.left == "BadDeviceToken"


def test_many_errors_lower_the_stream_limit(desk: Desk) -> None:
    bearer = f"bearer {desk.signed()}"
    assert desk.push(authorization=bearer) == 200
    for _ in range(102):
        desk.push(authorization=bearer, apns_priority="7")
    assert desk.connection.max_streams < 1000
    assert desk.connection.left is None
    for _ in range(100):
        desk.push(authorization=bearer, apns_priority="7")
    assert desk.connection.left == "Shutdown"


class Office:
    """The channel management API of a desk."""

    def __init__(self, desk: Desk) -> None:
        self.channels = ChannelsEmulator(BUNDLE, desk.rules.keys, desk.apns.channels, lambda: desk.now)
        self.connection = Wire(self.channels)
        self.bearer = f"bearer {desk.signed()}"

    def ask(self, method: str, path: str = "channels", body: Any = None, channel: str | None = None) -> tuple[int, Any]:
        headers = [("authorization", self.bearer)] + ([("apns-channel-id", channel)] if channel else [])
        request = EmulatorRequest(
            method, f"/1/apps/{BUNDLE}/{path}", headers, json.dumps(body).encode() if body else b""
        )
        answer = self.channels.answer(self.connection, request)
        return answer.status, json.loads(answer.body) if answer.body else answer.headers.get("apns-channel-id")

    def create(self, policy: int) -> str:
        status, channel = self.ask("POST", body={"message-storage-policy": policy, "push-type": "LiveActivity"})
        assert status == 201
        return str(channel)


def test_channels_are_made_read_listed_and_deleted(desk: Desk) -> None:
    office = Office(desk)
    channel = office.create(1)
    assert office.ask("GET", channel=channel) == (200, {"message-storage-policy": 1, "push-type": "LiveActivity"})
    assert office.ask("GET", "all-channels") == (200, {"channels": [channel]})
    assert office.ask("DELETE", channel=channel) == (204, None)
    assert office.ask("GET", channel=channel) == (404, {"reason": "ChannelNotRegistered"})


def test_channels_are_limited_and_their_requests_checked(desk: Desk) -> None:
    office = Office(desk)
    wanted = {"message-storage-policy": 1, "push-type": "LiveActivity"}
    assert office.ask("POST", body={**wanted, "push-type": "Alert"}) == (400, {"reason": "InvalidPushType"})
    assert office.ask("POST", body={"push-type": "LiveActivity"}) == (400, {"reason": "BadRequestPayload"})
    assert office.ask("GET") == (400, {"reason": "MissingChannelId"})
    assert office.ask("PUT") == (405, {"reason": "MethodNotAllowed"})
    assert office.ask("GET", "nowhere") == (404, {"reason": "BadPath"})
    office.create(0), office.create(1)
    assert office.ask("POST", body=wanted) == (400, {"reason": "CannotCreateChannelConfig"})
    office.bearer = "bearer x.y.z"
    assert office.ask("GET", "all-channels") == (403, {"reason": "InvalidProviderToken"})


def test_a_broadcast_is_checked_in_the_order_of_the_real_service(desk: Desk) -> None:
    office = Office(desk)
    storing, passing = office.create(1), office.create(0)
    push: dict[str, Any] = {
        "path": f"/4/broadcasts/apps/{BUNDLE}",
        "apns_topic": None,
        "apns_push_type": "liveactivity",
        "apns_channel_id": storing,
        "body": activity(),
    }
    assert desk.push(**push) == 200
    assert desk.push(**push | {"apns_channel_id": None, "apns_push_type": None}) == (400, "MissingChannelId")
    assert desk.push(**push | {"apns_push_type": None}) == (400, "MissingPushType")
    assert desk.push(**push | {"apns_push_type": "alert"}) == (400, "InvalidPushType")
    assert desk.push(**push | {"apns_channel_id": passing}) == (400, "BadExpirationDate")
    assert desk.push(**push | {"apns_channel_id": passing, "apns_expiration": "0"}) == 200
    assert desk.push(**push | {"apns_priority": "3"}) == (400, "BadPriority")
    assert desk.push(**push | {"apns_channel_id": "unknown"}) == (400, "ChannelNotRegistered")
    assert desk.push(**push | {"body": b""}) == (400, "PayloadEmpty")
    assert desk.push(**push | {"body": activity(alert="x" * 5120)}) == (413, "PayloadTooLarge")
    assert desk.push(**push | {"body": activity("start", **{"attributes-type": "", "attributes": 1, "alert": 1})}) == (
        400,
        "BadRequestPayload",
    )
