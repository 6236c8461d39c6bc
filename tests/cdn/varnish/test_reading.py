"""Public reads through cdn/varnish/score.vcl on a real Varnish: hits, lifetimes, collapsing."""

from __future__ import annotations

import itertools
import json
import threading

import pytest

from tests.cdn.varnish.paths import SCORE, new_path
from tests.conftest import wait_until
from tests.support.edge import Asked, Origin, Reply, Varnish, at_once, score


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
        wait_until(lambda: edge.version() == 2, "the next version")

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
        path = new_path("unkept")
        origin.replies[path] = Reply(b'{"version":1}', headers)
        assert "HIT" not in [edge.get(path).headers["X-Cache"] for _ in range(3)]
        assert origin.count(path) == 3

    @pytest.mark.parametrize("status", [301, 302, 308])
    def test_a_redirect_is_kept_and_purged_by_its_key(self, edge: Varnish, origin: Origin, status: int) -> None:
        """All readers of a match that continues as another, or of a picture that another has followed, are sent on."""
        path = new_path("moved")
        key = path.replace("/api/score/", "match-")
        moved = score(0, key=key)
        moved.status, moved.headers["Location"] = status, SCORE
        origin.replies[path] = moved
        assert [edge.get(path, allow_redirects=False).status_code for _ in range(3)] == [status] * 3
        assert origin.count(path) == 1
        origin.replies[path] = score(1, key=key)
        edge.purge(key)
        assert edge.version(path) == 1

    def test_an_unknown_match_is_collapsed_and_purged_by_its_creation(self, edge: Varnish, origin: Origin) -> None:
        missing = score(0)
        missing.status = 404
        origin.replies[SCORE] = missing
        assert [edge.get(SCORE).status_code for _ in range(3)] == [404] * 3
        assert origin.count(SCORE) == 1
        origin.replies[SCORE] = score(1)
        edge.purge("match-m1")
        assert edge.get(SCORE).status_code == 200

    def test_where_to_wait_next_moves_on_though_the_version_stays(self, edge: Varnish, origin: Origin) -> None:
        """The ETag names the version, not the slot: an answer that is asked for again must come whole."""
        path = new_path("slots")
        slots = itertools.count(21)

        def current(request: Asked) -> Reply:
            headers = {"Surrogate-Control": "max-age=1, stale-if-error=60", "ETag": 'W/"m1-7"'}
            if "If-None-Match" in request.headers:
                return Reply(b"", headers, 304)
            return Reply(json.dumps({"version": 7, "next": f"{path}/wait/7.{next(slots)}"}).encode(), headers)

        origin.replies[path] = current
        assert edge.get(path).json()["next"].endswith("7.21")
        wait_until(lambda: edge.get(path).json()["next"].endswith("7.23"), "two later slots")

    def test_an_empty_body_of_a_get_is_none(self, edge: Varnish, origin: Origin) -> None:
        origin.replies[SCORE] = score(1)
        assert edge.get(SCORE, headers={"Content-Length": "0"}).status_code == 200
