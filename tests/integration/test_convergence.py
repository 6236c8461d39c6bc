"""Snapshot and updates make the later snapshot, whatever is cut, killed or restarted between: wait, stream, WebSocket.

A seed makes one schedule of changes and faults. `CONVERGENCE_SEED=…` runs a failed one again, `CONVERGENCE_SEEDS=50`
runs so many. The threads of readers and server interleave as they like: a seed repeats what is done, not its timing.
"""

from __future__ import annotations

import json
import os
import random
import secrets
import socket
import struct
import threading
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import redis
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, Ping, Request, TextMessage

from tests.conftest import wait_until
from tests.support.holding import Client, Closed, Origin
from tests.support.stories.count import scaled

pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("convergence")]

SEED = os.environ.get("CONVERGENCE_SEED")
COUNT = int(os.environ.get("CONVERGENCE_SEEDS") or scaled(1, 10))
# With xdist each process collects by itself, and all have to find the same: the seed is in no name.
RUNS = range(1 if SEED else COUNT)
MATCHES = ("m0", "m1", "m2")
# Shorter than the 20 s of a hold, whose end would tell a reader what its waking has missed; the listener may need 1 s
# to come back, and the cores are shared.
CATCH_UP_S = 12.0
FAULTS = (
    "cut_readers",
    "cut_readers",
    "cut_readers",
    "lose_listener",
    "lose_listener",
    "end_web",
    "kill_web",
    "restart_redis",
)


class Away(Exception):
    """The server cannot just now; come again."""


class Reader(ABC):
    """A client that comes back until it is told to stop. seen: the versions it was sent, by match, in order."""

    def __init__(self, port: int, *matches: str) -> None:
        self.port = port
        self.matches = matches
        self.seen: dict[str, list[int]] = defaultdict(list)
        self.body: dict[str, dict[str, Any]] = {}
        self.stopping = threading.Event()
        self.client: Client | None = None

    def run(self) -> None:
        while not self.stopping.is_set():
            try:
                self.client = Client(self.port)
                self.read(self.client)
            except (OSError, Closed, Away):
                # Not at once: a closed port refuses thousands of times a second.
                self.stopping.wait(0.02)
            finally:
                if self.client:
                    self.client.close()

    @abstractmethod
    def read(self, client: Client) -> None: ...

    def take(self, body: dict[str, Any]) -> None:
        match_id = body["match_id"]
        self.body[match_id] = body
        self.seen[match_id].append(body["version"])

    def last(self, match_id: str) -> int:
        return self.seen[match_id][-1] if self.seen[match_id] else 0

    def cut(self, *, rudely: bool) -> None:
        """The connection goes, by RST or by FIN, and is not known to by the reader before."""
        if self.client:
            with suppress(OSError):
                if rudely:
                    self.client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.client.sock.shutdown(socket.SHUT_RDWR)

    def stop(self) -> None:
        self.stopping.set()
        self.cut(rudely=False)


class Waiter(Reader):
    """Takes the score, then walks `next`."""

    path = ""

    def read(self, client: Client) -> None:
        while not self.stopping.is_set():
            status, _, body = client.ask(self.path or f"/api/score/{self.matches[0]}").answer()
            _only_away(status)
            self.take(body)
            self.path = body["next"]


class Streamer(Reader):
    """Resumes with Last-Event-ID."""

    def read(self, client: Client) -> None:
        resume = [f"Last-Event-ID: {self.last(self.matches[0])}"] if self.seen[self.matches[0]] else []
        status, _ = client.ask(f"/api/score/{self.matches[0]}/stream", *resume).head()
        _only_away(status)
        while not self.stopping.is_set():
            self.take(client.event())


class Socket(Reader):
    """Follows all its matches on one connection; resumes with the versions that it has."""

    def read(self, client: Client) -> None:
        protocol, text = WSConnection(ConnectionType.CLIENT), ""
        client.send(protocol.send(Request(host="scores.example", target="/api/ws")))
        while not self.stopping.is_set():
            data = client.sock.recv(65_536)
            if not data:
                raise Closed
            protocol.receive_data(data)
            for event in protocol.events():
                if isinstance(event, AcceptConnection):
                    wanted = {match_id: self.last(match_id) for match_id in self.matches}
                    client.send(protocol.send(TextMessage(json.dumps({"subscribe": wanted}))))
                elif isinstance(event, Ping):
                    client.send(protocol.send(event.response()))
                elif isinstance(event, TextMessage):
                    text += event.data
                    if event.message_finished:
                        self._told(json.loads(text))
                        text = ""
                else:
                    raise Away(repr(event))

    def _told(self, body: dict[str, Any]) -> None:
        if "error" in body:
            assert body["error"]["code"] == "unavailable", body
        if "version" not in body:
            raise Away(str(body))
        self.take(body)


