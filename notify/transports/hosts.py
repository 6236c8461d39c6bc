"""The hosts a transport sends to, kept between calls with their connections."""

from __future__ import annotations

import select
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import certifi

from notify.transports.curl import CurlConnection
from notify.transports.host import Host

# Whoever subscribes names the host, and some services have many (notify.windows.com). The one unused longest goes.
HOSTS_MAX = 64


class Hosts:
    """
    only: the host of the one service all requests go to; None where their URLs name any.
    opening: requests a connection carries at first.
    streams: and at most.
    answer_s: what one answer may take.
    ca: a file of certificates to trust instead of the public ones.
    """

    def __init__(self, url: str | None, *, opening: int, streams: int, answer_s: float, ca: str | None) -> None:
        self.poll = select.epoll()
        self.by_fd: dict[int, CurlConnection] = {}
        self.opening, self.streams, self.answer_s = opening, streams, answer_s
        self.ca = ca or certifi.where()
        # By name; the one used last is last.
        self.by_name: dict[str, Host] = {}
        self.only = self._new(urlsplit(url).netloc) if url else None

    def __iter__(self) -> Iterator[Host]:
        return iter(self.by_name.values())

    def of(self, url: str) -> Host:
        if self.only is not None:
            return self.only
        name = urlsplit(url).netloc.lower()
        host = self.by_name.pop(name, None)
        if host is None:
            self._make_room()
            return self._new(name)
        self.by_name[name] = host
        return host

    def _new(self, name: str) -> Host:
        connection = CurlConnection(
            self.poll,
            self.by_fd,
            ca=self.ca,
            opening=self.opening,
            streams=self.streams,
            answer_s=self.answer_s,
        )
        host = self.by_name[name] = Host(name, connection)
        return host

    def _make_room(self) -> None:
        if len(self.by_name) < HOSTS_MAX:
            return
        idle = next((host for host in self if not host.busy), None)
        if idle is not None:
            idle.connection.close()
            del self.by_name[idle.name]

    def turn(self, wait_s: float) -> None:
        """Let the connections work, and wait at most so long for news. What has come is read before deadlines are
        looked at: the caller may have been away longer than an answer takes."""
        self._listen(0.0)
        for host in self:
            host.connection.tick(time.monotonic())
        due = [at for host in self if (at := host.connection.timer_at) is not None]
        # tick() may send for some ms, and ask to be called again at once.
        now = time.monotonic()
        if any(host.connection.finished for host in self):
            # The caller has answers to take and requests to start, and until then nothing more may come.
            wait_s = 0.0
        self._listen(min([wait_s, *(max(0.0, at - now) for at in due)]))

    def _listen(self, for_s: float) -> None:
        for fd, events in self.poll.poll(for_s):
            connection = self.by_fd.get(fd)
            if connection is not None:
                connection.act(fd, events)

    def abandon(self) -> None:
        """Drop what waits and what is in flight."""
        for host in self:
            host.backlog.clear()
            if host.connection.busy:
                host.connection.abandon()
                host.connection.done(0.0)

    def close(self) -> None:
        for host in self:
            host.connection.close()
        self.poll.close()
