"""How many pushes a second one core sends over HTTP/2, beside aioapns and firebase-admin, in one run.

`make bench-push`. nghttpd, a server in C, answers on one core; each client in turn has the other one, so the figures
are of the client. nghttpd echoes no `apns-id`, by which aioapns finds the request an answer belongs to; here it is
found by its stream, which costs it less. firebase-admin is measured by its list of 500 both ways, `send_each` (threads,
HTTP/1.1, through nghttpx) and `send_each_async` (HTTP/2), and the better one counts. Every client sends one message to
2,000 different tokens in turn; each answer must be a success. Then the whole way from chunk to counted outcome
(bench/chunks.py).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import firebase_admin
from aioapns import APNs, NotificationRequest, PushType
from aioapns.common import NotificationResult
from aioapns.connection import APNsProductionClientProtocol
from firebase_admin import credentials, messaging
from google.oauth2.credentials import Credentials

from bench import chunks
from db.domain import Device, Kind, Platform
from dev.emulators.keys import KEY_ID, PROJECT, TEAM, Keys
from dev.system import free_port, wait_for_port
from notify.content.message import Message
from notify.content.payload import apns_alert
from notify.transports.apns import Apns
from notify.transports.base import Envelope, Transport
from notify.transports.fcm import Fcm
from notify.transports.outcome import Delivered
from notify.transports.signature import Key

TOKENS = 2000
FIREBASE_LIST = 500
BUNDLE = "com.example.scores"


class Servers:
    """nghttpd, and nghttpx before it for HTTP/1.1, on the last core."""

    def __init__(self, folder: Path) -> None:
        self.keys = Keys(folder / "keys")
        root = folder / "www"
        (root / "3" / "device").mkdir(parents=True)
        for n in range(TOKENS):
            (root / "3" / "device" / token(n)).touch()
        fcm = root / "v1" / "projects" / PROJECT
        fcm.mkdir(parents=True)
        (fcm / "messages:send").write_text(json.dumps({"name": f"projects/{PROJECT}/messages/1"}))
        self.port, self.http1_port = free_port(), free_port()
        key, cert = str(self.keys.tls_key), str(self.keys.cert)
        h2 = ["nghttpd", "-d", str(root), "-m", "1000", "--workers", "1", str(self.port), key, cert]
        h1 = [
            "nghttpx",
            "--conf=/dev/null",
            f"-f127.0.0.1,{self.http1_port}",
            f"-b127.0.0.1,{self.port};;proto=h2;tls",
            "-k",
            key,
            cert,
        ]
        self.processes = [
            subprocess.Popen(_on_core(-1, command), **_QUIET) for command in (h2, h1) if _is_here(command)
        ]
        self.has_http1 = _is_here(h1)

    def wait(self) -> None:
        for port in (self.port, self.http1_port) if self.has_http1 else (self.port,):
            wait_for_port(port)

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    def stop(self) -> None:
        for process in self.processes:
            process.terminate()
            process.wait()


_QUIET: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def _on_core(core: int, command: list[str]) -> list[str]:
    cores = sorted(os.sched_getaffinity(0))
    return ["taskset", "-c", str(cores[core]), *command]


def _is_here(command: list[str]) -> bool:
    return shutil.which(command[0], path=os.environ.get("PATH", "") + ":/usr/sbin") is not None


def token(n: int) -> str:
    return f"{n % TOKENS:064x}"


def message() -> Message:
    now = time.time()
    body = "Argentina 3–3 France\n118' Mbappé (pen.)"
    return Message("wc-final", 9, Kind.GOAL, "Goal! France", body, "/match/wc-final", "wc-final", now, int(now) + 600)


def ours(transport: Transport, platform: Platform, count: int) -> None:
    goal = message()
    envelopes = (Envelope(Device(platform=platform, token=token(n)), goal) for n in range(count))
    for _, outcome in transport.send(envelopes):
        assert isinstance(outcome, Delivered), outcome


class MatchedByStream(APNsProductionClientProtocol):
    """aioapns's connection, with answers found by their stream."""

    def on_response_received(self, headers: Any) -> None:
        self.answered = headers[b":status"]

    def on_data_received(self, raw_data: bytes, _stream_id: int) -> None:
        assert raw_data == b"", raw_data

    def on_stream_ended(self, stream_id: int) -> None:
        assert self.answered == b"200", self.answered
        name = self.request_streams.pop(stream_id)
        self.requests.pop(name).set_result(NotificationResult(name, "200"))
        super().on_stream_ended(stream_id)


