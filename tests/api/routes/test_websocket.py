"""WebSockets on the real server, spoken to by a client of its own (wsproto's other half)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from wsproto.events import BytesMessage, CloseConnection, Ping, Pong
from wsproto.extensions import PerMessageDeflate

from api.routes.websocket import MESSAGE_MAX, REFUSED_MAX, SUBSCRIPTIONS_MAX
from db.domain import Subject
from tests.conftest import wait_until
from tests.support.holding import Origin, WebSocket

pytestmark = pytest.mark.xdist_group("websocket")

PAUSES = re.compile(r"^\w*socket_pauses_total [1-9]", re.MULTILINE)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Origin]:
    """Of forty places, thirty-two may wait and three be WebSockets."""
    with Origin.running(tmp_path_factory.mktemp("origin"), WORKER_CONNECTIONS=40) as made:
        yield made


@pytest.fixture
def origin(shared: Origin) -> Iterator[Origin]:
    for match_id in ("m", "n"):
        shared.goal(match_id)
    shared.wait_for_here(0)
    yield shared
    shared.hang_up()
    shared.wait_for_here(0)


Connect = Callable[..., WebSocket]


@pytest.fixture
def connect(origin: Origin) -> Connect:
    return origin.socket


def shown(body: dict[str, Any]) -> tuple[str, int]:
    return body["match_id"], body["version"]


def test_who_subscribes_is_sent_the_present_and_each_change(origin: Origin, connect: Connect) -> None:
    reader = connect().say({"subscribe": ["m", "n"]})
    now = [origin.body(f"/api/score/{match_id}") for match_id in ("m", "n")]
    assert [reader.told(), reader.told()] == [body | {"next": None} for body in now]
    for match_id in ("n", "m", "m"):
        version = origin.goal(match_id)
        assert shown(reader.told()) == (match_id, version)


def test_who_names_the_version_it_has_is_sent_what_is_newer(origin: Origin, connect: Connect) -> None:
    has = {match_id: origin.body(f"/api/score/{match_id}")["version"] for match_id in ("m", "n")}
    newer = origin.goal("n")
    reader = connect().say({"subscribe": has})
    assert shown(reader.told()) == ("n", newer)
    version = origin.goal()
    assert shown(reader.told()) == ("m", version)


def test_who_unsubscribes_hears_no_more_of_that_match(origin: Origin, connect: Connect) -> None:
    reader = connect().say({"subscribe": ["m", "n"]})
    reader.told(), reader.told()
    # A new subscription's answer shows that what came before it was done.
    reader.say({"unsubscribe": ["m", "never-subscribed"], "subscribe": ["n"]})
    assert shown(reader.told())[0] == "n"
    origin.goal()
    version = origin.goal("n")
    assert shown(reader.told()) == ("n", version)


def test_an_unknown_match_is_refused_and_the_others_are_followed(origin: Origin, connect: Connect) -> None:
    reader = connect().say({"subscribe": ["no-such", "m"]})
    assert reader.told()["error"]["code"] == "unknown_match"
    assert shown(reader.told())[0] == "m"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("{", "not_json"),
        ("[" * 20_000, "not_json"),
        ("[]", "invalid"),
        ("{}", "invalid"),
        ({"subscribe": "m"}, "invalid"),
        ({"subscribe": [1]}, "invalid"),
        ({"subscribe": ["no id"]}, "invalid"),
        ({"unsubscribe": {"": 1}}, "invalid"),
    ],
)
def test_what_is_not_understood_is_refused_and_it_goes_on(
    origin: Origin, connect: Connect, said: Any, code: str
) -> None:
    reader = connect().say(said)
    assert reader.told()["error"]["code"] == code
    assert shown(reader.say({"subscribe": ["m"]}).told())[0] == "m"


def test_more_matches_than_one_connection_may_have_are_refused(origin: Origin, connect: Connect) -> None:
    names = [f"many-{n}" for n in range(SUBSCRIPTIONS_MAX + 1)]
    for name in names:
        origin.tell(name, 1)
    reader = connect().say({"subscribe": names})
    assert [shown(reader.told())[0] for _ in names[:-1]] == names[:-1]
    assert reader.told()["error"]["code"] == "busy"
    # One for another.
    reader.say({"unsubscribe": names[:1], "subscribe": names[-1:]})
    assert shown(reader.told())[0] == names[-1]


def test_a_match_that_is_named_twice_in_a_message_is_sent_once(origin: Origin, connect: Connect) -> None:
    reader = connect().say({"subscribe": ["m"] * 5_000}).say({"subscribe": ["n"]})
    assert [reader.told()["match_id"] for _ in range(2)] == ["m", "n"]


def test_who_says_too_much_is_heard_more_slowly(origin: Origin, connect: Connect) -> None:
    reader = connect()
    for number in range(300):
        reader.tell(Ping(b"%d" % number))
    reader.say({"subscribe": ["m"]})
    assert reader.told()["match_id"] == "m"
    assert reader.pongs == 300
    wait_until(lambda: PAUSES.search(origin.get("/metrics").text), "the pauses to be counted")


def test_who_is_refused_too_often_is_sent_away(origin: Origin, connect: Connect) -> None:
    reader = connect()
    for n in range(REFUSED_MAX + 1):
        reader.say({"subscribe": [f"no-such-{n}"]})
    assert reader.ended() == 1008
    origin.wait_for_here(0)


def test_a_message_that_is_too_big_ends_it(origin: Origin, connect: Connect) -> None:
    reader = connect().say("x" * (3 * MESSAGE_MAX))
    assert reader.ended() == 1009


def test_a_message_that_is_not_text_ends_it(origin: Origin, connect: Connect) -> None:
    reader = connect()
    reader.tell(BytesMessage(b"{}"))
    assert reader.ended() == 1008


def test_what_breaks_the_protocol_ends_it(origin: Origin, connect: Connect) -> None:
    reader = connect()
    # Not masked, as a client's frames must be (RFC 6455, 5.1).
    reader.send(b"\x81\x02{}")
    assert reader.ended() == 1002
    origin.wait_for_here(0)


def test_a_ping_is_answered(origin: Origin, connect: Connect) -> None:
    reader = connect()
    reader.tell(Ping(b"are you there"))
    frame = reader.frame()
    assert isinstance(frame, Pong)
    assert frame.payload == b"are you there"


def test_who_closes_is_answered_and_its_place_is_free(origin: Origin, connect: Connect) -> None:
    reader = connect().say({"subscribe": ["m"]})
    reader.told()
    origin.wait_for_here(1)
    reader.tell(CloseConnection(1000))
    assert reader.ended() == 1000
    origin.wait_for_here(0)


def test_a_client_that_is_cut_off_gives_its_place_back(origin: Origin, connect: Connect) -> None:
    reader = connect().say({"subscribe": ["m", "n"]})
    reader.told()
    origin.wait_for_here(1)
    reader.reset()
    origin.wait_for_here(0)


def test_a_reader_that_is_slow_is_spared_the_past(origin: Origin, connect: Connect) -> None:
    lazy, reader = connect(buffer=2_048), connect()
    for one in (lazy, reader):
        one.say({"subscribe": ["m"]}).told()
    sent, version = origin.outrun("m", next(origin.scores))
    lazy.read_fast()
    seen = [body["version"] for body in last_of(lazy, version)]
    assert seen == sorted(set(seen))
    assert len(seen) < sent
    assert shown(last_of(reader, version)[-1]) == ("m", version)


def last_of(reader: WebSocket, version: int) -> list[dict[str, Any]]:
    found = [reader.told()]
    while found[-1]["version"] < version:
        found.append(reader.told())
    return found


def test_where_no_more_are_taken_it_is_told_to_poll(origin: Origin, connect: Connect) -> None:
    taken = [connect() for _ in range(3)]
    origin.wait_for_here(3)
    one_more = connect()
    assert one_more.told() == {"poll_after_ms": 2_000}
    assert one_more.ended() == 1013
    taken[0].reset()
    origin.wait_for_here(2)
    assert shown(connect().say({"subscribe": ["m"]}).told())[0] == "m"


def test_where_all_wait_already_it_is_told_to_poll(origin: Origin, connect: Connect) -> None:
    """The hub is full of other readers, though there are fewer WebSockets than may be."""
    path = origin.next()
    for _ in range(32):
        origin.client().ask(path)
    origin.wait_for_here(32)
    assert connect().ended() == 1013
    assert origin.inside()["here"] == 32


def test_a_plain_request_is_told_what_is_spoken_here(origin: Origin) -> None:
    status, headers, body = origin.client().ask("/api/ws").answer()
    assert (status, body["error"]["code"]) == (426, "upgrade_required")
    assert (headers["upgrade"], headers["connection"].lower()) == ("websocket", "upgrade")
    wait_until(lambda: origin.inside()["here"] == 0, "nobody in the hub")


@pytest.mark.parametrize("path", ["/api/ws", "/api/live"])
def test_what_is_no_handshake_is_refused(origin: Origin, path: str) -> None:
    status, _, body = origin.client().ask(path, "Upgrade: websocket", "Connection: Upgrade").answer()
    assert (status, body["error"]["code"]) == (400, "bad_request")
    assert "WebSocket" in body["error"]["message"]
    wait_until(lambda: origin.inside()["here"] == 0, "nobody in the hub")


def test_who_takes_deflate_is_sent_the_same_in_fewer_bytes(origin: Origin, connect: Connect) -> None:
    deflating, plain = connect(extensions=[PerMessageDeflate()]), connect()
    for reader in (deflating, plain):
        shown(reader.say({"subscribe": ["m"]}).told())
    read = [reader.bytes_read for reader in (deflating, plain)]
    for _ in range(3):
        origin.goal()
        assert deflating.told() == plain.told()
    few, many = (reader.bytes_read - before for reader, before in zip((deflating, plain), read, strict=True))
    assert few < many * 0.75


def test_a_window_that_is_too_small_for_our_frames_is_not_agreed_upon(origin: Origin, connect: Connect) -> None:
    reader = connect(extensions=[PerMessageDeflate(server_max_window_bits=10)])
    assert shown(reader.say({"subscribe": ["m"]}).told())[0] == "m"
    assert reader.extensions == []


def test_what_becomes_large_when_it_is_inflated_is_too_big(origin: Origin, connect: Connect) -> None:
    reader = connect(extensions=[PerMessageDeflate()])
    reader.say("0" * 20_000_000)
    assert reader.ended() == 1009


def test_another_name_of_a_match_is_followed_as_the_match(origin: Origin, connect: Connect) -> None:
    """And read, from the event loop, as everywhere else."""
    origin.live.names.add(Subject.MATCH, {"other-m": "m", "circle": "circle-2", "circle-2": "circle"})
    reader = connect().say({"subscribe": ["other-m", "circle"]})
    assert reader.told()["match_id"] == "m"
    assert reader.told()["error"]["code"] == "unknown_match"
    version = origin.goal()
    assert shown(reader.told()) == ("m", version)
    reader.say({"unsubscribe": ["other-m"]})
    reader.say({"subscribe": ["n"]})
    assert reader.told()["match_id"] == "n"
    origin.goal()
    assert shown(reader.told() if origin.goal("n") else {})[0] == "n"
    for path, location in (
        ("/api/score/other-m", "/api/score/m"),
        ("/api/score/other-m/wait/1.0", "/api/score/m"),
        ("/api/score/other-m/stream", "/api/score/m/stream"),
    ):
        answer = origin.get(path, allow_redirects=False)
        assert (answer.status_code, answer.headers["Location"]) == (308, location), path
