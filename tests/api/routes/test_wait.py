"""What a held request makes of what the hub knows and Redis says; and the plain way, on servers that cannot park."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any, cast

import pytest

from api import topics
from api.delivery.hub import Hub
from api.delivery.snapshot import Snapshot
from api.routes import wait
from api.routes.wait import BlockingWait
from api.services import Services, later
from api.topics import current, learn
from cdn import headers
from db.domain import Cursor, Phase
from db.domain.errors import Refused, Unavailable
from tests.api.conftest import Site, error, event
from tests.conftest import wait_until
from tests.support.hub import Client, score

V = 1_700_000_000_000


class Store:
    """Stands for the reader, the listener and history. meanwhile: what happens while a read is on its way, once."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.version: int | None = V
        self.reads = 0
        self.down = False
        self.meanwhile: list[Callable[[], None]] = []

    def read(self, topic: str) -> Snapshot | None:
        self.reads += 1
        found = score(self.version, topic) if self.version else None
        if self.meanwhile:
            self.meanwhile.pop(0)()
        if self.down:
            raise Unavailable("gone")
        return found

    def heed(self) -> None:
        """It hears by `tell`."""

    def match(self, _topic: str) -> None:
        """History has none."""

    def change(self) -> None:
        """As the listener hears of it."""
        self.version = (self.version or V) + 1
        if self.hub.awaited("m"):
            self.hub.know(score(self.version))
        else:
            self.hub.forget("m")


class OtherNames:
    """Other name → match."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}

    def of_match(self, name: str) -> str | None:
        return self.known.get(name)


class Here:
    def __init__(self) -> None:
        self.hub = Hub(100, later)
        self.dialect = headers.dialect("fastly")
        self.store = self.reader = self.listener = self.history = Store(self.hub)
        self.live = self
        self.names = OtherNames()


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Here:
    monkeypatch.setattr(wait, "now_ms", lambda: V)
    monkeypatch.setattr(topics, "now_ms", lambda: V)
    return Here()


def services(here: Here) -> Services:
    return cast(Services, here)


def test_a_topic_is_read_once_and_then_known(here: Here) -> None:
    assert current(services(here), "m").version == current(services(here), "m").version == V
    assert here.store.reads == 1


@pytest.mark.parametrize("changes", [1, 2, 3])
def test_a_topic_that_changes_while_it_is_read_is_known_as_it_is_then(here: Here, changes: int) -> None:
    here.store.meanwhile = [lambda: [here.store.change() for _ in range(changes)] and None]
    assert current(services(here), "m").version == V + changes
    assert here.hub.snapshot("m") == score(V + changes)


def test_who_has_seen_more_than_this_process_makes_it_read(here: Here) -> None:
    current(services(here), "m")
    here.store.version = V + 1
    assert current(services(here), "m", V).version == V
    assert current(services(here), "m", V + 1).version == V + 1
    assert here.store.reads == 2


def test_a_reading_for_one_releases_all_who_wait(here: Here) -> None:
    current(services(here), "m")
    client = Client()
    assert here.hub.ask("m", Cursor(V), client, V) is None
    here.store.version = V + 1
    current(services(here), "m", V + 1)
    assert (client.told["held"], client.told["version"]) == ("changed", V + 1)


def test_a_version_that_nobody_made_is_answered_with_the_one_in_force(here: Here) -> None:
    current(services(here), "m")
    assert current(services(here), "m", 10**14).version == V


def test_without_redis_what_is_known_is_the_answer(here: Here) -> None:
    here.store.down = True
    with pytest.raises(Unavailable):
        current(services(here), "m")
    here.store.down = False
    current(services(here), "m")
    here.store.down = True
    assert current(services(here), "m", V + 1).version == V


@pytest.mark.parametrize("failure", [Unavailable("gone"), ZeroDivisionError()])
def test_what_could_not_be_read_is_not_kept_current(here: Here, failure: Exception) -> None:
    def fail() -> None:
        raise failure

    here.store.meanwhile = [fail]
    with pytest.raises(type(failure)):
        current(services(here), "m")
    assert here.hub.watched() == []
    assert not here.hub.awaited("m")


def test_what_is_known_is_kept_though_it_could_not_be_read_again(here: Here) -> None:
    current(services(here), "m")
    here.store.down = True
    assert current(services(here), "m", V + 1).version == V
    assert here.hub.watched() == ["m"]


def test_a_topic_that_another_thread_forgets_before_one_asks_is_read_again(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has changed just then, and nobody waited for it yet."""
    whole, times = wait.current, iter([here.store.change])

    def interrupted(*asked: Any) -> Snapshot:
        found = whole(*asked)
        for change in times:
            change()
        return found

    monkeypatch.setattr(wait, "current", interrupted)
    answer = wait._ask(services(here), "m", Cursor(V), BlockingWait())
    assert answer
    assert (json.loads(answer.body)["version"], json.loads(answer.body)["held"]) == (V + 1, "behind")


