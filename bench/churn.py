"""What many clients that come and go leave behind in a web process: greenlets, connections, places in the hub, memory.

`python -m bench.churn [--clients 10000] [--seconds 300]`. So many clients are there at a time, three in five waiting,
the others on streams and WebSockets, over eight matches with a goal every three seconds. Each stays for a random while
and another takes its place. Half leave rudely: by RST, with one half closed, or in the middle of a request. "Before" is
after a warm-up with the same load, all of it gone: an allocator keeps what it once needed, so growth is a leak.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import json
import multiprocessing
import random
import re
import select
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from multiprocessing.connection import Connection as Pipe
from typing import Any

import requests
from wsproto import ConnectionType, WSConnection
from wsproto.connection import Connection
from wsproto.events import Request, TextMessage

from bench.crowd import SPARE_FILES, open_files
from bench.hold import NO_RAMP_S, get, memory_kb, say
from dev.system import System, request_bytes, running

MATCHES = [f"churn-{n}" for n in range(8)]
GOAL_S = 3.0
# Mean of a client's stay: 10,000 of them make 330 connects a second, a third of what one process takes.
STAY_S = 30.0
# How long one that has closed its half hangs on.
HALF_S = 5.0
# Ports of those who left are busy for a minute (TIME_WAIT); one address has 28,000.
ADDRESSES = 8
KINDS = {"wait": 60, "stream": 25, "ws": 15}
LEAVES = {"fin": 50, "rst": 20, "half": 15, "mid": 15}
LOOK_S = 5.0
NEXT = re.compile(rb'"next":\s*"([^"]+)"')


class Seen(System):
    """The web process can be looked into, by the app of the tests that do so too."""

    def command(self, name: str) -> list[str]:
        command = super().command(name)
        return [*command[:-1], "tests.support.inside:app"] if name == "web" else command


def inside(system: System) -> dict[str, Any]:
    figures: dict[str, Any] = requests.get(f"{system.url}/inside", headers={"Connection": "close"}, timeout=30).json()
    return figures | {"rss_kb": int(memory_kb([figures["pid"]]))}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.churn", description=__doc__)
    parser.add_argument("--clients", type=int, default=10_000, help="clients at a time (default 10000)")
    parser.add_argument("--seconds", type=int, default=300, help="how long they come and go (default 300)")
    parser.add_argument("--warm", type=int, default=60, help="seconds of the same before (default 60)")
    parser.add_argument("--settle", type=int, default=60, help="seconds in which all has to be gone (default 60)")
    options = parser.parse_args()
    with running(Seen, WORKER_CONNECTIONS=options.clients * 2 + 1_000, RAMP_S=NO_RAMP_S) as system:
        goals = itertools.count(1)
        for match_id in MATCHES:
            goal(system, match_id, next(goals))
        while not all(requests.get(f"{system.url}/api/score/{match_id}", timeout=30).ok for match_id in MATCHES):
            time.sleep(0.1)
        idle = inside(system)
        crowd(system, options.clients, options.warm, goals)
        before = settled(system, idle, options.settle)
        connects = crowd(system, options.clients, options.seconds, goals)
        after = settled(system, idle, options.settle)
    print(f"\n{'':12}{'greenlets':>11}{'connections':>13}{'in the hub':>13}{'RSS KB':>10}")
    for name, figures in (("idle", idle), ("before", before), ("after", after)):
        print(
            f"{name:12}{figures['greenlets']:>11}{figures['connections']:>13}{figures['here']:>13}{figures['rss_kb']:>10}"
        )
    left = {f"{name}_left": after[name] - idle[name] for name in ("greenlets", "connections", "here")}
    print(
        json.dumps(
            {
                "clients": options.clients,
                "seconds": options.seconds,
                "connects": connects,
                "rss_before_kb": before["rss_kb"],
                "rss_after_kb": after["rss_kb"],
                **left,
            }
        )
    )


def crowd(system: System, clients: int, seconds: int, goals: Iterator[int]) -> int:
    """They come, and are all gone when this returns; how many there were."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_churn, args=(theirs, system.port, clients, seconds), daemon=True)
    process.start()
    began = looked = time.monotonic()
    # The last goals must find nobody in their way out: they end with the crowd.
    while not ours.poll(GOAL_S):
        goal(system, random.choice(MATCHES), next(goals))
        if time.monotonic() - looked >= LOOK_S:
            looked = time.monotonic()
            progress(looked - began, inside(system))
    connects: int = ours.recv()
    process.join()
    say(f"  {connects} connects")
    return connects


def settled(system: System, idle: dict[str, Any], settle_s: int) -> dict[str, Any]:
    """As idle as at first, or as it is when the time is up."""
    deadline = time.monotonic() + settle_s
    while True:
        figures = inside(system)
        gone = all(figures[name] <= idle[name] for name in ("greenlets", "connections", "here"))
        if gone or time.monotonic() > deadline:
            progress(settle_s - (deadline - time.monotonic()), figures)
            return figures
        time.sleep(1)


def progress(seconds: float, figures: dict[str, Any]) -> None:
    text = ", ".join(f"{name} {figures[name]}" for name in ("connections", "holds", "streams", "greenlets", "rss_kb"))
    say(f"  {seconds:4.0f} s: {text}")


