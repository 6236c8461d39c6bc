"""cdn/varnish/score.vcl on a real Varnish."""

from __future__ import annotations

import itertools
import socket
import threading
import time

import pytest
import requests

from tests.conftest import wait_until
from tests.support.edge import Asked, Origin, Reply, Varnish, at_once, score

SCORE = "/api/score/m1"
# Each test waits at a path nobody has asked for before.
fresh = itertools.count(1)


def wait_path() -> str:
    return f"/api/score/m1/wait/{next(fresh)}.0"


def held_answer(version: int, held: threading.Event | None = None, seconds: int = 20) -> Reply:
    body = f'{{"version":{version},"next":"/api/score/m1/wait/{version}.0"}}'.encode()
    return Reply(body, {"Cache-Control": f"public, max-age=0, s-maxage={seconds}"}, held=held)


class TestReading:
    def test_the_second_reader_is_answered_by_the_edge(self, edge: Varnish, origin: Origin) -> None:
        origin.replies[SCORE] = score(1)
        assert edge.get(SCORE).headers["X-Cache"] == "MISS"
        second = edge.get(SCORE)
        assert second.headers["X-Cache"] == "HIT"
        assert second.json() == {"version": 1}
        assert origin.count(SCORE) == 1

    def test_after_its_lifetime_the_origin_is_asked_again(self, edge: Varnish, origin: Origin) -> None:
        origin.replies[SCORE] = score(1, ttl=1)
        edge.get(SCORE)
        origin.replies[SCORE] = score(2, ttl=1)
        wait_until(lambda: edge.version() == 2, "the next version", timeout_s=5)

    def test_readers_who_come_together_are_one_request(self, edge: Varnish, origin: Origin) -> None:
        held = threading.Event()
        reply = score(1)
        reply.held = held
        origin.replies[SCORE] = reply
        threading.Timer(0.5, held.set).start()
        assert at_once([edge.version] * 50) == [1] * 50
        assert origin.count(SCORE) == 1

    def test_what_only_the_edge_reads_does_not_leave_it(self, edge: Varnish, origin: Origin) -> None:
        origin.replies[SCORE] = score(1)
        shown = edge.get(SCORE).headers
        assert not {"xkey", "Surrogate-Key", "Surrogate-Control", "Via", "X-Varnish"} & set(shown)
        assert shown["Cache-Control"] == "public, max-age=1"

    def test_a_known_etag_is_not_modified(self, edge: Varnish, origin: Origin) -> None:
        origin.replies[SCORE] = score(7)
        edge.get(SCORE)
        assert edge.get(SCORE, headers={"If-None-Match": 'W/"m1-7"'}).status_code == 304
        assert origin.count(SCORE) == 1

    def test_head_is_answered_from_what_get_stored(self, edge: Varnish, origin: Origin) -> None:
        origin.replies[SCORE] = score(1)
        edge.get(SCORE)
        assert edge.get(SCORE, method="HEAD").headers["X-Cache"] == "HIT"
        assert origin.count(SCORE) == 1

    def test_an_answer_is_compressed_for_who_can_read_it(self, edge: Varnish, origin: Origin) -> None:
        reply = score(1)
        reply.body = b'{"version":1,"pad":"' + b"x" * 2000 + b'"}'
        origin.replies[SCORE] = reply
        assert edge.get(SCORE, headers={"Accept-Encoding": "gzip"}).headers["Content-Encoding"] == "gzip"
        assert "Content-Encoding" not in edge.get(SCORE, headers={"Accept-Encoding": "identity"}).headers
        assert origin.count(SCORE) == 1

    @pytest.mark.parametrize("headers", [{}, {"Cache-Control": "no-store"}, {"Cache-Control": "private, max-age=60"}])
    def test_what_is_not_said_to_be_public_is_not_kept(
        self, edge: Varnish, origin: Origin, headers: dict[str, str]
    ) -> None:
        path = f"/api/score/unkept-{next(fresh)}"
        origin.replies[path] = Reply(b'{"version":1}', headers)
        assert "HIT" not in [edge.get(path).headers["X-Cache"] for _ in range(3)]
        assert origin.count(path) == 3

    def test_an_unknown_match_is_collapsed_and_purged_by_its_creation(self, edge: Varnish, origin: Origin) -> None:
        missing = score(0)
        missing.status = 404
        origin.replies[SCORE] = missing
        assert [edge.get(SCORE).status_code for _ in range(3)] == [404] * 3
        assert origin.count(SCORE) == 1
        origin.replies[SCORE] = score(1)
        edge.purge("match-m1")
        assert edge.get(SCORE).status_code == 200


