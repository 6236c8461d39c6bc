"""What the sending loop asks of a connection, whatever carries it: `http2` to one service, `curl` to any host."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

# What one answer may take. Google asks for at least 10 s ("Scale guide").
ANSWER_S = 10.0
CONNECT_S = 5.0
# Requests in flight on one connection. Apple allows 1,000; with 300 a round trip of 15 ms already carries 20,000 a
# second, and a cut connection leaves fewer in doubt. Measured with bench/push.py: 100 and 1,000 cost the same CPU.
STREAMS = 300
# An answer is a line of JSON; more than this is none of theirs.
ANSWER_BYTES = 64 * 1024


@dataclass(slots=True)
class Request:
    """A POST. parcel: the caller's, handed back. target: the path, on a lane to any host the URL. headers: `name:
    value`, one list for all requests that share it. deadline: s since the epoch. scope: what it needs to be set up at
    the service, for where that is wrong another scope may be right. began: on the lane's clock."""

    parcel: Any
    target: str = field(repr=False)
    headers: list[str] = field(repr=False)
    body: bytes = field(repr=False)
    deadline: float
    scope: str = ""
    tries: int = 0
    began: float = 0.0


@dataclass(slots=True)
class Reply:
    """status 0: no answer came, and `error` says why: of ERRORS."""

    status: int
    body: bytes = b""
    error: str = ""
    retry_after_s: float = 0.0


# No connection could be made…
NO_SERVICE = ("no_address", "no_connection", "no_tls", "certificate_refused")
# …or it was there, and nothing, or only a part, came back; `unprocessed` says for certain that it was not looked at.
ERRORS = (*NO_SERVICE, "connection_lost", "stream_reset", "no_answer", "unprocessed")


class PushConnection(Protocol):
    """Not thread-safe: one loop drives it (notify/transports/sender.py). Times are of the monotonic clock.

    It begins with `opening` requests in flight, may have one more with every good answer, which doubles them each round
    trip, and begins with a single one after its connection was lost: a service in trouble cuts what comes too fast.
    retiring: takes no more and is renewed once it is empty; stalled: renewed at once. timer_at: when tick() is due.
    """

    retiring: bool
    stalled: bool

    @property
    def room(self) -> int:
        """How many more may fly."""
        ...

    @property
    def busy(self) -> bool:
        """Requests are in flight."""
        ...

    @property
    def timer_at(self) -> float | None: ...

    def start(self, request: Request, now: float) -> None: ...

    def widen(self) -> None:
        """A good answer came."""
        ...

    def act(self, fd: int, events: int, /) -> None:
        """A socket of it is ready, for these epoll events."""
        ...

    def tick(self, now: float) -> None: ...

    def done(self, now: float, /) -> list[tuple[Request, Reply]]:
        """What has been answered, or has failed, since it was last asked."""
        ...

    def renew(self) -> list[Request]:
        """Leave the connection for a new one; returns the requests it had in flight."""
        ...

    def close(self) -> None: ...
