"""FCM: codes and their actions, the bearer token, topics and conditions."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import replace

import pytest

from db.domain import Device, Kind, Platform
from notify.content.message import Message
from notify.transports.base import Address, Condition, Envelope, Topic
from notify.transports.exchange import Reply, Request
from notify.transports.fcm import Fcm
from notify.transports.outcome import ConfigFault, Delivered, Dropped, Gone, Later, OurFault
from notify.transports.retry import RetryLater
from tests.conftest import free_port
from tests.support.emulators import Emulated


def message(title: str = "Goal!") -> Message:
    now = time.time()
    return Message("m1", 1, Kind.GOAL, title, "1–0", "/match/m1", "m1", now, int(now) + 600)


def send(fcm: Fcm, address: Address, content: Message | None = None) -> object:
    [(_, outcome)] = fcm.send([Envelope(address, content or message())])
    return outcome


def device(token: str, kind: str = "token") -> Device:
    return Device(platform=Platform.ANDROID, token=token, kind=kind)


def test_a_push_reaches_one_phone_and_a_newer_one_takes_its_place(emulators: Emulated, fcm: Fcm) -> None:
    assert send(fcm, device("android-one")) == Delivered()
    assert send(fcm, device("android-one"), message("Goal again!")) == Delivered()
    phone = emulators.phone("android-one")
    assert [alert["title"] for alert in phone["alerts"]] == ["Goal!", "Goal again!"]
    assert [shown["title"] for shown in phone["screen"]] == ["Goal again!"]


def test_installation_ids_are_addressed_as_such(emulators: Emulated, fcm: Fcm) -> None:
    assert send(fcm, device("firebase-installation", "fid")) == Delivered()
    assert len(emulators.phone("firebase-installation")["alerts"]) == 1


def test_topic_and_condition_reach_who_listens_in_one_request_each(emulators: Emulated, fcm: Fcm) -> None:
    send(fcm, device("android-warm-up"))
    for token, topic in (("listener-1", "m7-goal"), ("listener-2", "m7-goal"), ("listener-2", "m7-muted")):
        assert emulators.subscribe(fcm, token, topic) == 200
    assert emulators.subscribe(fcm, "listener-1", "m7-goal") == 409
    assert send(fcm, Topic("m7-goal")) == Delivered()
    spared = Condition("'m7-goal' in topics && !('m7-muted' in topics)")
    assert send(fcm, spared, message("Again")) == Delivered()
    titles = {
        token: [alert["title"] for alert in emulators.phone(token)["alerts"]] for token in ("listener-1", "listener-2")
    }
    assert titles == {"listener-1": ["Goal!", "Again"], "listener-2": ["Goal!"]}


def test_the_state_of_a_match_reaches_who_listens_as_a_live_update(emulators: Emulated, fcm: Fcm) -> None:
    emulators.listen("demo-app", "u.m8", "u.m9")
    state = replace(message(), is_state=True, state={"home_score": 1}, attributes={"match_id": "m8"})
    assert send(fcm, Topic("u.m8"), state) == Delivered()
    (shown,) = emulators.phone("demo-app")["activities"]
    assert shown["state"] == {"home_score": 1}
    assert not emulators.phone("demo-app")["alerts"]


def test_codes_of_the_emulated_service_come_back_as_outcomes(emulators: Emulated, fcm: Fcm) -> None:
    emulators.mark("fcm", "android-gone", code="UNREGISTERED")
    emulators.mark("fcm", "android-other", code="SENDER_ID_MISMATCH")
    emulators.mark("fcm", "android-away", code="UNAVAILABLE")
    assert send(fcm, device("android-gone")) == Gone("UNREGISTERED")
    assert send(fcm, device("android-other")) == Gone("SENDER_ID_MISMATCH")
    assert send(fcm, device("android-away")) == Later("UNAVAILABLE", 10.0)
    assert send(fcm, Condition("'a' in topics &&")) == OurFault("INVALID_ARGUMENT")


def test_made_up_tokens_are_their_own_affair_however_many(emulators: Emulated, fcm: Fcm) -> None:
    tokens = [f"invalid-{n}" for n in range(40)]
    for token in tokens:
        emulators.mark("fcm", token, code="INVALID_ARGUMENT")
    outcomes = [outcome for _, outcome in fcm.send([Envelope(device(token), message()) for token in tokens])]
    assert outcomes == [Dropped("INVALID_ARGUMENT")] * len(tokens)
    assert send(fcm, device("android-good")) == Delivered()


def test_a_token_refused_with_a_message_that_another_phone_accepted_is_deleted(emulators: Emulated, fcm: Fcm) -> None:
    """Google: only if the payload is certainly valid, for a payload of ours that is wrong must delete nobody."""
    emulators.mark("fcm", "android-invalid", code="INVALID_ARGUMENT")
    first, second = message(), replace(message("Second goal"), version=2)
    assert send(fcm, device("android-invalid"), first) == Dropped("INVALID_ARGUMENT")
    assert send(fcm, device("android-valid"), first) == Delivered()
    assert send(fcm, device("android-invalid"), replace(first, title="¡Gol!")) == Gone("INVALID_ARGUMENT")
    assert send(fcm, device("android-invalid"), second) == Dropped("INVALID_ARGUMENT")


def test_an_ended_bearer_token_is_renewed_and_the_push_arrives(emulators: Emulated, fcm: Fcm) -> None:
    send(fcm, device("android-bearer"))
    fcm.bearer.headers = ["authorization: Bearer of-yesterday", "content-type: application/json"]
    assert send(fcm, device("android-bearer"), message("Later")) == Delivered()
    assert len(emulators.phone("android-bearer")["alerts"]) == 2


def test_a_bearer_token_that_ends_between_two_tries_is_renewed_too(emulators: Emulated, fcm: Fcm) -> None:
    send(fcm, device("android-bearer"))
    request = Request(Envelope(device("android-bearer"), message()), fcm.url, fcm.bearer.headers, b"", 0.0, tries=2)
    ended = Reply(401, json.dumps({"error": {"status": "UNAUTHENTICATED"}}).encode())
    assert fcm._judge(request, ended) == RetryLater("UNAUTHENTICATED", soon=True)
    # The new one is no better, so it is not the token's age.
    assert fcm._judge(request, ended) == ConfigFault("UNAUTHENTICATED")


def test_a_token_endpoint_that_is_away_costs_nothing_while_the_old_token_lives(emulators: Emulated, fcm: Fcm) -> None:
    send(fcm, device("android-bearer"))
    fcm.bearer.due_at = 0.0
    fcm.bearer.credential._token_uri = f"https://127.0.0.1:{free_port()}/token"
    assert send(fcm, device("android-bearer")) == Delivered()
    fcm.bearer.due_at = fcm.bearer.ends_at = 0.0
    assert send(fcm, device("android-bearer")) == Later("oauth_unavailable", 10.0)


@pytest.mark.parametrize(
    "answer",
    [
        *("<html>Sign in</html>", "", "[]", "null", "\xff"),
        *('{"access_token": "a"}', '{"access_token": 5, "expires_in": 3600}', '{"expires_in": 3600}'),
        *('{"access_token": "a", "expires_in": "soon"}', '{"access_token": "a", "expires_in": 1e30}'),
        '{"access_token": "a\\r\\nb: c", "expires_in": 3600}',
    ],
)
def test_an_answer_that_is_no_token_is_a_service_that_is_away(
    emulators: Emulated, fcm: Fcm, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    monkeypatch.setattr("notify.transports.bearer.call", lambda *_, **__: (Reply(200, answer.encode("latin-1")), {}))
    assert send(fcm, device("android-one")) == Later("oauth_unavailable", 10.0)


def test_a_key_google_does_not_know_is_a_config_fault_for_all(
    emulators: Emulated, caplog: pytest.LogCaptureFixture
) -> None:
    account = json.loads(emulators.settings["fcm_credentials"]) | {"client_email": "somebody@else.example"}
    fcm = Fcm(json.dumps(account), url=emulators.fcm_url, ca=emulators.push_ca)
    for _ in range(3):
        assert send(fcm, device("android-one")) == ConfigFault("oauth_refused")
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "push_token_refused service=fcm" in caplog.text
    fcm.close()


def test_a_token_endpoint_that_is_away_is_request_once_and_all_wait(emulators: Emulated) -> None:
    account = json.loads(emulators.settings["fcm_credentials"])
    account["token_uri"] = f"https://127.0.0.1:{free_port()}/token"
    fcm = Fcm(json.dumps(account), url=emulators.fcm_url, ca=emulators.push_ca)
    envelopes = [Envelope(device(f"android-{n}"), message()) for n in range(50)]
    assert {outcome for _, outcome in fcm.send(envelopes)} == {Later("oauth_unavailable", 10.0)}
    fcm.close()


def test_a_token_endpoint_in_trouble_is_no_wrong_key(emulators: Emulated, fcm: Fcm) -> None:
    emulators.set_faults("fcm", status_every=1, status=503, reason="UNAVAILABLE")
    assert send(fcm, device("android-one")) == Later("oauth_unavailable", 10.0)


def test_retry_after_of_the_project_holds_everybody_back(emulators: Emulated, fcm: Fcm) -> None:
    send(fcm, device("android-quota"))
    emulators.set_faults("fcm", status_every=1, status=429, reason="QUOTA_EXCEEDED", retry_after_s=37)
    assert send(fcm, device("android-quota")) == Later("status_429", 37.0)
    emulators.set_faults("fcm")
    held = send(fcm, device("android-quota"))
    assert isinstance(held, Later)
    assert (held.reason, 30 < held.retry_after_s <= 37) == ("breaker_open", True)


def test_the_projects_quota_holds_everybody_back_and_a_devices_only_itself(emulators: Emulated, fcm: Fcm) -> None:
    body = {"error": {"status": "RESOURCE_EXHAUSTED", "message": "Device message rate exceeded."}}
    request = Request(Envelope(device("android-often"), message()), fcm.url, [], b"", 0.0)
    assert fcm._judge(request, Reply(429, json.dumps(body).encode())) == Later("RESOURCE_EXHAUSTED", 60.0)
    assert send(fcm, device("android-other-one")) == Delivered()
    body["error"]["message"] = "Quota exceeded for quota metric 'Send requests'."
    fcm._judge(request, Reply(429, json.dumps(body).encode()))
    held = send(fcm, device("android-other-one"))
    assert isinstance(held, Later)
    assert (held.reason, 50 < held.retry_after_s <= 60) == ("breaker_open", True)


def test_nothing_secret_is_logged(emulators: Emulated, fcm: Fcm, caplog: pytest.LogCaptureFixture) -> None:
    emulators.set_faults("fcm", cut_every=2)
    with caplog.at_level(logging.DEBUG):
        outcomes = list(fcm.send([Envelope(device("android-secret"), message()) for _ in range(4)]))
    secrets = ["android-secret", fcm.bearer.headers[0].split()[-1], fcm.bearer.credential.token]
    secrets += json.loads(emulators.settings["fcm_credentials"])["private_key"].splitlines()[1:2]
    assert not [secret for secret in secrets if secret in caplog.text + repr(outcomes)]
