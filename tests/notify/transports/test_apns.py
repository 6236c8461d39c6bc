"""APNs: outcomes, the provider token, Live Activities and channels."""

from __future__ import annotations

import json
import logging
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from db.domain import Device, Kind, Platform
from notify.content.message import Message
from notify.transports.apns import Apns, reason_of
from notify.transports.base import ActivityStart, Address, Channel, Envelope
from notify.transports.exchange import Reply
from notify.transports.outcome import ConfigFault, Delivered, Dropped, Gone, Later
from notify.transports.signature import TOKEN_S, Key, Signature
from tests.support.emulators import Emulated

PEM = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
NOW = 1_700_000_000.0


def message(**more: object) -> Message:
    now = time.time()
    parts = {"state": {"version": 1, "status": "live", "home_score": 1}, "attributes": {"match_id": "m1"}, **more}
    return Message("m1", 1, Kind.GOAL, "Goal!", "1–0", "/match/m1", "m1", now, int(now) + 600, **parts)  # type: ignore[arg-type]


def send(apns: Apns, address: Address, content: Message | None = None) -> object:
    [(_, outcome)] = apns.send([Envelope(address, content or message())])
    return outcome


def device(token: str) -> Device:
    return Device(platform=Platform.IOS, token=token)


def test_every_reason_of_the_emulated_service_comes_back_as_its_outcome(emulators: Emulated, apns: Apns) -> None:
    verdicts = {
        "a1": (410, "Unregistered", 1_699_999_999_000),
        "a2": (400, "BadDeviceToken", None),
        "a3": (429, "TooManyRequests", None),
        "a4": (400, "DeviceTokenNotForTopic", None),
    }
    tokens = {name: name + "0" * 62 for name in verdicts}
    for name, (status, reason, timestamp) in verdicts.items():
        emulators.mark("apns", tokens[name], status=status, reason=reason, timestamp=timestamp)
    assert send(apns, device(tokens["a1"])) == Gone("Unregistered", 1_699_999_999_000)
    assert send(apns, device(tokens["a2"])) == Gone("BadDeviceToken")
    assert send(apns, device(tokens["a3"])) == Later("TooManyRequests", 30.0)
    assert send(apns, device(tokens["a4"])) == Gone("DeviceTokenNotForTopic")
    emulators.mark("apns", tokens["a1"])
    assert send(apns, device(tokens["a1"])) == Delivered()


def test_one_dead_token_costs_nobody_else_their_push(emulators: Emulated, apns: Apns) -> None:
    tokens = [f"b{n:063x}" for n in range(30)]
    emulators.mark("apns", tokens[0], status=410, reason="Unregistered", timestamp=1)
    outcomes = [type(outcome) for _, outcome in apns.send([Envelope(device(token), message()) for token in tokens])]
    assert outcomes.count(Gone) == 1
    assert outcomes.count(Delivered) == 29


def test_the_token_is_signed_once_for_fifty_minutes_and_the_same_by_time_everywhere() -> None:
    here, there = Signature(Key("TEAM", "KEYID", PEM)), Signature(Key("TEAM", "KEYID", PEM))
    first = here.token(NOW)
    start = NOW // TOKEN_S * TOKEN_S
    assert here.token(start + TOKEN_S - 1) == first
    assert here.token(start + TOKEN_S) != first
    claims = jwt.decode(there.token(NOW), options={"verify_signature": False})
    assert claims == {"iss": "TEAM", "iat": int(start)}
    assert jwt.get_unverified_header(first) == {"alg": "ES256", "kid": "KEYID"}


def test_a_clock_that_is_set_back_leaves_no_token_from_the_future() -> None:
    signature = Signature(Key("TEAM", "KEYID", PEM))
    signature.token(NOW)
    claims = jwt.decode(signature.token(NOW - 2 * TOKEN_S), options={"verify_signature": False})
    assert claims["iat"] <= NOW - 2 * TOKEN_S


@pytest.mark.parametrize("timestamp", ['"1700000000000"', "1e300", "-1", "true", "null", "9" * 30])
def test_a_time_of_death_that_is_none_is_left_out(timestamp: str) -> None:
    reply = Reply(410, f'{{"reason": "Unregistered", "timestamp": {timestamp}}}'.encode())
    assert reason_of(reply) == ("Unregistered", None)


def test_an_expired_token_is_signed_anew_and_the_push_arrives(emulators: Emulated, apns: Apns) -> None:
    """As after a night's sleep of the machine: the token in use is two hours old."""
    apns.signature._sign(int(time.time()) - 7200)
    apns.signature.issued_at = int(time.time()) - 1300
    assert send(apns, device("c" * 64)) == Delivered()
    assert len(emulators.phone("c" * 64)["alerts"]) == 1


def test_a_token_that_is_too_old_when_new_is_a_fault_of_our_clock(apns: Apns) -> None:
    apns.signature._sign(int(time.time()) - 7200)
    apns.signature.issued_at = int(time.time())
    assert send(apns, device("c" * 64)) == ConfigFault("ExpiredProviderToken")


def test_a_new_token_that_comes_too_soon_goes_to_a_new_connection(emulators: Emulated, apns: Apns) -> None:
    assert send(apns, device("d" * 64)) == Delivered()
    apns.signature._sign(int(time.time()) - 5)
    assert send(apns, device("d" * 64)) == Delivered()


