"""Accounts, devices and follows as an app meets them, and what one user can do to another: nothing."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from flask import Flask
from flask.testing import FlaskClient
from jwt.algorithms import ECAlgorithm
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from api import create_app
from api.web import auth
from config import Settings
from db.live.limits import Rate
from db.sql import accounts
from db.sql.models import DeviceRow, FollowRow, UserRow, UserSubscriptionRow

IOS, OTHER_IOS, START = "ab" * 32, "cd" * 32, "ef" * 80
ANDROID = "cdEF_12:APA91b-token"
WEB = {
    "subscription": {
        "endpoint": "https://updates.push.services.mozilla.com/wpush/v2/abc",
        "keys": {"p256dh": "B" * 87, "auth": "a" * 22},
    }
}


@pytest.fixture
def app(redis_url: str, sqlite_url: str) -> Iterator[Flask]:
    made = create_app(Settings(redis_url=redis_url, database_url=sqlite_url))
    yield made
    made.extensions["services"].history.engine.dispose()


class User:
    """Someone with an app of ours."""

    def __init__(self, client: FlaskClient, said: dict[str, str] | None = None) -> None:
        self.client = client
        said = said or client.post("/api/users").get_json()
        self.id, self.token = said["user_id"], said["token"]

    def ask(self, method: str, path: str, body: Any = None) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}"}
        return self.client.open(path, method=method, json=body, headers=headers)

    def me(self) -> dict[str, Any]:
        answer = self.ask("GET", "/api/me")
        assert answer.status_code == 200, answer.text
        return dict(answer.get_json())


@pytest.fixture
def alice(app: Flask) -> User:
    return User(app.test_client())


@pytest.fixture
def bob(app: Flask) -> User:
    return User(app.test_client())


def start_tokens(app: Flask) -> list[str | None]:
    with Session(app.extensions["services"].history.engine) as session:
        return list(session.scalars(select(DeviceRow.live_activity_token).order_by(DeviceRow.id)))


def rows(app: Flask, table: type) -> int:
    with Session(app.extensions["services"].history.engine) as session:
        return int(session.scalar(select(func.count()).select_from(table)) or 0)


def test_an_account_is_anonymous_and_its_token_is_kept_only_as_a_digest(app: Flask) -> None:
    answer = app.test_client().post("/api/users")
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "private, no-store"
    said = answer.get_json()
    with Session(app.extensions["services"].history.engine) as session:
        row = session.scalars(select(UserRow)).one()
        assert row.id == said["user_id"]
        assert row.token_digest == accounts.digest_of(said["token"])
        assert said["token"] not in str(row.__dict__)


def test_settings_change_field_by_field_and_quiet_hours_end_with_null(alice: User) -> None:
    night = {"since": "22:30", "until": "07:00"}
    alice.ask("PATCH", "/api/me", {"time_zone": "America/Sao_Paulo", "quiet_hours": night})
    said = alice.ask("PATCH", "/api/me", {"spoiler_free": True, "locale": "pt-BR"}).get_json()
    assert (said["time_zone"], said["spoiler_free"], said["locale"]) == ("America/Sao_Paulo", True, "pt-BR")
    assert said["quiet_hours"] == night
    assert alice.ask("PATCH", "/api/me", {"quiet_hours": None}).get_json()["quiet_hours"] is None
    assert alice.me()["time_zone"] == "America/Sao_Paulo"


def test_a_follow_has_defaults_per_kind_and_is_replaced_by_the_next(alice: User) -> None:
    made = alice.ask("PUT", "/api/me/follows/teams/arg").get_json()
    assert made["notification_prefs"]["goal"] is True
    assert made["notification_prefs"]["lineups"] is False
    alice.ask("PUT", "/api/me/follows/teams/arg", {"notification_prefs": {"goal": False, "lineups": True}})
    (kept,) = alice.me()["follows"]["teams"]
    assert (kept["notification_prefs"]["goal"], kept["notification_prefs"]["lineups"]) == (False, True)
    assert kept["notification_prefs"]["full_time"] is True


def test_one_match_of_a_followed_team_can_be_muted(alice: User) -> None:
    assert alice.ask("PUT", "/api/me/follows/matches/final", {"muted": True}).get_json()["muted"] is True
    (kept,) = alice.me()["follows"]["matches"]
    assert not any(kept["notification_prefs"].values())
    assert kept["topics"] == ["own.final"]


def test_topics_are_handed_out_unless_quiet_hours_rule_them_out(alice: User) -> None:
    made = alice.ask("PUT", "/api/me/follows/matches/sr:match:1", {"notification_prefs": {"goal": True}}).get_json()
    assert "m.sr%3Amatch%3A1.goal.en" in made["topics"]
    assert "own.sr%3Amatch%3A1" in made["topics"]
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
        ("PUT", "/api/me/follows/players/messi", {}, "subject"),
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
        (
            "PUT",
            "/api/me/devices/web/one",
            {"subscription": WEB["subscription"] | {"endpoint": "https://169.254.169.254/latest"}},
            "subscription.endpoint",
        ),
        (
            "PUT",
            "/api/me/devices/web/one",
            {"subscription": WEB["subscription"] | {"endpoint": "https://fcm.googleapis.com.evil.example/x"}},
            "subscription.endpoint",
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
    said = {"X-Forwarded-For": "1.2.3.4, 2001:db8:1:2:3::9"}
    with app.test_request_context(headers=said):
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


class Issuer:
    """Somebody else's sign-in, with its keys on the web."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.asked = 0
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked += 1
                said = json.loads(ECAlgorithm.to_jwk(issuer.key.public_key())) | {"kid": "one", "use": "sig"}
                body = json.dumps({"keys": [said]}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/jwks"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def token(self, key: Any = None, kid: str = "one", algorithm: str = "ES256", **changed: Any) -> str:
        claims = {"iss": "https://id.example", "aud": "scores", "sub": "fan-1", "exp": 4_000_000_000} | changed
        said = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(said, key or self.key, algorithm, headers={"kid": kid})


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    made = Issuer()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def foreign(redis_url: str, sqlite_url: str, issuer: Issuer) -> Iterator[FlaskClient]:
    settings = Settings(
        redis_url=redis_url,
        database_url=sqlite_url,
        auth_jwks_url=issuer.url,
        auth_issuer="https://id.example",
        auth_audience="scores",
    )
    app = create_app(settings)
    yield app.test_client()
    app.extensions["services"].history.engine.dispose()


def test_a_deployments_own_users_sign_in_with_their_jwt(foreign: FlaskClient, issuer: Issuer) -> None:
    fan = User(foreign, {"user_id": "", "token": issuer.token()})
    fan.ask("PUT", "/api/me/follows/teams/arg")
    again = User(foreign, {"user_id": "", "token": issuer.token(exp=4_000_000_001)})
    assert again.me() == fan.me()
    other = User(foreign, {"user_id": "", "token": issuer.token(sub="fan-2")})
    assert other.me()["follows"]["teams"] == []


WRONG: dict[str, Callable[[Issuer], str]] = {
    "expired": lambda issuer: issuer.token(exp=1),
    "of another issuer": lambda issuer: issuer.token(iss="https://evil.example"),
    "for another audience": lambda issuer: issuer.token(aud="shop"),
    "without a subject": lambda issuer: issuer.token(sub=None),
    "without an expiry": lambda issuer: issuer.token(exp=None),
    "signed by another key": lambda issuer: issuer.token(ec.generate_private_key(ec.SECP256R1())),
    "of an unknown key": lambda issuer: issuer.token(kid="two"),
    "unsigned": lambda issuer: jwt.encode({"sub": "fan-1"}, "", "none", headers={"kid": "one"}),
    "with a shared secret": lambda issuer: issuer.token("x" * 32, algorithm="HS256"),
    "of another kind of key": lambda issuer: issuer.token(rsa.generate_private_key(65537, 2048), algorithm="RS256"),
    "no token": lambda issuer: "a.b.c",
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_jwt_that_does_not_hold_is_refused(foreign: FlaskClient, issuer: Issuer, wrong: str) -> None:
    answer = User(foreign, {"user_id": "", "token": WRONG[wrong](issuer)}).ask("GET", "/api/me")
    assert answer.status_code == 401, answer.text


def test_unknown_keys_do_not_make_us_ask_the_issuer_each_time(foreign: FlaskClient, issuer: Issuer) -> None:
    before = issuer.asked
    for number in range(20):
        User(foreign, {"user_id": "", "token": issuer.token(kid=f"guess-{number}")}).ask("GET", "/api/me")
    assert issuer.asked - before <= 2


def test_an_issuer_that_is_away_is_a_503(redis_url: str, sqlite_url: str, issuer: Issuer) -> None:
    settings = Settings(
        redis_url=redis_url,
        database_url=sqlite_url,
        auth_jwks_url="http://127.0.0.1:9/jwks",
        auth_issuer="https://id.example",
        auth_audience="scores",
    )
    fan = User(create_app(settings).test_client(), {"user_id": "", "token": issuer.token()})
    assert fan.ask("GET", "/api/me").status_code == 503


def test_a_rotated_token_replaces_the_old_one_at_once(app: Flask, alice: User) -> None:
    answer = alice.ask("POST", "/api/me/token")
    assert (answer.status_code, answer.get_json()["user_id"]) == (201, alice.id)
    assert alice.ask("GET", "/api/me").status_code == 401
    assert User(app.test_client(), answer.get_json()).me()["user_id"] == alice.id


def test_a_user_of_another_issuer_has_no_token_to_rotate(foreign: FlaskClient, issuer: Issuer) -> None:
    fan = User(foreign, {"user_id": "", "token": issuer.token()})
    assert fan.ask("POST", "/api/me/token").status_code == 400


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
