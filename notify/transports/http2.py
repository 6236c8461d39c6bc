"""One HTTP/2 connection to one push service: socket, TLS and deadlines around notify/transports/frames.py."""

from __future__ import annotations

import select
import socket
import ssl
import time
from contextlib import suppress
from urllib.parse import urlsplit

from notify.transports.connection import CONNECT_S, PushConnection, Reply, Request
from notify.transports.frames import Http2Session, ProtocolError

# One read. TLS hands out at most a record of 16 KB a time.
_READ_BYTES = 65_536


class Http2Connection:
    """See Lane. url: scheme, host and port of the service. context: whom to trust.

    Connecting blocks, for CONNECT_S at most: until then there is nothing to do on this lane, and its neighbours go to
    the same host.
    """

    def __init__(
        self,
        poll: select.epoll,
        lanes: dict[int, PushConnection],
        url: str,
        context: ssl.SSLContext,
        opening: int,
        streams: int,
        answer_s: float,
    ) -> None:
        self.poll, self.lanes, self.context = poll, lanes, context
        place = urlsplit(url)
        self.host, self.port = place.hostname or "", place.port or 443
        self.authority = place.netloc
        self.opening, self.streams, self.answer_s = opening, streams, answer_s
        self.failed: list[tuple[Request, Reply]] = []
        self.socket: ssl.SSLSocket | None = None
        self.writing = False
        self._begin()

    def _begin(self) -> None:
        self.retiring = self.stalled = False
        self.limit = self.opening
        self.frames = Http2Session(self.authority)
        self.sending = b""
        self.heard_at = 0.0

    @property
    def room(self) -> int:
        frames = self.frames
        if self.retiring or not frames.open:
            return 0
        return min(self.limit, frames.allowed) - len(frames.flying) - len(self.failed)

    @property
    def busy(self) -> bool:
        return bool(self.frames.flying or self.frames.held or self.failed)

    @property
    def timer_at(self) -> float | None:
        oldest = self._oldest
        return oldest.began + self.answer_s if oldest else None

    @property
    def _oldest(self) -> Request | None:
        waiting = self.frames.flying.values() or self.frames.held
        return next(iter(waiting), None)

    def widen(self) -> None:
        if self.limit < self.streams:
            self.limit += 1

    def start(self, request: Request, now: float) -> None:
        request.tries += 1
        request.began = now
        if not self.frames.flying:
            self._wake()
        if self.socket is None and (error := self._connect()):
            # Each further one would wait for a connection of its own: one a turn finds out as well.
            self.limit = 1
            self.failed.append((request, Reply(0, error=error)))
        else:
            self.frames.send(request)

    def act(self, _fd: int, events: int) -> None:
        if events & ~select.EPOLLOUT:
            self._read()
        self._write()

    def tick(self, now: float) -> None:
        self._write()
        # A service that allows no streams and has none to answer is left; the next connection may be allowed some.
        self.stalled |= self.frames.allowed == 0 and not self.busy
        while (oldest := self._oldest) and oldest.began + self.answer_s <= now:
            if self.heard_at <= oldest.began or not self.frames.flying:
                self.stalled = True
                return
            self.failed.append((self.frames.cancel_oldest(), Reply(0, error="no_answer")))

    def done(self, _now: float) -> list[tuple[Request, Reply]]:
        answered, failed = self.frames.answered, self.failed
        self.frames.answered, self.failed = [], []
        self.retiring |= self.frames.spent
        found = answered + failed
        for request, reply in found:
            if reply.error == "unprocessed":
                request.tries -= 1
        return found

    def renew(self) -> list[Request]:
        left = [*self.frames.flying.values(), *self.frames.held]
        self.close()
        self._begin()
        return left

    def close(self) -> None:
        if self.socket is None:
            return
        fd = self.socket.fileno()
        self.lanes.pop(fd, None)
        with suppress(OSError, ValueError):
            self.poll.unregister(fd)
        self.socket.close()
        self.socket = None

    def _wake(self) -> None:
        """Nothing has been read since the last call: the service may have said goodbye meanwhile."""
        if self.socket is not None:
            self._read()
            if self.frames.going:
                self.renew()

    def _connect(self) -> str:
        """Returns the error, "" if it is connected."""
        try:
            plain = socket.create_connection((self.host, self.port), CONNECT_S)
        except socket.gaierror:
            return "no_address"
        except OSError:
            return "no_connection"
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            self.socket = self.context.wrap_socket(plain, server_hostname=self.host)
        except ssl.SSLCertVerificationError:
            plain.close()
            return "certificate_refused"
        except OSError:
            plain.close()
            return "no_tls"
        return self._opened(self.socket)

    def _opened(self, secured: ssl.SSLSocket) -> str:
        if secured.selected_alpn_protocol() != "h2":
            secured.close()
            self.socket = None
            return "no_tls"
        secured.setblocking(False)
        self.poll.register(secured.fileno(), select.EPOLLIN)
        self.lanes[secured.fileno()] = self
        self.writing = False
        return ""

    def _read(self) -> None:
        try:
            while self.socket is not None:
                data = self.socket.recv(_READ_BYTES)
                if not data:
                    self._lost()
                    return
                self.heard_at = time.monotonic()
                self.frames.feed(data)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        except (OSError, ProtocolError):
            self._lost()

    def _write(self) -> None:
        """Send what there is. A piece that TLS did not take must be offered again as it was."""
        try:
            while self.socket is not None and (self.sending or self.frames.out):
                if not self.sending:
                    self.sending = bytes(self.frames.out[:_READ_BYTES])
                    del self.frames.out[: len(self.sending)]
                sent = self.socket.send(self.sending)
                self.sending = self.sending[sent:]
        except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
            pass
        except OSError:
            self._lost()
        self._watch(bool(self.sending or self.frames.out))

    def _watch(self, writing: bool) -> None:
        if self.socket is not None and writing != self.writing:
            self.writing = writing
            self.poll.modify(self.socket.fileno(), select.EPOLLIN | (select.EPOLLOUT if writing else 0))

    def _lost(self) -> None:
        """Whatever is in flight may have arrived or not. What was answered before stays answered."""
        answered = self.frames.answered
        self.failed += [(request, Reply(0, error="connection_lost")) for request in self.renew()]
        self.frames.answered = answered
        self.limit = 1


def trusting(ca: str) -> ssl.SSLContext:
    """TLS 1.2 or newer with HTTP/2. ca: a file of certificates to trust."""
    context = ssl.create_default_context(cafile=ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2"])
    return context