def test_a_wrong_key_stops_everybody_and_is_logged_once(emulators: Emulated, caplog: pytest.LogCaptureFixture) -> None:
    key = Key(emulators.apns_team, emulators.apns_key_id, PEM)
    apns = Apns(key, emulators.apns_bundle, url=emulators.apns_url, ca=emulators.push_ca)
    envelopes = [Envelope(device(f"e{n:063x}"), message()) for n in range(50)]
    with caplog.at_level(logging.INFO):
        outcomes = {outcome for _, outcome in apns.send(envelopes)}
    assert outcomes == {ConfigFault("InvalidProviderToken")}
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    apns.close()


def test_nothing_secret_is_logged_or_shown(apns: Apns, emulators: Emulated, caplog: pytest.LogCaptureFixture) -> None:
    emulators.set_faults("apns", cut_every=3)
    with caplog.at_level(logging.DEBUG):
        outcomes = list(apns.send([Envelope(device(f"f{n:063x}"), message()) for n in range(20)]))
    secrets = [apns.signature.token(time.time()), emulators.settings["apns_key"].splitlines()[1], "f" + "0" * 62]
    shown = caplog.text + repr(outcomes) + repr(apns.signature.key) + repr(ActivityStart("f" + "0" * 63))
    assert not [secret for secret in secrets if secret in shown]


def test_a_live_activity_is_started_on_one_phone_and_updated_and_ended_by_its_channel(
    emulators: Emulated, apns: Apns
) -> None:
    token, channel = "1a" * 40, emulators.channels(apns).create()
    assert isinstance(channel, str)
    assert send(apns, ActivityStart(token, channel)) == Delivered()
    assert send(apns, Channel(channel)) == Delivered()
    assert send(apns, Channel(channel), message(over=True, silent=True)) == Delivered()
    counts = emulators.counts()
    assert (counts[token], counts[f"channel:{channel}"]) == (1, 2)


def test_a_start_refused_for_its_channel_says_nothing_of_the_phone(emulators: Emulated, apns: Apns) -> None:
    emulators.set_faults("apns", status_every=1, status=400, reason="ChannelNotRegistered")
    assert send(apns, ActivityStart("1b" * 40, "channel")) == Dropped("ChannelNotRegistered")
    assert send(apns, Channel("channel")) == Gone("ChannelNotRegistered")


def test_a_start_goes_to_no_device_token_and_an_alert_to_no_start_token(emulators: Emulated, apns: Apns) -> None:
    phone, start = device("1c" * 32), ActivityStart("1d" * 80)
    assert [send(apns, phone), send(apns, start)] == [Delivered(), Delivered()]
    assert send(apns, ActivityStart(phone.token)) == Gone("DeviceTokenNotForTopic")
    assert send(apns, device(start.token)) == Gone("DeviceTokenNotForTopic")


def test_a_channel_is_created_published_to_listed_and_deleted(emulators: Emulated, apns: Apns) -> None:
    channels = emulators.channels(apns)
    channel = channels.create()
    assert isinstance(channel, str)
    assert send(apns, Channel(channel)) == Delivered()
    assert emulators.counts()[f"channel:{channel}"] == 1
    listed = channels.all()
    assert isinstance(listed, list)
    assert channel in listed
    assert channels.delete(channel) == Delivered()
    assert send(apns, Channel(channel)) == Gone("ChannelNotRegistered")
    assert channels.delete(channel) == Gone("ChannelNotRegistered")


def test_channels_that_cannot_be_reached_are_asked_for_later(emulators: Emulated, apns: Apns) -> None:
    channels = emulators.channels(apns)
    channels.base = "https://127.0.0.1:9/1/apps/x"
    assert isinstance(channels.create(), Later)


@pytest.mark.parametrize("answer", ["", "<html>Sign in</html>", "[]", "{}", '{"channels": null}'])
def test_a_good_status_that_is_not_apples_is_asked_for_later(
    emulators: Emulated, apns: Apns, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    channels = emulators.channels(apns)
    for status in (200, 201):
        reply = Reply(status, answer.encode())
        monkeypatch.setattr("notify.transports.channels.call", lambda *_, reply=reply, **__: (reply, {}))
        outcomes = channels.all(), channels.create(), channels.delete("channel")
        assert outcomes == (Later("not_understood"),) * 3


def test_starts_of_one_message_and_channel_share_one_finished_form() -> None:
    apns = Apns(Key("TEAM", "KEYID", PEM), "com.example.scores")
    goal = message()
    first, same, other = [
        apns._template(goal, ActivityStart(token, channel))
        for token, channel in (("a", "c1"), ("b", "c1"), ("c", "c2"))
    ]
    assert first[1] is same[1]
    assert [json.loads(body)["aps"]["input-push-channel"] for _, body in (first, other)] == ["c1", "c2"]
    apns.close()


def test_devices_of_one_message_share_one_finished_form() -> None:
    apns = Apns(Key("TEAM", "KEYID", PEM), "com.example.scores")
    goal = message()
    forms = [apns._template(goal, device(token)) for token in ("a", "b")]
    assert forms[0][1] is forms[1][1]
    assert forms[0][0] is forms[1][0]
    assert json.loads(forms[0][1])["aps"]["alert"]["title"] == "Goal!"
    apns.close()
