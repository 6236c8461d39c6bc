"""What a phone shows of what it was sent."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from dev.emulators.activity import DISMISSAL_MAX_S
from dev.emulators.journal import AcceptedPush, PushJournal
from dev.emulators.phone import phone_of
from dev.emulators.shape import shape_of
from dev.emulators.table import PHONES, SHOWN, Label, Table


def push(at: float, title: str, collapse: str = "m1", expires_at: float = 1000, service: str = "apns") -> AcceptedPush:
    alert = {"title": title, "body": ""}
    payload: dict[str, Any] = {"aps": {"alert": alert, "sound": "default"}}
    if service == "fcm":
        shown = {"tag": collapse, "default_sound": True}
        payload = {"notification": alert, "android": {"collapse_key": collapse, "notification": shown}}
    if service == "webpush":
        payload = alert
    return AcceptedPush(at, service, "t", "alert", collapse, expires_at, payload)


def turned(at: float, state: str) -> AcceptedPush:
    return AcceptedPush(at, "phone", "t", state, "", 0, {})


def activity(at: float, event: str, home: int, **more: Any) -> AcceptedPush:
    """A start at the phone, anything else by the channel."""
    aps = {"timestamp": int(at), "event": event, "content-state": {"home_score": home}, **more}
    if event == "start":
        aps |= {"attributes": {"match_id": "m1"}, "input-push-channel": "c1", "alert": {"title": "Kick-off"}}
    target = "t" if event == "start" else "channel:c1"
    return AcceptedPush(at, "apns", target, "liveactivity", "m1" if event == "start" else "", at + 1000, {"aps": aps})


def titles(*pushes: AcceptedPush, now: float = 1e9) -> list[str]:
    return [shown.title for shown in phone_of(pushes, now).alerts]


def test_each_message_is_one_alert_and_the_newer_replaces_the_older() -> None:
    phone = phone_of([push(1, "1–0"), push(2, "2–0")], 3)
    assert [(shown.title, shown.replaced) for shown in phone.alerts] == [("1–0", False), ("2–0", True)]
    assert [shown.title for shown in phone.screen.values()] == ["2–0"]


def test_the_same_message_again_is_no_second_alert() -> None:
    phone = phone_of([push(1, "1–0"), push(2, "1–0")], 3)
    assert (len(phone.alerts), phone.repeats) == (1, 1)


def test_without_a_collapse_id_everything_stands_beside_everything() -> None:
    assert len(phone_of([push(1, "1–0", ""), push(1, "1–0", "")], 3).screen) == 2


def test_an_offline_phone_gets_the_newest_of_the_app_from_apns() -> None:
    kept = [turned(0, "offline"), push(1, "a", "m1"), push(2, "b", "m2"), turned(5, "online")]
    assert titles(*kept) == ["b"]


def test_an_offline_phone_gets_the_newest_of_each_match_from_fcm() -> None:
    sent = [
        push(at, title, match, service="fcm") for at, title, match in ((1, "a", "m1"), (2, "b", "m2"), (3, "c", "m1"))
    ]
    assert sorted(titles(turned(0, "offline"), *sent, turned(5, "online"))) == ["b", "c"]


def test_an_offline_phone_gets_four_collapse_keys_from_fcm() -> None:
    sent = [push(at, f"goal {at}", f"m{at}", service="fcm") for at in range(1, 8)]
    assert titles(turned(0, "offline"), *sent, turned(9, "online")) == ["goal 4", "goal 5", "goal 6", "goal 7"]


def live_update(at: float, home: int, over: str = "false") -> AcceptedPush:
    attributes, state = json.dumps({"match_id": "m1"}), json.dumps({"home_score": home})
    data = {"type": "live_update", "version": str(int(at)), "over": over, "attributes": attributes, "state": state}
    return AcceptedPush(at, "fcm", "t", "data", "", at + 1000, {"data": data})


def test_a_live_update_shows_the_newest_state_and_stays_for_a_while_when_the_match_is_over() -> None:
    phone = phone_of([live_update(5, 1), live_update(4, 0), live_update(6, 2, "true"), live_update(7, 3)], 9)
    (shown,) = phone.activities.values()
    assert (shown.at, shown.state, shown.ended, shown.updates) == (5, {"home_score": 2}, True, 1)
    assert (shown.visible(7), shown.visible(6 + DISMISSAL_MAX_S)) == (True, False)
    assert not phone.alerts
    assert not phone_of([live_update(5, 1, "true")], 9).activities


def test_an_alert_tells_how_it_was_sent() -> None:
    aps = {"alert": {"title": "1–0"}, "interruption-level": "passive", "thread-id": "m1", "category": "match"}
    system = {"notification": {"title": "1–0"}, "android": {"notification": {"channel_id": "goals"}}}
    shapes = [
        shape_of(replace(push(1, "1–0"), service=service, payload=payload))
        for service, payload in (
            ("apns", {"aps": aps}),
            ("fcm", system),
            ("fcm", {"data": {"title": "1–0", "channel": "cards"}}),
            ("webpush", {"title": "1–0"}),
            ("webpush", {"title": "1–0", "web_push": 8030}),
        )
    ]
    assert shapes == [
        ["passive", "thread of its match", "actions: match"],
        ["channel goals", "shown by the system"],
        ["channel cards", "data message"],
        ["Web Push"],
        ["declarative"],
    ]


def test_a_repeat_rings_again_unless_it_is_passive() -> None:
    first = push(1, "1–0")
    passive = replace(first, at=2, payload={"aps": {"alert": {"title": "1–0", "body": ""}}})
    assert [phone_of(pushed, 9).rings for pushed in ([first], [first, replace(first, at=2)], [first, passive])] == [
        1,
        2,
        1,
    ]


def test_the_journal_finds_repeats_however_they_are_presented(tmp_path: Path) -> None:
    journal, first = PushJournal(tmp_path / "l.db"), push(1, "1–0")
    passive = replace(first, at=2, payload={"aps": {"alert": {"title": "1–0", "body": ""}}})
    for pushed in (first, passive, push(3, "2–0"), turned(4, "offline"), turned(5, "offline")):
        journal.add(pushed)
    journal.write()
    assert journal.repeats() == {"t": 1}
    journal.close()


def test_a_browser_out_of_reach_gets_the_newest_of_each_topic() -> None:
    sent = [push(1, "a", "t1", service="webpush"), push(2, "b", "t1", service="webpush")]
    assert titles(turned(0, "offline"), *sent, push(3, "c", "", service="webpush"), turned(5, "online")) == ["b", "c"]


def test_what_expired_meanwhile_is_not_shown() -> None:
    phone = phone_of([turned(0, "offline"), push(1, "a", expires_at=4), turned(5, "online")], 9)
    assert (phone.alerts, phone.late) == ([], 1)


def test_what_is_only_for_now_is_not_kept() -> None:
    assert titles(turned(0, "offline"), push(1, "a", expires_at=0), turned(5, "online")) == []


def test_the_future_is_not_shown() -> None:
    assert titles(push(1, "a"), push(7, "b"), now=5) == ["a"]


def test_an_activity_is_begun_follows_its_channel_and_leaves_after_its_end() -> None:
    pushed = [
        activity(10, "start", 0),
        activity(20, "update", 1),
        activity(30, "end", 2, **{"dismissal-date": 90}),
        activity(40, "update", 3),
    ]
    scores = []
    for now in (15, 25, 35, 45):
        phone = phone_of(pushed, now)
        (shown,) = phone.activities.values()
        scores.append((shown.state["home_score"], shown.ended))
    assert scores == [(0, False), (1, False), (2, True), (2, True)]
    assert [phone.activities["m1"].visible(now) for now in (45, 95)] == [True, False]
    assert ([shown.title for shown in phone.alerts], phone.screen) == (["Kick-off"], {})


def test_an_activity_begun_late_or_far_from_any_mast_shows_the_newest() -> None:
    older, newer = activity(5, "update", 1), activity(11, "update", 1)
    started = activity(10, "start", 0)
    assert phone_of([older, started], 20).activities["m1"].state == {"home_score": 0}
    assert phone_of([newer, replace(started, at=12)], 20).activities["m1"].state == {"home_score": 1}
    away = [activity(10, "start", 0), turned(15, "offline"), activity(20, "update", 1), activity(30, "update", 2)]
    assert phone_of(away, 40).activities["m1"].state == {"home_score": 0}
    back = phone_of([*away, turned(50, "online")], 60).activities["m1"]
    assert (back.state, back.updates) == ({"home_score": 2}, 1)
    assert phone_of([*away, turned(5_000, "online")], 6_000).late == 1


def test_of_two_starts_of_a_match_one_activity_is_left() -> None:
    phone = phone_of([activity(10, "start", 0), activity(11, "start", 0), activity(20, "update", 1)], 30)
    assert [shown.state for shown in phone.activities.values()] == [{"home_score": 1}]
    assert (len(phone.alerts), phone.repeats) == (1, 1)


def test_the_ledger_is_read_by_others_while_it_is_written(tmp_path: Path) -> None:
    writer, reader = PushJournal(tmp_path / "l.db"), PushJournal(tmp_path / "l.db")
    writer.add(push(1, "a"))
    assert reader.counts() == {}
    writer.write()
    assert reader.counts() == {"t": 1}
    assert reader.of("t") == [push(1, "a")]
    writer.close()
    reader.close()


def test_on_the_table_lies_what_stands_on_the_screens_newest_first_and_no_device_token(tmp_path: Path) -> None:
    journal = PushJournal(tmp_path / "pushes.db")
    table = Table(journal, lambda: 1000.0)
    table.lay("t", Label("iPhone", "ios", "de", "all"))
    for pushed in (push(1, "0–0", "m1"), push(2, "0–0", "m2"), push(3, "1–0", "m1")):
        journal.add(pushed)
    journal.write()
    seen = table.seen()["phones"][0]
    assert [(shown["id"], shown["title"], shown["replaced"]) for shown in seen["screen"]] == [
        ("m1", "1–0", True),
        ("m2", "0–0", False),
    ]
    assert (seen["name"], seen["locale"], seen["pushes"]) == ("iPhone", "de", 3)
    assert "t" not in seen.values()
    journal.close()


def test_the_table_is_bounded(tmp_path: Path) -> None:
    journal = PushJournal(tmp_path / "pushes.db")
    table = Table(journal, lambda: 10_000.0)
    for number in range(PHONES + 2):
        table.lay(f"phone-{number}", Label(f"{number}", "android", "en", ""))
    assert [phone["name"] for phone in table.seen()["phones"]] == [f"{number}" for number in range(2, PHONES + 2)]
    table.lay("t", Label("busy", "ios", "en", ""))
    for number in range(500):
        journal.add(push(number, "Goal", f"m{number}"))
    journal.write()
    busy = table.seen()["phones"][-1]
    assert (len(busy["screen"]), busy["screen"][0]["at"], busy["pushes"]) == (SHOWN, 499, 500)
    journal.close()
