"""The whole system on free ports in a folder of its own: Redis, web, workers, clock, as the Procfile starts them."""

from __future__ import annotations

import base64
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import redis
import requests
import rq
from standardwebhooks import Webhook

from config import Settings
from dev.local import redis_binary

ROOT = Path(__file__).resolve().parents[1]
SECRET = "whsec_" + base64.b64encode(os.urandom(24)).decode()
# A first start imports everything from a cold disk; with two cores shared that has taken 15 s.
READY_S = 60
# gunicorn's own grace for requests in hand is 25 s (gunicorn.conf.py); none here takes as long.
GRACE_S = 10


# Given lately: the server that is to have one may not have begun.
_given: deque[int] = deque(maxlen=500)


def free_port() -> int:
    """A port below those of outgoing connections (32768 and up), so that a restarted server finds it still free. Two
    processes of pytest-xdist never get the same."""
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    count = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    while True:
        port = 20_000 + secrets.randbelow(12_000 // count) * count + number
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            if port not in _given:
                _given.append(port)
                return port


class System:
    """Processes by name: `redis`, `web`, `worker-0`…, `clock`.

    settings: environment variables; ours are removed from the inherited environment. Each process leads its own group,
    so that its children end with it.
    root: of the code that they run.
    """

    root = ROOT

    def __init__(self, folder: Path, **settings: object) -> None:
        self.folder = folder
        self.port, self.redis_port = free_port(), free_port()
        self.redis_url = f"redis://127.0.0.1:{self.redis_port}/0"
        ours = {field.name.upper() for field in fields(Settings)}
        self.env = {name: value for name, value in os.environ.items() if name not in ours} | {
            "REDIS_URL": self.redis_url,
            "DATABASE_URL": f"sqlite:///{folder}/scores.db",
            "INGEST_SECRET_GENERIC": SECRET,
            "VAR_DIR": str(folder),
            "PORT": str(self.port),
            "HOST": "127.0.0.1",
            "WEB_CONCURRENCY": "1",
            "METRICS_OPEN": "1",
            "LOG_LEVEL": "WARNING",
            "PYTHONUNBUFFERED": "1",
        }
        self.env |= {name: str(value) for name, value in settings.items()}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings(self) -> Settings:
        return Settings.from_env(self.env)

    @property
    def workers(self) -> list[str]:
        return [f"worker-{index}" for index in range(self.settings.worker_processes)]

    def command(self, name: str) -> list[str]:
        kind, _, index = name.partition("-")
        where = ["--bind", "127.0.0.1", "--port", str(self.redis_port), "--dir", str(self.folder)]
        return {
            "redis": [redis_binary(), *where, "--save", "", "--appendonly", "yes"],
            "web": [sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py", "wsgi:app"],
            "worker": [sys.executable, "-m", "workers", "--index", index],
            "clock": [sys.executable, "-m", "workers.clock"],
            "feed": [sys.executable, "-m", "workers.feed"],
        }[kind]

    def start(self) -> None:
        """Returns once the web process serves and every worker listens."""
        self.restart("redis")
        self.migrate()
        feeds = ["feed"] if self.settings.feeds else []
        for name in ("web", *self.workers, "clock", *feeds):
            self._begin(name)
        self._until(self._serves, "web")
        self._until(self._all_listen, *self.workers)

    def migrate(self) -> None:
        with self._log("release") as log:
            command = [sys.executable, "-m", "alembic", "upgrade", "head"]
            subprocess.run(command, cwd=self.root, env=self.env, stdout=log, stderr=log, check=True)

    def restart(self, name: str) -> None:
        """Start a process, after ending it if it runs; returns once it answers, where it is a server."""
        self.stop(name)
        self._begin(name)
        if name == "redis":
            self._until(self._redis_answers, name)
        if name == "web":
            self._until(self._serves, name)

    def stop(self, name: str) -> None:
        """SIGTERM, as a platform ends a process; SIGKILL where that is not heard."""
        process = self.processes.get(name)
        if process is None:
            return
        process.terminate()
        try:
            process.wait(timeout=GRACE_S)
        except subprocess.TimeoutExpired:
            with self._log(name) as log:
                log.write(f"did not end within {GRACE_S} s of SIGTERM\n".encode())
        self.kill(name)

    def kill(self, name: str) -> None:
        """SIGKILL to the process and its children, as when the machine under it goes."""
        process = self.processes.pop(name)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def end(self) -> None:
        """Everything, Redis last. Always safe to call."""
        others = [name for name in self.processes if name != "redis"]
        for name in others:
            self.processes[name].terminate()
        for name in [*others, "redis"]:
            self.stop(name)

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def cpu_s(self) -> dict[str, float]:
        """Processor seconds used so far, by process (children included)."""
        return {name: cpu_s(process.pid) for name, process in self.processes.items()}

    def _begin(self, name: str) -> None:
        with self._log(name) as log:
            self.processes[name] = subprocess.Popen(
                self.command(name), cwd=self.root, env=self.env, stdout=log, stderr=log, start_new_session=True
            )

    def _log(self, name: str) -> BinaryIO:
        return self.log(name).open("ab")

    def _until(self, true: Callable[[], bool], *needed: str) -> None:
        deadline = time.monotonic() + READY_S
        while not true():
            dead = [name for name in needed if self.processes[name].poll() is not None]
            if dead or time.monotonic() > deadline:
                tails = "".join(f"\n--- {name}\n{self.log(name).read_text()[-2000:]}" for name in dead or needed)
                raise RuntimeError(f"{' '.join(dead or needed)} did not come up{tails}")
            time.sleep(0.05)

    def _redis_answers(self) -> bool:
        with closing(redis.Redis(port=self.redis_port)) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False

    def _serves(self) -> bool:
        try:
            return requests.get(f"{self.url}/healthz", timeout=2).ok
        except requests.RequestException:
            return False

    def _all_listen(self) -> bool:
        with closing(redis.Redis.from_url(self.settings.queue_url)) as client:
            return rq.Worker.count(connection=client) >= len(self.workers)


def wait_for_port(port: int) -> None:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError(f"nothing listens on port {port}")


@contextmanager
def running(kind: Callable[..., System] = System, /, **settings: object) -> Iterator[System]:
    """For a bench: ended and forgotten at its end, also by SIGTERM. kind: makes one of a folder and settings."""
    folder = Path(tempfile.mkdtemp(prefix="scores-bench-"))
    system = kind(folder, **settings)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        system.start()
        yield system
    finally:
        system.end()
        shutil.rmtree(folder, ignore_errors=True)


def request_bytes(system: System, body: str, delivery: str) -> bytes:
    """A signed delivery as it goes over the wire."""
    now = datetime.now(UTC)
    signature = Webhook(SECRET).sign(delivery, now, body)
    return (
        f"POST /api/ingest/generic HTTP/1.1\r\nHost: 127.0.0.1:{system.port}\r\nContent-Type: application/json\r\n"
        f"webhook-id: {delivery}\r\nwebhook-timestamp: {int(now.timestamp())}\r\nwebhook-signature: {signature}\r\n"
        f"Content-Length: {len(body.encode())}\r\n\r\n{body}"
    ).encode()


def cpu_s(pid: int) -> float:
    """Processor seconds a process and its children have used so far."""
    ticks = os.sysconf("SC_CLK_TCK")
    total = 0.0
    for process in [pid, *children(pid)]:
        try:
            fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        total += (int(fields[11]) + int(fields[12])) / ticks
    return total


def children(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    direct = [int(child) for child in text.split()]
    return direct + [grand for child in direct for grand in children(child)]
