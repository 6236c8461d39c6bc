"""Many clients that hold one connection each, in processes of their own: who waits, and when each was answered.

A client is a bare socket: the crowd must cost less than the server it measures, and one core is all it gets.
"""

from __future__ import annotations

import multiprocessing
import resource
import select
import socket
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

# Connections opened before the first of them is answered for: below any server's backlog.
WAVE = 500
# One source address has 28,000 ports for one destination (net.ipv4.ip_local_port_range).
PER_ADDRESS = 20_000
# ip(7), which Python does not name: the port is chosen for its destination, so that those of an earlier crowd, which
# rest for a minute, are in nobody's way.
IP_BIND_ADDRESS_NO_PORT = 24
SPARE_FILES = 200
# The crowd looks this often who was answered. Woken for each answer by itself, it would charge the server that is quick
# to begin with a wake-up of another core a send, which clients elsewhere do not cost: 15,000 released in 207 ms then,
# beside nchan's 211, and in 173 beside 274 so (two shared cores).
LOOK_S = 0.001


class Crowd:
    """`size` clients over `processes` processes, connected to `port` of this machine."""

    def __init__(self, port: int, size: int, processes: int) -> None:
        context = multiprocessing.get_context("spawn")
        share = [size // processes + (n < size % processes) for n in range(processes)]
        self.pipes: list[Connection[Any, Any]] = []
        self.processes = []
        for index, count in enumerate(share):
            ours, theirs = context.Pipe()
            self.pipes.append(ours)
            process = context.Process(target=_stand, args=(theirs, port, count, index), daemon=True)
            process.start()
            # So that its end is heard.
            theirs.close()
            self.processes.append(process)
        self._gather()

    def ask(self, request: bytes) -> None:
        """Everybody sends it; returns once all have. What a stream has sent by then is read and forgotten."""
        self._tell(("ask", request))
        self._gather()

    def released(self, timeout_s: float) -> list[float]:
        """The times (seconds since the epoch) at which each client was first written to; fewer if the time is up."""
        self._tell(("wait", timeout_s))
        return sorted(moment for times in self._gather() for moment in times)

    def settle(self, quiet_s: float) -> None:
        """Read and forget until nothing has come for a while."""
        self._tell(("settle", quiet_s))
        self._gather()

    def leave(self) -> None:
        self._tell(("leave", None))
        for process in self.processes:
            process.join(timeout=30)

    def _tell(self, message: tuple[str, Any]) -> None:
        for pipe in self.pipes:
            pipe.send(message)

    def _gather(self) -> list[Any]:
        return [pipe.recv() for pipe in self.pipes]


def _stand(pipe: Connection[Any, Any], port: int, count: int, index: int) -> None:
    """One process of the crowd."""
    open_files(count + SPARE_FILES)
    poll = select.epoll()
    clients = _connect(port, count, index, poll)
    pipe.send(len(clients))
    while True:
        word, argument = pipe.recv()
        if word == "ask":
            for client in clients.values():
                client.send(argument)
            pipe.send(None)
        elif word == "wait":
            pipe.send(_first_answers(poll, clients, argument))
        elif word == "settle":
            _until_quiet(poll, clients, argument)
            pipe.send(None)
        else:
            return


def open_files(wanted: int) -> None:
    """At least as many, or as many as there may be. Servers started later have the same limit, so it never falls."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for limit in (max(wanted, soft), hard):
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, max(limit, hard)))
            return


def _connect(port: int, count: int, index: int, poll: select.epoll) -> dict[int, socket.socket]:
    clients: dict[int, socket.socket] = {}
    for first in range(0, count, WAVE):
        wave = []
        for n in range(first, min(first + WAVE, count)):
            client = socket.socket()
            client.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
            client.bind((f"127.0.{1 + index}.{1 + n // PER_ADDRESS}", 0))
            client.setblocking(False)
            with suppress(BlockingIOError):
                client.connect(("127.0.0.1", port))
            wave.append(client)
        for client in wave:
            _until_connected(client)
            clients[client.fileno()] = client
            poll.register(client.fileno(), select.EPOLLIN)
    return clients


def _until_connected(client: socket.socket) -> None:
    waiter = select.poll()
    waiter.register(client.fileno(), select.POLLOUT)
    waiter.poll(30_000)


def _first_answers(poll: select.epoll, clients: dict[int, socket.socket], timeout_s: float) -> list[float]:
    seen: dict[int, float] = {}
    deadline = time.monotonic() + timeout_s
    while len(seen) < len(clients) and (left := deadline - time.monotonic()) > 0:
        for number, _ in poll.poll(left, 4_096):
            if clients[number].recv(65_536):
                seen.setdefault(number, time.time())
            else:
                poll.unregister(number)
        time.sleep(LOOK_S)
    return list(seen.values())


def _until_quiet(poll: select.epoll, clients: dict[int, socket.socket], quiet_s: float) -> None:
    while ready := poll.poll(quiet_s, 4_096):
        for number, _ in ready:
            if not clients[number].recv(65_536):
                poll.unregister(number)
