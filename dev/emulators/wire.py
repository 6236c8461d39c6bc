"""Connections: TLS with ALPN, HTTP/2 and HTTP/1.1, the service's answers on them, and every way they break.

h2 does the frames. Stream limits, refused streams and GOAWAY are done here: h2 would close the connection where Apple
refuses a stream, and answer nothing after a GOAWAY where Apple still answers what it accepted.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from typing import Any, Protocol

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h11
from h2.errors import ErrorCodes
from hyperframe.frame import GoAwayFrame, SettingsFrame

from dev.emulators.exchange import EmulatorAnswer, EmulatorRequest, json_answer
from dev.emulators.faults import Faults, is_turn

# What APNs was seen to announce; FCM announces 100 streams and the like.
SETTINGS = {
    SettingsFrame.HEADER_TABLE_SIZE: 4096,
    SettingsFrame.INITIAL_WINDOW_SIZE: 65_535,
    SettingsFrame.MAX_FRAME_SIZE: 16_384,
    SettingsFrame.MAX_HEADER_LIST_SIZE: 8000,
}
BODY_BYTES = 64 * 1024
# After a GOAWAY the client closes. Closing here at once would reset the connection under answers on their way.
LINGER_S = 1.0
# Between the two GOAWAYs of an orderly shutdown: a round trip, so that the client can stop.
GOAWAY_STEP_S = 0.05
NO_STREAM_LIMIT = 2**31 - 1


class Service(Protocol):
    faults: Faults

    def opened(self, connection: ServerConnection, /) -> None: ...

    def closed(self, connection: ServerConnection, /) -> None: ...

    def answer(self, connection: ServerConnection, request: EmulatorRequest, /) -> EmulatorAnswer: ...

    def flush(self) -> None:
        """Called before answers leave: what they acknowledge must be on disk by then."""
        ...


class ServerConnection(asyncio.Protocol):
    """One connection.

    state: the service's own.
    max_streams: MAX_CONCURRENT_STREAMS as announced.
    open: requests by stream, not yet answered.
    stalled: it reads and answers nothing any more.
    used_at: when the last request came, on the loop's clock.
    """

    def __init__(self, service: Service) -> None:
        self.service = service
        self.state: Any = None
        self.max_streams = 100
        self.requests = self.refused = 0
        self.leaving = False
        self.last_stream: int | None = None
        self.highest = 0
        self.stalled = False
        self.used_at = 0.0
        self.open: dict[int, EmulatorRequest] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        tls = transport.get_extra_info("ssl_object")
        self.h2: h2.connection.H2Connection | None = None
        self.h1 = h11.Connection(h11.SERVER)
        self.service.opened(self)
        if tls is not None and tls.selected_alpn_protocol() == "h2":
            self._start_h2()

    def _start_h2(self) -> None:
        config = h2.config.H2Configuration(client_side=False, header_encoding="utf-8")
        self.h2 = h2.connection.H2Connection(config)
        self.h2.local_settings.max_concurrent_streams = NO_STREAM_LIMIT
        self.h2.local_settings.acknowledge()
        self.h2.initiate_connection()
        self.h2.data_to_send()  # its SETTINGS; ours go instead
        self.transport.write(_settings(SETTINGS | {SettingsFrame.MAX_CONCURRENT_STREAMS: self.max_streams}))

    def connection_lost(self, _error: Exception | None) -> None:
        self.stalled = True
        self.service.closed(self)

    def allow(self, streams: int) -> None:
        """A new MAX_CONCURRENT_STREAMS."""
        if streams != self.max_streams:
            self.max_streams = streams
            self.transport.write(_settings({SettingsFrame.MAX_CONCURRENT_STREAMS: streams}))

    def go_away(self, reason: str) -> None:
        """Streams up to `last_stream` are still answered, later ones refused (RFC 9113, 6.8)."""
        if self.leaving:
            return
        self.leaving = True
        if self.service.faults.goaway_steps > 1:
            self._write_goaway(NO_STREAM_LIMIT, reason)
            asyncio.get_running_loop().call_later(GOAWAY_STEP_S, self._leave, reason)
        else:
            self._leave(reason)

    def _leave(self, reason: str) -> None:
        self.last_stream = self.highest
        self._write_goaway(self.last_stream, reason)
        asyncio.get_running_loop().call_later(LINGER_S, self.transport.close)

    def _write_goaway(self, last_stream: int, reason: str) -> None:
        frame = GoAwayFrame(0, last_stream_id=last_stream, error_code=0)
        frame.additional_data = json.dumps({"reason": reason}).encode()
        self._flush()
        self.transport.write(frame.serialize())

    def change_settings(self, values: dict[int, int]) -> None:
        """Other SETTINGS while it runs. h2 checks that the client keeps to them."""
        if self.h2 is not None:
            self.h2.update_settings(values)
            self._flush()

    def cut(self) -> None:
        self.stalled = True
        self.transport.abort()

    def close(self) -> None:
        self.stalled = True
        self.transport.close()

    def data_received(self, data: bytes) -> None:
        if self.stalled or self._is_dead():
            return
        if self.h2 is None:
            self._http1(data)
        else:
            self._http2(self.h2, data)
        self.service.flush()
        self._flush()

    def _is_dead(self) -> bool:
        now = asyncio.get_running_loop().time()
        limit_s = self.service.faults.idle_death_s
        self.stalled = bool(limit_s and self.requests) and now - self.used_at > limit_s
        self.used_at = now
        return self.stalled

    def _flush(self) -> None:
        if self.h2 is not None and not self.stalled and (out := self.h2.data_to_send()):
            self.transport.write(out)

    def _http2(self, conn: h2.connection.H2Connection, data: bytes) -> None:
        try:
            events = conn.receive_data(data)
        except h2.exceptions.ProtocolError:
            self._flush()
            self.transport.close()
            return
        for event in events:
            self._event(conn, event)

    def _event(self, conn: h2.connection.H2Connection, event: h2.events.Event) -> None:
        if isinstance(event, h2.events.RequestReceived):
            self._open_stream(conn, event)
        elif isinstance(event, h2.events.DataReceived):
            conn.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            if (request := self.open.get(event.stream_id)) and len(request.body) < BODY_BYTES:
                request.body += event.data
        elif isinstance(event, h2.events.StreamEnded) and event.stream_id in self.open:
            self._handle(event.stream_id)
        elif isinstance(event, h2.events.StreamReset):
            self.open.pop(event.stream_id, None)
        elif isinstance(event, h2.events.ConnectionTerminated):
            self.transport.close()

    def _open_stream(self, conn: h2.connection.H2Connection, event: h2.events.RequestReceived) -> None:
        sid = event.stream_id
        too_late = self.last_stream is not None and sid > self.last_stream
        if too_late or len(self.open) >= self.max_streams:
            self.refused += 1
            conn.reset_stream(sid, ErrorCodes.REFUSED_STREAM)
            return
        self.highest = max(self.highest, sid)
        fields = [(str(name), str(value)) for name, value in event.headers]
        pseudo = dict(fields[:4])
        plain = [(name, value) for name, value in fields if not name.startswith(":")]
        self.open[sid] = EmulatorRequest(pseudo.get(":method", ""), pseudo.get(":path", ""), plain)

    def _handle(self, sid: int) -> None:
        self.requests += 1
        faults, n = self.service.faults, self.requests
        if faults.stall_after and n > faults.stall_after:
            self.stalled = True
            return
        answer = self._answer(self.open[sid])
        if is_turn(faults.cut_every, n) or is_turn(faults.close_every, n):
            self.service.flush()
            self.cut() if is_turn(faults.cut_every, n) else self.close()
        elif is_turn(faults.reset_every, n) and self.h2:
            self.open.pop(sid)
            self.h2.reset_stream(sid, ErrorCodes.INTERNAL_ERROR)
        else:
            asyncio.get_running_loop().call_later(faults.latency_ms / 1000, self._respond, sid, answer)
        if faults.goaway_after and n >= faults.goaway_after:
            self.go_away("Shutdown")

    def _answer(self, request: EmulatorRequest) -> EmulatorAnswer:
        faults = self.service.faults
        if is_turn(faults.status_every, self.requests):
            after = {"retry-after": str(faults.retry_after_s)} if faults.retry_after_s else {}
            return json_answer(faults.status, {"reason": faults.reason}, **after)
        return self.service.answer(self, request)

    def _respond(self, sid: int, answer: EmulatorAnswer) -> None:
        if self.stalled or self.open.pop(sid, None) is None:
            return
        if self.h2 is None:
            self._respond_http1(answer)
            return
        fields = [(":status", str(answer.status)), *answer.headers.items()]
        self.h2.send_headers(sid, fields, end_stream=not answer.body)
        if answer.body:
            self.h2.send_data(sid, answer.body, end_stream=True)
        self._flush()

    def _http1(self, data: bytes) -> None:
        """One request at a time; the next is read once this one is answered."""
        if data:
            self.h1.receive_data(data)
        event = self.h1.next_event()
        while event is not h11.NEED_DATA and event is not h11.PAUSED:
            if isinstance(event, h11.Request):
                named = [(name.decode(), value.decode()) for name, value in event.headers]
                self.open[0] = EmulatorRequest(event.method.decode(), event.target.decode(), named)
            elif isinstance(event, h11.Data):
                self.open[0].body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                self._handle(0)
                return
            else:
                self.transport.close()
                return
            event = self.h1.next_event()

    def _respond_http1(self, answer: EmulatorAnswer) -> None:
        self.service.flush()
        fields = [*answer.headers.items(), ("content-length", str(len(answer.body)))]
        head = h11.Response(status_code=answer.status, headers=fields)
        out = [self.h1.send(head), self.h1.send(h11.Data(data=answer.body)), self.h1.send(h11.EndOfMessage())]
        self.transport.write(b"".join(part for part in out if part))
        if self.h1.our_state is not h11.DONE or self.h1.their_state is not h11.DONE:
            self.transport.close()
            return
        self.h1.start_next_cycle()
        self._http1(b"")


def _settings(values: dict[int, int]) -> bytes:
    return SettingsFrame(0, settings=values).serialize()


def tls_context(cert: str, key: str, *alpn: str) -> ssl.SSLContext:
    """TLS 1.2 or newer (Apple's and Google's floor) with the protocols a service speaks."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(cert, key)
    context.set_alpn_protocols(list(alpn))
    return context
