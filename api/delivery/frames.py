"""WebSocket frames, made once for all who get them; wsproto keeps the protocol (RFC 6455, RFC 7692)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from wsproto.connection import Connection, ConnectionType
from wsproto.events import Event
from wsproto.extensions import Extension, PerMessageDeflate

# An offer of permessage-deflate (RFC 7692, 7.1) that leaves us the largest window, in which our frames are made.
OFFER = re.compile(
    r"permessage-deflate(?:; *(?:(?:client|server)_no_context_takeover|client_max_window_bits(?:=(?:9|1[0-5]))?"
    r"|server_max_window_bits=15))*"
)


class StatelessDeflate(PerMessageDeflate):
    """permessage-deflate in which no message refers to one before it. wsproto does not tell the client so."""

    def __init__(self) -> None:
        super().__init__(client_no_context_takeover=True, server_no_context_takeover=True)

    def accept(self, offer: str) -> bool | str | None:
        parameters = super().accept(offer)
        return f"{parameters}; server_no_context_takeover" if isinstance(parameters, str) else parameters


def agreed(offers: Sequence[object]) -> list[Extension]:
    """The extensions of a connection; none where deflate is not offered, or not as we take it.

    offers: of the client's `Sec-WebSocket-Extensions`.
    """
    deflates = [str(offer) for offer in offers if str(offer).startswith(PerMessageDeflate.name)]
    return [StatelessDeflate()] if len(deflates) == 1 and OFFER.fullmatch(deflates[0]) else []


def framed(event: Event, *, deflated: bool = False) -> bytes:
    """Frames of a server are not masked (RFC 6455, 5.1), and a deflated one needs no other to be read: one encoding
    serves every client."""
    deflate = StatelessDeflate()
    deflate.finalize(deflate.name)
    return Connection(ConnectionType.SERVER, [deflate] if deflated else []).send(event)
