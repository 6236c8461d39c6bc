"""What readers get of one version: the body, as an answer on the wire, an event, a frame."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace

import pytest
from wsproto import ConnectionType
from wsproto.connection import Connection
from wsproto.events import TextMessage

from api.delivery.answer import GZIP, LAST, RenderedAnswer, WaitOutcome
from api.delivery.snapshot import BOARD, Snapshot
from db.domain import HOLD_MS, Cursor, Phase

V = 1_700_000_000_000
SCORE = Snapshot("m", V, "/api/score/m", '{"home_team":"Málaga"}'.encode(), 2_000, Phase.LIVE)


def test_the_body_says_where_to_wait_and_why_it_was_answered() -> None:
    body = json.loads(SCORE.body(Cursor(V, 3), WaitOutcome.TIMEOUT))
    assert body == {
        "home_team": "Málaga",
        "next": f"/api/score/m/wait/{V}.3",
        "poll_after_ms": 2_000,
        "held": "timeout",
    }
    assert json.loads(SCORE.body(None)) == {"home_team": "Málaga", "next": None, "poll_after_ms": 2_000}


@pytest.mark.parametrize(("after_ms", "slot"), [(-5, 0), (0, 0), (HOLD_MS - 1, 0), (HOLD_MS, 1), (10 * HOLD_MS, 10)])
def test_a_slot_is_a_hold_since_the_version_was_made(after_ms: int, slot: int) -> None:
    assert SCORE.cursor(V + after_ms) == Cursor(V, slot)


@pytest.mark.parametrize("held", [*WaitOutcome])
def test_only_changes_and_time_outs_are_kept_and_only_the_end_closes(held: WaitOutcome) -> None:
    answer = SCORE.answer(Cursor(V), held)
    kept = "s-maxage=20" if held in (WaitOutcome.CHANGED, WaitOutcome.TIMEOUT) else "s-maxage=1"
    assert answer.headers["Cache-Control"] == f"public, max-age=0, {kept}"
    assert answer.close == (held is WaitOutcome.DRAINING)


def test_on_the_wire_an_answer_is_one_http_message() -> None:
    answer = SCORE.answer(Cursor(V), WaitOutcome.CHANGED)
    head, _, body = answer.wire(0).partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    said = dict(line.split(": ", 1) for line in lines)
    assert status == "HTTP/1.1 200 OK"
    assert body == answer.body
    assert said.pop("Date").endswith(" GMT")
    assert said.pop("Connection") == "keep-alive"
    assert said == answer.headers
    assert said["Content-Length"] == str(len(body))
    assert b"Connection: close\r\n" in SCORE.answer(Cursor(V), WaitOutcome.DRAINING).wire(1)


def test_a_failure_on_the_wire_has_its_status() -> None:
    assert (
        RenderedAnswer(b"{}", {}, status="503 Service Unavailable")
        .wire(0)
        .startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    )


def test_a_change_is_rendered_once_for_all() -> None:
    assert SCORE.changed(V - 1) is SCORE.changed(V - 2)
    assert SCORE.changed(V - 1).wire(0) is SCORE.changed(V - 1).wire(0)
    assert (SCORE.event() is SCORE.event(V), SCORE.frame() is SCORE.frame(V)) == (True, True)


def test_an_event_is_one_line_of_data_with_its_version() -> None:
    assert SCORE.event() == b"id: %d\ndata: %b\n\n" % (V, SCORE.body(Cursor(V)))
    assert SCORE.event().count(b"\n") == 3


@pytest.mark.parametrize("size", [10, 200, 70_000])
def test_a_frame_is_one_whole_message_to_any_client(size: int) -> None:
    document = replace(SCORE, json=json.dumps({"venue": "é" * size}).encode())
    client = Connection(ConnectionType.CLIENT)
    client.receive_data(document.frame())
    parts = list(client.events())
    assert all(isinstance(part, TextMessage) for part in parts)
    assert parts[-1].message_finished  # type: ignore[attr-defined]
    assert json.loads("".join(part.data for part in parts)) == json.loads(document.body(None))  # type: ignore[attr-defined]


def test_the_board_and_a_match_have_keys_and_tags_of_their_own() -> None:
    board = replace(SCORE, topic=BOARD)
    assert (SCORE.etag, board.etag) == (f"m-{V}", f"live-{V}")
    assert (SCORE.tags, board.tags) == (("match-m",), ("live",))


LONG = RenderedAnswer(b'{"a":"' + b"x" * 1_000 + b'"}', {"Cache-Control": "public, max-age=2"}, etag="m-1")


def fields(wire: bytes) -> dict[str, str]:
    _, *lines = wire.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    return dict(line.split(": ", 1) for line in lines)


def test_a_long_answer_is_compressed_once_for_all_who_take_it() -> None:
    plain, packed = LONG.wire(0), LONG.wire(GZIP)
    assert gzip.decompress(packed.partition(b"\r\n\r\n")[2]) == plain.partition(b"\r\n\r\n")[2] == LONG.body
    assert (fields(packed)["Content-Encoding"], len(packed) < len(plain)) == ("gzip", True)
    assert fields(plain)["Vary"] == fields(packed)["Vary"] == "Accept-Encoding"
    assert fields(plain)["ETag"] == fields(packed)["ETag"] == 'W/"m-1"'
    assert int(fields(packed)["Content-Length"]) == len(packed.partition(b"\r\n\r\n")[2])
    assert fields(LONG.wire(GZIP | LAST))["Connection"] == "close"
    assert LONG.compressed is LONG.compressed
    assert LONG.wire(GZIP) is packed


def test_a_short_answer_is_the_same_for_all() -> None:
    short = RenderedAnswer(b"{}", {})
    assert short.compressed is short
    assert "Vary" not in short.headers


def test_who_has_it_already_gets_the_fields_without_the_body() -> None:
    head, _, body = LONG.not_modified.wire(0).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 304 Not Modified")
    assert body == b""
    kept = {"Cache-Control", "ETag", "Vary", "Access-Control-Allow-Origin"}
    assert {name: LONG.headers[name] for name in kept}.items() <= fields(LONG.not_modified.wire(0)).items()
    assert not {"Content-Length", "Content-Type"} & fields(LONG.not_modified.wire(0)).keys()


def test_the_slots_of_a_board_of_several_shards_follow_the_clock() -> None:
    """Its version is no time. If its slot stood still, whoever waited twice would be sent on each second."""
    now_ms = 1_796_000_000_000
    board, match = (
        Snapshot(BOARD, version, "/api/live", b"{}", 2_000, Phase.LIVE) for version in (16 * now_ms, now_ms)
    )
    slots = [board.slot(now_ms + n * HOLD_MS) for n in range(3)]
    assert slots == [slots[0], slots[0] + 1, slots[0] + 2]
    assert match.slot(now_ms + HOLD_MS) == 1
    assert match.slot(now_ms - 5) == 0, "a clock that is a little behind"
    assert Cursor.parse(str(Cursor(board.version, slots[2])))
