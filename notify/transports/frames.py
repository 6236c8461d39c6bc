"""HTTP/2 as a client of push services needs it (RFC 9113, RFC 7541), without I/O: POST in, status and body out.

Python's h2 spends about 250 µs on a request and libcurl 27 µs, for they serve every use; a push is one HEADERS and one
DATA frame, alike but for the path, and its answer two more. Neither side keeps a compression table: ours is declared
empty, and we send literals, authorization and path never indexed, as Apple asks.
"""

from __future__ import annotations

import struct
from collections import OrderedDict, deque

from hpack import Decoder, HPACKError

from notify.transports.connection import ANSWER_BYTES, Reply, Request

DATA, HEADERS, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 5, 6, 7, 8, 9
END_STREAM = ACK = 0x1
END_HEADERS, PADDED, PRIORITY = 0x4, 0x8, 0x20
MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE = 3, 4, 5
REFUSED_STREAM, CANCEL = 7, 8
# Length and type, flags, stream: the nine bytes before every frame.
_HEAD = struct.Struct(">LBL")
_WINDOW = 65_535
_LAST_STREAM = 2**31 - 1
# Our window for answers; they are a line each, so it is opened wide once and again when half is used.
_OUR_WINDOW = 2**30
# HEADER_TABLE_SIZE 0, ENABLE_PUSH 0.
_PREFACE = (
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    + _HEAD.pack(12 << 8 | SETTINGS, 0, 0)
    + struct.pack(">HLHL", 1, 0, 2, 0)
    + _HEAD.pack(4 << 8 | WINDOW_UPDATE, 0, 0)
    + struct.pack(">L", _OUR_WINDOW - _WINDOW)
)
# RFC 7541, appendix A: `:method: POST`, `:scheme: https`, `:status: 200`.
_POST_HTTPS, _STATUS_200 = b"\x83\x87", 0x88
# Header lists in finished form: a chunk has one per language and manner.
_FORMS = 64
_GOOD = Reply(200)


class ProtocolError(Exception):
    """The service broke HTTP/2; its connection is of no use any more."""


class Stream:
    """What is known of an answer that is not all here."""

    __slots__ = ("body", "retry_after_s", "status")

    def __init__(self, status: int, retry_after_s: float) -> None:
        self.status, self.retry_after_s, self.body = status, retry_after_s, b""


