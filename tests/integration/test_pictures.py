"""A worker that is killed over a picture: the next one draws it."""

from __future__ import annotations

import time

import pytest

from db.live import keys
from db.live.pictures import Pictures
from db.live.sharding import ShardedRedis
from tests.conftest import wait_until
from tests.support.system import System, event


@pytest.mark.faults
def test_what_a_killed_worker_had_claimed_is_drawn_by_the_next(system: System) -> None:
    pictures = Pictures(ShardedRedis(system.redis, 1))
    system.post_match("m", "Argentina", "France")
    system.post_events(event("m", "kickoff", 0, 0, 0))
    wait_until(lambda: pictures.digest("m"), "the picture of the kick-off")
    before = pictures.digest("m")
    system.kill("worker-0")
    system.post_events(event("m", "goal", 1, 0, 5, team="home"))
    system.restart("worker-0")
    wait_until(lambda: pictures.digest("m") != before, "the picture of the goal")
    # As a worker leaves it that is killed in the middle: claimed, and the claim ends soon.
    system.redis.delete(keys.picture("m"))
    system.redis.zadd(keys.PICTURES_PENDING, {"m": time.time_ns() // 1_000_000 + 2_000})
    wait_until(lambda: pictures.digest("m"), "the picture, drawn by whoever came next")
    answer = system.get(f"/match/m/{pictures.digest('m')}.png", allow_redirects=False)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/png")
    assert pictures.waiting() == 0
