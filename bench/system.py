"""The whole system on free ports in a throw-away folder: Redis, web, workers, clock, as the Procfile starts them."""

from __future__ import annotations

import base64
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from standardwebhooks import Webhook

from workers.local import redis_binary

ROOT = Path(__file__).resolve().parents[1]
SECRET = "whsec_" + base64.b64encode(os.urandom(24)).decode()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class System:
    """Started processes by name; `env` overrides settings."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self.folder = folder
        self.port, self.redis_port = free_port(), free_port()
        self.redis_url = f"redis://127.0.0.1:{self.redis_port}/0"
        self.env = os.environ | {
            "REDIS_URL": self.redis_url,
            "DATABASE_URL": f"sqlite:///{folder}/scores.db",
            "INGEST_SECRET_GENERIC": SECRET,
            "PORT": str(self.port),
            "HOST": "127.0.0.1",
            "WEB_CONCURRENCY": "1",
            "LOG_LEVEL": "WARNING",
            **env,
        }
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.run("redis", redis_binary(), "--port", str(self.redis_port), "--save", "", "--dir", str(self.folder),
                 "--appendonly", "yes", "--bind", "127.0.0.1")  # fmt: skip
        self._until_open(self.redis_port)
        subprocess.run([sys.executable, "-m", "alembic", "upgrade", "head"], cwd=ROOT, env=self.env, check=True)
        self.run("web", sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app")
        for index in range(int(self.env.get("WORKER_PROCESSES", "2"))):
            self.run(f"worker-{index}", sys.executable, "-m", "workers", "--index", str(index))
        self.run("clock", sys.executable, "-m", "workers.clock")
        self._until_open(self.port)
        urllib.request.urlopen(f"{self.url}/readyz").read()

    def run(self, name: str, *command: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(command, cwd=ROOT, env=self.env, stdout=log, stderr=log)

    def stop(self) -> None:
        for name, process in reversed(list(self.processes.items())):
            process.send_signal(signal.SIGKILL if name == "redis" else signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()

    def cpu_s(self) -> dict[str, float]:
        """Processor seconds used so far, by process (children included)."""
        return {name: _cpu_s(process.pid) for name, process in self.processes.items()}

    def _until_open(self, port: int) -> None:
        for _ in range(400):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.05)
        raise SystemExit(f"nothing answers on port {port}; logs are in {self.folder}")


@contextmanager
def running(**env: str) -> Iterator[System]:
    folder = Path(tempfile.mkdtemp(prefix="scores-bench-"))
    system = System(folder, env)
    try:
        system.start()
        yield system
    finally:
        system.stop()
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


def _cpu_s(pid: int) -> float:
    ticks = os.sysconf("SC_CLK_TCK")
    total = 0.0
    for one in [pid, *_children(pid)]:
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        total += (int(fields[11]) + int(fields[12])) / ticks
    return total


def _children(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    direct = [int(child) for child in text.split()]
    return direct + [grand for child in direct for grand in _children(child)]
