"""The keys of another issuer: fetched beside the requests, and kept while it is away."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from api.web import issuer_keys
from api.web.issuer_keys import IssuerKeys
from db.domain.errors import Unavailable
from tests.conftest import wait_until


class Issuer:
    """Answers with `body`, after `gate` is open."""

    def __init__(self) -> None:
        self.body, self.status, self.asked = self.key_set("one"), 200, 0
        self.gate = threading.Event()
        self.gate.set()
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked += 1
                issuer.gate.wait(60)
                self.send_response(issuer.status)
                self.send_header("Content-Length", str(len(issuer.body)))
                self.end_headers()
                self.wfile.write(issuer.body)

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/jwks"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @staticmethod
    def key_set(*key_ids: str) -> bytes:
        public = json.loads(ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()).public_key()))
        return json.dumps({"keys": [public | {"kid": key_id, "use": "sig"} for key_id in key_ids]}).encode()


@pytest.fixture
def issuer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Issuer]:
    monkeypatch.setattr(issuer_keys, "RETRY_S", 0.0)
    started = Issuer()
    yield started
    started.gate.set()
    started.server.shutdown()
    started.server.server_close()


def test_the_first_request_waits_and_the_others_share_its_answer(issuer: Issuer) -> None:
    keys = IssuerKeys(issuer.url)
    assert keys.key("one") is not None
    assert [keys.key("one") is not None for _ in range(5)] == [True] * 5
    assert issuer.asked == 1


def test_an_issuer_that_hangs_keeps_nobody_waiting_who_has_a_known_key(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = IssuerKeys(issuer.url)
    assert keys.key("one")
    issuer.gate.clear()
    monkeypatch.setattr(issuer_keys, "FRESH_S", -1.0)
    # Were it waited for, the gate would never be opened.
    assert [keys.key("one") is not None for _ in range(20)] == [True] * 20
    issuer.gate.set()
    wait_until(lambda: not keys.fetching.locked(), "the fetch")
    assert issuer.asked == 2


@pytest.mark.parametrize("body", [b"<html>busy</html>", b"[]", b'{"keys": 5}', b"\xff"])
def test_an_issuer_that_answers_anything_else_is_unavailable_and_no_bug(issuer: Issuer, body: bytes) -> None:
    issuer.body = body
    with pytest.raises(Unavailable):
        IssuerKeys(issuer.url).key("one")


def test_the_last_good_keys_serve_while_the_issuer_is_ill(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = IssuerKeys(issuer.url)
    assert keys.key("one")
    issuer.body, issuer.status = b"<html>", 503
    monkeypatch.setattr(issuer_keys, "FRESH_S", -1.0)
    assert keys.key("one")
    wait_until(lambda: not keys.fetching.locked(), "the fetch")
    assert keys.key("one")


def test_a_new_key_is_fetched_when_a_token_names_it(issuer: Issuer) -> None:
    keys = IssuerKeys(issuer.url)
    assert keys.key("one")
    issuer.body = issuer.key_set("one", "two")
    wait_until(lambda: keys.key("two") is not None, "the new key")
