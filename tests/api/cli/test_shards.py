"""`flask live shards`: everything is moved to another number of shards, or nothing is."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from click.testing import Result

from api.cli import shards as command
from config import Settings
from db.domain import Stamp, Status, Update
from db.domain.errors import Unavailable
from db.live.client import connect
from db.live.shards import CLOSED, ShardCount
from db.live.store import LiveStore
from tests.api.conftest import Site
from tests.conftest import RedisServer
from tests.support.layouts import Layout
from tests.support.live import drain_all, payload
from tests.support.push import World
from workers.ingest import Drain

NOW = 1_700_000_000_000


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "QUIET_S", 0.0)
    monkeypatch.setattr(command, "LOOK_S", 0.01)


def kick_off(match_id: str) -> Update:
    return Update(match_id, Stamp(NOW), NOW, status=Status.FIRST_HALF)


def run(site: Site, *args: str) -> Result:
    return site.app.test_cli_runner().invoke(args=["live", "shards", *args])


def test_it_says_the_number_that_is_recorded(site: Site, layout: Layout) -> None:
    assert run(site).stdout == "0\n"
    assert "Nothing is recorded" in run(site, "4").stderr
    site.services.shards.agree()
    assert run(site).stdout == f"{layout.shards}\n"
    assert f"divided in {layout.shards} already" in run(site, str(layout.shards)).stderr


def test_the_number_is_a_number(site: Site) -> None:
    assert run(site, "0").exit_code != 0
    assert run(site, "65").exit_code != 0
    assert run(site, "many").exit_code != 0


def test_nothing_is_changed_while_updates_cannot_be_applied(site: Site, layout: Layout) -> None:
    live = site.services.live
    site.services.shards.agree()
    live.inbox.accept([kick_off("a"), kick_off("b")], now_ms=NOW)
    live.inbox.park("b", now_ms=NOW)
    refused = run(site, "4")
    assert refused.exit_code == 1
    assert "2 updates wait to be applied, and 1 matches are parked" in refused.stderr
    assert "Open again" in refused.stderr
    assert run(site).stdout == f"{layout.shards}\n"
    assert live.inbox.accept([kick_off("c")], now_ms=NOW)[0]
    live.inbox.unpark(before_ms=2**53)
    assert "updates wait to be applied" in run(site, "4", "--wait", "0").stderr
    assert run(site).stdout == f"{layout.shards}\n"


def test_while_it_is_closed_workers_go_on_and_nothing_is_accepted(site: Site) -> None:
    live, count = site.services.live, site.services.shards
    live.inbox.accept([kick_off("a")], now_ms=NOW)
    count.record(CLOSED)
    with pytest.raises(Unavailable, match="is being changed"):
        live.inbox.accept([kick_off("b")], now_ms=NOW)
    count.agree()
    drain_all(Drain(live, site.services.bells))
    assert live.matches.load("a").match


@pytest.fixture
def world(layout: Layout, sqlite_url: str) -> World:
    """A goal that waits in a window, one that was told, and followers."""
    world = World(layout, sqlite_url)
    ShardCount(world.live.sharded).agree()
    world.fan("fan")
    world.kick_off()
    world.say(60, "goal", (1, 0), id="g1")
    world.say(65, "goal", (2, 0), id="g2")
    for n in range(40):
        world.say(70, "kickoff", (0, 0), match_id=f"m{n}")
    return world


def everything(live: LiveStore) -> dict[str, Any]:
    board = live.board.read()
    return {
        "matches": {match.id: live.matches.timeline(match.id) for match in board.matches},
        "revs": {match.id: live.matches.load(match.id).rev for match in board.matches},
        "outbox": {match.id: live.outbox.entries(match.id, 100) for match in board.matches},
        "pending": set(live.outbox.pending(1_000)),
    }


def change(world: World, count: int, *args: str) -> World:
    """As the command does, and the world goes on with that number."""
    layout = world.layout
    site = Site(Settings(**layout.settings, ingest_secret_generic="whsec_" + "A" * 32))
    changed = run(site, str(count), *args)
    site.close()
    assert changed.exit_code == 0, changed.output
    assert f"Set LIVE_SHARDS={count}" in changed.stdout
    return world


@pytest.mark.parametrize("numbers", [(4, 3), (3, 1)])
def test_everything_goes_on_where_it_was(world: World, numbers: tuple[int, int]) -> None:
    connection = world.live.sharded.connection
    if 1 in numbers and world.layout.is_cluster:
        pytest.skip("a cluster has more than one shard")
    before, version = everything(world.live), world.live.board.read().version
    world.live.inbox.accept([], now_ms=NOW, delivery="generic:old")
    world.live.refusals.keep(payload(1))
    told = list(world.phones.sent)
    for number in numbers:
        change(world, number)
        world.use(LiveStore(connection, number))
        assert everything(world.live) == before
        assert world.live.board.read().version > version
        version = world.live.board.read().version
        assert ShardCount(world.live.sharded).recorded() == number
    live = world.live
    assert live.inbox.accept([], now_ms=NOW, delivery="generic:old") == (False, [])
    assert [stored for _, stored in live.refusals.entries(10)] == [payload(1)]
    with pytest.raises(Unavailable, match=f"divided in {numbers[-1]}"):
        LiveStore(connection, 7).inbox.accept([kick_off("a")], now_ms=NOW)
    world.at(100)
    assert len(world.phones.sent) == len(told) + 1, "the goal that waited is told, and nothing twice"
    world.say(120, "goal_cancelled", (1, 0), voids="g2")
    assert len(world.phones.sent) == len(told) + 2


def test_a_delivery_that_may_have_broken_off_is_taken_again(world: World) -> None:
    live, connection = world.live, world.live.sharded.connection
    soon = command.now_ms() + 60_000
    live.inbox.accept([kick_off("a")], now_ms=soon, delivery="generic:young")
    drain_all(Drain(live, world.bells))
    change(world, 4)
    assert LiveStore(connection, 4).inbox.accept([kick_off("a")], now_ms=soon, delivery="generic:young")[0]


def test_it_moves_to_another_redis(world: World, run_redis: Callable[[], RedisServer]) -> None:
    other = run_redis()
    before = everything(world.live)
    change(world, 16, "--to", other.url)
    with closing(connect(other.url)) as client:
        assert everything(LiveStore(client, 16)) == before
    with pytest.raises(Unavailable, match="is being changed"):
        world.live.inbox.accept([kick_off("a")], now_ms=NOW)
