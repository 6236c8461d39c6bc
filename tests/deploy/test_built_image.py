"""The steps of deploy/Dockerfile on a clean Debian: `make image-check`, as root, with debootstrap and buildah.

No registry of images is needed: debootstrap makes the base. It takes minutes, so `make test` leaves it out.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from dev.system import free_port
from tests.conftest import SECRET, RedisServer, wait_until
from tests.support.paths import ROOT

pytestmark = [
    pytest.mark.skipif(not os.environ.get("IMAGE"), reason="takes minutes: make image-check"),
    pytest.mark.xdist_group("image"),
]
PURGES = "a secret of the tests"
BASE = "localhost/debian:clean"
# What a network of one's own needs: where apt and pip look, and whom they trust.
FROM_HOST = ("etc/apt/apt.conf.d", "etc/apt/sources.list.d", "usr/local/share/ca-certificates", "etc/pip.conf")


def run(*command: str | Path, **options: object) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return str(done.stdout).strip()


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A Debian with nothing in it but the way to this network's mirrors."""
    folder = tmp_path_factory.mktemp("base") / "root"
    run("debootstrap", "--variant=minbase", "bookworm", folder)
    for part in FROM_HOST:
        if (source := Path("/") / part).exists():
            copy = shutil.copytree if source.is_dir() else shutil.copy
            copy(source, folder / part, **({"dirs_exist_ok": True} if source.is_dir() else {}))  # type: ignore[operator]
    container = run("buildah", "from", "scratch")
    run("buildah", "add", "--quiet", container, folder, "/")
    run("buildah", "commit", "--quiet", container, BASE)
    run("buildah", "rm", container)
    shutil.rmtree(folder)
    return BASE


@contextmanager
def mounted(base: str, target: str) -> Iterator[Path]:
    """The root of an image that was just built, with /proc and /dev."""
    name = f"localhost/live-scores-{target}"
    run("buildah", "bud", "--format", "docker", "--isolation", "chroot", "--layers", "--build-arg", f"BASE={base}",
        "--target", target, "--file", ROOT / "deploy" / "Dockerfile", "--tag", name, ROOT)  # fmt: skip
    container = run("buildah", "from", name)
    root = Path(run("buildah", "mount", container))
    # A container gets it from what runs it.
    (root / "etc" / "hosts").write_text("127.0.0.1 localhost\n")
    for part in ("proc", "dev"):
        run("mount", "--rbind", "--make-rslave", f"/{part}", root / part)
    try:
        yield root
    finally:
        for part in ("proc", "dev"):
            run("umount", "--recursive", "--lazy", root / part)
        run("buildah", "rm", container)


def inside(root: Path, *command: str, **settings: str) -> list[str]:
    """A command as the image's user, in its folder and with its environment."""
    environment = {"PATH": "/srv/venv/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/tmp"} | settings
    pairs = [f"{name}={value}" for name, value in environment.items()]
    return ["chroot", "--userspec=10001:10001", str(root), "env", "-i", "-C", "/srv/scores", *pairs, *command]


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.RequestException:
        return False


def test_the_board_is_up_nobody_is_root_and_a_held_reader_is_answered_at_the_end(
    base: str, redis_server: RedisServer, redis_url: str
) -> None:
    port = free_port()
    settings = {
        "PORT": str(port),
        "REDIS_URL": redis_url,
        "DATABASE_URL": "sqlite:////tmp/scores.db",
        "INGEST_SECRET_GENERIC": SECRET,
        "WEB_CONCURRENCY": "1",
        "CDN": "varnish",
        "EDGE_PURGE_SECRET": PURGES,
        "METRICS_OPEN": "1",
    }
    with mounted(base, "service") as root:
        run(*inside(root, "alembic", "upgrade", "head", **settings))
        web = subprocess.Popen(inside(root, "gunicorn", "wsgi:app", **settings))
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until(lambda: answers(f"{url}/healthz"), "the web process")
            assert "<html" in requests.get(url, timeout=10).text
            owners = {os.stat(f"/proc/{pid}").st_uid for pid in tree(web.pid)}
            assert owners == {10001}
            with through_varnish(base, port) as edge:
                wait_until(lambda: "<html" in requests.get(edge, timeout=10).text, "the board through Varnish")
            held: list[requests.Response] = []
            path = requests.get(f"{url}/api/live", timeout=10).json()["next"]
            reader = threading.Thread(target=lambda: held.append(requests.get(url + path, timeout=40)))
            reader.start()
            wait_until(lambda: "held_readers 1" in requests.get(f"{url}/metrics", timeout=10).text, "the reader")
        finally:
            web.send_signal(signal.SIGTERM)
            # The grace that compose and the chart give.
            assert web.wait(timeout=35) == 0
        reader.join()
        assert [answer.status_code for answer in held] == [200]


@contextmanager
def through_varnish(base: str, port: int) -> Iterator[str]:
    listen, admin = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    with mounted(base, "varnish") as root:
        command = ["/bin/sh", "/srv/entrypoint.sh", "--origin", f"127.0.0.1:{port}", "--listen", listen,
                   "--admin", admin, "--folder", "/var/lib/scores-varnish"]  # fmt: skip
        varnishd = subprocess.Popen(inside(root, *command, EDGE_PURGE_SECRET=PURGES))
        try:
            wait_until(lambda: answers(f"http://{listen}/healthz"), "varnishd")
            yield f"http://{listen}"
        finally:
            varnishd.terminate()
            varnishd.wait(timeout=30)


def tree(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(grandchild for child in children for grandchild in tree(int(child)))]
