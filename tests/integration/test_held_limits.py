"""A process that may have twenty connections: who waits, who is answered at once, who is served and closed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import wait_until
from tests.support.holding import Origin

pytestmark = pytest.mark.xdist_group("held_limits")


@pytest.fixture(scope="module")
def cramped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Origin]:
    """A process that may have twenty connections, of which sixteen may wait and one be a WebSocket."""
    with Origin.running(tmp_path_factory.mktemp("small"), WORKER_CONNECTIONS=20) as made:
        made.tell("m", 0)
        yield made


@pytest.fixture
def small(cramped: Origin) -> Iterator[Origin]:
    # Of the test before: a place that is given back later would be one too many.
    wait_until(lambda: cramped.inside().get("connections", 60) <= 1, "all places to be free")
    yield cramped
    cramped.hang_up()
    cramped.wait_for_nobody()


def test_over_the_limit_the_answer_is_plain_and_at_once(small: Origin) -> None:
    path = small.next()
    readers = [small.client().ask(path) for _ in range(16)]
    small.wait_for_here(16)
    one_more = small.client()
    for _ in range(2):
        _, headers, body = one_more.ask(path).answer()
        assert (body["held"], body["next"], body["poll_after_ms"]) == ("full", path, 2_000)
        assert headers["cache-control"] == "public, max-age=0, s-maxage=1"
    assert small.get("/healthz").ok
    stream = small.client().ask("/api/score/m/stream", "Last-Event-ID: 1")
    status, headers = stream.head()
    assert (status, headers["content-type"]) == (200, "text/event-stream")
    # It has a length, so it ends; the browser comes back when `retry` says.
    once = stream.take(int(headers["content-length"]))
    version = small.body("/api/score/m")["version"]
    assert once.startswith(f"retry: 2000\nid: {version}\ndata: ".encode())
    version = small.tell("m", 1)
    assert {reader.body()["version"] for reader in readers} == {version}
    one_more.ask(small.next())
    small.wait_for_here(1)


def test_more_connections_than_there_are_places_are_served_in_turn(small: Origin) -> None:
    crowd = [small.client() for _ in range(60)]
    for one in crowd:
        one.ask("/api/score/m", "Connection: close")
    assert {one.body()["match_id"] for one in crowd} == {"m"}


def test_who_comes_when_all_places_are_taken_is_served_and_keeps_none(small: Origin) -> None:
    """Else those who stay without asking would keep out all who come after them."""
    crowd = [small.client() for _ in range(60)]
    for one in crowd:
        status, headers, _ = one.ask("/api/score/m").answer()
        assert status == 200
        if headers["connection"] == "close":
            assert one.rest() == b""
    # One that does not close its own half is closed two seconds later.
    wait_until(lambda: small.inside().get("connections", 60) <= 21, "them to be gone")


def test_who_would_wait_when_all_places_are_taken_is_told_so_at_once(small: Origin) -> None:
    path = small.next()
    small.seated(20)
    for ask in (path, "/api/score/unheard/wait/1.0"):
        small.tell("unheard", 1)
        reader = small.client().ask(ask)
        _, headers, body = reader.answer()
        assert (body["held"], headers["connection"]) in (("full", "close"), ("behind", "close"))
        assert reader.rest() == b""


def test_who_says_nothing_when_all_places_are_taken_keeps_nobody_out(small: Origin) -> None:
    """Forty are served beside the twenty who stay: here, all of them silent."""
    silent = [small.client() for _ in range(40)]
    assert small.client().ask("/api/score/m").answer()[0] == 200
    assert [one.rest() for one in silent[20:]] == [b""] * 20
