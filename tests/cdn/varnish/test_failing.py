"""A real Varnish whose origin fails."""

from __future__ import annotations

import threading
import time

import pytest

from tests.cdn.varnish.paths import SCORE, held_answer, new_path, wait_path
from tests.conftest import wait_until
from tests.support.edge import Asked, Origin, Reply, Varnish, at_once, score


class TestFailing:
    def test_a_failing_origin_does_not_take_the_last_good_score(self, edge: Varnish, origin: Origin) -> None:
        origin.replies[SCORE] = score(3, ttl=1)
        edge.get(SCORE)
        origin.replies[SCORE] = Reply(b"broken", {"Cache-Control": "no-store"}, 500)
        before = origin.count(SCORE)
        wait_until(lambda: (edge.get(SCORE), origin.count(SCORE) > before + 2)[1], "failing fetches")
        assert edge.version() == 3
        origin.replies[SCORE] = score(4)
        wait_until(lambda: edge.version() == 4, "recovery")

    def test_without_a_good_score_the_failure_is_told_and_not_kept(self, edge: Varnish, origin: Origin) -> None:
        path = new_path("never")
        origin.replies[path] = Reply(b"broken", {"Cache-Control": "public, max-age=60"}, 502)
        answer = edge.get(path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
        assert answer.headers["Cache-Control"] == "private, no-store"
        origin.replies[path] = score(1)
        wait_until(lambda: edge.get(path).status_code == 200, "recovery")

    @pytest.mark.faults
    def test_an_ill_origin_is_asked_once_a_second_for_what_nobody_has_seen(self, edge: Varnish, origin: Origin) -> None:
        path = new_path("never")
        origin.replies[path] = Reply(b"broken", {"Cache-Control": "no-store"}, 503)
        started = time.monotonic()
        for _ in range(3):
            answers = at_once([lambda: edge.get(path)] * 40)
            assert {(answer.status_code, answer.headers["Retry-After"]) for answer in answers} == {(503, "2")}
        # At most one a second, and one more for each end of that time.
        assert origin.count(path) <= time.monotonic() - started + 2
        origin.replies[path] = score(1)
        wait_until(lambda: edge.get(path).status_code == 200, "recovery")

    def test_its_own_words_do_not_reach_the_origin(self, edge: Varnish, origin: Origin) -> None:
        path, broken = wait_path(), new_path("broken")
        origin.replies[path] = held_answer(1)
        edge.get(path)
        origin.replies[broken] = Reply(b"broken", {}, 500)
        edge.get(broken)
        assert {request.path for request in origin.asked} == {path, broken}
        assert not {"X-Route", "X-Allow", "X-Path", "X-Query", "X-Stale-Ok"} & {
            name for request in origin.asked for name in request.headers
        }

    def test_a_429_is_never_shared(self, edge: Varnish, origin: Origin) -> None:
        path = new_path("busy")
        origin.replies[path] = Reply(b"{}", {"Cache-Control": "public, max-age=60", "Retry-After": "9"}, 429)
        assert edge.get(path).status_code == 503
        origin.replies[path] = score(1)
        wait_until(lambda: edge.get(path).status_code == 200, "recovery")

    def test_a_score_purged_just_before_the_origin_fails_is_still_the_last_good_one(
        self, edge: Varnish, origin: Origin
    ) -> None:
        origin.replies[SCORE] = score(3, ttl=60)
        edge.get(SCORE)
        origin.replies[SCORE] = Reply(b"broken", {}, 500)
        edge.purge("match-m1")
        assert edge.version() == 3
        origin.replies[SCORE] = score(4)
        wait_until(lambda: edge.version() == 4, "recovery")

    def test_a_slow_origin_is_given_up_for_the_last_good_score(self, edge: Varnish, origin: Origin) -> None:
        origin.replies[SCORE] = score(3, ttl=1, swr=0)
        edge.get(SCORE)
        slow = score(4)
        slow.held = threading.Event()
        origin.replies[SCORE] = slow
        before = origin.count(SCORE)
        wait_until(lambda: (edge.get(SCORE), origin.count(SCORE) > before)[1], "a slow fetch")
        assert edge.version() == 3
        slow.held.set()

    @pytest.mark.faults
    @pytest.mark.parametrize("pause_s", [0.0, 0.3], ids=["at once", "after a while"])
    def test_an_origin_that_is_up_but_ill_is_asked_once_a_second_however_many_read(
        self, edge: Varnish, origin: Origin, pause_s: float
    ) -> None:
        path = new_path("ill")
        origin.replies[path] = score(3, ttl=1, swr=0)
        edge.get(path)

        def ill(_: Asked) -> Reply:
            time.sleep(pause_s)
            return Reply(b"broken", {"Cache-Control": "no-store"}, 503)

        origin.replies[path] = ill
        wait_until(lambda: (edge.get(path), origin.count(path) > 1)[1], "the score to expire")
        before, started = origin.count(path), time.monotonic()
        for _ in range(3):
            assert at_once([lambda: edge.version(path)] * 40) == [3] * 40
        # At most one a second, and one more for each end of that time.
        assert origin.count(path) - before <= time.monotonic() - started + 2
        origin.replies[path] = score(4)
        wait_until(lambda: edge.version(path) == 4, "recovery")

    def test_ids_that_are_made_up_do_not_stay(self, edge: Varnish, origin: Origin) -> None:
        path = new_path("none")
        origin.replies[path] = Reply(b'{"error":{}}', {"Cache-Control": "public, s-maxage=1"}, 404)
        assert edge.get(path).status_code == 404
        origin.replies[path] = Reply(b"broken", {}, 500)
        wait_until(lambda: edge.get(path).status_code == 503, "its end")

    def test_past_its_stale_if_error_an_old_score_is_no_answer(self, edge: Varnish, origin: Origin) -> None:
        """What a reader is shown for a live score is a minute old at most, and what is final a day."""
        live, final = new_path("live"), new_path("final")
        for path, sie in ((live, 1), (final, 86_400)):
            reply = score(3, ttl=1)
            reply.headers["Surrogate-Control"] = f"max-age=1, stale-if-error={sie}"
            origin.replies[path] = reply
            edge.get(path)
            origin.replies[path] = Reply(b"broken", {}, 500)
        wait_until(lambda: edge.get(live).status_code == 503, "the end of the live score")
        assert edge.version(final) == 3

    def test_without_a_stale_allowance_there_is_none(self, edge: Varnish, origin: Origin) -> None:
        path = new_path("strict")
        origin.replies[path] = Reply(b'{"version":1}', {"Surrogate-Control": "max-age=1"})
        edge.get(path)
        origin.replies[path] = Reply(b"broken", {}, 500)
        wait_until(lambda: edge.get(path).status_code == 503, "its end")
