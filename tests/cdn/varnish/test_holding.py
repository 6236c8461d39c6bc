"""Held requests at a real Varnish: one fetch for all who wait."""

from __future__ import annotations

import socket
import threading

from tests.cdn.varnish.paths import board_wait_path, held_answer, wait_path
from tests.conftest import wait_until
from tests.support.edge import Origin, Reply, Varnish, at_once


class TestHolding:
    def test_two_hundred_readers_held_on_one_cursor_are_one_request_and_all_get_the_goal(
        self, edge: Varnish, origin: Origin
    ) -> None:
        held, path = threading.Event(), wait_path()
        origin.replies[path] = held_answer(9, held)
        release = threading.Thread(target=lambda: (wait_until(lambda: origin.count(path), "the leader"), held.set()))
        threading.Timer(1.0, release.start).start()
        assert at_once([lambda: edge.version(path)] * 200) == [9] * 200
        assert origin.count(path) == 1

    def test_who_comes_late_to_an_answered_cursor_gets_its_answer(self, edge: Varnish, origin: Origin) -> None:
        path = wait_path()
        origin.replies[path] = held_answer(9)
        assert [edge.version(path) for _ in range(3)] == [9, 9, 9]
        assert origin.count(path) == 1

    def test_a_wait_is_never_answered_with_what_has_expired(self, edge: Varnish, origin: Origin) -> None:
        path = wait_path()
        origin.replies[path] = held_answer(1, seconds=1)
        assert edge.version(path) == 1
        origin.replies[path] = held_answer(2, seconds=1)
        before = origin.count(path)
        wait_until(lambda: edge.version(path) == 2, "an answer of its own")
        assert origin.count(path) == before + 1

    def test_the_leader_may_leave_and_the_others_are_still_answered(self, edge: Varnish, origin: Origin) -> None:
        held, path = threading.Event(), wait_path()
        origin.replies[path] = held_answer(5, held)
        host, port = edge.edge.listen.split(":")
        leader = socket.create_connection((host, int(port)))
        leader.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        wait_until(lambda: origin.count(path), "the leader's request")
        leader.close()
        threading.Timer(0.5, held.set).start()
        assert at_once([lambda: edge.version(path)] * 20) == [5] * 20
        assert origin.count(path) == 1

    def test_the_board_is_held_the_same_way(self, edge: Varnish, origin: Origin) -> None:
        held, path = threading.Event(), board_wait_path()
        origin.replies[path] = held_answer(3, held)
        threading.Timer(0.5, held.set).start()
        assert at_once([lambda: edge.version(path)] * 20) == [3] * 20
        assert origin.count(path) == 1

    def test_when_the_origin_fails_all_who_wait_are_told_together(self, edge: Varnish, origin: Origin) -> None:
        held, path = threading.Event(), wait_path()
        origin.replies[path] = Reply(b"{}", {"Cache-Control": "no-store"}, 503, held=held)
        threading.Timer(0.7, held.set).start()
        answers = at_once([lambda: edge.get(path).status_code] * 50)
        assert answers == [503] * 50
        assert origin.count(path) <= 2