class TestPurging:
    def test_a_purged_score_is_fetched_anew(self, edge: Varnish, origin: Origin) -> None:
        origin.replies[SCORE] = score(1, ttl=60)
        edge.get(SCORE)
        origin.replies[SCORE] = score(2, ttl=60)
        assert edge.version() == 1
        answer = edge.purge("live match-m1 day-2026-11-25")
        assert (answer.status_code, answer.headers["X-Purged"]) == (200, "1")
        assert edge.version() == 2

    def test_a_purged_list_is_served_once_more_while_it_is_fetched(self, edge: Varnish, origin: Origin) -> None:
        path = "/api/matches?date=2026-11-25"
        origin.replies[path] = score(1, ttl=60, key="day-2026-11-25")
        edge.get(path)
        origin.replies[path] = score(2, ttl=60, key="day-2026-11-25")
        edge.purge("day-2026-11-25")
        assert edge.version(path) == 1
        wait_until(lambda: edge.version(path) == 2, "the fetched list", timeout_s=5)

    def test_a_key_nobody_cached_is_no_error(self, edge: Varnish) -> None:
        answer = edge.purge("match-nobody")
        assert (answer.status_code, answer.headers["X-Purged"]) == (200, "0")

    def test_a_hundred_keys_of_the_longest_kind_fit_one_purge(self, edge: Varnish, origin: Origin) -> None:
        origin.replies[SCORE] = score(1, ttl=60)
        edge.get(SCORE)
        keys = [f"competition-x-{n:040d}"[:64].ljust(64, "a") for n in range(99)] + ["match-m1"]
        assert edge.purge(" ".join(keys)).headers["X-Purged"] == "1"

    @pytest.mark.parametrize("secret", ["", "wrong", "the purge secret of the test"])
    def test_a_wrong_secret_purges_nothing(self, edge: Varnish, origin: Origin, secret: str) -> None:
        origin.replies[SCORE] = score(1, ttl=60)
        edge.get(SCORE)
        assert edge.purge("match-m1", secret=secret).status_code == 403
        assert edge.get(SCORE).headers["X-Cache"] == "HIT"

    def test_readers_cannot_purge_with_any_secret(self, edge: Varnish, origin: Origin) -> None:
        origin.replies[SCORE] = score(1, ttl=60)
        edge.get(SCORE)
        assert edge.purge("match-m1", url=edge.url).status_code == 403
        assert edge.get(SCORE, method="PURGE").status_code == 405
        assert edge.get(SCORE).headers["X-Cache"] == "HIT"

    def test_the_purge_port_serves_nothing_else(self, edge: Varnish, origin: Origin) -> None:
        origin.replies[SCORE] = score(1)
        assert requests.get(edge.admin + SCORE, timeout=5).status_code == 403
        assert edge.purge("").status_code == 400


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
        asked = origin.count(path)
        wait_until(lambda: edge.version(path) == 2, "an answer of its own", timeout_s=5)
        assert origin.count(path) == asked + 1

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
        held, path = threading.Event(), f"/api/live/wait/{next(fresh)}.0"
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


