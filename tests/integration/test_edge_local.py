"""EDGE=varnish: the embedded run behind a Varnish of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest
import requests

from cdn.settings import try_settings
from dev.system import free_port
from tests.conftest import ROOT, wait_until

pytestmark = pytest.mark.skipif(
    shutil.which("varnishd", path="/usr/sbin:/usr/local/sbin:/usr/bin") is None,
    reason="no Varnish: apt-get install varnish varnish-modules",
)


def test_readers_come_to_varnish_and_everything_ends_together(tmp_path: Path) -> None:
    port = free_port()
    env = {"PATH": os.environ["PATH"], "PORT": str(port), "VAR_DIR": str(tmp_path / "var"), "EDGE": "varnish"}
    with (tmp_path / "log").open("wb") as log:
        command = [sys.executable, "-m", "dev.local"]
        run = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log, start_new_session=True)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: cached(url), "an answer from the cache")
        wait_until(lambda: cached(url, "/"), "the page from the cache")
        environment = dict(line.split("=", 1) for line in (tmp_path / "var" / "env").read_text().splitlines())
        assert environment["CDN"] == "varnish"
        assert int(environment["PORT"]) != port
        check = subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", "edge", "check", "--quick"],
            cwd=ROOT, env=env | environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert check.returncode == 0, check.stdout + check.stderr
        # All settings but the last, a hold of 20 s.
        tried = list(islice(try_settings(url, "varnish"), 9))
        assert [finding for finding in tried if not finding.ok] == []
    finally:
        run.send_signal(signal.SIGINT)
        assert run.wait(timeout=60) is not None
    wait_until(lambda: not answers(url), "the end of Varnish")


def cached(url: str, path: str = "/api/live") -> bool:
    try:
        return requests.get(f"{url}{path}", timeout=5).headers.get("X-Cache") == "HIT"
    except requests.RequestException:
        return False


def answers(url: str) -> bool:
    try:
        requests.get(f"{url}/healthz", timeout=5)
    except requests.RequestException:
        return False
    return True


def test_an_edge_that_is_not_known_stops_the_start(tmp_path: Path) -> None:
    env = {"PATH": os.environ["PATH"], "PORT": str(free_port()), "VAR_DIR": str(tmp_path / "var"), "EDGE": "squid"}
    command = [sys.executable, "-m", "dev.local"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "EDGE='squid' is not known" in done.stderr
