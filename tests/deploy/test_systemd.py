"""deploy/systemd: the units are understood, and a reload of Varnish keeps its cache."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from cdn.varnish.process import running
from dev.system import free_port
from tests.support.edge import SECRET, Origin, score
from tests.support.paths import ROOT

UNITS = ROOT / "deploy" / "systemd"


def test_the_units_are_understood(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd")
    for unit in UNITS.glob("*.service"):
        # Of this machine, neither the user nor the folder is there.
        text = unit.read_text().replace("/opt/live-scores", str(ROOT)).replace("=varnish", "=root")
        (tmp_path / unit.name).write_text(text)
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", tmp_path / unit.name], capture_output=True, text=True, check=False
        )
        assert [line for line in done.stderr.splitlines() if unit.name in line] == []


def test_hitch_understands_its_configuration(tmp_path: Path) -> None:
    binary = shutil.which("hitch", path="/usr/sbin:/usr/bin")
    if binary is None:
        pytest.skip("no hitch: apt-get install hitch")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=scores.example.com",
         "-keyout", tmp_path / "key", "-out", tmp_path / "certificate"], check=True, capture_output=True,
    )  # fmt: skip
    (tmp_path / "scores.pem").write_text((tmp_path / "key").read_text() + (tmp_path / "certificate").read_text())
    text = (UNITS / "hitch.conf").read_text().replace("/etc/hitch", str(tmp_path))
    (tmp_path / "hitch.conf").write_text(text)
    done = subprocess.run(
        [binary, "--test", f"--config={tmp_path}/hitch.conf"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not under pytest's own, which is root's alone: started by root, varnishd becomes somebody else."""
    with tempfile.TemporaryDirectory(prefix="scores-varnish-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_a_reload_keeps_what_is_cached(folder: Path, tmp_path: Path) -> None:
    if shutil.which("varnishd", path="/usr/sbin:/usr/local/sbin:/usr/bin") is None:
        pytest.skip("no Varnish: apt-get install varnish varnish-modules")
    origin = Origin()
    origin.replies["/api/score/m1"] = score(1, ttl=600)
    origin.start()
    port, admin = free_port(), free_port()
    words = ["--origin", f"127.0.0.1:{origin.port}", "--listen", f"127.0.0.1:{port}", "--admin", f"127.0.0.1:{admin}",
             "--folder", str(folder / "edge")]  # fmt: skip
    path = f"{Path(sys.executable).parent}:/usr/sbin:/usr/bin:/bin"
    env = os.environ | {"PATH": path, "EDGE_PURGE_SECRET": SECRET, "PYTHONPATH": str(ROOT)}
    with running(
        ["/bin/sh", str(ROOT / "deploy" / "entrypoint.sh"), *words], f"127.0.0.1:{port}", tmp_path / "log", env
    ):
        url = f"http://127.0.0.1:{port}/api/score/m1"
        assert requests.get(url, timeout=10).headers["X-Cache"] == "MISS"
        subprocess.run(["/bin/sh", str(UNITS / "varnish-reload.sh"), *words], env=env, check=True, capture_output=True)
        assert requests.get(url, timeout=10).headers["X-Cache"] == "HIT"
        names = subprocess.run(["varnishadm", "-n", str(folder / "edge" / "work"), "vcl.list"], env=env,
                               capture_output=True, text=True, check=True).stdout  # fmt: skip
        assert [line.split()[0] for line in names.splitlines() if line.strip()].count("active") == 1
        assert "available" not in names
    origin.stop()
