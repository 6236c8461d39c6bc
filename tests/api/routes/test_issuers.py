"""Users of a deployment's own issuer, who sign in with its JWTs."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from flask.testing import FlaskClient
from jwt.algorithms import ECAlgorithm

from api import create_app
from config import Settings
from tests.support.users import User


class Issuer:
    """Somebody else's sign-in, with its keys on the web."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.requests = 0
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.requests += 1
                key = json.loads(ECAlgorithm.to_jwk(issuer.key.public_key())) | {"kid": "one", "use": "sig"}
                body = json.dumps({"keys": [key]}).encode()
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
        claims = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(claims, key or self.key, algorithm, headers={"kid": kid})


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    issuer = Issuer()
    yield issuer
    issuer.server.shutdown()
    issuer.server.server_close()


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
    before = issuer.requests
    for number in range(20):
        User(foreign, {"user_id": "", "token": issuer.token(kid=f"guess-{number}")}).ask("GET", "/api/me")
    assert issuer.requests - before <= 2


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


def test_a_user_of_another_issuer_has_no_token_to_rotate(foreign: FlaskClient, issuer: Issuer) -> None:
    fan = User(foreign, {"user_id": "", "token": issuer.token()})
    assert fan.ask("POST", "/api/me/token").status_code == 400