class TestFailing:
    def test_a_failing_origin_does_not_take_the_last_good_score(self, edge: Varnish, origin: Origin) -> None:
        origin.replies[SCORE] = score(3, ttl=1)
        edge.get(SCORE)
        origin.replies[SCORE] = Reply(b"broken", {"Cache-Control": "no-store"}, 500)
        asked = origin.count(SCORE)
        wait_until(lambda: (edge.get(SCORE), origin.count(SCORE) > asked + 2)[1], "failing fetches", timeout_s=10)
        assert edge.version() == 3
        origin.replies[SCORE] = score(4)
        wait_until(lambda: edge.version() == 4, "recovery", timeout_s=5)

    def test_without_a_good_score_the_failure_is_told_and_not_kept(self, edge: Varnish, origin: Origin) -> None:
        path = f"/api/score/never-{next(fresh)}"
        origin.replies[path] = Reply(b"broken", {"Cache-Control": "public, max-age=60"}, 502)
        answer = edge.get(path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
        assert answer.headers["Cache-Control"] == "no-store"
        origin.replies[path] = score(1)
        wait_until(lambda: edge.get(path).status_code == 200, "recovery", timeout_s=5)

    @pytest.mark.faults
    def test_an_ill_origin_is_asked_once_a_second_for_what_nobody_has_seen(self, edge: Varnish, origin: Origin) -> None:
        path = f"/api/score/never-{next(fresh)}"
        origin.replies[path] = Reply(b"broken", {"Cache-Control": "no-store"}, 503)
        started = time.monotonic()
        for _ in range(3):
            answers = at_once([lambda: edge.get(path)] * 40)
            assert {(one.status_code, one.headers["Retry-After"]) for one in answers} == {(503, "2")}
        # At most one a second, and one more for each end of that time.
        assert origin.count(path) <= time.monotonic() - started + 2
        origin.replies[path] = score(1)
        wait_until(lambda: edge.get(path).status_code == 200, "recovery", timeout_s=5)

    def test_its_own_words_do_not_reach_the_origin(self, edge: Varnish, origin: Origin) -> None:
        path, broken = wait_path(), f"/api/score/broken-{next(fresh)}"
        origin.replies[path] = held_answer(1)
        edge.get(path)
        origin.replies[broken] = Reply(b"broken", {}, 500)
        edge.get(broken)
        assert {one.path for one in origin.asked} == {path, broken}
        assert not {"X-Kind", "X-Stale-Ok"} & {name for one in origin.asked for name in one.headers}

    def test_a_429_is_never_shared(self, edge: Varnish, origin: Origin) -> None:
        path = f"/api/score/busy-{next(fresh)}"
        origin.replies[path] = Reply(b"{}", {"Cache-Control": "public, max-age=60", "Retry-After": "9"}, 429)
        assert edge.get(path).status_code == 503
        origin.replies[path] = score(1)
        wait_until(lambda: edge.get(path).status_code == 200, "recovery", timeout_s=5)

    def test_a_score_purged_just_before_the_origin_fails_is_still_the_last_good_one(
        self, edge: Varnish, origin: Origin
    ) -> None:
        origin.replies[SCORE] = score(3, ttl=60)
        edge.get(SCORE)
        origin.replies[SCORE] = Reply(b"broken", {}, 500)
        edge.purge("match-m1")
        assert edge.version() == 3
        origin.replies[SCORE] = score(4)
        wait_until(lambda: edge.version() == 4, "recovery", timeout_s=5)

    def test_a_slow_origin_is_given_up_for_the_last_good_score(self, edge: Varnish, origin: Origin) -> None:
        origin.replies[SCORE] = score(3, ttl=1, swr=0)
        edge.get(SCORE)
        slow = score(4)
        slow.held = threading.Event()
        origin.replies[SCORE] = slow
        asked = origin.count(SCORE)
        wait_until(lambda: (edge.get(SCORE), origin.count(SCORE) > asked)[1], "a slow fetch", timeout_s=10)
        assert edge.version() == 3
        slow.held.set()

    @pytest.mark.faults
    @pytest.mark.parametrize("pause_s", [0.0, 0.3], ids=["at once", "after a while"])
    def test_an_origin_that_is_up_but_ill_is_asked_once_a_second_however_many_read(
        self, edge: Varnish, origin: Origin, pause_s: float
    ) -> None:
        path = f"/api/score/ill-{next(fresh)}"
        origin.replies[path] = score(3, ttl=1, swr=0)
        edge.get(path)

        def ill(_: Asked) -> Reply:
            time.sleep(pause_s)
            return Reply(b"broken", {"Cache-Control": "no-store"}, 503)

        origin.replies[path] = ill
        wait_until(lambda: (edge.get(path), origin.count(path) > 1)[1], "the score to expire")
        asked, started = origin.count(path), time.monotonic()
        for _ in range(3):
            assert at_once([lambda: edge.version(path)] * 40) == [3] * 40
        # At most one a second, and one more for each end of that time.
        assert origin.count(path) - asked <= time.monotonic() - started + 2
        origin.replies[path] = score(4)
        wait_until(lambda: edge.version(path) == 4, "recovery", timeout_s=5)

    def test_ids_that_are_made_up_do_not_stay(self, edge: Varnish, origin: Origin) -> None:
        path = f"/api/score/none-{next(fresh)}"
        origin.replies[path] = Reply(b'{"error":{}}', {"Cache-Control": "public, s-maxage=1"}, 404)
        assert edge.get(path).status_code == 404
        origin.replies[path] = Reply(b"broken", {}, 500)
        wait_until(lambda: edge.get(path).status_code == 503, "its end", timeout_s=10)


class TestPassing:
    def test_a_delivery_goes_through_whole_and_is_never_kept(self, edge: Varnish, origin: Origin) -> None:
        origin.replies["/api/ingest/generic"] = Reply(b'{"accepted":1}', {"Cache-Control": "public, max-age=60"}, 202)
        for n in range(2):
            headers = {"webhook-signature": f"v1,{n}", "X-Ingest-Secret": "s"}
            answer = edge.get("/api/ingest/generic", method="POST", data=b"body %d" % n, headers=headers)
            assert answer.status_code == 202
        deliveries = [one for one in origin.asked if one.method == "POST"]
        assert [one.body for one in deliveries] == [b"body 0", b"body 1"]
        said = {name.lower(): value for name, value in deliveries[1].headers.items()}
        assert (said["webhook-signature"], said["x-ingest-secret"]) == ("v1,1", "s")

    @pytest.mark.parametrize("path", ["/api/me", "/api/users", "/metrics", "/readyz", "/api/anything-new?x=1"])
    def test_what_belongs_to_one_reader_is_never_kept(self, edge: Varnish, origin: Origin, path: str) -> None:
        origin.replies[path] = lambda asked: Reply(
            asked.headers.get("Authorization", "nobody").encode(), {"Cache-Control": "public, max-age=60"}
        )
        assert edge.get(path, headers={"Authorization": "Bearer a"}).text == "Bearer a"
        assert edge.get(path, headers={"Authorization": "Bearer b"}).text == "Bearer b"

    def test_a_stream_is_heard_as_it_is_told(self, edge: Varnish, origin: Origin) -> None:
        first, second = threading.Event(), threading.Event()
        parts = [(b"id: 1\ndata: {}\n\n", first), (b"id: 2\ndata: {}\n\n", second)]
        origin.replies["/api/score/m1/stream"] = Reply(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}, parts=parts
        )
        first.set()
        headers = {"Last-Event-ID": "0"}
        with requests.get(edge.url + "/api/score/m1/stream", stream=True, timeout=10, headers=headers) as answer:
            lines = answer.iter_lines()
            assert next(lines) == b"id: 1"
            second.set()
            assert b"id: 2" in lines
        assert origin.asked[-1].headers["Last-Event-ID"] == "0"

    def test_a_websocket_is_a_pipe(self, edge: Varnish, origin: Origin) -> None:
        asked = b"GET /api/ws HTTP/1.1\r\nHost: scores\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
        origin.replies["/api/ws"] = lambda asked: Reply(
            f"{asked.headers.get('Upgrade')} {asked.headers.get('Connection')} {asked.headers.get('Host')}".encode(),
            {"Connection": "close"},
        )
        assert edge.raw(asked).endswith(b"websocket Upgrade scores")