def goal(system: System, match_id: str, n: int) -> None:
    event = {
        "match_id": match_id,
        "event_type": "goal",
        "team": "home",
        "home_score": n,
        "away_score": 0,
        "minute": min(n, 90),
        "timestamp": datetime.now(UTC).isoformat(),
    }
    with socket.create_connection(("127.0.0.1", system.port), timeout=30) as sender:
        sender.sendall(request_bytes(system, json.dumps({"events": [event]}), f"churn-{n}"))
        answer = sender.recv(4_096)
    if b" 202 " not in answer.split(b"\r\n", 1)[0]:
        raise RuntimeError(answer.decode(errors="replace"))


class Client:
    """One that comes, holds and leaves."""

    def __init__(self, port: int) -> None:
        self.match_id = random.choice(MATCHES)
        self.kind = _one_of(KINDS)
        self.leave = _one_of(LEAVES)
        self.data = b""
        self.greeted = False
        self.sock = socket.socket()
        # The port is chosen when it connects, so that it need be free for this destination alone (ip(7)).
        self.sock.setsockopt(socket.IPPROTO_IP, socket.IP_BIND_ADDRESS_NO_PORT, 1)
        self.sock.bind((f"127.0.1.{random.randint(1, ADDRESSES)}", 0))
        self.sock.setblocking(False)
        with suppress(BlockingIOError):
            self.sock.connect(("127.0.0.1", port))

    def begin(self) -> None:
        """Who leaves in the middle of a request never sends its end."""
        self._send(self._first()[: -20 if self.leave == "mid" else None])

    def _first(self) -> bytes:
        if self.kind == "wait":
            return get(f"/api/score/{self.match_id}")
        if self.kind == "stream":
            return get(f"/api/score/{self.match_id}/stream")
        return WSConnection(ConnectionType.CLIENT).send(Request(host="scores.example", target="/api/ws"))

    def hear(self) -> bool:
        """False where the server has closed."""
        try:
            data = self.sock.recv(65_536)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if self.kind == "ws" and data and not self.greeted:
            self.greeted = True
            self._send(_masked(json.dumps({"subscribe": [self.match_id]})))
        if self.kind == "wait":
            self._walk(data)
        return bool(data)

    def _walk(self, data: bytes) -> None:
        self.data += data
        head, _, body = self.data.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        if length and len(body) >= int(length[1]):
            self.data = b""
            path = NEXT.search(body)
            self._send(get(path[1].decode() if path else f"/api/score/{self.match_id}"))

    def _send(self, data: bytes) -> None:
        with suppress(OSError):
            self.sock.send(data)

    def go(self) -> float:
        """Leave; seconds after which it is to be told again, 0 once it is gone."""
        if self.leave == "half":
            self.leave = "fin"
            with suppress(OSError):
                self.sock.shutdown(socket.SHUT_WR)
            return random.uniform(0.1, HALF_S)
        if self.leave in ("rst", "mid"):
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()
        return 0


def _churn(pipe: Pipe[Any, Any], port: int, count: int, seconds: int) -> None:
    """The clients' process: a loop over what they hear and when they go."""
    open_files(count * 2 + SPARE_FILES)
    poll = select.epoll()
    clients: dict[int, Client] = {}
    order = itertools.count()
    began = time.monotonic()
    ends = began + seconds
    # The first come over some seconds, each with a stay of its own.
    arrivals = sorted(began + random.uniform(0, min(STAY_S, seconds) / 3) for _ in range(count))
    agenda: list[tuple[float, int, Client | None]] = [(moment, next(order), None) for moment in arrivals]
    connects = 0
    while (now := time.monotonic()) < ends:
        while agenda and agenda[0][0] <= now:
            _, _, client = heapq.heappop(agenda)
            if client is not None:
                again = _leave(clients, client)
                if again:
                    heapq.heappush(agenda, (now + again, next(order), client))
                    continue
            client = Client(port)
            connects += 1
            clients[client.sock.fileno()] = client
            poll.register(client.sock.fileno(), select.EPOLLOUT)
            heapq.heappush(agenda, (now + random.expovariate(1 / STAY_S), next(order), client))
        for number, what in poll.poll(max(0.0, min(0.1, agenda[0][0] - now)), 4_096):
            if what & select.EPOLLOUT:
                poll.modify(number, select.EPOLLIN)
                clients[number].begin()
            elif not clients[number].hear():
                poll.unregister(number)
    for client in list(clients.values()):
        client.leave = "rst" if client.leave == "half" else client.leave
        client.go()
    pipe.send(connects)


def _leave(clients: dict[int, Client], client: Client) -> float:
    number = client.sock.fileno()
    again = client.go()
    if not again:
        # The kernel has taken it out of the epoll set with its last descriptor (epoll(7)).
        del clients[number]
    return again


def _masked(text: str) -> bytes:
    """A client's frame of text; a protocol that has greeted is all it takes (RFC 6455, 5.3)."""
    return Connection(ConnectionType.CLIENT).send(TextMessage(text))


def _one_of(weights: dict[str, int]) -> str:
    return random.choices(list(weights), list(weights.values()))[0]


if __name__ == "__main__":
    main()