def test_an_unknown_match_is_refused_and_leaves_nothing(here: Here) -> None:
    here.store.version = None
    with pytest.raises(Refused):
        current(services(here), "m")
    assert here.hub.watched() == []


def arrive(here: Here, *versions: int) -> list[Client]:
    clients = [Client() for _ in versions]
    for client, version in zip(clients, versions, strict=True):
        here.hub.arrive("m", Cursor(version), client)
    return clients


def test_those_who_arrived_are_held_once_it_is_read(here: Here) -> None:
    client, behind = arrive(here, V, V - 1)
    learn(services(here), "m")
    assert client.hold
    assert behind.told["held"] == "behind"
    assert here.store.reads == 1


def test_who_arrives_during_the_reading_with_a_newer_version_is_not_called_ahead(here: Here) -> None:
    clients = arrive(here, V)

    def another() -> None:
        here.store.version = V + 1
        clients.extend(arrive(here, V + 1))

    here.store.meanwhile = [another]
    learn(services(here), "m")
    assert clients[0].told["version"] == V + 1
    assert clients[1].answers == []
    assert clients[1].hold


def test_who_arrives_for_a_topic_that_is_forgotten_and_cannot_be_read_is_answered(here: Here) -> None:
    """It has changed while it was read for the second time, and nobody waited for it yet."""
    current(services(here), "m")
    (client,) = arrive(here, V + 1)
    here.store.down = True
    here.store.meanwhile = [lambda: None, here.store.change]
    learn(services(here), "m")
    (answer,) = client.answers
    assert answer.status.startswith("503")
    assert here.hub.here == 0


