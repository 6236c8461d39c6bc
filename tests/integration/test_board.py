"""What changes on the board, told by the real server on each of its ways: held, as a stream, on a WebSocket."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.test_held import KEPT
from tests.support.holding import Client, Origin

pytestmark = pytest.mark.xdist_group("board")

goals = itertools.count(1)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Origin]:
    made = Origin(tmp_path_factory.mktemp("board"))
    try:
        made.start()
        yield made
    finally:
        made.end()


@pytest.fixture
def origin(shared: Origin) -> Iterator[Origin]:
    """With two matches on the board, and nobody in the hub, before the test and after it."""
    for match_id in ("m", "n"):
        shared.tell(match_id, next(goals))
    yield shared
    shared.hang_up()
    shared.wait_for_here(0)


def shown(body: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Ids of the matches that changed, and of those that are gone."""
    return [match["match_id"] for match in body["changed"]], body["gone"]


def ask(client: Client, path: str) -> dict[str, Any]:
    body: dict[str, Any] = client.ask(path).body()
    return body


def test_all_who_wait_get_the_match_that_changed_and_an_old_cursor_gets_the_whole_board(origin: Origin) -> None:
    path = origin.body("/api/live")["changes"]
    readers = [origin.client().ask(path, *lines) for lines in ((), ("Connection: close",), ("X_Y: 1",))]
    origin.wait_for_here(3)
    origin.tell("m", next(goals))
    for reader in readers:
        status, headers, body = reader.answer()
        assert (status, headers["cache-control"], body["held"]) == (200, KEPT, "changed")
        assert shown(body) == (["m"], [])
    late = ask(origin.client(), path)
    assert (shown(late), late["held"], late["changes"]) == ((["m"], []), "behind", body["changes"])
    old = ask(origin.client(), "/api/live/changes/1.0")
    assert (old["whole"], {match["match_id"] for match in old["matches"]}) == (True, {"m", "n"})
    assert old["changes"] == body["changes"]


def test_a_red_card_releases_those_who_wait_for_the_board(origin: Origin) -> None:
    path = origin.body("/api/live")["changes"]
    reader = origin.client().ask(path)
    origin.wait_for_here(1)
    version = origin.card("m")
    _, _, body = reader.answer()
    (match,) = body["changed"]
    assert (match["match_id"], match["version"]) == ("m", version)
    assert [card["player"] for card in match["cards"]] == ["Pepe"]
    assert origin.body("/api/live")["matches"][0]["cards"] == match["cards"]


def test_a_stream_begins_with_the_board_or_what_changed_since_the_event_one_has(origin: Origin) -> None:
    reader = origin.client().ask("/api/live/stream")
    reader.head()
    first = reader.event()
    assert (first["whole"], len(first["matches"])) == (True, 2)
    origin.tell("n", next(goals))
    # The stream may have begun before the process heard of the first two goals.
    assert "n" in shown(reader.event())[0]
    late = origin.client().ask("/api/live/stream", f"Last-Event-ID: {first['version']}")
    late.head()
    assert "n" in shown(late.event())[0]


def test_a_socket_is_told_the_board_and_resumes_where_it_was(origin: Origin) -> None:
    socket = origin.socket().say({"subscribe_board": None})
    first = socket.told()
    assert (first["whole"], first["changes"]) == (True, None)
    origin.tell("m", next(goals))
    body = socket.told()
    assert shown(body) == (["m"], [])
    late = origin.socket().say({"subscribe_board": first["version"]})
    assert shown(late.told()) == (["m"], [])
    cursor = origin.body("/api/live")["changes"].rsplit("/", 1)[1]
    current = origin.socket().say({"subscribe_board": cursor, "subscribe": ["n"]})
    assert current.told()["match_id"] == "n"
    socket.say({"unsubscribe_board": True, "subscribe": ["m"]})
    assert socket.told()["match_id"] == "m"
    current.say({"subscribe_board": "soon"})
    assert current.told()["error"]["code"] == "invalid"
