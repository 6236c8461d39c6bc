"""Ten thousand URLs that somebody made up, and what is left in the cache of a real Varnish."""

from __future__ import annotations

import itertools
import secrets
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.cdn.varnish.paths import SCORE, new_path
from tests.support.edge import Asked, Origin, Reply, Varnish, score, varnish
from tests.support.stories.count import scaled

COUNT, CONNECTIONS = 10_000, 8
LIST = {"Surrogate-Control": "max-age=5, stale-while-revalidate=5, stale-if-error=300"}
JUNK = (
    "/match/junk{n}",
    "/static/{n:012x}/style.css",
    "/api/matches?cursor=junk{n}",
    "/api/search?q=junk{n}",
    "/api/score/junk{n}",
    "/api/score/m1/wait/{n}.7",
    "/junk{n}",
    "/api/live?junk={n}",
    "/match/m1/{n:012x}.png",
)


class AnyPath(dict):  # type: ignore[type-arg]
    """Replies of a service that answers whatever it is asked: 404 to matches that it does not know."""

    def get(self, path: str, default: object = None) -> object:
        return super().get(path) or self.made_up

    def made_up(self, request: Asked) -> Reply:
        if request.path.startswith(("/api/score/junk", "/match/junk")):
            return Reply(b'{"error":{}}', {"Surrogate-Control": "max-age=5"}, 404)
        if request.path.endswith(".png"):
            return Reply(b"", LIST | {"Location": "/match/m1/latest.png"}, 302)
        if "/wait/" in request.path:
            return Reply(b"{}", {"Cache-Control": "public, max-age=0, s-maxage=1"})
        return Reply(secrets.token_hex(4_000).encode(), LIST)


@pytest.fixture
def origin() -> Iterator[Origin]:
    if not shutil.which("varnishd", path="/usr/sbin:/usr/local/sbin:/usr/bin"):
        pytest.skip("no Varnish: apt-get install varnish varnish-modules")
    origin = Origin()
    origin.replies = AnyPath()
    origin.start()
    yield origin
    origin.stop()


def flood(edge: Varnish, count: int) -> None:
    """Each connection sends its share without a pause."""

    def send(share: int) -> None:
        connection = HTTPConnection(edge.edge.listen, timeout=30)
        for n, pattern in zip(range(share, count, CONNECTIONS), itertools.cycle(JUNK), strict=False):
            connection.request("GET", pattern.format(n=n))
            answer = connection.getresponse()
            answer.read()
            assert answer.status in (200, 302, 404)
        connection.close()

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for share in [pool.submit(send, share) for share in range(CONNECTIONS)]:
            share.result()


@pytest.mark.faults
def test_made_up_urls_push_nothing_out(origin: Origin, tmp_path: Path) -> None:
    origin.replies[SCORE] = score(1, ttl=600)
    with varnish(tmp_path, origin.port) as edge:
        edge.get(SCORE)
        flood(edge, scaled(COUNT // 10, COUNT))
        assert edge.counters()["MAIN.n_lru_nuked"] == 0
        assert edge.get(SCORE).headers["X-Cache"] == "HIT"
        # A dropped parameter makes no other answer, and an unknown path is refused.
        paths = [request.path for request in origin.asked]
        assert {path for path in paths if path.startswith("/api/live")} == {"/api/live"}
        assert not any(path.startswith("/junk") for path in paths)


def test_made_up_urls_that_fill_their_storage_push_out_each_other_and_no_score(origin: Origin, tmp_path: Path) -> None:
    """Of several scores: varnishd takes its storages in turn for whatever is given none."""
    paths = [new_path("kept") for _ in range(4)]
    origin.replies |= {path: score(1, ttl=600) for path in paths}
    with varnish(tmp_path, origin.port, guesses="1m") as edge:
        for path in paths:
            edge.get(path)
        flood(edge, COUNT // 8)
        counters = edge.counters()
        assert counters["MAIN.n_lru_nuked"] > 0
        assert [edge.get(path).headers["X-Cache"] for path in paths] == ["HIT"] * len(paths)
        assert counters["SMA.s0.g_bytes"] < 1_000_000
