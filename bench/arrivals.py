"""Readers who arrive one after another, in a process of their own: metadata, score, board, and then the wait.

They go on as a client does: they ask for `next`, and where there is none they poll after `poll_after_ms`. Some of them
never wait and poll alone.
"""

from __future__ import annotations

import gzip
import heapq
import json
import multiprocessing
import random
import select
import socket
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from bench.crowd import IP_BIND_ADDRESS_NO_PORT, SPARE_FILES, open_files
from bench.readers import LENGTH

LOOK_S = 0.001
# Readers pause a random part of it before the next wait, by why the last one was answered (api/static/scores.js).
PAUSE_S = {"changed": 0.2, "behind": 0.2}
PAUSE_MOST_S = 1.0


@dataclass
class ArrivalTally:
    """waiting: readers who wait or poll by now.
    errors: answers other than 200, and connections that were closed.
    answers: since the last tally.
    silent: readers without an answer since the last tally.
    seen_at: when each reader first saw the goal (seconds since the epoch).
    """

    waiting: int = 0
    errors: int = 0
    answers: int = 0
    silent: int = 0
    seen_at: list[float] = field(default_factory=list)

    def __add__(self, other: ArrivalTally) -> ArrivalTally:
        return ArrivalTally(
            self.waiting + other.waiting,
            self.errors + other.errors,
            self.answers + other.answers,
            self.silent + other.silent,
            self.seen_at + other.seen_at,
        )


class Arrivals:
    """`count` readers at each port, who come over `over_s` from `begin` on.

    polling: of a hundred, those who never wait.
    """

    def __init__(self, ports: list[int], match_id: str, count: int, over_s: float, polling: int = 0) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipes: list[Connection[Any, Any]] = []
        for index, port in enumerate(ports):
            ours, theirs = context.Pipe()
            arguments = (theirs, port, match_id, count, over_s, polling, index)
            context.Process(target=_run, args=arguments, daemon=True).start()
            theirs.close()
            self.pipes.append(ours)
        for pipe in self.pipes:
            pipe.recv()

    def begin(self) -> None:
        for pipe in self.pipes:
            pipe.send(None)

    def tally(self) -> ArrivalTally:
        return self._ask("tally")

    def end(self) -> ArrivalTally:
        return self._ask("end")

    def _ask(self, word: str) -> ArrivalTally:
        for pipe in self.pipes:
            pipe.send(word)
        return sum((pipe.recv() for pipe in self.pipes), ArrivalTally())


class Arrival:
    """One reader. first: what it still has to ask for before it waits. polls: it never does."""

    def __init__(self, port: int, match_id: str, address: str, polls: bool) -> None:
        self.score, self.polls = f"/api/score/{match_id}", polls
        self.first = [f"/api/matches/{match_id}", "/api/live", self.score]
        self.data = b""
        self.answered = 0
        self.seen_at: float | None = None
        self.wire = socket.socket()
        self.wire.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
        self.wire.bind((address, 0))
        self.wire.connect(("127.0.0.1", port))
        self.wire.setblocking(False)

    def ask(self, path: str) -> None:
        self.wire.send(f"GET {path} HTTP/1.1\r\nHost: scores.example\r\nAccept-Encoding: gzip\r\n\r\n".encode())

    def answer(self) -> tuple[bytes, bytes] | None:
        """Head and body, once both are there."""
        head, end, body = self.data.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        whole = len(body) >= int(length[1]) if length else body.endswith(b"0\r\n\r\n")
        if not end or not whole:
            return None
        self.data = b""
        return head, body if length else _unchunked(body)

    def hear(self, head: bytes, body: bytes) -> tuple[str, float]:
        """What it asks for next, and after how many seconds."""
        self.answered += 1
        if self.first:
            return self.first.pop(0), 0.0
        document = json.loads(gzip.decompress(body) if b"content-encoding: gzip" in head.lower() else body)
        if self.seen_at is None and (document["home_score"] or 0) > 0:
            self.seen_at = time.time()
        if self.polls or document["next"] is None or document.get("held") == "full":
            return self.score, document["poll_after_ms"] / 1000 * (1 + random.random() / 10)
        held = document.get("held")
        return document["next"], random.random() * PAUSE_S.get(held, PAUSE_MOST_S) if held else 0.0


class Crowding:
    """The readers of one process."""

    def __init__(self, port: int, match_id: str, count: int, over_s: float, polling: int, index: int) -> None:
        self.port, self.match_id, self.count, self.over_s, self.polling = port, match_id, count, over_s, polling
        self.address = f"127.0.{10 + index}.1"
        self.poll, self.began = select.epoll(), time.monotonic()
        self.readers: dict[int, Arrival] = {}
        self.due: list[tuple[float, int, str]] = []
        self.arrived = self.errors = self.answers = 0

    def step(self) -> None:
        now = time.monotonic()
        while self.arrived < self.count and now >= self.began + self.arrived * self.over_s / self.count:
            self._arrive()
        while self.due and self.due[0][0] <= now:
            _, number, path = heapq.heappop(self.due)
            self._ask(number, path)
        for number, _ in self.poll.poll(LOOK_S, 4_096):
            self._hear(number)

    def _arrive(self) -> None:
        self.arrived += 1
        try:
            reader = Arrival(self.port, self.match_id, self.address, self.arrived % 100 < self.polling)
        except OSError:
            self.errors += 1
            return
        number = reader.wire.fileno()
        self.readers[number] = reader
        self.poll.register(number, select.EPOLLIN)
        self._ask(number, reader.first.pop(0))

    def _ask(self, number: int, path: str) -> None:
        try:
            self.readers[number].ask(path)
        except (OSError, KeyError):
            self._lose(number)

    def _hear(self, number: int) -> None:
        reader = self.readers[number]
        try:
            part = reader.wire.recv(262_144)
        except OSError:
            part = b""
        if not part:
            self._lose(number)
            return
        reader.data += part
        answer = reader.answer()
        if answer is None:
            return
        if not answer[0].startswith(b"HTTP/1.1 200"):
            self._lose(number)
            return
        self.answers += 1
        path, pause_s = reader.hear(*answer)
        if pause_s:
            heapq.heappush(self.due, (time.monotonic() + pause_s, number, path))
        else:
            self._ask(number, path)

    def _lose(self, number: int) -> None:
        """It is an error, and does not come back."""
        reader = self.readers.pop(number, None)
        if reader:
            self.errors += 1
            self.poll.unregister(number)
            reader.wire.close()

    def tally(self) -> ArrivalTally:
        waiting = sum(not reader.first for reader in self.readers.values())
        silent = sum(not reader.answered for reader in self.readers.values())
        seen = [reader.seen_at for reader in self.readers.values() if reader.seen_at]
        answers, self.answers = self.answers, 0
        for reader in self.readers.values():
            reader.answered = 0
        return ArrivalTally(waiting, self.errors, answers, silent, seen)


def _run(
    pipe: Connection[Any, Any], port: int, match_id: str, count: int, over_s: float, polling: int, index: int
) -> None:
    open_files(count + SPARE_FILES)
    pipe.send(None)
    pipe.recv()
    crowd = Crowding(port, match_id, count, over_s, polling, index)
    word = ""
    while word != "end":
        crowd.step()
        if pipe.poll():
            word = pipe.recv()
            pipe.send(crowd.tally())


def _unchunked(body: bytes) -> bytes:
    """RFC 9112, 7.1."""
    parts: list[bytes] = []
    while True:
        size, _, rest = body.partition(b"\r\n")
        length = int(size, 16)
        if not length:
            return b"".join(parts)
        parts.append(rest[:length])
        body = rest[length + 2 :]
