"""WebSocket `/api/ws`: many matches on one connection, the same bodies as the score's.

The reader sends `{"subscribe": ["id", …]}` or, to resume, `{"subscribe": {"id": version, …}}`, and
`{"unsubscribe": ["id", …]}`; it is sent a body for each match and each change. With `{"subscribe_board": cursor}` it is
sent what changes on the board. wsproto keeps the protocol (RFC 6455).
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from typing import Any

import gevent
from flask import Blueprint, Response, request
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Message, Ping, Request, TextMessage
from wsproto.utilities import RemoteProtocolError

from api.delivery.allowance import Allowance
from api.delivery.environ import ALREADY_HANDLED, Connection, connection_of, has_place
from api.delivery.frames import agreed, framed
from api.delivery.snapshot import CHANGES, SURGE_POLL_MS, Snapshot
from api.delivery.stream_writer import StreamWriter
from api.names import meant_match
from api.services import Services, here
from api.topics import current
from api.web import errors
from api.web.ids import checked_id
from api.web.openapi import documented
from db.domain import ID_PATTERN, Cursor
from db.domain.errors import LiveScoreError, Refused
from db.live import metrics

logger = logging.getLogger(__name__)

blueprint = Blueprint("websocket", __name__)

# A board of everything a fan follows; more are a second connection.
SUBSCRIPTIONS_MAX = 200
# Two hundred ids of 64 letters with their versions.
MESSAGE_MAX = 32 * 1024
# Each holds a greenlet with its frames, about 60 KB, so they are a tenth of what may wait.
SHARE = 10
# Messages or matches that were refused before it is closed: each may cost a look into SQL.
REFUSED_MAX = 20
# Where a socket is that follows nothing yet, so that it is pinged and told of the end like all others.
LOBBY = "/ws"
# Bytes read at once. A message that was deflated becomes a thousand times as long at most, so that one reading makes a
# megabyte, in a millisecond, before it is too big.
READ_MAX = 1_024
# Bytes that a client may say at once, and in each second after: two of the largest messages, or 200 subscriptions. A
# frame counts for so many bytes more, and so does each match that it subscribes to: 128 of either are heard a second.
# With frames alone, 70 clients that subscribed to 200 again and again kept others waiting for 0.2 s.
SAID_AT_ONCE, SAID_PER_S, TURN_BYTES = 65_536, 32_768, 256
# What a client may ask for.
ORDERS = {"subscribe": None, "unsubscribe": None, "subscribe_board": None, "unsubscribe_board": None}
# Close codes: RFC 6455, 7.4.1; 1013 of the IANA registry, "try again later".
GOING_AWAY, POLICY, TOO_BIG, TRY_LATER = 1001, 1008, 1009, 1013


class Socket(StreamWriter):
    """One client: what it follows, and what it says."""

    kind = "websocket"
    beat_bytes = framed(Ping())
    end_bytes = framed(CloseConnection(GOING_AWAY, "going away"))

    def __init__(
        self, connection: Connection, services: Services, protocol: WSConnection, *, deflated: bool = False
    ) -> None:
        super().__init__(connection, services.hub)
        self.services = services
        self.protocol = protocol
        self.deflated = deflated
        self.topics: set[str] = set()
        # Subscribed under a name that means another match, so that it can be unsubscribed by it.
        self.other_names: dict[str, str] = {}
        self.text = ""
        self.allowance = Allowance(SAID_AT_ONCE, SAID_PER_S)
        # Beats without a sign of life, what was refused, and what the last message subscribed to.
        self.silent = self.refused = self.named = 0

    def encoded(self, snapshot: Snapshot, version: int | None) -> bytes:
        return snapshot.frame(version, deflated=self.deflated)

    def beat(self) -> None:
        """A client that left two pings unanswered is gone, whatever its socket says."""
        self.silent += 1
        if self.silent > 2:
            self.connection.abort()
        else:
            super().beat()

    def enter(self) -> bool:
        """Take a place, which is given back when it was served, or at the latest when its connection is closed; False
        where there is none."""
        if self.hub.audience(LOBBY) >= max(1, self.hub.most // SHARE) or not self.hub.join(LOBBY, self):
            return False
        self.connection.leave = lambda _: self.leave()
        return True

    def leave(self) -> None:
        for topic in (LOBBY, *self.topics):
            self.hub.part(topic, self)

    def serve(self) -> None:
        """Until either side closes."""
        try:
            while data := self.connection.recv(READ_MAX):
                self.silent = 0
                self.protocol.receive_data(data)
                if not all(self._hear(event) and self._keep_pace(event) for event in self.protocol.events()):
                    break
        except (RemoteProtocolError, OSError) as error:
            logger.debug("websocket_broken reason=%s", type(error).__name__)
        finally:
            self.leave()
            self.connection.closing = True

    def _keep_pace(self, event: Any) -> bool:
        """Pause where the client says more than it may; False once the process is to end."""
        size = (1 + self.named) * TURN_BYTES + (len(event.data) if isinstance(event, Message) else 0)
        self.named = 0
        pause_s = self.allowance.pause_s(size, time.monotonic())
        if pause_s:
            metrics.SOCKET_PAUSES.add()
            gevent.sleep(pause_s)
        return not self.hub.draining

    def turn_away(self) -> None:
        poll_after_ms = SURGE_POLL_MS if self.hub.surging else 2_000
        self.put("", framed(TextMessage(f'{{"poll_after_ms":{poll_after_ms}}}')))
        self.close(TRY_LATER, "try again later")
        self.connection.closing = True

    def _hear(self, event: Any) -> bool:
        """False once the connection is to end."""
        if isinstance(event, Ping | CloseConnection):
            self.put("/pong", self.protocol.send(event.response()))
            return isinstance(event, Ping)
        if isinstance(event, Message):
            return self._gather(event)
        return True

    def _gather(self, message: Message[Any]) -> bool:
        if not isinstance(message, TextMessage):
            return self.close(POLICY, "text only")
        self.text += message.data
        if len(self.text) > MESSAGE_MAX:
            return self.close(TOO_BIG, "too big")
        if message.message_finished:
            text, self.text = self.text, ""
            try:
                self._obey(text)
            except LiveScoreError as error:
                self._refuse(error)
            if self.refused > REFUSED_MAX:
                return self.close(POLICY, "too many refusals")
        return True

    def _refuse(self, error: LiveScoreError) -> None:
        self.refused += 1
        self.put(f"/error/{error.code}", framed(TextMessage(errors.body(error.code, error.message))))

    def close(self, code: int, reason: str) -> bool:
        self.put("/close", framed(CloseConnection(code, reason)))
        return False

    def _obey(self, text: str) -> None:
        """Raises Refused where it is not understood or too much, Unavailable."""
        message = _parsed(text)
        for topic in _ids(message.get("unsubscribe", [])):
            self._unsubscribe(topic)
        wanted = message.get("subscribe", [])
        for topic in _ids(wanted):
            self.named += 1
            if self.refused <= REFUSED_MAX:
                version = wanted[topic] if isinstance(wanted, dict) else None
                self._subscribe(checked_id(topic), version if isinstance(version, int) else None)
        if message.get("unsubscribe_board"):
            self._unsubscribe(CHANGES)
        if "subscribe_board" in message:
            self._subscribe(CHANGES, _board_version(message["subscribe_board"]))

    def _subscribe(self, topic: str, version: int | None, *, is_meant: bool = False) -> None:
        """is_meant: by another name, which is followed once, so that two that name each other make no circle."""
        if topic not in self.topics and len(self.topics) >= SUBSCRIPTIONS_MAX:
            raise Refused(f"At most {SUBSCRIPTIONS_MAX} matches on one connection.", "busy")
        try:
            successor = current(self.services, topic, version or 0).replaced_by
        except Refused as error:
            successor = meant_match(self.services, topic) if error.code == "unknown_match" else None
            if successor is None or is_meant:
                # An unknown match; the others of the list are followed all the same.
                self._refuse(error)
                return
        if successor and not is_meant:
            self.other_names[topic] = successor
            self._subscribe(successor, None, is_meant=True)
            return
        if not self.hub.join(topic, self):
            raise Refused("No more is taken here for now; poll, or try again later.", "busy")
        self.topics.add(topic)
        # Read after joining: whatever changed between is in it.
        snapshot = self.hub.snapshot(topic)
        self.written.pop(topic, None)
        if version is not None:
            self.written[topic] = version
        if snapshot and snapshot.waited != version:
            self.offer(snapshot)

    def _unsubscribe(self, topic: str) -> None:
        topic = self.other_names.pop(topic, topic)
        if topic in self.topics:
            self.topics.discard(topic)
            self.pending.pop(topic, None)
            self.written.pop(topic, None)
            self.hub.part(topic, self)


def _parsed(text: str) -> dict[str, Any]:
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        raise Refused("A message is JSON.", "not_json") from None
    if not isinstance(message, dict) or not message.keys() & ORDERS:
        raise Refused(f"A message has one or more of {', '.join(ORDERS)}.", "invalid")
    return message


def _board_version(cursor: Any) -> int | None:
    """cursor: the end of some `changes`, or the version of what came last; null for a reader who has no board."""
    if cursor is None or (isinstance(cursor, int) and not isinstance(cursor, bool)):
        return cursor
    parsed = Cursor.parse(cursor) if isinstance(cursor, str) else None
    if parsed is None:
        raise Refused("The board is subscribed to by a cursor, a version or null.", "invalid")
    return parsed.version


def _ids(value: Any) -> list[str]:
    """Each once. Raises Refused."""
    ids: list[Any] = list(value) if isinstance(value, list | dict) else [None]
    if not all(isinstance(match_id, str) and ID_PATTERN.fullmatch(match_id) for match_id in ids):
        raise Refused("Matches are named by a list of their ids, or an object of ids and versions.", "invalid")
    return list(dict.fromkeys(ids))


class SocketResponse(Response):
    """The connection is served to its end before the call returns."""

    def __init__(self, serve: Callable[[], None]) -> None:
        super().__init__()
        self.serve = serve

    def __call__(self, _environ: Any, _start_response: Any) -> Any:
        self.serve()
        return ALREADY_HANDLED


@blueprint.get("/api/ws", websocket=True)
@documented("Many matches on one WebSocket", tag="held", status=101, errors=(400, 501))
def websocket() -> Response:
    """Send `{"subscribe": ["id", …]}`, or `{"subscribe": {"id": version}}` to resume, and `{"unsubscribe": […]}`.

    At most 200 matches a connection. Each match and each change comes as the body of its score, `next` being null. A
    slow reader is spared what has been overtaken. Closed with 1013 where no more are taken, 1001 when the process ends.

    `{"subscribe_board": cursor}` tells what changes on the board, as `/api/live/changes` does, `changes` being null;
    `{"unsubscribe_board": true}` ends that. The cursor is the end of some `changes`, or the `version` of what came
    last; null for the whole board.
    """
    services = here()
    connection = connection_of(request.environ)
    if connection is None:
        return errors.answer(501, errors.body("no_websocket", "This server cannot; hold /wait or /stream instead."))
    protocol = WSConnection(ConnectionType.SERVER)
    try:
        protocol.initiate_upgrade_connection([(k.encode(), v.encode()) for k, v in request.headers], request.full_path)
        event = next(iter(protocol.events()), None)
    except RemoteProtocolError:
        event = None
    if not isinstance(event, Request):
        raise Refused("This is the address of a WebSocket (RFC 6455).", "bad_request")
    deflate = agreed(event.extensions)
    connection.write(protocol.send(AcceptConnection(extensions=deflate)))
    socket = Socket(connection, services, protocol, deflated=bool(deflate))
    accepted = has_place(request.environ) and socket.enter()
    return SocketResponse(socket.serve if accepted else socket.turn_away)