class Http2Session:
    """One connection's frames. out: bytes to send. flying: requests by stream, oldest first; held: those that wait for
    flow control. answered: to be taken. allowed: the service's stream limit. going: it sent GOAWAY."""

    def __init__(self, authority: str) -> None:
        self.out = bytearray(_PREFACE)
        self.flying: OrderedDict[int, Request] = OrderedDict()
        self.held: deque[Request] = deque()
        self.answered: list[tuple[Request, Reply]] = []
        self.allowed = 100
        self.going = False
        self._start = _POST_HTTPS + b"\x01" + _string(authority.encode()) + b"\x04"
        self._forms: dict[int, tuple[list[str], bytes]] = {}
        self._next = 1
        self._window = self._stream_window = _WINDOW
        self._frame_bytes = 16_384
        self._unread = bytearray()
        self._streams: dict[int, Stream] = {}
        self._received = 0
        self._block: tuple[int, int, bytes] | None = None
        self._decoder = Decoder()
        self._decoder.header_table_size = self._decoder.max_allowed_table_size = 0

    @property
    def open(self) -> bool:
        """Whether it takes another request: it is not spent, and none waits for flow control."""
        return not (self.spent or self.held)

    @property
    def spent(self) -> bool:
        """It takes no more requests: after a GOAWAY, or when the stream numbers have run out."""
        return self.going or self._next > _LAST_STREAM

    def send(self, request: Request) -> None:
        self.held.append(request)
        self._send_held()

    def _send_held(self) -> None:
        """What flow control lets go (RFC 9113, 5.2): a body goes whole or waits."""
        while self.held and not self.going:
            size = len(self.held[0].body)
            if size > self._window or size > self._stream_window or size > self._frame_bytes:
                return
            self._send(self.held.popleft())

    def _send(self, request: Request) -> None:
        stream, body = self._next, request.body
        self._next = stream + 2
        head = self._start + _string(request.target.encode()) + self._form(request.headers)
        pack = _HEAD.pack
        self.out += pack(len(head) << 8 | HEADERS, END_HEADERS, stream) + head
        self.out += pack(len(body) << 8 | DATA, END_STREAM, stream) + body
        self._window -= len(body)
        self.flying[stream] = request

    def cancel_oldest(self) -> Request:
        """Give up waiting for the longest-standing answer."""
        stream, request = self.flying.popitem(last=False)
        self._reset(stream, CANCEL)
        return request

    def feed(self, data: bytes) -> None:
        """Bytes that came. Raises ProtocolError, whatever is wrong with them."""
        try:
            self._feed(data)
        except (struct.error, IndexError, ValueError) as error:
            raise ProtocolError("a frame that is none") from error

    def _feed(self, data: bytes) -> None:
        self._unread += data
        unread, at, length = self._unread, 0, len(self._unread)
        while length - at >= 9:
            word, flags, stream = _HEAD.unpack_from(unread, at)
            start, end = at + 9, at + 9 + (word >> 8)
            if end > length:
                break
            kind = word & 0xFF
            if kind == HEADERS and flags & ~END_STREAM == END_HEADERS and unread[start] == _STATUS_200:
                self._good(stream & _LAST_STREAM, flags)
            else:
                self._frame(kind, flags, stream & _LAST_STREAM, bytes(unread[start:end]))
            at = end
        del unread[:at]

    def _good(self, stream: int, flags: int) -> None:
        """The one answer there is a million of: 200. What else its headers say is not even looked at."""
        if flags & END_STREAM:
            self._answer(stream, _GOOD)
        else:
            self._streams[stream] = Stream(200, 0.0)

    def _frame(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if self._block is not None and kind != CONTINUATION:
            raise ProtocolError("a header block was interrupted")
        if kind == DATA:
            self._data(flags, stream, payload)
        elif kind == HEADERS:
            self._headers(flags, stream, _unpadded(flags, payload))
        elif kind == CONTINUATION and self._block is not None:
            first, known, begun = self._block
            self._headers(known | flags & END_HEADERS, first, begun + payload)
        elif kind == RST_STREAM:
            code = struct.unpack(">L", payload)[0]
            self._fail(stream, "unprocessed" if code == REFUSED_STREAM else "stream_reset")
        elif kind == GOAWAY:
            self._go_away(struct.unpack_from(">L", payload)[0] & _LAST_STREAM)
        elif kind == SETTINGS and not flags & ACK:
            self._settings(payload)
        elif kind == PING and not flags & ACK:
            self.out += _HEAD.pack(8 << 8 | PING, ACK, 0) + payload
        elif kind == WINDOW_UPDATE and stream == 0:
            self._window += struct.unpack(">L", payload)[0] & _LAST_STREAM
            self._send_held()
        elif kind == PUSH_PROMISE:
            raise ProtocolError("a push was promised, against our settings")

    def _data(self, flags: int, stream: int, payload: bytes) -> None:
        self._received += len(payload)
        if self._received > _OUR_WINDOW // 2:
            self.out += _HEAD.pack(4 << 8 | WINDOW_UPDATE, 0, 0) + struct.pack(">L", self._received)
            self._received = 0
        answer = self._streams.get(stream)
        if answer is None:
            return
        if answer.status != 200 and payload:
            answer.body += _unpadded(flags & PADDED, payload)
        if flags & END_STREAM:
            self._end(stream)
        elif len(answer.body) > ANSWER_BYTES:
            self._reset(stream, CANCEL)
            self._fail(stream, "stream_reset")

    def _headers(self, flags: int, stream: int, block: bytes) -> None:
        if not flags & END_HEADERS:
            if len(block) > ANSWER_BYTES:
                raise ProtocolError("a header block without end")
            self._block = (stream, flags, block)
            return
        self._block = None
        try:
            said = {str(name): str(value) for name, value in self._decoder.decode(block)}
        except HPACKError as error:
            raise ProtocolError("headers that cannot be read") from error
        status = int(said.get(":status", "0"))
        # Trailers have no status, and one below 200 announces another.
        if status >= 200:
            after = said.get("retry-after", "")
            self._streams[stream] = Stream(status, float(after) if after.isdecimal() else 0.0)
        if flags & END_STREAM:
            self._end(stream)

    def _end(self, stream: int) -> None:
        answer = self._streams.get(stream)
        if answer is None:
            self._fail(stream, "stream_reset")
        elif answer.status == 200:
            self._answer(stream, _GOOD)
        else:
            self._answer(stream, Reply(answer.status, answer.body, "", answer.retry_after_s))

    def _answer(self, stream: int, reply: Reply) -> None:
        self._streams.pop(stream, None)
        request = self.flying.pop(stream, None)
        if request is not None:
            self.answered.append((request, reply))

    def _fail(self, stream: int, error: str) -> None:
        self._answer(stream, Reply(0, error=error))

    def _go_away(self, last: int) -> None:
        """Streams above the last were not looked at and never will be; those below are still answered."""
        self.going = True
        for stream in [stream for stream in self.flying if stream > last]:
            self._fail(stream, "unprocessed")
        self.answered += [(request, Reply(0, error="unprocessed")) for request in self.held]
        self.held.clear()

    def _settings(self, payload: bytes) -> None:
        for name, value in struct.iter_unpack(">HL", payload):
            if name == MAX_CONCURRENT_STREAMS:
                self.allowed = value
            elif name == INITIAL_WINDOW_SIZE:
                self._stream_window = value
            elif name == MAX_FRAME_SIZE:
                self._frame_bytes = value
        self.out += _HEAD.pack(SETTINGS, ACK, 0)
        self._send_held()

    def _reset(self, stream: int, code: int) -> None:
        self.out += _HEAD.pack(4 << 8 | RST_STREAM, 0, stream) + struct.pack(">L", code)

    def _form(self, headers: list[str]) -> bytes:
        """The headers as literals, never indexed; made once for all requests that share the list."""
        known = self._forms.get(id(headers))
        if known is None:
            if len(self._forms) >= _FORMS:
                self._forms.clear()
            pairs = (line.partition(": ") for line in headers)
            block = b"".join(b"\x10" + _string(name.encode()) + _string(value.encode()) for name, _, value in pairs)
            known = self._forms[id(headers)] = (headers, block)
        return known[1]


def _string(text: bytes) -> bytes:
    """A string literal without Huffman coding (RFC 7541, 5.2)."""
    length = len(text)
    if length < 127:
        return bytes((length,)) + text
    out, rest = bytearray(b"\x7f"), length - 127
    while rest >= 128:
        out.append(rest & 127 | 128)
        rest >>= 7
    return bytes(out) + bytes((rest,)) + text


def _unpadded(flags: int, payload: bytes) -> bytes:
    """Without padding and priority (RFC 9113, 6.1 and 6.2)."""
    if flags & PADDED:
        payload = payload[1 : len(payload) - payload[0]]
    return payload[5:] if flags & PRIORITY else payload