@pytest.mark.parametrize(("way", "status"), [("down", "503"), ("unknown", "404"), ("bug", "500")])
def test_what_could_not_be_read_is_said_as_any_failure_is(
    here: Here, way: str, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.store.down = way == "down"
    here.store.version = None if way == "unknown" else V
    if way == "bug":
        monkeypatch.setattr(topics, "current", lambda *_: 1 / 0)
    client, other = arrive(here, V, V)
    learn(services(here), "m")
    (answer,) = client.answers
    # After an outage not all are to come back together.
    assert (answer is other.answers[0]) == (way != "down")
    assert answer.status.startswith(status)
    assert other.answers[0].status == answer.status
    assert set(json.loads(answer.body)) == {"error"}
    kept = here.dialect.headers(headers.MISSING, ["match-m"]) if way == "unknown" else headers.NO_STORE
    assert kept.items() <= answer.headers.items()
    assert ("Surrogate-Key" in answer.headers) == (way == "unknown")
    assert [a.headers.get("Retry-After") for a in (answer, other.answers[0])] == (
        ["2", "3"] if way == "down" else [None, None]
    )
    assert here.hub.here == 0


def test_who_arrives_by_another_name_is_sent_to_the_match(here: Here) -> None:
    here.store.version, here.names.known = None, {"m": "final"}
    (client,) = arrive(here, V)
    learn(services(here), "m")
    (answer,) = client.answers
    assert (answer.status[:3], answer.headers["Location"]) == ("308", "/api/score/final")
    assert (answer.body, here.hub.here) == (b"", 0)


# On the app, whose test client's connections cannot be parked: what is held has a thread that waits.


def next_of(site: Site, path: str = "/api/score/m") -> str:
    return str(site.get(path).get_json()["next"])


def wait_in_thread(site: Site, path: str) -> tuple[threading.Thread, list[Any]]:
    answers: list[Any] = []
    thread = threading.Thread(target=lambda: answers.append(site.app.test_client().get(path)))
    thread.start()
    wait_until(lambda: site.services.hub.here == 1, "the hold")
    return thread, answers


@pytest.mark.parametrize("path", ["/api/score/m", "/api/live"])
def test_a_thread_that_waits_is_answered_with_the_change(listening: Site, path: str) -> None:
    thread, answers = wait_in_thread(listening, next_of(listening, path))
    listening.tell(event("m", home_score=2, minute=20, timestamp="2026-05-01T18:20:00Z"))
    thread.join(60)
    body = answers[0].get_json()
    assert (answers[0].status_code, body["held"]) == (200, "changed")
    assert body["next"] == f"{path}/wait/{body['version']}.0"
    (match,) = body.get("matches", [body])
    assert match["home_score"] == 2
    assert listening.services.hub.here == 0


def test_what_changes_on_the_board_is_waited_for_and_a_match_that_ends_is_told_for_the_last_time(
    listening: Site,
) -> None:
    if len(listening.services.live.sharded.shards) > 1:
        pytest.skip("a shard that has changed once tells no difference yet (tests/db/live/test_board.py)")
    path = listening.get("/api/live").get_json()["changes"]
    assert listening.client.head(path).status_code == 200
    thread, answers = wait_in_thread(listening, path)
    listening.tell(event("m", event_type="full_time", minute=90, timestamp="2026-05-01T20:00:00Z"))
    thread.join(60)
    body = answers[0].get_json()
    assert (body["held"], body["gone"]) == ("changed", ["m"])
    assert [match["status"] for match in body["changed"]] == ["finished"]
    assert listening.get(body["changes"].replace(".0", ".9")).get_json()["held"] == "ahead"
    whole = listening.get("/api/live/changes/0.0").get_json()
    assert (whole["whole"], whole["matches"], whole["changes"]) == (True, [], body["changes"])


def test_a_thread_that_waits_is_sent_on_when_the_process_ends(listening: Site) -> None:
    path = next_of(listening)
    thread, answers = wait_in_thread(listening, path)
    listening.app.drain()
    thread.join(60)
    assert (answers[0].get_json()["held"], answers[0].get_json()["next"]) == ("draining", path)


def test_a_hold_that_is_lost_is_a_failure_and_not_a_200(listening: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wait, "PLAIN_WAIT_S", 0.05)
    assert error(listening.get(next_of(listening))) == (503, "unavailable")
    assert listening.services.hub.here == 0


@pytest.mark.parametrize(
    "cursor",
    [
        "1",
        "1.",
        ".1",
        "1.2.3",
        "-1.0",
        "1.-1",
        "a.b",
        "1e3.0",
        "٣.0",
        "1.0%20",
        "9999999999999999.0",
        "1." + "9" * 10,
        "01.0",
        "1.00",
    ],
)
def test_what_is_no_cursor_is_not_found(listening: Site, cursor: str) -> None:
    assert error(listening.get(f"/api/score/m/wait/{cursor}")) == (404, "unknown_match")
    assert listening.services.hub.here == 0


@pytest.mark.parametrize(
    "path", ["/api/score/no-such/wait/1.0", "/api/score/no%20id/wait/1.0", "/api/score/no-such/stream"]
)
def test_an_unknown_match_is_404_and_may_be_collapsed(listening: Site, path: str) -> None:
    answer = listening.get(path)
    assert error(answer) == (404, "unknown_match")
    assert answer.headers["Cache-Control"] == "public, max-age=2, s-maxage=5"
    assert "no-such" not in listening.services.hub.watched()


@pytest.mark.parametrize("path", ["/api/score/m", "/api/live"])
def test_behind_and_ahead_are_answered_at_once_and_kept_for_a_second(listening: Site, path: str) -> None:
    body = listening.get(path).get_json()
    version, slot = body["version"], int(body["next"].rpartition(".")[2])
    cursors = ((f"{version - 1}.0", "behind"), (f"{version + 1}.0", "ahead"), (f"{version}.{slot + 9}", "ahead"))
    for cursor, why in cursors:
        answer = listening.get(f"{path}/wait/{cursor}")
        assert (answer.status_code, answer.get_json()["held"]) == (200, why)
        assert answer.get_json()["version"] == version
        assert answer.headers["Cache-Control"] == "public, max-age=0, s-maxage=1"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers.get("Vary", "Accept-Encoding") == "Accept-Encoding"
        assert "Set-Cookie" not in answer.headers


def test_head_is_answered_at_once_without_a_body(listening: Site) -> None:
    answer = listening.client.head(next_of(listening))
    assert (answer.status_code, answer.get_data()) == (200, b"")
    assert int(answer.headers["Content-Length"]) > 0
    assert listening.services.hub.here == 0


def test_a_wait_takes_no_other_method(listening: Site) -> None:
    assert listening.client.post(next_of(listening)).status_code == 405


def test_a_match_of_yesterday_is_waited_for_from_history(listening: Site) -> None:
    listening.tell(event("old", event_type="full_time", minute=90, timestamp="2026-05-01T20:00:00Z"))
    path = next_of(listening, "/api/score/old")
    listening.services.live.redis.flushall()
    thread, answers = wait_in_thread(listening, path)
    listening.app.drain()
    thread.join(60)
    assert answers[0].get_json()["match_id"] == "old"


def test_no_connection_to_sql_is_kept_while_one_waits(listening: Site) -> None:
    thread, _ = wait_in_thread(listening, next_of(listening))
    assert listening.services.history.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    listening.app.drain()
    thread.join(60)


def test_a_plain_reader_keeps_its_answer() -> None:
    reader, document = BlockingWait(), Snapshot("m", V, "/api/score/m", b"{}", 1, Phase.LIVE)
    reader.release(document.changed(0))
    assert reader.released.is_set()
    assert reader.answer is document.changed(0)
