"""Accounts as an app meets them, and what one user can do to another: nothing."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from api import create_app
from api.web import auth
from config import Settings
from db.live.limits import Rate
from db.sql import accounts
from db.sql.models import DeviceRow, FollowRow, UserRow, UserSubscriptionRow
from db.sql.session import begin
from tests.support.users import ANDROID, IOS, START, WEB, User, rows


def test_an_account_is_anonymous_and_its_token_is_kept_only_as_a_digest(app: Flask) -> None:
    answer = app.test_client().post("/api/users")
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "private, no-store"
    body = answer.get_json()
    with Session(app.extensions["services"].history.engine) as session:
        row = session.scalars(select(UserRow)).one()
        assert row.id == body["user_id"]
        assert row.token_digest == accounts.digest_of(body["token"])
        assert body["token"] not in str(row.__dict__)


def test_a_body_where_none_is_needed_is_empty_or_refused(app: Flask, alice: User) -> None:
    client, bearer = app.test_client(), {"Authorization": f"Bearer {alice.token}"}
    for path, headers in (("/api/users", {}), ("/api/me/token", bearer)):
        for body, status, code in (
            (b"{", 400, "bad_request"),
            (b"[]", 422, "invalid"),
            (b'{"locale": "de"}', 422, "invalid"),
            (b" " * 20_000, 413, "too_large"),
        ):
            answer = client.post(path, data=body, headers=headers)
            assert (answer.status_code, answer.get_json()["error"]["code"]) == (status, code)
    assert alice.me()["user_id"] == alice.id
    assert rows(app, UserRow) == 1
    assert client.post("/api/users", data=b"{}").status_code == 201
    assert client.post("/api/me/token", data=b"{}", headers=bearer).status_code == 201


def test_settings_change_field_by_field_and_quiet_hours_end_with_null(alice: User) -> None:
    night = {"since": "22:30", "until": "07:00"}
    alice.ask("PATCH", "/api/me", {"time_zone": "America/Sao_Paulo", "quiet_hours": night})
    body = alice.ask("PATCH", "/api/me", {"spoiler_free": True, "locale": "pt-BR"}).get_json()
    assert (body["time_zone"], body["spoiler_free"], body["locale"]) == ("America/Sao_Paulo", True, "pt-BR")
    assert body["quiet_hours"] == night
    assert alice.ask("PATCH", "/api/me", {"quiet_hours": None}).get_json()["quiet_hours"] is None
    assert alice.me()["time_zone"] == "America/Sao_Paulo"


def test_deleting_an_account_leaves_nothing_of_it(app: Flask, alice: User, bob: User) -> None:
    for user in (alice, bob):
        user.ask("PUT", "/api/me/follows/matches/final")
        user.ask("PUT", "/api/me/follows/teams/arg")
        user.ask("PUT", f"/api/me/devices/android/{user.id}")
    assert alice.ask("DELETE", "/api/me").status_code == 204
    assert [rows(app, table) for table in (UserRow, DeviceRow, UserSubscriptionRow, FollowRow)] == [1, 1, 1, 1]
    assert alice.ask("GET", "/api/me").status_code == 401
    assert bob.me()["user_id"] == bob.id


ATTEMPTS: list[tuple[str, str, Any]] = [
    ("GET", "/api/me", None),
    ("PATCH", "/api/me", {"spoiler_free": True}),
    ("PUT", "/api/me/follows/matches/final", {"muted": True}),
    ("DELETE", "/api/me/follows/matches/final", None),
    ("PUT", "/api/me/follows/teams/arg", {"muted": True}),
    ("DELETE", "/api/me/follows/teams/arg", None),
    ("DELETE", "/api/me/follows/competitions/cup", None),
    ("DELETE", f"/api/me/devices/ios/{IOS}", None),
    ("DELETE", f"/api/me/devices/android/{ANDROID}", None),
    ("DELETE", "/api/me/devices/web/browser-1", None),
    ("PUT", "/api/me/devices/web/browser-1", WEB | {"locale": "de"}),
    ("DELETE", "/api/me", None),
]


@pytest.fixture
def settled(alice: User) -> dict[str, Any]:
    """Alice with something to lose, and how she stands."""
    alice.ask("PATCH", "/api/me", {"time_zone": "Europe/Berlin"})
    for subject in ("matches/final", "teams/arg", "competitions/cup"):
        alice.ask("PUT", f"/api/me/follows/{subject}")
    alice.ask("PUT", f"/api/me/devices/ios/{IOS}")
    alice.ask("PUT", f"/api/me/devices/android/{ANDROID}")
    return alice.me()


@pytest.mark.parametrize("bearer", ["none", "bob", "her id", "a guess", "her digest", "basic"])
def test_no_one_reads_or_changes_anything_of_another(
    app: Flask, alice: User, bob: User, settled: dict[str, Any], bearer: str
) -> None:
    headers = {
        "none": {},
        "bob": {"Authorization": f"Bearer {bob.token}"},
        "her id": {"Authorization": f"Bearer {alice.id}"},
        "a guess": {"Authorization": "Bearer " + "A" * 43},
        "her digest": {"Authorization": f"Bearer {accounts.digest_of(alice.token)}"},
        "basic": {"Authorization": f"Basic {alice.token}"},
    }[bearer]
    for method, path, body in ATTEMPTS:
        answer = app.test_client().open(path, method=method, json=body, headers=headers)
        assert answer.headers["Cache-Control"] == "private, no-store"
        if answer.status_code == 401:
            assert answer.headers["WWW-Authenticate"] == "Bearer"
        else:
            assert bearer == "bob"
        assert alice.id not in answer.text
        assert IOS not in answer.text
        assert alice.me() == settled, f"{method} {path}"


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("PATCH", "/api/me", {"time_zone": "Mars/Olympus"}, "time_zone"),
        ("PATCH", "/api/me", {"locale": "<script>"}, "locale"),
        ("PATCH", "/api/me", {"quiet_hours": {"since": "25:00", "until": "07:00"}}, "quiet_hours.since"),
        ("PATCH", "/api/me", {"quiet_hours": {"since": "07:00", "until": "07:00"}}, "quiet_hours"),
        ("PATCH", "/api/me", {"admin": True}, "admin"),
        ("PUT", "/api/me/follows/referees/collina", {}, "subject"),
        ("PUT", "/api/me/follows/teams/a%20b", {}, "id"),
        (
            "PUT",
            "/api/me/follows/teams/arg",
            {"notification_prefs": {"tackle": True}},
            "notification_prefs.tackle.[key]",
        ),
        ("PUT", "/api/me/devices/ios/xyz", {}, "token"),
        ("PUT", "/api/me/devices/fax/123", {}, "platform"),
        ("PUT", f"/api/me/devices/ios/{IOS}", {"topics": "en"}, "topics"),
        ("PUT", f"/api/me/devices/android/{ANDROID}", {"topics": "xx"}, "topics"),
        ("PUT", f"/api/me/devices/ios/{IOS}", {"live_activity_token": "xyz"}, "live_activity_token"),
        ("PUT", f"/api/me/devices/android/{ANDROID}", {"live_activity_token": START}, "live_activity_token"),
        ("PUT", "/api/me/devices/web/one", {}, "subscription"),
        *(
            (
                "PUT",
                "/api/me/devices/web/one",
                {"subscription": WEB["subscription"] | {"endpoint": endpoint}},
                "subscription.endpoint",
            )
            for endpoint in (
                "https://169.254.169.254/latest",
                "https://fcm.googleapis.com.evil.example/x",
                "https://fcm.googleapis.com:22/x",
                "https://fcm.googleapis.com/a\tb",
            )
        ),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_changed(
    alice: User, method: str, path: str, body: Any, field: str
) -> None:
    before = alice.me()
    answer = alice.ask(method, path, body)
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.get_json()["error"]["fields"]] == [field]
    assert alice.me() == before


def test_writes_and_sign_ups_are_slowed(app: Flask, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "WRITES", Rate("few", burst=1, every_s=30))
    monkeypatch.setattr(auth, "SIGN_UPS", Rate("fewer", burst=1, every_s=30))
    assert alice.ask("PATCH", "/api/me", {"locale": "de"}).status_code == 200
    refused = alice.ask("PATCH", "/api/me", {"locale": "fr"})
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "30")
    assert alice.me()["locale"] == "de"
    answers = [app.test_client().post("/api/users").status_code for _ in range(2)]
    assert answers == [201, 429]


def test_reads_are_slowed_too_and_those_of_nobody_else(alice: User, bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "READS", Rate("seldom", burst=2, every_s=30))
    answers = [alice.ask("GET", "/api/me") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    refused = answers[-1]
    assert (refused.headers["Retry-After"], refused.headers["Cache-Control"]) == ("30", "private, no-store")
    assert refused.get_json()["error"]["code"] == "too_fast"
    assert alice.ask("PATCH", "/api/me", {"locale": "de"}).status_code == 200
    assert bob.ask("GET", "/api/me").status_code == 200


def test_who_signs_up_is_the_last_hop_the_router_names(redis_url: str, sqlite_url: str) -> None:
    app = create_app(Settings(redis_url=redis_url, database_url=sqlite_url, client_address_header="X-Forwarded-For"))
    headers = {"X-Forwarded-For": "1.2.3.4, 2001:db8:1:2:3::9"}
    with app.test_request_context(headers=headers):
        assert auth.address() == "2001:db8:1:2::/64"
    with app.test_request_context(headers={"X-Forwarded-For": "nonsense"}):
        assert auth.address() == "unknown"


def test_no_token_of_any_kind_is_logged(app: Flask, alice: User, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        alice.ask("PUT", f"/api/me/devices/ios/{IOS}", {"live_activity_token": START})
        alice.ask("PUT", f"/api/me/devices/ios/{IOS}", {"live_activity_token": f"{START}-wrong"})
        alice.ask("PUT", "/api/me/devices/ios/wrong")
        alice.me()
        app.test_client().get("/api/me", headers={"Authorization": "Bearer a.b.c"})
    assert alice.token not in caplog.text
    assert IOS not in caplog.text
    assert START not in caplog.text
    assert "a.b.c" not in caplog.text


def test_a_rotated_token_replaces_the_old_one_at_once(app: Flask, alice: User) -> None:
    answer = alice.ask("POST", "/api/me/token")
    assert (answer.status_code, answer.get_json()["user_id"]) == (201, alice.id)
    assert alice.ask("GET", "/api/me").status_code == 401
    assert User(app.test_client(), answer.get_json()).me()["user_id"] == alice.id


def test_a_setting_that_another_phone_changed_meanwhile_stays(app: Flask, alice: User) -> None:
    services = app.extensions["services"]
    whole = services.accounts.change

    def interrupted(user_id: str, changes: dict[str, Any]) -> None:
        whole(user_id, {"time_zone": "Asia/Tokyo"})
        whole(user_id, changes)

    services.accounts.change = interrupted
    alice.ask("PATCH", "/api/me", {"locale": "de"})
    assert (alice.me()["locale"], alice.me()["time_zone"]) == ("de", "Asia/Tokyo")


def test_accounts_that_no_app_uses_expire_with_all_that_is_theirs(app: Flask, alice: User, bob: User) -> None:
    alice.ask("PUT", f"/api/me/devices/ios/{IOS}", {})
    alice.ask("PUT", "/api/me/follows/teams/arg")
    store = app.extensions["services"].accounts
    now_ms = 1_900_000_000_000
    store.by_token(bob.token, now_ms=now_ms)
    assert store.expire(before_ms=now_ms - 1_000, limit=10) == 1
    assert (rows(app, UserRow), rows(app, DeviceRow), rows(app, FollowRow)) == (1, 0, 0)
    assert bob.me()["user_id"] == bob.id


def test_accounts_that_expire_are_found_by_their_last_visit_not_by_reading_all(app: Flask) -> None:
    accounts = app.extensions["services"].accounts
    with begin(accounts.engine) as session:
        if session.get_bind().dialect.name == "postgresql":
            session.execute(text("SET LOCAL enable_seqscan = off"))
        explain = "EXPLAIN" if session.get_bind().dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
        plan = session.execute(text(f"{explain} SELECT id FROM users WHERE active_at < '2020-01-01' LIMIT 100"))
        assert "ix_users_active" in str(plan.all())