async def aioapns(servers: Servers, count: int, at_once: int) -> None:
    import ssl  # noqa: PLC0415

    trusted = ssl.create_default_context(cafile=str(servers.keys.cert))
    trusted.set_alpn_protocols(["h2"])
    key = servers.keys.apns_key.read_text()
    client = APNs(key=key, key_id=KEY_ID, team_id=TEAM, topic=BUNDLE, max_connections=1, ssl_context=trusted)
    server = {"APNS_SERVER": "localhost", "APNS_PORT": servers.port}
    client.pool.protocol_class = type("Local", (MatchedByStream,), server)
    payload = json.loads(apns_alert(message()))
    numbers = iter(range(count))

    async def one_after_another() -> None:
        for n in numbers:
            request = NotificationRequest(
                token(n), payload, time_to_live=600, priority=10, collapse_key="wc-final", push_type=PushType.ALERT
            )
            await client.send_notification(request)

    await asyncio.gather(*(one_after_another() for _ in range(at_once)))
    client.pool.close()


class BenchCredential(credentials.Base):  # type: ignore[misc]
    def get_credential(self) -> Credentials:
        return Credentials("bench")  # type: ignore[no-untyped-call]


class Firebase:
    def __init__(self, servers: Servers) -> None:
        self.app = firebase_admin.initialize_app(
            BenchCredential(), {"projectId": PROJECT}, name=f"bench-{time.time_ns()}"
        )
        self.service = messaging._get_messaging_service(self.app)
        self.servers = servers

    def lists(self, count: int) -> Iterator[list[messaging.Message]]:
        goal = message()
        for start in range(0, count, FIREBASE_LIST):
            numbers = range(start, min(start + FIREBASE_LIST, count))
            yield [self._message(goal, token(n)) for n in numbers]

    def _message(self, goal: Message, device: str) -> messaging.Message:
        android = messaging.AndroidConfig(collapse_key=goal.collapse_id, priority="high", ttl=600)
        notification = messaging.Notification(goal.title, goal.body)
        return messaging.Message(notification=notification, android=android, token=device)

    def threads(self, count: int) -> None:
        self.service._fcm_url = f"https://localhost:{self.servers.http1_port}/v1/projects/{PROJECT}/messages:send"
        for messages in self.lists(count):
            _all_good(messaging.send_each(messages, app=self.app))

    def at_once(self, count: int) -> None:
        self.service._fcm_url = f"{self.servers.url}/v1/projects/{PROJECT}/messages:send"

        async def send() -> None:
            for messages in self.lists(count):
                _all_good(await messaging.send_each_async(messages, app=self.app))

        asyncio.run(send())


def _all_good(response: messaging.BatchResponse) -> None:
    assert response.failure_count == 0, next(answer.exception for answer in response.responses if answer.exception)


def rates(run: Callable[[int], None], count: int) -> tuple[float, float]:
    """Sends a second by the clock, and by the CPU time of this process."""
    wall, cpu = time.perf_counter(), time.process_time()
    run(count)
    return count / (time.perf_counter() - wall), count / (time.process_time() - cpu)


@contextmanager
def servers_of(folder: str) -> Iterator[Servers]:
    if not _is_here(["nghttpd"]) or not _is_here(["taskset"]):
        raise SystemExit("nghttpd is needed: apt-get install nghttp2-server nghttp2-proxy")
    os.environ["PATH"] += ":/usr/sbin"
    servers = Servers(Path(folder))
    os.environ |= {"SSL_CERT_FILE": str(servers.keys.cert), "REQUESTS_CA_BUNDLE": str(servers.keys.cert)}
    try:
        servers.wait()
        yield servers
    finally:
        servers.stop()


