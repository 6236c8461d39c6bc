"""Held requests and streams on the real server, spoken to by bare sockets."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from db.domain import HOLD_MS
from tests.conftest import wait_until
from tests.support.holding import Client, Origin

pytestmark = pytest.mark.xdist_group("held")

KEPT = "public, max-age=0, s-maxage=20"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Origin]:
    made = Origin(tmp_path_factory.mktemp("origin"))
    try:
        made.start()
        yield made
    finally:
        made.end()


@pytest.fixture
def origin(shared: Origin) -> Iterator[Origin]:
    """With the match `m` at some score, and nobody in the hub, before the test and after it."""
    shared.tell("m", next(goals))
    shared.wait_for_here(0)
    yield shared
    shared.hang_up()
    shared.wait_for_here(0)


goals = itertools.count(1)


@pytest.fixture
def client(origin: Origin) -> Callable[..., Client]:
    return origin.client


Connect = Callable[..., Client]


def goal(origin: Origin, match_id: str = "m") -> int:
    return origin.tell(match_id, next(goals))


# Wait.


@pytest.mark.parametrize("path", ["/api/score/m", "/api/live"])
def test_held_and_released_with_the_body_of_the_change(origin: Origin, client: Connect, path: str) -> None:
    waiting = client().ask(origin.next(path))
    origin.wait_for_here(1)
    assert waiting.is_silent()
    goal(origin)
    status, headers, body = waiting.answer()
    now = origin.body(path)
    assert status == 200
    assert body == now | {"held": "changed", "next": f"{path}/wait/{now['version']}.0"}
    assert headers["cache-control"] == KEPT
    assert headers["access-control-allow-origin"] == "*"
    assert headers["connection"] == "keep-alive"
    assert headers.get("vary", "Accept-Encoding") == "Accept-Encoding"
    assert not {"set-cookie", "etag"} & headers.keys()
    assert origin.inside()["here"] == 0


def test_one_connection_walks_from_next_to_next(origin: Origin, client: Connect) -> None:
    reader, path = client(), origin.next()
    for _ in range(5):
        reader.ask(path)
        origin.wait_for_here(1)
        version = goal(origin)
        body = reader.body()
        assert (body["version"], body["held"]) == (version, "changed")
        path = body["next"]
    assert reader.ask("/api/score/m").body()["version"] == version


def test_all_who_wait_get_the_same_bytes(origin: Origin, client: Connect) -> None:
    path = origin.next()
    readers = [client().ask(path) for _ in range(50)]
    origin.wait_for_here(50)
    goal(origin)
    assert len({reader.until(b"\r\n\r\n") + reader.take(100) for reader in readers}) == 1


def test_a_cursor_that_is_behind_is_answered_at_once(origin: Origin, client: Connect) -> None:
    path = origin.next()
    version = goal(origin)
    wait_until(lambda: origin.body(path)["held"] == "behind", "the change to be heard")
    body = client().ask(path).body()
    assert (body["held"], body["version"]) == ("behind", version)


def test_a_version_that_this_process_has_not_heard_of_is_held_not_called_ahead(origin: Origin, client: Connect) -> None:
    """A client comes with what another process, or the score, told it a moment ago."""
    keeper = client().ask(origin.next())
    origin.wait_for_here(1)
    for _ in range(30):
        version = goal(origin)
        first = client().ask(f"/api/score/m/wait/{version}.0")
        assert keeper.body()["version"] == version
        assert first.is_silent()
        keeper = first


def test_nothing_happens_for_a_slot(origin: Origin, client: Connect) -> None:
    origin.tell("quiet", 1)
    path = origin.next("/api/score/quiet")
    began = time.monotonic()
    _, headers, body = client().ask(path).answer()
    assert time.monotonic() - began < HOLD_MS / 1000 + 10
    assert body["held"] == "timeout"
    version, slot = path.rpartition("/")[2].split(".")
    assert body["next"] == f"/api/score/quiet/wait/{version}.{int(slot) + 1}"
    assert headers["cache-control"] == KEPT


@pytest.mark.parametrize(("http", "lines"), [("1.0", ()), ("1.1", ("Connection: close",))])
def test_who_wants_the_connection_closed_is_held_too(
    origin: Origin, client: Connect, http: str, lines: tuple[str, ...]
) -> None:
    reader = client().ask(origin.next(), *lines, http=http)
    origin.wait_for_here(1)
    version = goal(origin)
    body = reader.body()
    assert (body["held"], body["version"]) == ("changed", version)
    assert reader.rest() == b""


def test_http_1_0_with_keep_alive_is_served_on(origin: Origin, client: Connect) -> None:
    reader = client().ask(origin.next(), "Connection: keep-alive", http="1.0")
    origin.wait_for_here(1)
    version = goal(origin)
    assert reader.body()["version"] == version


def test_requests_sent_ahead_are_answered_in_order(origin: Origin, client: Connect) -> None:
    path = origin.next()
    reader = client()
    reader.ask("/api/score/m").ask(path).ask("/api/score/m").ask("/healthz", method="HEAD").ask(path)
    origin.wait_for_here(1)
    version = goal(origin)
    assert "held" not in reader.body()
    assert (reader.body()["held"], reader.body()["version"]) == ("changed", version)
    assert reader.head()[0] == 200
    assert reader.body()["held"] == "behind"


def test_a_request_sent_while_one_waits_waits_its_turn(origin: Origin, client: Connect) -> None:
    reader = client().ask(origin.next())
    origin.wait_for_here(1)
    reader.ask("/api/score/m")
    assert origin.inside()["here"] == 1
    assert reader.is_silent()
    version = goal(origin)
    assert reader.body()["held"] == "changed"
    assert reader.body()["version"] == version


def test_a_request_in_two_pieces_is_one(origin: Origin, client: Connect) -> None:
    reader = client()
    reader.send(f"GET {origin.next()} HTTP/1.1\r\nHo".encode())
    assert origin.inside()["here"] == 0
    reader.send(b"st: scores.example\r\n\r\n")
    origin.wait_for_here(1)
    goal(origin)
    assert reader.body()["held"] == "changed"


def test_a_body_that_comes_with_a_wait_is_skipped(origin: Origin, client: Connect) -> None:
    reader = client()
    reader.ask(origin.next(), "Content-Length: 5")
    reader.send(b"GET /")
    origin.wait_for_here(1)
    goal(origin)
    assert reader.body()["held"] == "changed"
    assert "held" not in reader.ask("/api/score/m").body()


def test_a_client_that_closes_its_half_while_it_waits_leaves_at_once(origin: Origin, client: Connect) -> None:
    before = origin.inside()["connections"]
    readers = [client().ask(origin.next()) for _ in range(20)]
    origin.wait_for_here(20)
    for reader in readers:
        reader.sock.shutdown(socket.SHUT_WR)
    origin.wait_for_here(0)
    assert origin.inside()["connections"] == before
    assert {reader.rest() for reader in readers} == {b""}


def test_a_wait_and_the_end_in_one_packet_hold_nothing(origin: Origin, client: Connect) -> None:
    path = origin.next()
    for _ in range(20):
        client().ask(path).sock.shutdown(socket.SHUT_WR)
    assert "held" not in client().ask("/api/score/m").body()
    origin.wait_for_here(0)


def test_a_read_of_a_client_that_has_closed_its_half_is_answered(origin: Origin, client: Connect) -> None:
    reader = client().ask("/api/score/m").ask("/healthz", method="HEAD")
    reader.sock.shutdown(socket.SHUT_WR)
    assert reader.body()["match_id"] == "m"
    assert reader.head()[0] == 200
    assert reader.rest() == b""


@pytest.mark.faults
def test_a_client_that_is_cut_off_leaves_the_hub_at_once(origin: Origin, client: Connect) -> None:
    before = origin.inside()["connections"]
    readers = [client().ask(origin.next()) for _ in range(20)]
    origin.wait_for_here(20)
    for reader in readers:
        reader.reset()
    origin.wait_for_here(0)
    assert origin.inside()["connections"] == before


def test_who_waits_has_no_greenlet(origin: Origin, client: Connect) -> None:
    path = origin.next()
    client().ask(path)
    origin.wait_for_here(1)
    before = origin.inside()
    for _ in range(100):
        client().ask(path)
    origin.wait_for_here(101)
    assert origin.inside()["greenlets"] - before["greenlets"] < 5


def test_a_client_that_does_not_read_keeps_nobody_waiting(origin: Origin, client: Connect) -> None:
    for n in range(400):
        origin.tell(f"wide-{n}", 1)
    wait_until(lambda: len(origin.body("/api/live")["matches"]) > 400, "a board of 400 matches")
    path = origin.next("/api/live")
    lazy = [client(buffer=2_048).ask(path) for _ in range(3)]
    reader = client().ask(path)
    origin.wait_for_here(4)
    goal(origin)
    for one in lazy:
        one.read_fast()
    body = reader.body()
    assert body["held"] == "changed"
    for one in lazy:
        assert one.body() == body
    assert "held" not in lazy[0].ask("/api/score/m").body()


def test_a_crowd_that_finds_a_process_knowing_nothing_is_held(origin: Origin, client: Connect) -> None:
    """Nobody waited for this one yet: the first has it read for all."""
    origin.tell("fresh", 1)
    path = origin.next("/api/score/fresh")
    readers = [client() for _ in range(50)]
    for reader in readers:
        reader.ask(path)
    origin.wait_for_here(50)
    version = origin.tell("fresh", 2)
    assert {reader.body()["version"] for reader in readers} == {version}


def test_a_goal_while_a_crowd_comes_is_missed_by_none(origin: Origin, client: Connect) -> None:
    """Goals and newcomers at the same time, of matches that the process does not know yet."""
    for n in range(10):
        match_id = f"rush-{n}"
        origin.tell(match_id, 1)
        path = origin.next(f"/api/score/{match_id}")
        readers = [client() for _ in range(10)]
        scorer = threading.Thread(target=origin.tell, args=(match_id, 2))
        for reader in readers[:5]:
            reader.ask(path)
        scorer.start()
        for reader in readers[5:]:
            reader.ask(path)
        scorer.join()
        told = [reader.body() for reader in readers]
        assert {body["home_score"] for body in told} == {2}
        assert {body["held"] for body in told} <= {"changed", "behind"}


def test_an_unknown_match_is_not_waited_for(origin: Origin, client: Connect) -> None:
    reader = client()
    for _ in range(2):
        status, headers, body = reader.ask("/api/score/no-such/wait/1.0").answer()
        assert (status, body["error"]["code"]) == (404, "unknown_match")
        assert headers["cache-control"] == "public, max-age=2, s-maxage=5"
    assert origin.inside()["here"] == 0


def test_head_of_a_wait_is_answered_at_once(origin: Origin, client: Connect) -> None:
    reader = client().ask(origin.next(), method="HEAD")
    status, headers = reader.head()
    assert (status, int(headers["content-length"]) > 0) == (200, True)
    assert "held" not in reader.ask("/api/score/m").body()


# Streams.


def test_a_stream_sends_the_present_and_each_change(origin: Origin, client: Connect) -> None:
    reader = client().ask("/api/score/m/stream")
    status, headers = reader.head()
    assert (status, headers["content-type"]) == (200, "text/event-stream")
    assert headers["cache-control"] == "private, no-store"
    assert headers["access-control-allow-origin"] == "*"
    assert "content-length" not in headers
    first = reader.event()
    assert first == origin.body("/api/score/m") | {"next": first["next"]}
    for _ in range(3):
        version = goal(origin)
        body = reader.event()
        assert (body["version"], body["next"]) == (version, f"/api/score/m/wait/{version}.0")
    reader.close()
    origin.wait_for_here(0)


def test_a_stream_is_resumed_after_the_event_one_has(origin: Origin, client: Connect) -> None:
    has = origin.body("/api/score/m")["version"]
    reader = client().ask("/api/score/m/stream", f"Last-Event-ID: {has}")
    reader.until(b"\n:\n\n")
    version = goal(origin)
    assert reader.event()["version"] == version
    late = client().ask("/api/score/m/stream", f"Last-Event-ID: {has}")
    late.head()
    assert late.event()["version"] == version


@pytest.mark.parametrize("http", ["1.0", "1.1"])
def test_a_stream_on_a_connection_that_is_to_be_closed_is_one_too(origin: Origin, client: Connect, http: str) -> None:
    reader = client().ask("/api/score/m/stream", "Connection: close", http=http)
    reader.until(b"data: ")
    origin.wait_for_here(1)
    version = goal(origin)
    assert f"id: {version}\n".encode() in reader.until(f"id: {version}\n".encode())
    reader.reset()
    origin.wait_for_here(0)


def test_a_stream_says_no_to_what_is_sent_on_it(origin: Origin, client: Connect) -> None:
    reader = client().ask("/api/score/m/stream")
    reader.head()
    origin.wait_for_here(1)
    reader.ask("/api/score/m")
    origin.wait_for_here(0)


def test_head_of_a_stream_ends(origin: Origin, client: Connect) -> None:
    reader = client().ask("/api/score/m/stream", method="HEAD")
    assert reader.head()[0] == 200
    assert origin.inside()["here"] == 0


def test_a_stream_that_is_not_read_is_spared_the_past(origin: Origin, client: Connect) -> None:
    lazy, reader = client(buffer=2_048), client()
    for one in (lazy, reader):
        one.ask("/api/score/m/stream")
    origin.wait_for_here(2)
    sent, version = origin.outrun("m", next(goals))
    lazy.read_fast()
    seen = [lazy.event()["version"]]
    while seen[-1] < version:
        seen.append(lazy.event()["version"])
    assert seen == sorted(set(seen))
    assert len(seen) < sent
    assert last_of(reader, version) == version


def last_of(reader: Client, version: int) -> int:
    found = 0
    while found < version:
        found = reader.event()["version"]
    return found


# Limits.


@pytest.fixture(scope="module")
def cramped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Origin]:
    """A process that may have twenty connections, of which sixteen may wait and one be a WebSocket."""
    made = Origin(tmp_path_factory.mktemp("small"), WORKER_CONNECTIONS=20)
    try:
        made.start()
        made.tell("m", 0)
        yield made
    finally:
        made.end()


@pytest.fixture
def small(cramped: Origin) -> Iterator[Origin]:
    yield cramped
    cramped.hang_up()
    cramped.wait_for_here(0)


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
    idle = [small.client() for _ in range(20)]
    for one in idle:
        one.ask("/api/score/m").body()
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


# Heads and bodies.


def test_a_head_that_dribbles_is_not_waited_for(origin: Origin, client: Connect) -> None:
    before = origin.inside()["connections"]
    reader = client()
    reader.send(b"GET /api/score/m HTTP/1.1\r\nX-Slow: ")

    def is_gone() -> bool:
        with suppress(OSError):
            reader.send(b"x")
        return bool(origin.inside()["connections"] == before)

    wait_until(is_gone, "the connection to be closed")


@pytest.mark.parametrize("lines", [("Content-Length: 1000",), ("Transfer-Encoding: chunked",)])
@pytest.mark.parametrize("path", ["/api/users", "/api/score/m"])
def test_a_body_that_dribbles_is_not_waited_for(
    origin: Origin, client: Connect, path: str, lines: tuple[str, ...]
) -> None:
    """Read by the app or not."""
    before = origin.inside()["connections"]
    reader = client().ask(path, *lines, method="POST")
    dribble = b"1\r\nx\r\n" if "chunked" in lines[0] else b"x"

    def is_gone() -> bool:
        with suppress(OSError):
            reader.send(dribble)
        return bool(origin.inside()["connections"] == before)

    wait_until(is_gone, "the connection to be closed")


def test_a_body_that_does_not_end_is_not_taken_for_ever(origin: Origin, client: Connect) -> None:
    reader = client().ask("/api/score/m", "Content-Length: 100000000", method="POST")
    with pytest.raises(ConnectionError):
        reader.send(b"x" * 100_000_000)


def test_a_body_is_followed_by_the_next_request(origin: Origin, client: Connect) -> None:
    """Whether the app has read it or not, and the connection rests meanwhile."""
    reader = client()
    for _ in range(2):
        reader.ask("/api/score/m", "Content-Length: 4", "X-Test: 1", method="POST").send(b"body")
        assert reader.answer()[0] == 405
        reader.ask("/api/users", "Transfer-Encoding: chunked", method="POST").send(b"2\r\n{}\r\n0\r\n\r\n")
        assert reader.answer()[0] == 201
    before = origin.inside()["greenlets"]
    others = [client() for _ in range(30)]
    for other in others:
        other.ask("/api/users", "Content-Length: 2", method="POST").send(b"{}")
        assert other.answer()[0] == 201
    assert origin.inside()["greenlets"] - before < 5
    reader.ask("/api/score/m").ask("/api/score/m")
    assert reader.body() == reader.body()
