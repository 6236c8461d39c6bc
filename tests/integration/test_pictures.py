"""A worker that is killed over a picture: the next one draws it."""

from __future__ import annotations

import re
import time

import pytest

from db.live.pictures import CLAIM_MS, Pictures
from db.live.sharding import ShardedRedis
from tests.conftest import wait_until
from tests.support.system import System, event

PUBLIC = "https://scores.example"


@pytest.mark.faults
@pytest.mark.settings(PUBLIC_URL=PUBLIC)
def test_what_a_killed_worker_had_claimed_is_drawn_by_the_next(system: System) -> None:
    pictures = Pictures(ShardedRedis(system.redis, 1))
    system.post_match("m", "Argentina", "France")
    system.post_events(event("m", "kickoff", 0, 0, 0))
    wait_until(lambda: shown(system), "the picture of the kick-off")
    before = shown(system)
    system.kill("worker-0")
    system.post_events(event("m", "goal", 1, 0, 5, team="home"))
    system.restart("worker-0")
    wait_until(lambda: shown(system) not in ("", before), "the picture of the goal")
    # As a worker leaves it that is killed in the middle: claimed, the claim about to end.
    shard = pictures.sharded.of("m")
    now_ms = time.time_ns() // 1_000_000
    system.redis.delete(shard.key("match:{m}:picture"))
    system.redis.zadd(shard.key("pictures:pending"), {"m": now_ms - CLAIM_MS})
    assert pictures.claim(now_ms=now_ms - CLAIM_MS)
    wait_until(lambda: shown(system), "the picture, drawn by whoever came next")
    assert pictures.waiting() == 0


def shown(system: System) -> str:
    """The path that the page names, once the picture is there."""
    (url,) = re.findall(r'property="og:image" content="([^"]+)"', system.get("/match/m").text)
    path = url.removeprefix(PUBLIC)
    answer = system.get(path, allow_redirects=False)
    return path if answer.status_code == 200 and answer.headers["Content-Type"] == "image/png" else ""
