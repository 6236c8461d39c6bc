"""Devices and follows of an account, as an app registers them."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from api import create_app
from config import Settings
from db.sql import accounts
from db.sql.models import DeviceRow
from tests.support.users import ANDROID, IOS, OTHER_IOS, START, WEB, User, start_tokens


def test_a_follow_has_defaults_per_kind_and_is_replaced_by_the_next(alice: User) -> None:
    follow = alice.ask("PUT", "/api/me/follows/teams/arg").get_json()
    assert follow["notification_prefs"]["goal"] is True
    assert follow["notification_prefs"]["lineups"] is False
    alice.ask("PUT", "/api/me/follows/teams/arg", {"notification_prefs": {"goal": False, "lineups": True}})
    (kept,) = alice.me()["follows"]["teams"]
    assert (kept["notification_prefs"]["goal"], kept["notification_prefs"]["lineups"]) == (False, True)
    assert kept["notification_prefs"]["full_time"] is True


def test_one_match_of_a_followed_team_can_be_muted(alice: User) -> None:
    assert alice.ask("PUT", "/api/me/follows/matches/final", {"muted": True}).get_json()["muted"] is True
    (kept,) = alice.me()["follows"]["matches"]
    assert not any(kept["notification_prefs"].values())
    assert kept["topics"] == ["own.final"]


def test_a_player_is_followed_without_topics(alice: User) -> None:
    alice.ask("PUT", "/api/me/follows/teams/arg")
    assert alice.ask("PUT", "/api/me/follows/players/p10").get_json()["topics"] is None
    follows = alice.me()["follows"]
    assert [follow["id"] for follow in follows["players"]] == ["p10"]
    assert follows["players"][0]["notification_prefs"]["scorer"] is True
    assert (alice.me()["topics"], follows["teams"][0]["topics"]) == (None, None)
    alice.ask("DELETE", "/api/me/follows/players/p10")
    assert alice.me()["follows"]["players"] == []
    assert alice.me()["topics"] == "en"


def test_topics_are_handed_out_unless_quiet_hours_rule_them_out(alice: User) -> None:
    follow = alice.ask("PUT", "/api/me/follows/matches/sr:match:1", {"notification_prefs": {"goal": True}}).get_json()
    # By the name that we keep it under.
    assert "m.sr%3Asport_event%3A1.goal.en" in follow["topics"]
    assert "own.sr%3Asport_event%3A1" in follow["topics"]
    assert alice.me()["topics"] == "en"
    quiet = alice.ask("PATCH", "/api/me", {"quiet_hours": {"since": "22:00", "until": "06:00"}}).get_json()
    assert quiet["topics"] is None
    assert quiet["follows"]["matches"][0]["topics"] is None


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"ios/{IOS}", {"environment": "sandbox", "locale": "de"}),
        (f"android/{ANDROID}", {"topics": "pt_BR", "kind": "fid"}),
        ("web/browser-1", WEB),
        ("web/chrome", {"subscription": WEB["subscription"] | {"endpoint": "https://jmt17.google.com/fcm/send/abc"}}),
    ],
)
def test_devices_of_each_platform_are_registered_shown_and_forgotten(alice: User, path: str, body: Any) -> None:
    assert alice.ask("PUT", f"/api/me/devices/{path}", body).status_code == 204
    (device,) = alice.me()["devices"]
    assert f"{device['platform']}/{device['token']}" == path
    assert alice.ask("DELETE", f"/api/me/devices/{path}").status_code == 204
    assert alice.me()["devices"] == []


def test_registering_again_keeps_the_device(app: Flask, alice: User) -> None:
    for locale in ("en", "fr"):
        alice.ask("PUT", f"/api/me/devices/ios/{IOS.upper()}", {"locale": locale})
    assert [device["locale"] for device in alice.me()["devices"]] == ["fr"]
    with Session(app.extensions["services"].history.engine) as session:
        assert session.scalars(select(DeviceRow.id)).all() == [1]


def test_a_phone_that_changes_hands_moves_to_its_new_account(alice: User, bob: User) -> None:
    alice.ask("PUT", f"/api/me/devices/ios/{IOS}")
    bob.ask("PUT", f"/api/me/devices/ios/{IOS}")
    assert (len(alice.me()["devices"]), len(bob.me()["devices"])) == (0, 1)


def test_a_push_to_start_token_is_kept_until_a_put_without_it_and_never_shown(app: Flask, alice: User) -> None:
    assert alice.ask("PUT", f"/api/me/devices/ios/{IOS}", {"live_activity_token": START.upper()}).status_code == 204
    assert start_tokens(app) == [START]
    (device,) = alice.me()["devices"]
    assert device["live_activity"] is True
    assert START not in str(alice.me()).lower()
    alice.ask("PUT", f"/api/me/devices/ios/{IOS}", {"live_activity_token": START})
    assert start_tokens(app) == [START]
    for body in ({"live_activity_token": None}, {}):
        alice.ask("PUT", f"/api/me/devices/ios/{IOS}", {"live_activity_token": START})
        alice.ask("PUT", f"/api/me/devices/ios/{IOS}", body)
        assert alice.me()["devices"][0]["live_activity"] is False
        assert start_tokens(app) == [None]


def test_a_phone_with_a_new_device_token_or_owner_begins_activities_once(app: Flask, alice: User, bob: User) -> None:
    activity = {"live_activity_token": START}
    alice.ask("PUT", f"/api/me/devices/ios/{IOS}", activity)
    alice.ask("PUT", f"/api/me/devices/ios/{OTHER_IOS}", activity)
    assert [device["live_activity"] for device in alice.me()["devices"]] == [False, True]
    bob.ask("PUT", f"/api/me/devices/ios/{OTHER_IOS}", activity)
    bob.ask("PUT", f"/api/me/devices/ios/{OTHER_IOS}", activity)
    assert (alice.me()["devices"][0]["live_activity"], bob.me()["devices"][0]["live_activity"]) == (False, True)


def test_an_account_keeps_its_ten_newest_devices(alice: User) -> None:
    for number in range(12):
        alice.ask("PUT", f"/api/me/devices/ios/{number:064x}")
    assert [device["token"][-1] for device in alice.me()["devices"]] == list("23456789ab")


def test_follows_are_bounded(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "FOLLOWS_MAX", 2)
    assert [alice.ask("PUT", f"/api/me/follows/teams/{n}").status_code for n in range(3)] == [200, 200, 409]
    assert alice.ask("PUT", "/api/me/follows/teams/1", {"muted": True}).status_code == 200


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://fcm.googleapis.com/fcm/send/abc",
        "https://jmt17.google.com/fcm/send/abc",
        "https://updates.push.services.mozilla.com/wpush/v2/abc",
        "https://web.push.apple.com/abc",
        "https://db5p.notify.windows.com/w/?token=abc%2b~",
    ],
)
def test_a_subscription_of_each_browser_is_accepted(alice: User, endpoint: str) -> None:
    body = {"subscription": WEB["subscription"] | {"endpoint": endpoint}}
    assert alice.ask("PUT", "/api/me/devices/web/browser-1", body).status_code == 204


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("p256dh", "B" * 87),
        # One digit of the point is another; a compressed point; nothing.
        ("p256dh", WEB["subscription"]["keys"]["p256dh"][:-1] + "U"),
        *(("p256dh", key) for key in ("Ao5TO2-gv3tGJbswZnwB-2B--fi4qA_vWzAGKHAxh7Kj", "", "A")),
        *(("auth", key) for key in ("a" * 21, "a" * 24, "", "a")),
    ],
)
def test_keys_that_nothing_could_be_encrypted_for_are_refused(alice: User, name: str, key: str) -> None:
    keys = WEB["subscription"]["keys"] | {name: key}
    answer = alice.ask("PUT", "/api/me/devices/web/browser-1", {"subscription": WEB["subscription"] | {"keys": keys}})
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.get_json()["error"]["fields"]] == [f"subscription.keys.{name}"]


def test_where_an_emulator_is_set_its_subscriptions_are_accepted_too(sqlite_url: str, redis_url: str) -> None:
    settings = Settings(redis_url=redis_url, database_url=sqlite_url, webpush_url="https://localhost:4443")
    user = User(create_app(settings).test_client())
    for endpoint, status in (
        ("https://localhost:4443/push/1", 204),
        ("https://fcm.googleapis.com/x", 204),
        ("https://elsewhere.example/push/1", 422),
    ):
        body = {"subscription": WEB["subscription"] | {"endpoint": endpoint}}
        assert user.ask("PUT", "/api/me/devices/web/browser-1", body).status_code == status
