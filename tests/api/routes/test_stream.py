"""Server-Sent Events where a thread serves each: on the app's own client, and on Flask's own server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.serving import make_server

from api.delivery import listener
from api.routes import stream
from api.routes.stream import BEAT, RETRY_MS, PlainStream
from tests.api.conftest import Site, event, fixture
from tests.api.delivery.test_hub import score
from tests.conftest import wait_until
from tests.support.holding import Client

V = 1_700_000_000_000


@pytest.fixture
def listening(site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(listener, "LOOK_S", 0.05)
    monkeypatch.setattr(listener, "RECONNECT_S", (0.0, 0.05))
    site.tell(event("m", home_score=1), matches=(fixture("m"),))
    yield site
    site.services.listener.stopping = True
    if site.services.listener.begun:
        site.services.listener.join(10)
    site.services.live.redis.connection_pool.disconnect()


@pytest.fixture
def client(listening: Site) -> Iterator[Client]:
    """Of Flask's own server."""
    server = make_server("127.0.0.1", 0, listening.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    made = Client(server.server_port)
    yield made
    made.reset()
    listening.app.drain()
    wait_until(lambda: listening.services.room.here == 0, "nobody in the room")
    server.shutdown()
    thread.join()
    server.server_close()


def goal(site: Site, home: int) -> int:
    site.tell(event("m", home_score=home, minute=10 + home, timestamp=f"2026-05-01T18:{10 + home}:00Z"))
    version: int = site.get("/api/score/m").get_json()["version"]
    return version


def test_on_flasks_own_server_a_stream_tells_the_present_and_each_change(listening: Site, client: Client) -> None:
    client.ask("/api/score/m/stream")
    assert client.event()["home_score"] == 1
    for home in (2, 3):
        version = goal(listening, home)
        assert client.event()["version"] == version


def test_on_flasks_own_server_a_stream_beats_and_ends_with_the_process(
    listening: Site, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "BEAT_S", 0.05)
    client.ask("/api/score/m/stream")
    client.event()
    for _ in range(3):
        assert client.until(BEAT).endswith(BEAT)
    listening.app.drain()
    client.rest()
    wait_until(lambda: listening.services.room.here == 0, "nobody in the room")


def test_on_flasks_own_server_who_leaves_gives_its_place_back(
    listening: Site, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "BEAT_S", 0.05)
    client.ask("/api/score/m/stream")
    client.event()
    assert listening.services.room.here == 1
    client.reset()
    wait_until(lambda: listening.services.room.here == 0, "its place")


def test_a_stream_that_nobody_began_to_read_gives_its_place_back(listening: Site) -> None:
    answer = listening.client.get("/api/score/m/stream", buffered=False)
    assert listening.services.room.here == 1
    answer.close()
    assert listening.services.room.here == 0


def test_a_stream_whose_match_cannot_be_read_again_gives_its_place_back(
    listening: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, times = stream.current, iter([True])

    def once(*asked: Any) -> Any:
        return whole(*asked) if next(times, False) else 1 / 0

    monkeypatch.setattr(stream, "current", once)
    assert listening.get("/api/score/m/stream").status_code == 500
    assert listening.services.room.here == 0


def test_those_whom_an_ended_process_leaves_do_not_come_back_together(listening: Site) -> None:
    said = set()
    for _ in range(20):
        with listening.client.get("/api/score/m/stream") as answer:
            first = next(iter(answer.response))
            said.add(int(first.split(b"\n")[0].removeprefix(b"retry: ")))
    assert len(said) > 5
    assert RETRY_MS[0] <= min(said) < max(said) <= RETRY_MS[1]


@pytest.mark.parametrize("has", ["", "nonsense", "-1", "9" * 16])
def test_what_is_no_version_is_no_resuming(listening: Site, has: str) -> None:
    with listening.client.get("/api/score/m/stream", headers={"Last-Event-ID": has}) as answer:
        assert b"data: " in next(iter(answer.response))


def test_of_what_was_not_taken_only_the_newest_is_kept() -> None:
    one = PlainStream()
    events = one.events(b"first")
    assert next(events) == b"first"
    for version in (V + 1, V + 3, V + 2):
        one.offer(score(version))
    assert next(events) == score(V + 3).event
    one.offer(score(V + 4))
    one.end()
    assert list(events) == [score(V + 4).event]


def test_the_last_change_before_the_end_is_told() -> None:
    one = PlainStream()
    events = one.events(b"first")
    next(events)
    teller = threading.Timer(0.05, lambda: (one.offer(score(V)), one.end()))
    teller.start()
    assert next(events) == score(V).event
    teller.join()
    assert set(events) <= {BEAT}
