"""More connections than places, clients that do not read, speak or end, and what the server itself refuses."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.conftest import wait_until
from tests.support.holding import Closed, Origin

pytestmark = pytest.mark.xdist_group("overload")

PLACES = 100
NO_STORE = "private, no-store"
SETTINGS = {"WORKER_CONNECTIONS": PLACES, "INSIDE_WRITE_S": 2, "INSIDE_BEAT_S": 1.0}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Origin]:
    with Origin.running(tmp_path_factory.mktemp("origin"), **SETTINGS) as origin:
        yield origin


@pytest.fixture
def origin(shared: Origin) -> Iterator[Origin]:
    shared.tell("m", 1)
    shared.wait_for_here(0)
    yield shared
    shared.hang_up()
    shared.wait_for_nobody()


def test_who_comes_without_a_place_keeps_nobody_out(origin: Origin) -> None:
    """Served, but for one answer, so that all places are free as soon as those who have them go."""
    crowd = origin.seated(PLACES)
    paths = ["/api/score/m/stream", "/api/live/wait/1.0", "/api/score/m"]
    late = [origin.client().ask(path) for path in 15 * paths]
    for client in late:
        assert client.head()[0] == 200
        assert client.rest()
    for client in crowd:
        client.close()
    wait_until(lambda: origin.inside().get("connections", PLACES) <= 1, "the places to be free")
    for _ in range(PLACES // 2):
        assert origin.client().ask("/healthz").head()[0] == 200


def test_without_a_place_a_websocket_is_told_to_come_later(origin: Origin) -> None:
    origin.seated(PLACES)
    for _ in range(30):
        assert origin.socket().ended() == 1013


def test_who_leaves_two_pings_unanswered_is_gone_and_who_answers_stays(origin: Origin) -> None:
    """A phone that went into a tunnel does not say so."""
    _silent, awake = [origin.socket().say({"subscribe": ["m"]}) for _ in range(2)]
    origin.wait_for_here(2)
    awake.told()

    def one_is_left() -> bool:
        origin.goal()
        awake.told()
        return bool(origin.inside()["here"] == 1)

    wait_until(one_is_left, "the silent one to be cut off")
    origin.goal()
    awake.told()


def test_one_connection_too_many_changes_nothing_for_those_who_have_places(origin: Origin) -> None:
    path = origin.next()
    readers = [origin.client().ask(path) for _ in range(60)]
    origin.wait_for_here(60)
    greenlets = origin.greenlets()
    others = origin.seated(PLACES - 60 - 1)
    assert origin.greenlets() - greenlets < 5
    extra = [origin.client() for _ in range(10)]
    for turn in (2, 3):
        version = origin.tell("m", turn)
        for reader in readers:
            _, headers, body = reader.answer()
            assert (body["version"], body["held"], headers["connection"]) == (version, "changed", "keep-alive")
            reader.ask(body["next"])
    for client in others:
        assert client.ask("/api/score/m").answer()[1]["connection"] == "keep-alive"
    endings = [client.ask("/api/score/m").answer()[1]["connection"] for client in extra]
    assert endings.count("close") >= len(extra) - 1


def test_a_client_that_never_sends_a_byte_is_not_waited_for(origin: Origin) -> None:
    before = origin.inside()["connections"]
    silent = [origin.client() for _ in range(5)]
    assert {client.rest() for client in silent} == {b""}
    assert origin.inside()["connections"] == before


def test_clients_that_do_not_read_their_answers_are_given_up(origin: Origin) -> None:
    for n in range(300):
        origin.tell(f"wide-{n}", 1)
    before, greenlets = origin.inside(), origin.greenlets()
    lazy = [origin.client(buffer=2_048) for _ in range(10)]
    for client in lazy:
        for _ in range(40):
            client.ask("/api/live?competition=none").ask("/api/live")
    wait_until(lambda: origin.inside().get("connections", 99) <= before["connections"], "them to be closed")
    wait_until(lambda: origin.greenlets() - greenlets < 5, "their handlers to end")


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET /" + b"x" * 3_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\n" + b"X: 1\r\n" * 100 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n", 417),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: tea\r\n\r\n", 501),
    ],
)
def test_what_the_server_refuses_is_refused_as_the_app_does(origin: Origin, data: bytes, status: int) -> None:
    client = origin.client()
    client.send(data)
    found, headers, body = client.answer()
    assert found == status
    assert set(body) == {"error"}
    assert body["error"]["code"] == "bad_request"
    assert body["error"]["message"]
    assert headers["content-type"] == "application/json"
    assert headers["cache-control"] == NO_STORE
    assert client.rest() == b""


def test_a_refused_body_is_answered_though_its_sender_is_still_sending(origin: Origin) -> None:
    for _ in range(20):
        client = origin.client()
        client.ask("/api/ingest/generic", "Content-Length: 4300000", "Connection: close", method="POST")
        client.send(b"x" * 3_000_000)
        assert client.head()[0] == 413
        client.send(b"x" * 100_000)
        client.rest()


class Restarting(Origin):
    """The process ends after so many requests."""

    def command(self, name: str) -> list[str]:
        command = super().command(name)
        return [*command[:-1], "--max-requests", "60", command[-1]] if name == "web" else command


def test_a_process_that_has_served_enough_answers_those_who_wait(tmp_path: Path) -> None:
    with Restarting.running(tmp_path) as origin:
        origin.tell("m", 1)
        path, pid = origin.next(), origin.inside()["pid"]
        readers = [origin.client().ask(path) for _ in range(5)]
        origin.wait_for_here(5)
        busy = origin.client()
        with suppress(Closed, OSError):
            for _ in range(200):
                busy.ask("/api/score/m/wait/1.0").body()
        for reader in readers:
            assert (reader.body()["held"], reader.rest()) == ("draining", b"")
        wait_until(lambda: origin.inside().get("pid", pid) != pid, "the next process")


def test_a_half_sent_body_of_a_client_that_has_gone_frees_its_place(origin: Origin) -> None:
    before = origin.inside()["connections"]
    for _ in range(5):
        client = origin.client().ask("/api/ingest/generic", "Content-Length: 1000", method="POST")
        client.send(json.dumps({"events": []}).encode())
        client.sock.shutdown(socket.SHUT_WR)
        client.rest()
    assert origin.inside()["connections"] == before
