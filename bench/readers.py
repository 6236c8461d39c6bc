"""Readers who poll, in processes of their own: how many answers they got, which were no 200, and whether any reader
ever saw a version go backwards."""

from __future__ import annotations

import heapq
import multiprocessing
import random
import re
import select
import socket
import time
from dataclasses import dataclass, fields
from multiprocessing.connection import Connection
from typing import Any

VERSION = re.compile(rb'"version":(\d+)')
LENGTH = re.compile(rb"(?i)content-length: (\d+)")


@dataclass
class ReaderTally:
    """requests answered; failures, those not 200 and those cut; cut, connections that were; backwards, versions
    below one that the same reader had seen."""

    requests: int = 0
    failures: int = 0
    cut: int = 0
    backwards: int = 0

    def __add__(self, other: ReaderTally) -> ReaderTally:
        return ReaderTally(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


class Readers:
    """`count` readers over the paths in turn, each asking again `every_s` after an answer, until `tally`."""

    def __init__(self, port: int, paths: list[str], count: int, every_s: float, processes: int = 1) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipes: list[Connection[Any, Any]] = []
        for index in range(processes):
            ours, theirs = context.Pipe()
            mine = [paths[n % len(paths)] for n in range(index, count, processes)]
            context.Process(target=_read, args=(theirs, port, mine, every_s), daemon=True).start()
            self.pipes.append(ours)
        for pipe in self.pipes:
            pipe.recv()

    def tally(self) -> ReaderTally:
        """Ends them."""
        for pipe in self.pipes:
            pipe.send(None)
        return sum((pipe.recv() for pipe in self.pipes), ReaderTally())


class BenchReader:
    def __init__(self, port: int, path: str) -> None:
        self.request = f"GET {path} HTTP/1.1\r\nHost: scores.example\r\n\r\n".encode()
        self.port = port
        self.seen = 0
        self.due_at = 0.0
        self.data = b""
        self.connect()

    def connect(self) -> None:
        self.wire = socket.create_connection(("127.0.0.1", self.port))
        self.wire.setblocking(False)

    def answer(self) -> bytes | None:
        """A whole answer, once it is there."""
        head, end, body = self.data.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        # Without a length it is streamed in chunks, which end with an empty one (RFC 9112, 7.1).
        whole = len(body) >= int(length[1]) if length else body.endswith(b"\r\n0\r\n\r\n")
        if not end or not whole:
            return None
        answer, self.data = self.data, b""
        return answer

    def note(self, answer: bytes, tally: ReaderTally) -> None:
        tally.requests += 1
        version = VERSION.search(answer)
        if not answer.startswith(b"HTTP/1.1 200") or version is None:
            tally.failures += 1
        elif int(version[1]) < self.seen:
            tally.backwards += 1
        else:
            self.seen = int(version[1])


class ReaderCrowd:
    """The readers of one process."""

    def __init__(self, port: int, paths: list[str], every_s: float) -> None:
        self.poll, self.tally, self.every_s = select.epoll(), ReaderTally(), every_s
        self.by_number: dict[int, BenchReader] = {}
        self.due: list[tuple[float, int]] = []
        self.absent: list[tuple[float, BenchReader]] = []
        for path in paths:
            self._join(BenchReader(port, path), random.random() * every_s)

    def _join(self, reader: BenchReader, in_s: float) -> None:
        number = reader.wire.fileno()
        self.by_number[number] = reader
        self.poll.register(number, select.EPOLLIN)
        self._due(number, reader, in_s)

    def _due(self, number: int, reader: BenchReader, in_s: float) -> None:
        reader.due_at = time.monotonic() + in_s
        heapq.heappush(self.due, (reader.due_at, number))

    def step(self) -> None:
        """Ask for those whose time has come, and hear what has come, for a hundredth of a second."""
        now = time.monotonic()
        back = [reader for at, reader in self.absent if at <= now]
        self.absent = [(at, reader) for at, reader in self.absent if at > now]
        for reader in back:
            self._come(reader)
        while self.due and self.due[0][0] <= now:
            at, number = heapq.heappop(self.due)
            # One that was cut off has come again since, perhaps under the same number.
            asks = self.by_number.get(number)
            if asks and asks.due_at == at:
                self._ask(number, asks)
        for number, _ in self.poll.poll(0.01, 4_096):
            self._hear(number, self.by_number[number])

    def _ask(self, number: int, reader: BenchReader) -> None:
        try:
            reader.wire.send(reader.request)
        except ConnectionError:
            self._again(number, reader)

    def _again(self, number: int, reader: BenchReader) -> None:
        """Cut off, and the reader comes again; where nobody listens, after a while."""
        self._count_cut()
        self.poll.unregister(number)
        del self.by_number[number]
        reader.wire.close()
        reader.data = b""
        self._come(reader)

    def _count_cut(self) -> None:
        self.tally.cut += 1
        self.tally.failures += 1

    def _come(self, reader: BenchReader) -> None:
        try:
            reader.connect()
        except ConnectionError:
            self._count_cut()
            self.absent.append((time.monotonic() + self.every_s, reader))
            return
        self._join(reader, self.every_s)

    def _hear(self, number: int, reader: BenchReader) -> None:
        try:
            part = reader.wire.recv(65_536)
        except ConnectionError:
            part = b""
        if not part:
            self._again(number, reader)
            return
        reader.data += part
        if answer := reader.answer():
            reader.note(answer, self.tally)
            self._due(number, reader, self.every_s)


def _read(pipe: Connection[Any, Any], port: int, paths: list[str], every_s: float) -> None:
    crowd = ReaderCrowd(port, paths, every_s)
    pipe.send(None)
    while not pipe.poll():
        crowd.step()
    pipe.send(crowd.tally)
