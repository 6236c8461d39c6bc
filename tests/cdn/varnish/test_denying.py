"""A real Varnish denies by default: what is not in the table of routes in its one spelling never reaches the origin."""

from __future__ import annotations

import pytest

from tests.cdn.varnish.paths import SCORE, held_answer, new_path, wait_path
from tests.support.edge import Origin, Reply, Varnish, score


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def get(edge: Varnish, target: str) -> bytes:
    """As it is written: no library would send some of these."""
    return edge.raw(f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())


class TestSpellings:
    @pytest.mark.parametrize(
        "target",
        ["//api/score/m1", "/api//score/m1", "/api/%73core/m1", "/api/score/m%31", "/api/score/m1/", "/API/score/m1",
         "/api/score/./m1", "/api/score/x/../m1", "/api/score/..", "/api/score/m1;x", "/api/score/m1%00",
         "/api/score/m1%23", "/api/score/m1/.", "api/score/m1", "/api\\score\\m1", "/api/score/m1%3B"],
    )  # fmt: skip
    def test_a_path_has_one(self, edge: Varnish, origin: Origin, target: str) -> None:
        """An origin that would answer each of them all the same."""
        origin.replies[target] = score(1)
        assert status(get(edge, target)) in (400, 404)
        assert origin.asked == []

    def test_what_scripts_and_proxies_write_in_another_way_is_the_same_answer(
        self, edge: Varnish, origin: Origin
    ) -> None:
        """encodeURIComponent encodes colons; a proxy may send the whole URL (RFC 9112, 3.2.2)."""
        path = new_path("sr:match:")
        origin.replies[path] = score(1)
        encoded = path.replace(":", "%3A")
        for target in (path, encoded, encoded.replace("%3A", "%3a", 1), f"http://evil.example{path}", f"{path}#x"):
            assert status(get(edge, target)) == 200, target
        assert [request.path for request in origin.asked] == [path]

    def test_nine_encodings_of_one_cursor_are_one_fetch(self, edge: Varnish, origin: Origin) -> None:
        path = wait_path()
        number = path.rsplit("/", 1)[1].removesuffix(".0")
        base = path.removesuffix(f"{number}.0")
        digit = f"%{ord(number[0]):x}{number[1:]}"
        cursors = [f"{number}.0", f"{digit}.0", f"{number}%2E0", f"{number}%2e0", f"{number}.%30", f"0{number}.0",
                   f"{number}.00", f"{number}.0?x", f"{number}.0#x", f"{number}.0/", f"+{number}.0"]  # fmt: skip
        for cursor in cursors:
            origin.replies[base + cursor] = held_answer(9)
        statuses = [status(get(edge, base + cursor)) for cursor in cursors]
        assert statuses == [200, 404, 404, 404, 404, 404, 404, 200, 200, 404, 404]
        assert [request.path for request in origin.asked] == [path]

    def test_a_query_is_no_way_past_a_stream(self, edge: Varnish, origin: Origin) -> None:
        origin.replies["/api/score/m1/stream"] = Reply(b"data: {}\n\n", {"Cache-Control": "no-store"})
        assert status(get(edge, "/api/score/m1/stream?x=1")) == 200


class TestRefusals:
    @pytest.mark.parametrize(
        "path",
        ["/api", "/api/", "/admin", "/api/anything-new?x=1", "/api/scores/m1", "/match/",
         "/static/style.css", "/static/evil/style.css", "/metrics/x"],
    )  # fmt: skip
    def test_what_is_not_listed_does_not_reach_the_origin(self, edge: Varnish, origin: Origin, path: str) -> None:
        answer = edge.get(path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_route")
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert origin.asked == []

    @pytest.mark.parametrize(
        ("method", "path", "allowed"),
        [
            ("POST", SCORE, "GET, HEAD, OPTIONS"),
            ("DELETE", "/api/live/wait/1.1", "GET, HEAD, OPTIONS"),
            ("GET", "/api/users", "POST, OPTIONS"),
            ("PUT", "/api/me", "GET, PATCH, DELETE, HEAD, OPTIONS"),
            ("POST", "/metrics", "GET, HEAD, OPTIONS"),
            ("POST", "/api/ws", "GET, HEAD, OPTIONS"),
            ("BREW", SCORE, "GET, HEAD, OPTIONS"),
        ],
    )
    def test_a_route_has_its_methods(self, edge: Varnish, origin: Origin, method: str, path: str, allowed: str) -> None:
        answer = edge.get(path, method=method)
        assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)
        assert origin.asked == []

    @pytest.mark.parametrize("length", [2_048, 3_900, 5_000, 6_500])
    def test_a_query_that_no_service_takes_is_told_so(self, edge: Varnish, origin: Origin, length: int) -> None:
        """And not that the service does not answer, as when varnishd has no room for it."""
        answer = edge.get(f"/api/search?q={'a' * length}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (414, "bad_request")
        assert origin.asked == []

    def test_what_is_added_to_an_address_may_be_long(self, edge: Varnish, origin: Origin) -> None:
        origin.replies["/api/search?q=reds"] = score(1)
        headers = {"Cookie": "c" * 3_500}
        assert edge.get(f"/api/search?q=reds&fbclid={'a' * 4_000}", headers=headers).status_code == 200

    def test_a_preflight_is_the_origins(self, edge: Varnish, origin: Origin) -> None:
        origin.replies["/api/me"] = Reply(b"", {"Access-Control-Allow-Methods": "PATCH"})
        headers = {"Origin": "https://fans.example", "Access-Control-Request-Method": "PATCH"}
        assert edge.get("/api/me", "OPTIONS", headers=headers).headers["Access-Control-Allow-Methods"] == "PATCH"
        assert origin.asked[0].headers["Origin"] == "https://fans.example"
        assert edge.get(SCORE, "OPTIONS", data=b"x").status_code == 400
