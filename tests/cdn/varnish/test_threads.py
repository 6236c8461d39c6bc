"""Clients that occupy threads of a real Varnish, and readers whose answer is in its cache."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.cdn.varnish.paths import SCORE
from tests.cdn.varnish.test_passing import HANDSHAKE
from tests.conftest import wait_until
from tests.support.edge import Origin, Reply, Varnish, score, varnish

THREADS = 100
STREAM = b"GET /api/score/m1/stream HTTP/1.1\r\nHost: x\r\n\r\n"
# More than all threads together.
COUNT = 150


def post(path: str) -> bytes:
    """The head of a delivery, and a tenth of its body."""
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n".encode() + b"x" * 100


SLOW = {
    "idle streams": STREAM,
    "slow bodies": post("/api/ingest/generic"),
    "slow bodies that are refused": post("/api/nothing"),
    "slow bodies of a wrong method": post(SCORE),
    "idle WebSockets": HANDSHAKE,
    "holds of many cursors": b"GET /api/score/m1/wait/%d.1 HTTP/1.1\r\nHost: x\r\n\r\n",
    "slow lists": b"GET /api/matches?cursor=%d HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.fixture(scope="module")
def edge(edge_and_origin: tuple[Varnish, Origin], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Varnish]:
    with varnish(tmp_path_factory.mktemp("threads"), edge_and_origin[1].port, threads=THREADS) as edge:
        yield edge


@pytest.fixture
def silent(origin: Origin) -> Iterator[Origin]:
    """Answers scores, and begins streams, sockets, holds and lists without ever ending them."""
    end = threading.Event()
    never = Reply(b"{}", {"Cache-Control": "public, max-age=1"}, held=end)
    origin.replies[SCORE] = score(1, ttl=600)
    origin.replies["/api/score/m1/stream"] = Reply(
        headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}, parts=[(b": \n\n", end)]
    )
    origin.replies["/api/ws"] = never
    for n in range(COUNT):
        origin.replies[f"/api/score/m1/wait/{n}.1"] = origin.replies[f"/api/matches?cursor={n}"] = never
    yield origin
    end.set()


def dripping(wires: list[socket.socket], ended: threading.Event) -> None:
    """A byte now and then, so that no pause is long enough to be a time-out."""
    while not ended.wait(1.0):
        for wire in wires:
            try:
                wire.send(b"x")
            except OSError:
                continue


@pytest.mark.parametrize("kind", SLOW)
def test_a_reader_of_what_is_cached_always_finds_a_thread(edge: Varnish, silent: Origin, kind: str) -> None:
    assert edge.get(SCORE).status_code == 200
    request, ended = SLOW[kind], threading.Event()
    with ExitStack() as stack:
        wires = [stack.enter_context(edge.connect(request % n if b"%d" in request else request)) for n in range(COUNT)]
        stack.callback(ended.set)
        if b"POST" in request:
            threading.Thread(target=dripping, args=(wires, ended), daemon=True).start()
        # What they hold is taken by now: connections are served as they come.
        for _ in range(20):
            started = time.monotonic()
            answer = edge.get(SCORE, timeout=10)
            assert (answer.status_code, answer.headers["X-Cache"]) == (200, "HIT")
            print(f"{kind}: {(time.monotonic() - started) * 1000:.1f} ms")
            time.sleep(0.1)


def test_deliveries_go_on_beside_idle_streams(edge: Varnish, silent: Origin) -> None:
    silent.replies["/api/ingest/generic"] = Reply(b'{"accepted":1}', status=202)
    with ExitStack() as stack:
        for _ in range(COUNT):
            stack.enter_context(edge.connect(STREAM))
        assert edge.get("/api/ingest/generic", "POST", data=b"{}").status_code == 202


def test_after_slow_bodies_there_is_room_again(edge: Varnish, silent: Origin) -> None:
    silent.replies["/api/ingest/generic"] = Reply(b'{"accepted":1}', status=202)

    def delivered() -> bool:
        return edge.get("/api/ingest/generic", "POST", data=b"{}").status_code == 202

    with ExitStack() as stack:
        for _ in range(COUNT):
            stack.enter_context(edge.connect(post("/api/ingest/generic")))
        wait_until(lambda: not delivered(), "the limit of bodies in transit")
    wait_until(delivered, "room")
