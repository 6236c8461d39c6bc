"""The Lua scripts: keys and arguments have names, and every key of a script comes from the table in `keys`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from db.domain import Stats
from db.live import keys
from db.live.chunk import Chunk, ClaimedChunk
from db.live.pictures import Pictures
from db.live.plans import Plan
from db.live.purges import DuePurge, Purges
from db.live.sharding import tags
from tests.support.layouts import Layout
from tests.support.paths import ROOT
from tests.support.push import FINAL, World

# What other scripts begin with; it is handed its keys by them.
PARTS = {"board_advance"}
SCRIPTS = sorted(path for path in (ROOT / "db" / "live" / "scripts").glob("*.lua") if path.stem not in PARTS)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_keys_are_named_at_the_top(path: Path) -> None:
    """Below the names, KEYS stands only where the number of keys depends on the call."""
    body = [line for line in path.read_text().splitlines() if not line.startswith("--")]
    named = [line for line in body if re.match(r"local [\w, ]+ = (unpack\()?KEYS\b|    unpack\(KEYS", line)]
    assert named, "no key has a name"
    numbered = [line for line in body if re.search(r"KEYS\[\d+\]", line) and line not in named]
    assert numbered == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_says_what_it_does_and_what_it_returns(path: Path) -> None:
    head = "\n".join(line for line in path.read_text().splitlines() if line.startswith("--"))
    assert head.startswith(f"-- {path.name}: ")
    assert "-- Returns " in head or "Returns" in head
    assert "-- KEYS[1" in head


# Of one key each, which is nobody's match.
OF_NO_SHARD = {"bucket_take", "lease_renew"}


def test_each_script_and_each_key_is_of_one_shard(
    redis_url: str, sqlite_url: str, slots_used: dict[str, set[int]]
) -> None:
    """A cluster refuses a script of several slots. A key without the tag of a shard is in none."""
    world = World(Layout("sharded", redis_url, 16, redis_url), sqlite_url)
    world.fan("fan")
    world.kick_off()
    for n in range(20):
        world.say(n, "goal", (1, 0), match_id=f"m{n}", id="g")
    world.say(60, "goal", (1, 0), id="g")
    world.say(120, "goal_cancelled", (0, 0), voids="g")
    world.at(300)
    live = world.live
    live.inbox.settle(FINAL)
    live.outbox.ack({FINAL: []})
    Purges(live.sharded).ack([DuePurge("live", 2, 1, live.sharded.of(FINAL))], again_at_ms=1)
    match = live.matches.load(FINAL).match
    assert match
    live.board.drop(match)
    live.board.read()
    live.board.renew(live.sharded.of(FINAL), "this one")
    live.commits.restore(match)
    live.documents.put(FINAL, Stats(), source="generic", at_ms=1, purge="live 2")
    live.documents.ack(live.documents.pending(1))
    plan = Plan(f"{FINAL}-1-goals", b"", 1, 1)
    world.plans.split(plan, ["u"], now_ms=1)
    world.plans.begin_topic(plan, "goal en")
    world.broadcasts.stamp(FINAL, 1)
    world.broadcasts.done([(FINAL, 1)])
    world.chunks.release(ClaimedChunk(Chunk(f"{FINAL}-1-goals 1"), b"", 1, {}), at_ms=1)
    for number in range(16):
        live.inbox.clear_bell(number)
    world.alerts.clear_bell()
    pictures = Pictures(live.sharded)
    claimed = pictures.claim(now_ms=2**50)
    assert claimed
    assert pictures.put(claimed, "0123456789ab", b"png")
    pictures.silence(now_ms=2**50)
    assert {name for name, counts in slots_used.items() if counts != {1}} == set()
    assert {path.stem for path in SCRIPTS} - slots_used.keys() == OF_NO_SHARD
    names = [name.decode() for name in world.redis.scan_iter()]
    assert [name for name in names if not name.startswith((*tags(16), "rq:"))] == [keys.SHARDS]


def test_every_pipeline_says_whether_it_is_a_transaction() -> None:
    """The default of redis-py is one on Redis, and none on a cluster."""
    for path in (ROOT / "db" / "live").glob("*.py"):
        assert not re.search(r"\.pipeline\(\)", path.read_text()), path.name
