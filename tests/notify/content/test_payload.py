"""The forms that messages take for each service, and their limits."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from firebase_admin import _messaging_encoder as messaging_encoder
from firebase_admin import messaging

from db.domain import Event, Kind, Match, Payload, Person, Score, Side, Stamp, Status, Team, Variant
from notify.content import payload
from notify.content.message import Message, compose
from notify.content.news import News

NOW = 1_700_000_000.0
STAMP = Stamp(1)
GOALS = {name: Event(name, "goal", STAMP, STAMP, None, Side.AWAY, 80, player=Person("Mbappé")) for name in ("g1", "g2")}
CARD = Event("c1", "red_card", STAMP, STAMP, None, Side.HOME, 85, player=Person("Romero"))
FINAL = Match(
    "wc-2022-final", version=1_700_000_000_999, home=Team("arg", "Argentina"), away=Team("fra", "France"),
    status=Status.SECOND_HALF, score=Score(2, 2), minute=81, minute_at=1_700_000_000_000, events=GOALS | {"c1": CARD},
)  # fmt: skip
PLAIN = Variant()
FIRST = News(Kind.GOAL, "g1", 1, Side.AWAY, "g1", "away-1")
SECOND = News(Kind.GOAL, "g2", 2, Side.AWAY, "g2", "away-2")


def goal_message(*news: News, match: Match = FINAL, variant: Variant = PLAIN, **how: Any) -> Message:
    return compose(match, news, variant, now=NOW, fact="fact", **how)


@pytest.mark.parametrize("letter", ["x", "ü", "山", "🏆"])
@pytest.mark.parametrize("length", [10, 1000, 5000])
def test_payloads_keep_their_limits_whatever_the_words(letter: str, length: int) -> None:
    message = replace(goal_message(FIRST), title=letter * (length // 2), body=letter * length)
    forms = {
        4096: [payload.apns_alert(message), payload.apns_activity(message), payload.apns_start(message, "c" * 64)],
        3993: [payload.web(message), payload.web(message, "https://scores.example")],
    }
    for limit, payloads in forms.items():
        for form in payloads:
            assert len(form) <= limit
            assert json.loads(form)
    for target, limit in (({"token": "t"}, 4096), ({"topic": "t"}, 2048), ({"condition": "'a' in topics"}, 2048)):
        form = payload.fcm(message, target, now=NOW)["message"]
        assert len(payload.encode({name: form[name] for name in form.keys() - target.keys()})) <= limit
        assert form["notification"]["title"]


def test_a_short_message_is_not_shortened() -> None:
    assert json.loads(payload.apns_alert(goal_message(FIRST)))["aps"]["alert"]["body"] == goal_message(FIRST).body


def test_a_live_activity_is_updated_and_ended_with_the_words_of_the_score_body() -> None:
    running = json.loads(payload.apns_activity(goal_message(SECOND)))["aps"]
    assert (running["event"], running["timestamp"]) == ("update", int(NOW))
    assert running["content-state"] == {
        "version": 1_700_000_000_999,
        "status": "second_half",
        "home_score": 2,
        "away_score": 2,
        "shootout": None,
        "minute": 81,
        "added_minute": None,
        "minute_at": 1_700_000_000,
        "scorers": [{"team": "away", "player": "Mbappé", "minute": 80, "added_minute": None, "event_type": "goal"}] * 2,
        "cards": [{"team": "home", "player": "Romero", "minute": 85, "added_minute": None, "event_type": "red_card"}],
    }
    over = replace(FINAL, status=Status.FINISHED)
    ended = json.loads(payload.apns_activity(goal_message(News(Kind.FULL_TIME, "f"), match=over)))["aps"]
    assert (ended["event"], ended["dismissal-date"]) == ("end", int(NOW) + 3600)


def test_a_start_names_its_channel_only_where_the_system_knows_channels() -> None:
    assert json.loads(payload.apns_start(goal_message(FIRST), "c1"))["aps"]["input-push-channel"] == "c1"
    assert "input-push-channel" not in json.loads(payload.apns_start(goal_message(FIRST), None))["aps"]


def test_a_silent_message_has_no_sound_on_any_phone() -> None:
    message = goal_message(FIRST, silent=True)
    aps = json.loads(payload.apns_alert(message))["aps"]
    assert "sound" not in aps
    assert aps["interruption-level"] == "passive"
    assert payload.fcm(message, {"token": "t"}, now=NOW)["message"]["android"]["priority"] == "NORMAL"
    assert json.loads(payload.web(message))["silent"] is True
    assert "silent" not in json.loads(payload.web(goal_message(FIRST)))


def test_the_ttl_for_fcm_is_what_is_left_and_the_topic_of_the_web_is_short() -> None:
    form = payload.fcm(goal_message(FIRST), {"token": "t"}, now=NOW + 100)["message"]
    assert form["android"]["ttl"] == "200s"
    assert re.fullmatch(r"[A-Za-z0-9_-]{32}", form["webpush"]["headers"]["Topic"])


def test_what_is_sent_to_fcm_is_what_its_own_library_would_send() -> None:
    sent = payload.fcm(goal_message(FIRST, SECOND), {"topic": "goals"}, now=NOW)["message"]
    android = sent["android"]
    shown = messaging.AndroidNotification(
        tag=android["notification"]["tag"],
        channel_id=android["notification"]["channel_id"],
        default_sound=True,
        event_timestamp=datetime.fromtimestamp(NOW, UTC),
        click_action="MATCH",
    )
    theirs = messaging.Message(
        topic="goals",
        data=sent["data"],
        notification=messaging.Notification(**sent["notification"]),
        android=messaging.AndroidConfig(
            collapse_key=android["collapse_key"],
            priority=android["priority"].lower(),
            ttl=int(android["ttl"].removesuffix("s")),
            notification=shown,
        ),
        webpush=messaging.WebpushConfig(headers=sent["webpush"]["headers"]),
    )
    encoded = json.loads(messaging_encoder.MessageEncoder().encode(theirs))
    encoded["android"]["priority"] = encoded["android"]["priority"].upper()
    assert encoded == sent


def test_what_the_app_builds_itself_comes_as_data_alone_and_collapses_with_nothing() -> None:
    message = goal_message(FIRST, variant=Variant("en", payload=Payload.DATA))
    sent = payload.fcm(message, {"token": "t"}, now=NOW)["message"]
    assert sent.keys() == {"token", "data", "android"}
    assert sent["android"] == {"priority": "HIGH", "ttl": "300s"}
    data = sent["data"]
    assert (data["type"], data["title"], data["version"]) == ("alert", "Argentina 2–[2] France", str(FINAL.version))
    assert (data["fact"], data["channel"], data["silent"]) == ("fact", "goals", "false")
    assert all(isinstance(value, str) for value in data.values())


def test_a_live_update_brings_the_state_without_words() -> None:
    message = replace(goal_message(FIRST), is_state=True, title="", body="")
    sent = payload.fcm(message, {"topic": "u.m1"}, now=NOW)["message"]
    assert sent.keys() == {"topic", "data", "android"}
    assert (sent["data"]["type"], sent["data"]["over"]) == ("live_update", "false")
    assert json.loads(sent["data"]["state"])["away_score"] == 2


def test_a_state_with_more_goals_than_there_is_room_for_keeps_the_newest() -> None:
    events = {
        f"e{n}": Event(f"e{n}", kind, STAMP, STAMP, None, Side.HOME, n, player=Person("🏆" * 40))
        for n, kind in enumerate(["goal"] * 20 + ["red_card"] * 10)
    }
    message = goal_message(FIRST, match=replace(FINAL, events=events))
    state = json.loads(payload.apns_activity(message))["aps"]["content-state"]
    assert state["scorers"][-1]["minute"] == 19
    topic = payload.fcm(replace(message, is_state=True), {"topic": "u.m1"}, now=NOW)["message"]
    assert json.loads(topic["data"]["state"])["scorers"][-1]["minute"] == 19


@pytest.mark.parametrize(
    ("kind", "level", "channel"),
    [
        (Kind.GOAL, "time-sensitive", "goals"),
        (Kind.FULL_TIME, "active", "results"),
        (Kind.RED_CARD, "time-sensitive", "cards"),
        (Kind.HALF_TIME, "active", "match"),
        (Kind.REMINDER, "active", "reminders"),
        (Kind.VAR_CHECK, "active", "checks"),
    ],
)
def test_a_kind_has_its_urgency_and_its_channel(kind: Kind, level: str, channel: str) -> None:
    message = goal_message(News(kind, "k", 1, minutes=5))
    aps = json.loads(payload.apns_alert(message))["aps"]
    assert (aps["interruption-level"], aps["mutable-content"], aps["category"]) == (level, 1, "match")
    assert 0 <= aps["relevance-score"] <= 1
    assert payload.fcm(message, {"token": "t"}, now=NOW)["message"]["android"]["notification"]["channel_id"] == channel
    hidden = goal_message(News(kind, "k", 1, minutes=5), variant=Variant("en", spoiler_free=True))
    assert json.loads(payload.apns_alert(hidden))["aps"]["interruption-level"] == "active"
    assert payload.channel_of(hidden) == "news"


def test_facts_of_a_match_stand_beside_each_other_in_one_thread() -> None:
    message = goal_message(FIRST)
    assert json.loads(payload.apns_alert(message))["aps"]["thread-id"] == FINAL.id
    android = payload.fcm(message, {"token": "t"}, now=NOW)["message"]["android"]
    assert (android["notification"]["tag"], android["collapse_key"]) == ("fact", FINAL.id)
    assert json.loads(payload.web(message))["tag"] == "fact"


def test_a_browser_that_needs_no_service_worker_is_told_where_a_click_leads() -> None:
    """W3C Push API, "Declarative push message": `web_push` is 8030, and `navigate` a whole URL."""
    hidden = goal_message(FIRST, variant=Variant("pt_BR", spoiler_free=True), silent=True)
    form = json.loads(payload.web(hidden, "https://scores.example"))
    assert form["web_push"] == 8030
    declared = form["notification"]
    assert declared["navigate"] == f"https://scores.example/match/{FINAL.id}"
    assert {name: declared[name] for name in ("title", "body", "tag", "lang", "silent")} == {
        name: form[name] for name in ("title", "body", "tag", "lang", "silent")
    }
    assert (declared["lang"], "kind" in declared["data"]) == ("pt-BR", False)
    assert "web_push" not in json.loads(payload.web(hidden))


def test_a_long_name_of_a_fact_fits_the_collapse_id_of_apns() -> None:
    ids = {compose(FINAL, [FIRST], Variant(), now=NOW, fact="f" * 70 + str(n)).collapse_id for n in range(3)}
    assert len(ids) == 3
    assert max(map(len, ids)) <= 64


def test_spoiler_free_messages_of_the_same_words_are_the_same_whatever_happened() -> None:
    """Nor does how long one lives, or how relevant it is, tell a goal from a red card."""
    forms: dict[str, set[str]] = {}
    for kind in Kind:
        hidden = goal_message(News(kind, "k", 1, minutes=5), variant=Variant("en", spoiler_free=True))
        whole = [payload.apns_alert(hidden), payload.web(hidden, "https://x"), hidden.expires_at]
        whole.append(payload.fcm(replace(hidden, payload=Payload.NOTIFICATION), {"token": "t"}, now=NOW))
        whole.append(payload.fcm(replace(hidden, payload=Payload.DATA), {"token": "t"}, now=NOW))
        forms.setdefault(hidden.body, set()).add(repr(whole))
    assert {body: len(different) for body, different in forms.items() if len(different) > 1} == {}