def _only_away(status: int) -> None:
    if status == 503:
        raise Away
    assert status == 200


class Schedule:
    """What one seed does to a server and its readers."""

    def __init__(self, seed: int, origin: Origin, readers: list[Reader]) -> None:
        self.rng = random.Random(seed)
        self.origin = origin
        self.readers = readers
        self.goals = 0
        self.version: dict[str, int] = {}
        self.done: list[str] = []

    def run(self, changes: int) -> None:
        steps = ["change"] * changes + ["catch_up"] * (changes // 6) + list(FAULTS)
        self.rng.shuffle(steps)
        for step in [*steps, "change", "catch_up"]:
            self.done.append(step)
            getattr(self, step)()

    def change(self) -> None:
        match_id = self.rng.choice(MATCHES)
        self.goals += 1
        self.version[match_id] = self.origin.tell(match_id, self.goals)

    def changes(self) -> None:
        for _ in range(self.rng.randrange(4)):
            self.change()

    def catch_up(self) -> None:
        wait_until(self._all_have_the_last, "every reader to have the last version", CATCH_UP_S)

    def _all_have_the_last(self) -> bool:
        return all(
            reader.last(match_id) == self.version[match_id] for reader in self.readers for match_id in reader.matches
        )

    def cut_readers(self) -> None:
        for reader in self.rng.sample(self.readers, self.rng.randint(1, len(self.readers))):
            reader.cut(rudely=self.rng.random() < 0.5)
        self.changes()

    def lose_listener(self) -> None:
        self.origin.redis.client_kill_filter(_type="pubsub")
        self.changes()

    def end_web(self) -> None:
        """SIGTERM, with changes while it ends."""
        self.origin.processes["web"].terminate()
        self.changes()
        self.origin.restart("web")

    def kill_web(self) -> None:
        self.origin.kill("web")
        self.changes()
        self.origin.restart("web")

    def restart_redis(self) -> None:
        """SIGKILL; what it has said yes to is in its append-only file."""
        self.changes()
        self.origin.kill("redis")
        self.origin.restart("redis")
        wait_until(partial(_answers, self.origin.redis), "Redis to have read its file")


def _answers(client: redis.Redis) -> bool:
    with suppress(redis.RedisError):
        return bool(client.ping())
    return False


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Origin]:
    with Origin.running(Path(tmp_path_factory.mktemp("convergence"))) as origin:
        yield origin


@pytest.mark.parametrize("run", RUNS)
def test_snapshot_and_updates_make_the_later_snapshot(shared: Origin, run: int) -> None:
    seed = int(SEED) if SEED else secrets.randbelow(1_000_000)
    port = shared.port
    one_each = [kind(port, match_id) for kind in (Waiter, Streamer) for match_id in MATCHES * 2]
    readers = [*one_each, *(Socket(port, *MATCHES) for _ in range(3))]
    schedule = Schedule(seed, shared, readers)
    for match_id in MATCHES:
        schedule.version[match_id] = shared.tell(match_id, 0)
    with ThreadPoolExecutor(len(readers)) as pool:
        running = [pool.submit(reader.run) for reader in readers]
        try:
            schedule.catch_up()
            schedule.run(changes=40)
        finally:
            print(f"CONVERGENCE_SEED={seed}: {' '.join(schedule.done)}")
            for reader in readers:
                print(type(reader).__name__, {m: (reader.last(m), schedule.version[m]) for m in reader.matches})
            wait_until(partial(_have_stopped, readers, running), "the readers to stop")
            # Whatever a reader did not expect is raised here.
            for future in running:
                future.result()
    for reader in readers:
        for match_id in reader.matches:
            assert reader.seen[match_id] == sorted(reader.seen[match_id]), f"{type(reader).__name__} went backwards"
            assert _score(reader.body[match_id]) == _score(shared.body(f"/api/score/{match_id}"))


def _have_stopped(readers: list[Reader], running: list[Future[None]]) -> bool:
    """Told each time: one may just have connected again."""
    for reader in readers:
        reader.stop()
    return all(future.done() for future in running)


def _score(body: dict[str, Any]) -> dict[str, Any]:
    """Without how it was delivered."""
    return {name: value for name, value in body.items() if name not in ("next", "held")}
