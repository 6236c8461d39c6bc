"""A real Varnish and its origins: several, under a name of their own, and behind TLS."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from cdn.varnish.vcl import SHARES, render
from cdn.varnish.vcl import Origin as OriginAddress
from db.domain.errors import Refused
from dev.emulators.keys import Keys
from dev.emulators.wire import tls_context
from dev.system import free_port
from tests.cdn.varnish.paths import SCORE
from tests.cdn.varnish.test_passing import HANDSHAKE
from tests.conftest import wait_until
from tests.support.edge import Asked, Origin, Reply, Varnish, score, varnish

STREAM = "/api/score/m1/stream"


def host(request: Asked) -> Reply:
    return Reply(request.headers["Host"].encode(), {"Cache-Control": "public, max-age=1", "Connection": "close"})


@pytest.fixture
def origins(edge_and_origin: tuple[Varnish, Origin]) -> Iterator[list[Origin]]:
    """Two, of which each says the name that it was asked under."""
    pair = [Origin(), Origin()]
    for origin in pair:
        origin.replies = dict.fromkeys((SCORE, STREAM, "/api/me", "/api/ws"), host)
        origin.start()
    yield pair
    for origin in pair:
        origin.stop()


def asked_names(edge: Varnish) -> list[str]:
    """The Host of each kind of request, which readers sent with another."""
    return [edge.get(path).text for path in (SCORE, STREAM, "/api/me")] + [
        edge.raw(HANDSHAKE).decode().rsplit("\r\n", 1)[1]
    ]


def test_every_kind_of_request_has_the_name_that_the_origin_answers_to(origins: list[Origin], tmp_path: Path) -> None:
    with varnish(tmp_path, origins[0].port, origin_host="scores.herokuapp.com") as edge:
        assert asked_names(edge) == ["scores.herokuapp.com"] * 4


def test_several_origins_share_the_work_and_one_may_go(origins: list[Origin], tmp_path: Path) -> None:
    with varnish(tmp_path, ",".join(f"127.0.0.1:{origin.port}" for origin in origins)) as edge:
        for _ in range(10):
            assert edge.get("/api/me").status_code == 200
        assert {origin.count("/api/me") for origin in origins} == {5}
        origins[0].stop()
        # The probe takes two seconds to see it.
        wait_until(lambda: {edge.get("/api/me").status_code for _ in range(6)} == {200}, "the other origin alone")


@pytest.fixture
def behind_tls(origins: list[Origin], tmp_path: Path) -> tuple[Origin, Path]:
    """An origin that speaks TLS as localhost, and the certificate to verify it by."""
    if not (shutil.which("stunnel") or shutil.which("stunnel4")):
        pytest.skip("no stunnel: apt-get install stunnel4")
    keys = Keys(tmp_path / "keys")
    origin = origins[0]
    assert origin.server
    origin.server.socket = tls_context(str(keys.cert), str(keys.tls_key)).wrap_socket(
        origin.server.socket, server_side=True
    )
    return origin, keys.cert


def test_an_origin_on_the_internet_is_reached_through_tls(behind_tls: tuple[Origin, Path], tmp_path: Path) -> None:
    origin, ca_file = behind_tls
    url = f"https://localhost:{origin.port}"
    with varnish(tmp_path / "edge", url, ca_file=ca_file, tunnel_port=free_port()) as edge:
        wait_until(lambda: edge.get(SCORE).status_code == 200, "an answer through the tunnel")
        assert asked_names(edge) == ["localhost"] * 4


def test_an_origin_with_a_certificate_of_somebody_else_gets_no_request(
    behind_tls: tuple[Origin, Path], tmp_path: Path
) -> None:
    origin, _ = behind_tls
    other = Keys(tmp_path / "other").cert
    with varnish(tmp_path / "edge", f"https://localhost:{origin.port}", ca_file=other, tunnel_port=free_port()) as edge:
        assert edge.get(SCORE).status_code == edge.get("/api/me").status_code == 503
        assert origin.asked == []


def test_all_uses_of_the_origins_together_leave_threads_for_what_is_cached() -> None:
    origins = (OriginAddress("a", 1), OriginAddress("b", 2))
    text = render(origins, "a", threads=1_000)
    limits = [int(line.split("=")[1].strip(" ;")) for line in text.splitlines() if ".max_connections" in line]
    assert len(limits) == len(SHARES) * len(origins)
    # A connection occupies two threads.
    assert sum(limits) * 2 <= 900


def test_too_few_threads_are_refused() -> None:
    with pytest.raises(Refused, match="too few"):
        render((OriginAddress("a", 1),) * 5, "a", threads=60)


def test_a_score_is_asked_of_the_origins_in_turn(origins: list[Origin], tmp_path: Path) -> None:
    for origin in origins:
        origin.replies[SCORE] = score(1, ttl=600)
    with varnish(tmp_path, ",".join(f"127.0.0.1:{origin.port}" for origin in origins)) as edge:
        for _ in range(5):
            edge.get(SCORE)
        assert sum(origin.count(SCORE) for origin in origins) == 1