def transports(servers: Servers) -> tuple[Apns, Fcm]:
    ca = str(servers.keys.cert)
    apns = Apns(Key(TEAM, KEY_ID, servers.keys.apns_key.read_text()), BUNDLE, url=servers.url, ca=ca)
    fcm = Fcm(servers.keys.service_account(servers.url), url=servers.url, ca=ca)
    fcm.bearer.headers = ["authorization: Bearer bench", "content-type: application/json"]
    fcm.bearer.due_at = time.monotonic() + 3600
    return apns, fcm


def clients(servers: Servers, apns: Apns, fcm: Fcm) -> dict[str, tuple[Callable[[int], None], int]]:
    """Who is measured, and how many sends a round takes: about a second each."""
    firebase = Firebase(servers)
    measured: dict[str, tuple[Callable[[int], None], int]] = {
        "ours, APNs": (lambda n: ours(apns, Platform.IOS, n), 50_000),
        "ours, FCM": (lambda n: ours(fcm, Platform.ANDROID, n), 50_000),
        "aioapns": (lambda n: asyncio.run(aioapns(servers, n, 200)), 2_000),
        # Its asynchronous client is bound to the loop it first ran on.
        "firebase-admin, async": (lambda n: Firebase(servers).at_once(n), 500),
    }
    if servers.has_http1:
        measured["firebase-admin, threads"] = (firebase.threads, 500)
    return measured


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.push", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="turns of each client; the median counts (default 5)")
    parser.add_argument("--devices", type=int, default=20_000, help="of the whole way (default 20,000)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, servers_of(folder) as servers:
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[0]})
        apns, fcm = transports(servers)
        measured = clients(servers, apns, fcm)
        turns: dict[str, list[tuple[float, float]]] = {name: [] for name in measured}
        for turn in range(options.rounds):
            for name, (run, count) in measured.items():
                print(f"round {turn + 1} of {options.rounds}: {name}", file=sys.stderr)
                turns[name].append(rates(run, count))
        print("from chunk to counted outcome", file=sys.stderr)
        size: dict[str, Any] = {"devices": options.devices, "tokens": TOKENS, "rounds": options.rounds}
        whole = chunks.measure(apns, fcm, **size, cores=(cores[0], cores[-1]))
        report(turns, whole)


def report(turns: dict[str, list[tuple[float, float]]], whole: dict[str, float]) -> None:
    print(f"{'sends a second':28}{'median':>9}{'best':>9}{'a CPU second':>14}")
    by_clock: dict[str, float] = {}
    for name, rounds in turns.items():
        clock, cpu = ([turn[i] for turn in rounds] for i in (0, 1))
        by_clock[name] = statistics.median(clock)
        print(f"{name:28}{by_clock[name]:>9.0f}{max(clock):>9.0f}{statistics.median(cpu):>14.0f}")
    print(f"{'chunk to counted outcome':28}{whole['end_to_end_per_s']:>9.0f}", end="")
    print(f"{'':9}{whole['end_to_end_per_cpu_s']:>14.0f}")
    firebase = max(rate for name, rate in by_clock.items() if name.startswith("firebase"))
    figures = {
        "ours_per_s": by_clock["ours, APNs"],
        "ours_fcm_per_s": by_clock["ours, FCM"],
        "ours_per_cpu_s": statistics.median(turn[1] for turn in turns["ours, APNs"]),
        "aioapns_per_s": by_clock["aioapns"],
        "firebase_per_s": firebase,
        "ratio": by_clock["ours, APNs"] / max(by_clock["aioapns"], firebase),
    } | whole
    print(json.dumps({name: round(value, 1) for name, value in figures.items()}))


if __name__ == "__main__":
    main()
