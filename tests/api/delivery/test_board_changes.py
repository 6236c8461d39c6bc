"""A board and what changed on it since are the board: in any order of changes and answers, on a real Redis."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.delivery import render
from api.delivery.hub import Hub
from api.delivery.snapshot import CHANGES, Snapshot
from db.domain import Cursor, Fact, FactKind, Match, Score, ScorelineEntry, Side, Status, Team
from db.domain.record import replace
from db.live import keys, sharding
from db.live.client import connect, lua
from db.live.matches import StoredMatch
from db.live.store import LiveStore
from tests.support.hub import Client

# Instead of ten minutes: some of the changes of one story.
LOG_MS = 100
MATCHES = ("a", "b", "c")
PROCESSES, READERS = 2, 3
# What a minute that only ticks may change.
TICKING = ("version", "updated_at", "minute", "added_minute", "minute_at")

STEPS = st.one_of(
    st.tuples(st.sampled_from(["goal", "card", "red", "rename", "tick", "leap", "end"]), st.sampled_from(MATCHES)),
    st.tuples(st.sampled_from(["drop", "break", "before"]), st.sampled_from(MATCHES)),
    st.tuples(st.just("hear"), st.integers(0, PROCESSES - 1)),
    st.tuples(st.sampled_from(["ask", "lose"]), st.integers(0, READERS - 1), st.integers(0, PROCESSES - 1)),
    st.tuples(st.sampled_from(["move", "save", "return", "empty", "wait"])),
)  # fmt: skip


@dataclass
class Reader:
    """A client: the board as it has put it together, and the path to ask next, None before it has a board."""

    matches: dict[str, dict[str, Any]] = field(default_factory=dict)
    changes: str | None = None

    def take(self, body: dict[str, Any]) -> None:
        self.changes = body["changes"]
        if "matches" in body:
            self.matches = {match["match_id"]: match for match in body["matches"]}
            return
        self.matches |= {match["match_id"]: match for match in body["changed"]}
        for match_id in body["gone"]:
            self.matches.pop(match_id, None)


class World:
    """A Redis, processes that hear of its changes when told to, and readers who ask any of them."""

    def __init__(self, client: Any, shards: int) -> None:
        self.client = client
        client.flushall()
        self.live = LiveStore(client, shards)
        self.highest = 0
        self.hubs = [Hub(1_000, lambda _s, _action: lambda: None) for _ in range(PROCESSES)]
        self.readers = [Reader() for _ in range(READERS)]
        self.told_at_ms = 0
        self.saved: list[tuple[bytes, bytes]] = []
        for hub in self.hubs:
            hub.watch(CHANGES)

    # What happens to matches.

    def goal(self, match_id: str) -> None:
        match = self.match(match_id)
        score = match.score or Score(0, 0)
        self.commit(match, FactKind.SCORE, score=Score(score.home + 1, score.away), status=Status.SECOND_HALF)

    def card(self, match_id: str) -> None:
        self.commit(self.match(match_id), FactKind.ADDED, venue=f"{time.monotonic_ns()}")

    def red(self, match_id: str) -> None:
        match = self.match(match_id)
        cards = match.cards or ()
        self.commit(match, FactKind.ADDED, cards=(*cards, ScorelineEntry("red_card", Side.HOME, minute=len(cards))))

    def rename(self, match_id: str) -> None:
        self.commit(self.match(match_id), FactKind.INFO, home=Team("h", f"Reds {time.monotonic_ns()}"))

    def tick(self, match_id: str) -> None:
        match = self.match(match_id)
        self.commit(match, None, minute=(match.minute or 0) + 1, minute_at=(match.minute_at or 0) + 60_000)

    def leap(self, match_id: str) -> None:
        match = self.match(match_id)
        self.commit(match, None, minute=(match.minute or 0) + 7, minute_at=(match.minute_at or 0) + 60_000)

    def end(self, match_id: str) -> None:
        self.commit(self.match(match_id), FactKind.STATUS, status=Status.FINISHED)

    def drop(self, match_id: str) -> None:
        if match := self.live.matches.readable([match_id]):
            self.live.board.drop(match[0])

    def break_(self, match_id: str) -> None:
        """A newer release tells of it in words that this one does not know."""
        self.goal(match_id)
        self.client.hset(self.key(match_id, keys.state(match_id)), "match", "{}")

    def before(self, match_id: str) -> None:
        """The release before changes it, and logs nothing."""
        names = [self.key(match_id, name) for name in (keys.BOARD_CHANGES, keys.BOARD_BOUNDS)]
        log = [self.client.dump(name) for name in names]
        self.goal(match_id)
        for key, dump in zip(names, log, strict=True):
            self.client.delete(key)
            if dump:
                self.client.restore(key, 0, dump)

    def move(self) -> None:
        """A match goes on under another id."""
        self.commit(self.match("a"), FactKind.STATUS, status=Status.REPLACED, replaced_by="b")
        self.goal("b")

    # What happens to Redis.

    def empty(self) -> None:
        """It comes back with nothing, some time later, and one match from history."""
        kept = self.live.matches.readable([MATCHES[0]])
        self.flush()
        self.wait()
        if len(self.live.sharded.shards) > 1:
            # Each shard's version is a summand, and has to be there again.
            self.renew()
        for match in kept:
            self.live.commits.restore(match)

    def save(self) -> None:
        self.saved = [(key, self.client.dump(key)) for key in self.client.scan_iter()]

    def return_(self) -> None:
        """It comes back older, and that is noticed."""
        if self.saved:
            self.flush()
            for key, dump in self.saved:
                self.client.restore(key, 0, dump)
            self.wait()
            self.renew()

    def renew(self) -> None:
        for shard in self.live.sharded.shards:
            self.live.board.renew(shard, f"{time.monotonic_ns()}")

    def flush(self) -> None:
        self.highest = self.newest()
        self.client.flushall()

    def newest(self) -> int:
        """The highest version that a shard of the board ever had."""
        versions = (int(self.client.get(shard.key(keys.BOARD)) or 0) for shard in self.live.sharded.shards)
        return max(self.highest, *versions)

    def wait(self) -> None:
        """Until its clock is past all versions that were ever given."""
        newest = self.newest()
        while (now := self.client.time())[0] * 1_000 + now[1] // 1_000 <= newest + 1:
            time.sleep(0.001)

    # Who hears and asks.

    def hear(self, process: int) -> None:
        self.hubs[process].know(render.boards(self.live.board.read())[CHANGES])

    def ask(self, reader: int, process: int) -> None:
        self.request(reader, process, self.readers[reader].take)

    def lose(self, reader: int, process: int) -> None:
        self.request(reader, process, lambda _body: None)

    def request(self, number: int, process: int, take: Callable[[dict[str, Any]], None]) -> None:
        """One request, answered at once or when that process hears more."""
        hub, reader = self.hubs[process], self.readers[number]
        cursor = Cursor.parse(reader.changes.rsplit("/", 1)[1]) if reader.changes else None
        if hub.snapshot(CHANGES) is None or self.known(hub) < (cursor.version if cursor else 0):
            self.hear(process)
        snapshot = hub.snapshot(CHANGES)
        assert snapshot
        if cursor is None:
            take(json.loads(snapshot.body(snapshot.cursor(0))))
        else:
            client = Client()
            answer = hub.ask(CHANGES, cursor, client, snapshot.waited)
            if answer is None:
                self.hear(process)
                answer = client.answers[0] if client.answers else None
            if answer is None:
                hub.leave(client)
            else:
                take(json.loads(answer.body))
        newest = hub.snapshot(CHANGES)
        assert newest
        if reader.changes and reader.changes.endswith(f"/{newest.waited}.0"):
            assert_same(reader, newest)

    @staticmethod
    def known(hub: Hub) -> int:
        snapshot = hub.snapshot(CHANGES)
        return snapshot.waited if snapshot else 0

    def match(self, match_id: str) -> Match:
        readable = self.live.matches.readable([match_id])
        return (
            readable[0]
            if readable
            else Match(match_id, minute=1, minute_at=1_700_000_000_000, start_time=MATCHES.index(match_id) or None)
        )

    def commit(self, before: Match, kind: FactKind | None, **changes: Any) -> None:
        """Also over what this release cannot read, as the one that can would do."""
        held = StoredMatch(before, self.rev(before.id))
        status = {"status": before.status if before.status in (Status.SECOND_HALF,) else Status.FIRST_HALF}
        after = replace(before, **(status | changes))
        facts = (Fact(kind),) if kind else ()
        assert self.live.commits.commit(held, after, facts, (), visible=True).done

    def rev(self, match_id: str) -> str:
        return (self.client.hget(self.key(match_id, keys.state(match_id)), "rev") or b"0").decode()

    def key(self, match_id: str, name: str) -> str:
        return self.live.sharded.of(match_id).key(name)


def assert_same(reader: Reader, snapshot: Snapshot) -> None:
    """All but minutes that tick; those within two."""
    whole = {match["match_id"]: match for match in json.loads(snapshot.json)["matches"]}
    mine = {match_id: reader.matches[match_id] for match_id in sorted(reader.matches)}
    assert {name: still(match) for name, match in mine.items()} == {name: still(whole[name]) for name in sorted(whole)}
    order = sorted(mine, key=lambda name: (mine[name]["start_time"] or "", name))
    assert order == list(whole)
    for name, match in mine.items():
        assert abs(kick_off_ms(match) - kick_off_ms(whole[name])) <= 2 * 60_000


def still(match: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in match.items() if name not in TICKING}


def kick_off_ms(match: dict[str, Any]) -> float:
    """When its clock was at 0, counted back."""
    told = time.strptime(match["minute_at"][:19], "%Y-%m-%dT%H:%M:%S")
    return (time.mktime(told) - match["minute"] * 60) * 1_000


@pytest.fixture
def client(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    def shorter(name: str) -> str:
        return lua(name).replace("600000, 600000", f"{LOG_MS}, {LOG_MS}")

    assert "600000, 600000" in lua("board_advance")
    monkeypatch.setattr(sharding, "lua", shorter)
    with connect(redis_url) as client_:
        yield client_


@pytest.mark.parametrize("shards", [1, 4])
@settings(max_examples=70, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, min_size=10, max_size=40))
def test_a_board_and_its_differences_are_the_board(client: Any, shards: int, steps: list[tuple[Any, ...]]) -> None:
    world = World(client, shards)
    for name, *arguments in steps:
        getattr(world, {"break": "break_", "return": "return_"}.get(name, name))(*arguments)
    # In the end all hear of one more change, and everybody asks until nothing is new.
    world.wait()
    world.rename("c")
    for process in range(PROCESSES):
        world.hear(process)
    now = world.hubs[0].snapshot(CHANGES)
    assert now
    for number, reader in enumerate(world.readers):
        for process in range(PROCESSES):
            world.ask(number, process)
        assert reader.changes == f"/api/live/changes/{now.waited}.0"
        assert_same(reader, now)
