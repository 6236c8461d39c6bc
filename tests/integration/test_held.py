"""Held requests on the real server, spoken to by bare sockets."""

from __future__ import annotations

import socket
import threading

import pytest

from tests.conftest import wait_until
from tests.support.holding import Connect, Origin

pytestmark = pytest.mark.xdist_group("held")

KEPT = "public, max-age=0, s-maxage=20"


@pytest.mark.parametrize("path", ["/api/score/m", "/api/live"])
def test_held_and_released_with_the_body_of_the_change(origin: Origin, client: Connect, path: str) -> None:
    waiting = client().ask(origin.next(path))
    origin.wait_for_here(1)
    assert waiting.is_silent()
    origin.goal()
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
        version = origin.goal()
        body = reader.body()
        assert (body["version"], body["held"]) == (version, "changed")
        path = body["next"]
    assert reader.ask("/api/score/m").body()["version"] == version


def test_all_who_wait_get_the_same_bytes(origin: Origin, client: Connect) -> None:
    path = origin.next()
    readers = [client().ask(path) for _ in range(50)]
    origin.wait_for_here(50)
    origin.goal()
    assert len({reader.until(b"\r\n\r\n") + reader.take(100) for reader in readers}) == 1


def test_a_cursor_that_is_behind_is_answered_at_once(origin: Origin, client: Connect) -> None:
    path = origin.next()
    version = origin.goal()
    wait_until(lambda: origin.body(path)["held"] == "behind", "the change to be heard")
    body = client().ask(path).body()
    assert (body["held"], body["version"]) == ("behind", version)


def test_a_version_that_this_process_has_not_heard_of_is_held_not_called_ahead(origin: Origin, client: Connect) -> None:
    """A client comes with what another process, or the score, told it a moment ago."""
    keeper = client().ask(origin.next())
    origin.wait_for_here(1)
    for _ in range(30):
        version = origin.goal()
        first = client().ask(f"/api/score/m/wait/{version}.0")
        assert keeper.body()["version"] == version
        assert first.is_silent()
        keeper = first


def test_nothing_happens_for_a_slot(origin: Origin, client: Connect) -> None:
    origin.tell("quiet", 1)
    path = origin.next("/api/score/quiet")
    _, headers, body = client().ask(path).answer()
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
    version = origin.goal()
    body = reader.body()
    assert (body["held"], body["version"]) == ("changed", version)
    assert reader.rest() == b""


def test_http_1_0_with_keep_alive_is_served_on(origin: Origin, client: Connect) -> None:
    reader = client().ask(origin.next(), "Connection: keep-alive", http="1.0")
    origin.wait_for_here(1)
    version = origin.goal()
    assert reader.body()["version"] == version


def test_requests_sent_ahead_are_answered_in_order(origin: Origin, client: Connect) -> None:
    path = origin.next()
    reader = client()
    reader.ask("/api/score/m").ask(path).ask("/api/score/m").ask("/healthz", method="HEAD").ask(path)
    origin.wait_for_here(1)
    version = origin.goal()
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
    version = origin.goal()
    assert reader.body()["held"] == "changed"
    assert reader.body()["version"] == version


def test_a_request_in_two_pieces_is_one(origin: Origin, client: Connect) -> None:
    reader = client()
    reader.send(f"GET {origin.next()} HTTP/1.1\r\nHo".encode())
    assert origin.inside()["here"] == 0
    reader.send(b"st: scores.example\r\n\r\n")
    origin.wait_for_here(1)
    origin.goal()
    assert reader.body()["held"] == "changed"


def test_a_body_that_comes_with_a_wait_is_skipped(origin: Origin, client: Connect) -> None:
    reader = client()
    reader.ask(origin.next(), "Content-Length: 5")
    reader.send(b"GET /")
    origin.wait_for_here(1)
    origin.goal()
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
    before = origin.greenlets()
    for _ in range(100):
        client().ask(path)
    origin.wait_for_here(101)
    assert origin.greenlets() - before < 5


def test_a_client_that_does_not_read_keeps_nobody_waiting(origin: Origin, client: Connect) -> None:
    for n in range(400):
        origin.tell(f"wide-{n}", 1)
    wait_until(lambda: len(origin.body("/api/live")["matches"]) > 400, "a board of 400 matches")
    path = origin.next("/api/live")
    lazy = [client(buffer=2_048).ask(path) for _ in range(3)]
    reader = client().ask(path)
    origin.wait_for_here(4)
    origin.goal()
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
