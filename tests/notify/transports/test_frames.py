"""Our frames against Python's h2 on the other side, which refuses whatever breaks the protocol."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    DataReceived,
    Event,
    PingAckReceived,
    RequestReceived,
    SettingsAcknowledged,
    StreamEnded,
    StreamReset,
)
from h2.settings import SettingCodes
from hyperframe.frame import ContinuationFrame, DataFrame, GoAwayFrame, HeadersFrame, PingFrame, PushPromiseFrame
from hypothesis import given, settings
from hypothesis import strategies as st
from notify.transports.connection import Reply, Request
from notify.transports.frames import Http2Session, ProtocolError, _string


def request(target: str = "/3/device/ab", body: bytes = b"{}", headers: list[str] | None = None) -> Request:
    return Request(None, target, headers or ["authorization: bearer x", "apns-topic: app"], body, 0.0)


class Service:
    """The other side of one connection."""

    def __init__(self, connection: Http2Session) -> None:
        self.ours = connection
        self.h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self.h2.initiate_connection()
        self.events: list[Event] = []

    def turn(self) -> list[Event]:
        """Exchange what there is; what this side heard of it."""
        heard: list[Event] = []
        for _ in range(3):
            out, self.ours.out = bytes(self.ours.out), bytearray()
            heard += self.h2.receive_data(out) if out else []
            self.ours.feed(self.h2.data_to_send())
        self.events += heard
        return heard

    def answer(self, stream: int, status: int = 200, body: bytes = b"", **headers: str) -> None:
        fields = [(":status", str(status)), *((name.replace("_", "-"), value) for name, value in headers.items())]
        self.h2.send_headers(stream, fields, end_stream=not body)
        if body:
            self.h2.send_data(stream, body, end_stream=True)
        self.turn()

    def raw(self, data: bytes) -> None:
        self.ours.feed(data)


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service(Http2Session("push.example:443"))
    service.turn()
    yield service
    service.turn()


def test_a_request_is_what_the_reference_reads_as_one(service: Service) -> None:
    said = request("/3/device/" + "ab" * 32, b'{"aps":{}}')
    service.ours.send(said)
    asked, data, ended = service.turn()
    assert isinstance(asked, RequestReceived)
    assert dict(asked.headers) == {
        ":method": "POST",
        ":scheme": "https",
        ":authority": "push.example:443",
        ":path": said.target,
        "authorization": "bearer x",
        "apns-topic": "app",
    }
    assert isinstance(data, DataReceived)
    assert data.data == said.body
    assert isinstance(ended, StreamEnded)


def test_paths_and_tokens_are_never_kept_in_a_table(service: Service) -> None:
    service.ours.send(request())
    service.turn()
    assert not service.h2.decoder.header_table.dynamic_entries
    assert b"\x10\x0dauthorization" in service.ours._form(request().headers)


@pytest.mark.parametrize("length", [0, 1, 126, 127, 128, 255, 300, 8_000])
def test_strings_of_any_length_are_read_back(service: Service, length: int) -> None:
    service.ours.send(request("/" + "p" * length, headers=["x: " + "v" * (length // 2)]))
    asked = service.turn()[0]
    assert isinstance(asked, RequestReceived)
    assert dict(asked.headers)[":path"] == "/" + "p" * length
    assert _string(b"")[:1] == b"\x00"


def test_a_good_answer_is_known_whether_it_has_a_body_or_not(service: Service) -> None:
    first, second = request("/1"), request("/2")
    service.ours.send(first)
    service.ours.send(second)
    service.turn()
    service.answer(3, 200, b'{"name": "projects/p/messages/1"}', apns_id="x")
    service.answer(1, 200)
    assert service.ours.answered == [(second, Reply(200)), (first, Reply(200))]
    assert not service.ours.flying


def test_a_refusal_comes_with_its_body_and_its_retry_after(service: Service) -> None:
    service.ours.send(request())
    service.turn()
    service.answer(1, 429, b'{"reason":"TooManyRequests"}', retry_after="37")
    [(_, reply)] = service.ours.answered
    assert reply == Reply(429, b'{"reason":"TooManyRequests"}', "", 37.0)


def test_informational_headers_and_trailers_are_no_answers(service: Service) -> None:
    service.ours.send(request())
    service.turn()
    service.h2.send_headers(1, [(":status", "103")])
    service.turn()
    assert not service.ours.answered
    service.h2.send_headers(1, [(":status", "410")])
    service.h2.send_data(1, b"{}")
    service.h2.send_headers(1, [("x-trailer", "1")], end_stream=True)
    service.turn()
    assert service.ours.answered[0][1] == Reply(410, b"{}")


def test_a_reset_stream_is_in_doubt_and_a_refused_one_is_not(service: Service) -> None:
    for target in ("/1", "/2"):
        service.ours.send(request(target))
    service.turn()
    service.h2.reset_stream(1, ErrorCodes.INTERNAL_ERROR)
    service.h2.reset_stream(3, ErrorCodes.REFUSED_STREAM)
    service.turn()
    assert [reply.error for _, reply in service.ours.answered] == ["stream_reset", "unprocessed"]


def test_after_a_goaway_what_it_left_out_was_certainly_not_processed(service: Service) -> None:
    requests = [request(f"/{n}") for n in range(4)]
    for each in requests:
        service.ours.send(each)
    service.turn()
    service.raw(GoAwayFrame(0, last_stream_id=3, error_code=0).serialize())
    assert service.ours.going
    assert not service.ours.open
    assert service.ours.answered == [(each, Reply(0, error="unprocessed")) for each in requests[2:]]
    service.answer(1)
    service.answer(3)
    assert [reply.status for _, reply in service.ours.answered[2:]] == [200, 200]


def test_the_services_limits_are_heard_and_acknowledged(service: Service) -> None:
    service.h2.update_settings({SettingCodes.MAX_CONCURRENT_STREAMS: 7})
    heard = service.turn()
    assert service.ours.allowed == 7
    assert any(isinstance(event, SettingsAcknowledged) for event in heard)


def test_a_ping_is_answered(service: Service) -> None:
    service.raw(PingFrame(0, b"12345678").serialize())
    out, service.ours.out = bytes(service.ours.out), bytearray()
    assert PingFrame(0, b"12345678", flags=["ACK"]).serialize() in out
    service.h2.ping(b"abcdefgh")
    assert any(isinstance(event, PingAckReceived) for event in service.turn())


def test_bodies_wait_for_the_connections_window(service: Service) -> None:
    """The reference raises FlowControlError on one byte too many."""
    for n in range(40):
        service.ours.send(request(f"/{n}", b"x" * 4096))
    heard = service.turn()
    begun = [event for event in heard if isinstance(event, RequestReceived)]
    assert len(begun) == 65_535 // 4096
    assert len(service.ours.held) == 40 - len(begun)
    assert not service.ours.open
    for event in heard:
        if isinstance(event, DataReceived):
            service.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
    heard += service.turn()
    assert len([event for event in heard if isinstance(event, RequestReceived)]) > len(begun)


def test_bodies_wait_for_a_streams_window(service: Service) -> None:
    service.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 100})
    service.turn()
    service.ours.send(request(body=b"x" * 101))
    assert service.turn() == []
    service.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 65_535})
    assert any(isinstance(event, StreamEnded) for event in service.turn())


def test_giving_up_cancels_the_oldest_stream(service: Service) -> None:
    first, second = request("/1"), request("/2")
    service.ours.send(first)
    service.ours.send(second)
    service.turn()
    assert service.ours.cancel_oldest() is first
    [event] = service.turn()
    assert isinstance(event, StreamReset)
    assert (event.stream_id, event.error_code) == (1, ErrorCodes.CANCEL)
    assert list(service.ours.flying.values()) == [second]


def test_padding_priority_and_continuations_are_read() -> None:
    connection = Http2Session("a")
    connection.send(request())
    block = b"\x88\x0f\x0d\x01x"  # :status: 200 and content-length, as a literal
    head = HeadersFrame(1, block[:2], flags=["PADDED", "PRIORITY"], pad_length=3)
    connection.feed(head.serialize())
    connection.feed(ContinuationFrame(1, block[2:], flags=["END_HEADERS"]).serialize())
    assert not connection.answered
    connection.feed(DataFrame(1, b"body", flags=["PADDED", "END_STREAM"], pad_length=5).serialize())
    assert connection.answered[0][1] == Reply(200)


def test_frames_of_a_kind_never_heard_of_are_ignored() -> None:
    connection = Http2Session("a")
    connection.feed(struct.pack(">LBL", 3 << 8 | 0xFA, 0, 0) + b"abc")
    assert connection.open


@pytest.mark.parametrize(
    "data",
    [
        PushPromiseFrame(1, 2, b"\x88", flags=["END_HEADERS"]).serialize(),
        HeadersFrame(1, b"\x88").serialize() + PingFrame(0, b"12345678").serialize(),
        HeadersFrame(1, b"\xff\xff\xff\xff\xff", flags=["END_HEADERS"]).serialize(),
        HeadersFrame(1, b"\xbe", flags=["END_HEADERS"]).serialize(),
        HeadersFrame(1, b"\x08\x03abc", flags=["END_HEADERS"]).serialize(),
        struct.pack(">LBL", 3 << 8 | 3, 0, 1) + b"abc",
        struct.pack(">LBL", 3 << 8 | 7, 0, 0) + b"abc",
        struct.pack(">LBL", 3 << 8 | 4, 0, 0) + b"abc",
        struct.pack(">LBL", 1, 4, 1),
    ],
)
def test_what_breaks_the_protocol_ends_the_connection(data: bytes) -> None:
    connection = Http2Session("a")
    connection.send(request())
    with pytest.raises(ProtocolError):
        connection.feed(data)


def test_an_answer_without_end_is_cut_off() -> None:
    connection = Http2Session("a")
    connection.send(request())
    connection.feed(HeadersFrame(1, b"\x8d", flags=["END_HEADERS"]).serialize())
    for _ in range(5):
        connection.feed(DataFrame(1, b"x" * 16_384).serialize())
    assert [reply.error for _, reply in connection.answered] == ["stream_reset"]


@given(st.lists(st.integers(1, 4096), min_size=1, max_size=60), st.integers(1, 700), st.randoms())
@settings(max_examples=25, deadline=None)
def test_whatever_is_sent_in_whatever_pieces_each_request_is_answered_once(
    sizes: list[int], piece: int, luck: object
) -> None:
    ours = Http2Session("a")
    service = Service(ours)
    requests = [request(f"/{n}", b"x" * size) for n, size in enumerate(sizes)]
    for each in requests:
        ours.send(each)
    for _ in range(100):
        out, ours.out = bytes(ours.out), bytearray()
        for event in service.h2.receive_data(out):
            if isinstance(event, DataReceived):
                service.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, StreamEnded):
                status = 200 if luck.random() < 0.5 else 410  # type: ignore[attr-defined]
                service.h2.send_headers(event.stream_id, [(":status", str(status)), ("apns-id", "1")])
                service.h2.send_data(event.stream_id, b"{}", end_stream=True)
        back = service.h2.data_to_send()
        for at in range(0, len(back), piece):
            ours.feed(back[at : at + piece])
        if not ours.out and not ours.flying and not ours.held:
            break
    assert {each.target for each, _ in ours.answered} == {each.target for each in requests}
    assert len(ours.answered) == len(requests)
