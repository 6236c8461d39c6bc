"""The end of a web process: everybody is answered and moves on to the next one, and it goes within its grace."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator

import pytest

from db.live.metrics import HELD_ENDED, TOTALS
from tests.conftest import wait_until
from tests.support.holding import Client, Origin

pytestmark = pytest.mark.xdist_group("drain")

# gunicorn.conf.py: what is not over by then is cut off.
GRACE_S = 25


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Origin]:
    with Origin.running(tmp_path_factory.mktemp("origin")) as made:
        yield made


@pytest.fixture
def origin(shared: Origin) -> Iterator[Origin]:
    """A process that has just begun, with the match `m`."""
    if shared.processes["web"].poll() is not None:
        shared.restart("web")
    shared.tell("m", 1)
    yield shared
    shared.hang_up()


def end(origin: Origin) -> None:
    origin.processes["web"].terminate()


def assert_gone(origin: Origin) -> None:
    assert origin.processes["web"].wait(timeout=GRACE_S) == 0


def test_everybody_is_answered_and_told_where_to_go_on(origin: Origin) -> None:
    path = origin.next()
    waits = [origin.client().ask(path) for _ in range(20)]
    plain = [origin.client().ask(path, "Connection: close") for _ in range(3)]
    streams = [origin.client().ask("/api/score/m/stream") for _ in range(5)]
    plain_stream = origin.client().ask("/api/score/m/stream", http="1.0")
    sockets = [origin.socket().say({"subscribe": ["m"]}) for _ in range(4)]
    idle, fresh, half = origin.client().ask("/api/score/m"), origin.client(), origin.client()
    idle.body()
    half.send(b"GET /api/score/m HT")
    for one in (*streams, plain_stream):
        one.until(b"data: ")
    for one in sockets:
        one.told()
    origin.wait_for_here(20 + 3 + 5 + 1 + 4)
    end(origin)
    for reader in (*waits, *plain):
        _, headers, body = reader.answer()
        assert (body["held"], body["next"], headers["connection"]) == ("draining", path, "close")
        assert reader.rest() == b""
    for one in (*streams, plain_stream):
        # The last event is whole.
        assert one.rest().endswith((b"\n\n", b"0\r\n\r\n"))
    assert [one.ended() for one in sockets] == [1001] * 4
    assert [one.rest() for one in (idle, fresh, half)] == [b""] * 3
    assert_gone(origin)
    # The last second of a process is counted too.
    totals = {
        tuple(json.loads(row)[:2][1]): float(n)
        for row, n in origin.live.redis.hgetall(TOTALS).items()
        if json.loads(row)[0] == HELD_ENDED.name
    }
    assert totals["draining",] == 20 + 3


def test_a_request_that_has_arrived_is_answered_though_nobody_had_read_it(origin: Origin) -> None:
    """Between a process's last look at its sockets and SIGTERM."""
    readers = [origin.client() for _ in range(20)]
    for reader in readers[:10]:
        reader.ask("/api/score/m").body()
    pid = origin.inside()["pid"]
    os.kill(pid, signal.SIGSTOP)
    for reader in readers:
        reader.ask("/api/score/m")
    os.kill(pid, signal.SIGTERM)
    os.kill(pid, signal.SIGCONT)
    assert {reader.body()["match_id"] for reader in readers} == {"m"}
    assert {reader.rest() for reader in readers} == {b""}
    end(origin)
    assert_gone(origin)


def test_who_waits_for_a_topic_that_is_only_being_read_is_answered(origin: Origin) -> None:
    """Redis answers late: they get their answer then, and are not cut off."""
    origin.tell("slow", 1)
    path = origin.next("/api/score/slow")
    redis, idle = origin.processes["redis"], origin.client()
    idle.ask("/api/score/m").body()
    redis.send_signal(signal.SIGSTOP)
    try:
        readers = [origin.client().ask(path) for _ in range(5)]
        wait_until(lambda: origin.inside()["here"] == 5, "all to have arrived")
        end(origin)
        assert idle.rest() == b""
        assert all(reader.is_silent() for reader in readers)
    finally:
        redis.send_signal(signal.SIGCONT)
    assert {(body["held"], body["next"]) for body in (reader.body() for reader in readers)} == {("draining", path)}
    assert_gone(origin)


def test_who_goes_on_where_it_was_told_to_misses_no_version(origin: Origin) -> None:
    """One change before the end, one between two processes, one after."""
    has = origin.body("/api/score/m")
    readers = [Reader(origin, kind, has["version"], has["next"]) for kind in ("wait", "stream", "socket")]
    for reader in readers:
        reader.begin()
    origin.wait_for_here(len(readers))
    versions = [origin.tell("m", 2)]
    for reader in readers:
        reader.hear(versions[-1])
    end(origin)
    for reader in readers:
        reader.move()
    assert_gone(origin)
    versions.append(origin.tell("m", 3))
    origin.restart("web")
    for reader in readers:
        reader.begin()
        reader.hear(versions[-1])
    origin.wait_for_here(len(readers))
    versions.append(origin.tell("m", 4))
    for reader in readers:
        reader.hear(versions[-1])
    assert [reader.heard for reader in readers] == [versions] * len(readers)


class Reader:
    """A client of one kind, that remembers what a client of it remembers."""

    def __init__(self, origin: Origin, kind: str, version: int, path: str) -> None:
        self.origin, self.kind, self.version, self.path = origin, kind, version, path
        self.heard: list[int] = []
        self.connection: Client

    def begin(self) -> None:
        if self.kind == "socket":
            self.connection = self.origin.socket().say({"subscribe": {"m": self.version}})
        elif self.kind == "stream":
            self.connection = self.origin.client().ask("/api/score/m/stream", f"Last-Event-ID: {self.version}")
        else:
            self.connection = self.origin.client().ask(self.path)

    def hear(self, until: int) -> None:
        while self.version < until:
            body = self._next()
            self.version, self.path = body["version"], body["next"]
            self.heard.append(self.version)
        if self.kind == "wait":
            self.connection.ask(self.path)

    def move(self) -> None:
        """The process ends."""
        if self.kind == "wait":
            body = self.connection.body()
            assert body["version"] == self.version
            self.path = body["next"]
        self.connection.rest()

    def _next(self) -> dict[str, object]:
        if self.kind == "socket":
            return self.connection.told()  # type: ignore[attr-defined,no-any-return]
        return self.connection.event() if self.kind == "stream" else self.connection.body()