# What an attacker may send with a request for a score, in the hope that the answer shows it and is kept.
POISON = {
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-For": "66.6.6.6",
    "X-Forwarded-Proto": "gopher",
    "X-Forwarded-Port": "666",
    "X-Forwarded-Prefix": "/evil",
    "Forwarded": "host=evil.example",
    "X-Original-URL": "/api/score/other",
    "X-Rewrite-URL": "/api/score/other",
    "X-HTTP-Method-Override": "DELETE",
    "X-HTTP-Method": "DELETE",
    "X-Method-Override": "DELETE",
    "Cookie": "session=evil",
    "Authorization": "Bearer evil",
    "Origin": "https://evil.example",
    "Accept": "text/evil",
    "Accept-Language": "ev",
    "Range": "bytes=0-1",
    "If-Range": '"evil"',
    "Cache-Control": "no-cache",
    "Pragma": "no-cache",
    "User-Agent": "evil",
    "Referer": "https://evil.example",
    "Last-Event-ID": "666",
    "X-Purge-Secret": "guess",
    "X-Kind": "wait",
    "X-Stale-Ok": "evil",
    "X-Purged": "evil",
}


def echo(asked: Asked) -> Reply:
    """An origin with the worst of habits: it shows everything it is told."""
    text = "\n".join([asked.method, asked.path, *(f"{name}: {value}" for name, value in sorted(asked.headers.items()))])
    return Reply(text.encode() + asked.body, {"Cache-Control": "public, s-maxage=60", "Surrogate-Key": "any"})


