"""What a connection needs of others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .connection import Connection
    from .poller import Poller


class Answer(Protocol):
    """What is released to a held request.

    close: it is the connection's last.
    wire: its bytes. variant: 1 where it is the last, plus what the connection has for `variant`.
    """

    @property
    def close(self) -> bool: ...

    def wire(self, variant: int) -> bytes: ...


class Server(Protocol):
    """What a connection needs of the worker.

    keepalive_s: how long a client may be silent between two requests.
    """

    poller: Poller
    keepalive_s: float

    def take(self, connection: Connection, head: bytes) -> bool:
        """Answer or hold a request whose whole head this is; False where a handler has to."""

    def resume(self, connection: Connection) -> None:
        """Start a handler that reads from it."""

    def closed(self, connection: Connection) -> None: ...
