"""The generated configuration on a real nginx."""

from __future__ import annotations

import itertools
import os
import shutil
import threading
from collections.abc import Iterator

import pytest
import requests

from cdn.configuration import HOST
from cdn.configuration.nginx import render
from cdn.varnish.process import running
from dev.system import free_port
from tests.conftest import wait_until
from tests.support.edge import MISSING, Asked, Origin, Reply, at_once, send_as_written
from tests.support.walk import KEEP, PASS, REFUSE, Step, Treatment, is_as_told, steps_for_an_origin

numbers = itertools.count(1)
LIVE = {"Cache-Control": "public, max-age=1, s-maxage=2, stale-while-revalidate=1, stale-if-error=60"}
SHORT = {"Cache-Control": "public, max-age=1, s-maxage=1, stale-if-error=60"}
HELD = {"Cache-Control": "public, max-age=0, s-maxage=20"}


# Who wait together. 1,000 for a figure: READERS=1000 pytest -k held tests/cdn/configuration/test_nginx.py
READERS = int(os.environ.get("READERS", "200"))


class Nginx:
    def __init__(self, port: int, origin: Origin) -> None:
        self.url, self.origin = f"http://127.0.0.1:{port}", origin

    def get(self, path: str, method: str = "GET", **options: object) -> requests.Response:
        return send_as_written(self.url, path, method, **options)

    def treat(self, step: Step) -> Treatment:
        """Of a path nobody asked for before, or the cache answers."""
        self.origin.asked.clear()
        self.origin.otherwise = Reply(b"{}", {"Cache-Control": "public, max-age=0, s-maxage=0"})
        answer = self.get(step.target, step.method)
        if answer.status_code in (404, 405):
            assert self.origin.asked == []
            return Treatment(REFUSE)
        (asked,) = self.origin.asked
        return Treatment(KEEP if "X-Cache" in answer.headers else PASS, asked.path)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    binary = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if binary is None:
        pytest.skip("no nginx: apt-get install nginx-light")
    folder, port, origin = tmp_path_factory.mktemp("nginx"), free_port(), Origin()
    origin.start()
    text = render(f"127.0.0.1:{origin.port}", HOST).replace("/var/cache/nginx/scores", str(folder / "cache"))
    text = text.replace("listen 80;", f"listen 127.0.0.1:{port};")
    paths = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"pid {folder}/pid;\nerror_log {folder}/error.log;\nworker_rlimit_nofile 8192;\n"
        f"events {{ worker_connections 4096; }}\nhttp {{\naccess_log off;\n{paths}{text}\n}}\n"
    )
    (folder / "cache").mkdir()
    folder.chmod(0o755)
    command = [binary, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-g", "daemon off; user root;"]
    with running(command, f"127.0.0.1:{port}", folder / "log"):
        yield Nginx(port, origin)
    origin.stop()


@pytest.fixture
def edge(server: Nginx) -> Iterator[Nginx]:
    server.origin.replies.clear()
    server.origin.asked.clear()
    server.origin.otherwise = MISSING
    yield server
    for reply in server.origin.replies.values():
        if held := getattr(reply, "held", None):
            held.set()


def new_path(prefix: str = "fresh") -> str:
    return f"/api/score/{prefix}{next(numbers)}"


def test_the_second_reader_is_answered_by_the_edge(edge: Nginx) -> None:
    path = new_path()
    edge.origin.replies[path] = Reply(b'{"version":1}', LIVE)
    assert [edge.get(path).headers["X-Cache"] for _ in range(2)] == ["MISS", "HIT"]
    assert edge.get(f"{path}?x=1").headers["X-Cache"] == "HIT"
    assert edge.get(path, "HEAD").status_code == 200
    assert edge.origin.count(path) == 1


def test_every_route_of_the_app_is_kept_passed_or_refused_as_the_table_says(edge: Nginx) -> None:
    """What becomes of a WebSocket is not seen here: the stand-in answers it like any request."""
    walk = steps_for_an_origin()
    done = [edge.treat(step) for step in walk]
    assert [(step, what) for step, what in zip(walk, done, strict=True) if not is_as_told(step, what)] == []


def test_of_a_query_what_is_part_of_the_key_is_forwarded(edge: Nginx) -> None:
    date = f"2026-11-{next(numbers):02d}"
    expected = f"/api/matches?date={date}&team=t"
    edge.origin.replies[expected] = Reply(b"{}", LIVE)
    for query in (f"date={date}&team=t", f"x=1&team=t&date={date}", f"team=t&date={date}&utm=2"):
        assert edge.get(f"/api/matches?{query}").status_code == 200
    assert [request.path for request in edge.origin.asked] == [expected]


def test_readers_held_on_one_cursor_are_one_request(edge: Nginx) -> None:
    """Who come while one request is out wait for it; who come later find its answer."""
    held, path = threading.Event(), f"{new_path()}/wait/7.3"
    edge.origin.replies[path] = Reply(b'{"version":8}', HELD, held=held)
    threading.Timer(READERS / 200, held.set).start()
    bodies = at_once([lambda: edge.get(path).text] * READERS)
    assert set(bodies) == {'{"version":8}'}
    assert edge.origin.count(path) == 1


def test_a_change_is_seen_when_the_lifetime_of_the_answer_before_is_over(edge: Nginx) -> None:
    """nginx purges nothing."""
    path = new_path()
    for version in (1, 2):
        edge.origin.replies[path] = Reply(b'{"version":%d}' % version, SHORT)
        wait_until(lambda v=version: edge.get(path).json()["version"] == v, "the change")


def test_a_failing_origin_does_not_take_the_last_good_score(edge: Nginx) -> None:
    path = new_path()
    edge.origin.replies[path] = Reply(b'{"version":3}', SHORT)
    edge.get(path)
    edge.origin.replies[path] = Reply(b"broken", {"Cache-Control": "private, no-store"}, 503)
    wait_until(lambda: edge.get(path).headers["X-Cache"] == "STALE", "a stale answer")
    assert edge.get(path).text == '{"version":3}'


def test_what_belongs_to_one_reader_is_never_kept(edge: Nginx) -> None:
    edge.origin.replies["/api/me"] = lambda request: Reply(request.headers["Authorization"].encode(), LIVE)
    for token in ("Bearer a", "Bearer b"):
        assert edge.get("/api/me", headers={"Authorization": token}).text == token


def test_nothing_of_a_public_request_but_its_path_reaches_the_service(edge: Nginx) -> None:
    path = new_path()

    def echo(request: Asked) -> Reply:
        return Reply(
            "\n".join(f"{name}: {value}" for name, value in request.headers.items()).encode() + request.body, LIVE
        )

    edge.origin.replies[path] = echo
    headers = {"Cookie": "evil", "X-Forwarded-Host": "evil", "Authorization": "evil", "X-Evil": "evil", "Host": "evil"}
    assert "evil" not in edge.get(path, headers=headers, data=b"evil").text


def test_a_stream_is_heard_as_it_is_told(edge: Nginx) -> None:
    path, first, second = f"{new_path()}/stream", threading.Event(), threading.Event()
    first.set()
    edge.origin.replies[path] = Reply(
        headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"},
        parts=[(b"id: 1\n\n", first), (b"id: 2\n\n", second)],
    )
    with requests.get(edge.url + path, stream=True, timeout=10) as answer:
        lines = answer.iter_lines()
        assert next(lines) == b"id: 1"
        second.set()
        assert b"id: 2" in lines
