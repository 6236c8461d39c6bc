"""Redis and web processes alone, with scores written straight into Redis; and clients that are bare sockets."""

from __future__ import annotations

import itertools
import json
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import requests
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Ping, Pong, Request, TextMessage
from wsproto.events import Event as Frame
from wsproto.extensions import Extension
from wsproto.utilities import LocalProtocolError

from db.domain import Event, Person, Score, Side, Stamp, Status, Team, Update, reduce
from db.domain.update import MatchInfo
from db.live.client import connect
from db.live.store import LiveStore
from tests.conftest import wait_until
from tests.support.system import System


class Origin(System):
    """As `System`, without workers: `tell` is what they do. `inside` looks into the web process."""

    def command(self, name: str) -> list[str]:
        if name != "web":
            return super().command(name)
        return [sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py", "tests.support.inside:app"]

    def start(self) -> None:
        self.restart("redis")
        self.migrate()
        self.restart("web")

    @classmethod
    @contextmanager
    def running(cls, folder: Path, **settings: object) -> Iterator[Self]:
        """Started, and ended whatever happens."""
        origin = cls(folder, **settings)
        try:
            origin.start()
            yield origin
        finally:
            origin.end()

    @cached_property
    def live(self) -> LiveStore:
        return LiveStore(connect(self.redis_url), 1)

    def tell(self, match_id: str, home: int, away: int = 0, minute: int = 1) -> int:
        """One change, committed; returns the version."""
        now = time.time_ns() // 1_000_000
        stamp = Stamp(now, source="test")
        info = MatchInfo(Team("h", "Home"), Team("a", "Away"), start_time=now)
        # The scoreboard alone: hundreds of goals by name would be told more slowly than readers read.
        score = Score(home, away)
        update = Update(match_id, stamp, now, info, score=score, status=Status.FIRST_HALF, minute=minute)
        return self._commit(update)

    def card(self, match_id: str, player: str = "Pepe") -> int:
        """A red card; returns the version."""
        now = time.time_ns() // 1_000_000
        stamp = Stamp(now, source="test")
        event = Event("red", "red_card", stamp, since=stamp, team=Side.AWAY, minute=1, player=Person(player))
        return self._commit(Update(match_id, stamp, now, event=event))

    def _commit(self, update: Update) -> int:
        held = self.live.matches.load(update.match_id, ())
        after, facts = reduce(held.match, update)
        committed = self.live.commits.commit(held, after, facts, (), visible=True)
        assert committed.done
        return committed.version

    @cached_property
    def scores(self) -> Iterator[int]:
        """Each higher than all before."""
        return itertools.count(1)

    def goal(self, match_id: str = "m") -> int:
        """A change that needs no number of its own; returns the version."""
        return self.tell(match_id, next(self.scores))

    def outrun(self, match_id: str, home: int) -> tuple[int, int]:
        """Changes until a reader does not keep up, and ten more that come while its buffers are full. How many, and the
        version of the last."""
        version, is_behind = 0, False
        for count in range(1, 10_000):
            version = self.tell(match_id, home, minute=count % 90 + 1)
            if count % 10 == 0:
                if is_behind:
                    return count, version
                is_behind = bool(self.inside().get("flushing"))
        raise AssertionError("everything was taken")

    def body(self, path: str) -> dict[str, Any]:
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def next(self, path: str = "/api/score/m") -> str:
        return str(self.body(path)["next"])

    def seated(self, count: int) -> list[Client]:
        """Clients that have been answered and keep a place each. One who comes while another still leaves gets none, so
        there are some attempts more."""
        clients: list[Client] = []
        for _ in range(2 * count + 20):
            if len(clients) < count:
                client = self.client().ask("/api/score/m")
                if client.answer()[1]["connection"] == "keep-alive":
                    clients.append(client)
        assert len(clients) == count
        return clients

    def inside(self) -> dict[str, Any]:
        with suppress(requests.RequestException):
            figures: dict[str, Any] = self.get("/inside", timeout=10).json()
            return figures
        return {}

    def greenlets(self) -> int:
        return int(self.body("/inside?greenlets")["greenlets"])

    def wait_for_here(self, count: int) -> None:
        """Held or streaming, with nobody on the way in."""

        def so_many() -> bool:
            inside = self.inside()
            return bool(inside) and inside["here"] == inside["holds"] + inside["streams"] == count

        wait_until(so_many, f"{count} in the hub")

    def wait_for_nobody(self) -> None:
        """No connection but the one that asks."""
        wait_until(lambda: self.inside().get("connections", 2) <= 1, "everybody to be gone")

    @cached_property
    def clients(self) -> list[Client]:
        return []

    def client(self, **options: Any) -> Client:
        self.clients.append(Client(self.port, **options))
        return self.clients[-1]

    def socket(self, **options: Any) -> WebSocket:
        self.clients.append(client := WebSocket(self.port, **options))
        return client

    def hang_up(self) -> None:
        """All clients, without a word."""
        while self.clients:
            self.clients.pop().reset()

    def end(self) -> None:
        self.hang_up()
        super().end()
        self.live.redis.close()


class Closed(Exception):
    """By the server, before all that was waited for had come."""


class Client:
    """One connection. buffer: of the socket's receiving side in bytes, for a client that reads little."""

    def __init__(self, port: int, *, buffer: int = 0, timeout_s: float = 30.0) -> None:
        self.sock = socket.socket()
        if buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.sock.settimeout(timeout_s)
        try:
            self.sock.connect(("127.0.0.1", port))
        except OSError:
            self.sock.close()
            raise
        self.data = b""

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def ask(self, path: str, *lines: str, method: str = "GET", http: str = "1.1") -> Client:
        head = [f"{method} {path} HTTP/{http}", "Host: scores.example", *lines]
        self.send("\r\n".join([*head, "", ""]).encode())
        return self

    def read_fast(self) -> None:
        """After all, with buffers as others have them."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1_000_000)

    def until(self, mark: bytes) -> bytes:
        """What comes, through the mark."""
        while mark not in self.data:
            self._more()
        before, _, self.data = self.data.partition(mark)
        return before + mark

    def take(self, size: int) -> bytes:
        while len(self.data) < size:
            self._more()
        taken, self.data = self.data[:size], self.data[size:]
        return taken

    def rest(self) -> bytes:
        """All that comes until the server closes."""
        with suppress(Closed, ConnectionResetError):
            while True:
                self._more()
        return self.data

    def head(self) -> tuple[int, dict[str, str]]:
        first, *lines = self.until(b"\r\n\r\n").decode("latin-1").strip().split("\r\n")
        return int(first.split()[1]), {k.lower(): v for k, _, v in (line.partition(": ") for line in lines)}

    def answer(self) -> tuple[int, dict[str, str], Any]:
        """One whole answer with a length: status, headers in small letters, JSON."""
        status, headers = self.head()
        return status, headers, json.loads(self.take(int(headers["content-length"])))

    def body(self) -> Any:
        status, _, body = self.answer()
        assert status == 200, body
        return body

    def event(self) -> dict[str, Any]:
        """The next Server-Sent Event that has data."""
        while True:
            fields = dict(line.split(": ", 1) for line in self.until(b"\n\n").decode().split("\n") if ": " in line)
            if "data" in fields:
                body: dict[str, Any] = json.loads(fields["data"])
                assert fields["id"] == str(body["version"])
                return body

    def is_silent(self) -> bool:
        """Nothing has come, and it is open."""
        if self.data:
            return False
        self.sock.setblocking(False)
        try:
            self.data += self.sock.recv(1)
        except BlockingIOError:
            return True
        finally:
            self.sock.settimeout(30)
        return False

    def close(self) -> None:
        self.sock.close()

    def reset(self) -> None:
        """RST instead of FIN, as of a process that was killed with unread bytes or a network that gave up."""
        with suppress(OSError):
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def _more(self) -> None:
        data = self.sock.recv(65_536)
        if not data:
            raise Closed(self.data[-200:])
        self.data += data


Connect = Callable[..., Client]


class WebSocket(Client):
    """A client of `/api/ws`, by wsproto. Pings are answered while it reads."""

    def __init__(self, port: int, *, extensions: Sequence[Extension] = (), **options: Any) -> None:
        super().__init__(port, **options)
        self.protocol = WSConnection(ConnectionType.CLIENT)
        self.frames: list[Frame] = []
        self.pongs = self.bytes_read = 0
        self.tell(Request(host="scores.example", target="/api/ws", extensions=list(extensions)))
        accepted = self.frame()
        assert isinstance(accepted, AcceptConnection)
        self.extensions = accepted.extensions

    def tell(self, frame: Frame) -> None:
        self.send(self.protocol.send(frame))

    def say(self, message: Any) -> WebSocket:
        self.tell(TextMessage(message if isinstance(message, str) else json.dumps(message)))
        return self

    def frame(self) -> Frame:
        while True:
            while self.frames:
                frame = self.frames.pop(0)
                if isinstance(frame, Ping):
                    self.tell(frame.response())
                else:
                    return frame
            data = self.sock.recv(65_536)
            self.bytes_read += len(data)
            self.protocol.receive_data(data or None)
            self.frames += self.protocol.events()

    def told(self) -> Any:
        """The next message."""
        text = ""
        while True:
            frame = self.frame()
            if isinstance(frame, Pong):
                self.pongs += 1
                continue
            assert isinstance(frame, TextMessage), frame
            text += frame.data
            if frame.message_finished:
                return json.loads(text)

    def ended(self) -> int:
        """The code it is closed with, all messages before it dropped; then the connection is at its end."""
        while not isinstance(frame := self.frame(), CloseConnection):
            pass
        with suppress(OSError, LocalProtocolError):
            # Where it was not the client that closed.
            self.tell(frame.response())
        assert self.rest() == b""
        return int(frame.code)