class TestPoisoning:
    @pytest.mark.parametrize("name", POISON)
    def test_a_header_that_is_no_part_of_the_key_does_not_reach_the_origin(
        self, edge: Varnish, origin: Origin, name: str
    ) -> None:
        path = f"/api/score/poison-{next(fresh)}"
        origin.replies[path] = echo
        poisoned = edge.get(path, headers={name: POISON[name]})
        clean = edge.get(path)
        assert poisoned.status_code == clean.status_code == 200
        assert POISON[name] not in clean.text.replace(path, "")
        assert origin.count(path) == 1

    def test_the_host_is_neither_told_nor_a_key(self, edge: Varnish, origin: Origin) -> None:
        path = f"/api/score/poison-{next(fresh)}"
        origin.replies[path] = echo
        edge.get(path, headers={"Host": "evil.example"})
        assert "evil" not in edge.get(path, headers={"Host": "good.example"}).text
        assert origin.count(path) == 1

    def test_a_query_does_not_make_a_second_copy(self, edge: Varnish, origin: Origin) -> None:
        origin.replies[SCORE] = score(1)
        for query in ("", "?a=1", "?cb=2&x[]=3", "?", "??", "?utm_source=x"):
            edge.get(SCORE + query)
        # No library sends a fragment; a script may.
        assert b" 200 " in edge.raw(f"GET {SCORE}#2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())[:20]
        assert origin.count(SCORE) == 1
        assert len(origin.asked) == 1

    def test_a_lists_parameters_are_known_ones_in_one_order(self, edge: Varnish, origin: Origin) -> None:
        key = "competition-c"
        origin.replies["/api/matches?date=2026-11-25&team=t"] = score(1, key=key)
        for query in (
            "date=2026-11-25&team=t",
            "team=t&date=2026-11-25",
            "x=1&team=t&utm=2&date=2026-11-25&",
            "&&team=t&date=2026-11-25",
        ):
            assert edge.get(f"/api/matches?{query}").status_code == 200, query
        origin.replies["/api/live"] = score(1, key=key)
        origin.replies["/api/live?competition=c"] = score(1, key=key)
        for query in ("", "?", "?x=1", "?competition=c", "?a=b&competition=c"):
            assert edge.get(f"/api/live{query}").status_code == 200, query
        origin.replies["/api/search?q=a%26b"] = score(1, key=key)
        assert edge.get("/api/search?callback=x&q=a%26b").status_code == 200
        assert len(origin.asked) == 4

    def test_a_get_with_a_body_is_refused(self, edge: Varnish, origin: Origin) -> None:
        path = f"/api/score/poison-{next(fresh)}"
        origin.replies[path] = echo
        assert edge.get(path, data=b"evil").status_code == 400
        chunked = "Host: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n1\r\nx\r\n0\r\n\r\n"
        assert b" 400 " in edge.raw(f"GET {path} HTTP/1.1\r\n{chunked}".encode())[:20]
        assert origin.count(path) == 0

    @pytest.mark.parametrize(
        "request_",
        [
            b"GET " + SCORE.encode() + b" HTTP/1.1\r\nHost: x\r\nX-Big: " + b"a" * 9_000 + b"\r\n\r\n",
            b"GET /api/score/" + b"m" * 9_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET " + SCORE.encode() + b" HTTP/1.1\r\nConnection: close\r\n\r\n",
            b"GET " + SCORE.encode() + b" HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
            b"GET "
            + SCORE.encode()
            + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"GET " + SCORE.encode() + b"\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        ],
        ids=["huge header", "huge path", "no host", "two hosts", "two lengths", "nul"],
    )
    def test_a_malformed_request_is_refused_and_nothing_of_it_kept(
        self, edge: Varnish, origin: Origin, request_: bytes
    ) -> None:
        answer = edge.raw(request_)
        assert b" 4" in answer[:13] or answer == b""
        assert origin.asked == []
        origin.replies[SCORE] = score(1)
        assert edge.version() == 1

    def test_a_method_that_is_overridden_or_unknown_stores_nothing(self, edge: Varnish, origin: Origin) -> None:
        path = f"/api/score/poison-{next(fresh)}"
        origin.replies[path] = echo
        assert edge.get(path, method="BREW").status_code == 405
        edge.get(path, method="POST", data=b"evil")
        clean = edge.get(path)
        assert clean.text.startswith("GET")
        assert "evil" not in clean.text

    def test_a_cookie_set_by_the_origin_is_not_handed_to_others(self, edge: Varnish, origin: Origin) -> None:
        reply = score(1)
        reply.headers["Set-Cookie"] = "session=1"
        origin.replies[SCORE] = reply
        assert [("Set-Cookie" in edge.get(SCORE).headers) for _ in range(2)] == [False, False]
        assert origin.count(SCORE) == 1
