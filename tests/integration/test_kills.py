"""kill -9 of every process of a running system, in mid-replay: nothing is lost, nothing is applied twice."""

from __future__ import annotations

import os
import random
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import pytest

from db.domain.errors import Unavailable
from dev.replay import __main__
from dev.replay.disorder import Delivery
from dev.replay.ingest_client import IngestClient
from dev.replay.player import Player, lanes
from tests.conftest import Postgres, wait_until
from tests.support import recordings
from tests.support.recordings import DATA, essence, expected, tell
from tests.support.stories.count import in_full, some
from tests.support.system import System

pytestmark = [pytest.mark.faults, recordings.needed, pytest.mark.xdist_group("kills")]

FILES = (*some(recordings.TOURNAMENTS, 1), recordings.FEEDS[0], recordings.FEEDS[2])
# `KILL_SEED=…` runs a failed test's kills at the same points again.
SEED = int(os.environ.get("KILL_SEED") or secrets.randbelow(1_000_000))
KILLS = 4
SHUFFLED = ("--shuffle", "all", "--duplicates", "10", "--seed", str(SEED))
ALONE = [("web",), ("clock", "worker-0"), ("redis",)]


class StubbornClient(IngestClient):
    """Knocks on where nobody answers: a sender that means it, as the webhook services do."""

    def send(self, delivery: Delivery) -> int:
        for again in range(200):
            try:
                return again + super().send(delivery)
            except Unavailable:
                self.sleep(0.2)
        raise Unavailable(f"{self.url} did not come back")


@contextmanager
def telling(system: System, *disorder: str) -> Iterator[Player]:
    """Plays the files in the background; at its end all is sent, applied and written."""
    options = __main__.parser().parse_args([*(str(DATA / file) for file in FILES), *disorder])
    messages, _ = __main__.load(options)
    player = Player(
        lambda sleep: StubbornClient(system.url, system.secrets, sleep),
        lanes(__main__.plan(messages, options, nonce="kills"), count=4, batch=1),
    )
    with ThreadPoolExecutor(1) as pool:
        playing = pool.submit(player.play, 0, lambda _: None, 0.1)
        yield player
        playing.result()
    system.wait_settled()


@pytest.fixture(scope="module")
def undisturbed(run_module_system: Callable[..., System]) -> dict[str, object]:
    system = run_module_system(LIVE_SHARDS=2)
    tell(system, FILES)
    essences = {match_id: essence(system, match_id) for file in FILES for match_id in expected(file)}
    system.end()
    return essences


def assert_as_if_nothing_happened(system: System, undisturbed: dict[str, object]) -> None:
    assert {match_id: essence(system, match_id) for match_id in undisturbed} == undisturbed
    recordings.assert_history_is_live(system, FILES)


@in_full
def test_workers_killed_while_they_drain(run_system: Callable[..., System], undisturbed: dict[str, object]) -> None:
    # Two shards: two workers drain at once.
    system = run_system(LIVE_SHARDS=2, WORKER_PROCESSES=2)
    rng = random.Random(SEED)
    kills = 0
    with telling(system) as player:
        for victim in (system.workers * KILLS)[:KILLS]:
            goal = commits(system, victim) + rng.randint(5, 50)
            wait_until(partial(has_drained, system, victim, goal, player), f"{goal} commits of {victim}", 120)
            kills += commits(system, victim) >= goal
            system.kill(victim)
            system.restart(victim)
    print(f"KILL_SEED={SEED} kills={kills}")
    assert kills >= 2
    assert_as_if_nothing_happened(system, undisturbed)


@in_full
def test_each_match_fully_shuffled_by_two_workers_of_which_one_is_killed(
    run_system: Callable[..., System], undisturbed: dict[str, object]
) -> None:
    system = run_system(LIVE_SHARDS=2, WORKER_PROCESSES=2)
    victim = system.workers[SEED % 2]
    goal = random.Random(SEED).randint(5, 50)
    with telling(system, *SHUFFLED) as player:
        wait_until(partial(has_drained, system, victim, goal, player), f"{goal} commits of {victim}", 120)
        print(f"KILL_SEED={SEED}: {victim} after {player.sent} of {player.total}")
        system.kill(victim)
    assert_as_if_nothing_happened(system, undisturbed)


def commits(system: System, worker: str) -> int:
    return system.log(worker).read_text().count(" match_applied ")


def has_drained(system: System, worker: str, goal: int, player: Player) -> bool:
    return commits(system, worker) >= goal or (player.sent == player.total and system.is_settled())


@pytest.mark.parametrize("victims", some([("web", "clock", "worker-0", "redis"), *ALONE], 1), ids="+".join)
def test_killed_in_mid_replay(
    run_system: Callable[..., System], undisturbed: dict[str, object], victims: tuple[str, ...]
) -> None:
    system = run_system(LIVE_SHARDS=2, WORKER_PROCESSES=2)
    rng = random.Random(SEED)
    with telling(system, *SHUFFLED) as player:
        for n, point in enumerate(sorted(rng.randrange(player.total * 9 // 10) for _ in range(KILLS))):
            wait_until(partial(has_sent, player, point), f"{point} requests sent", 120)
            victim = victims[n % len(victims)]
            print(f"KILL_SEED={SEED}: {victim} after {player.sent} of {player.total}")
            system.kill(victim)
            if victim == "redis":
                wait_until(lambda: system.get("/readyz").status_code == 503, "its absence to be noticed")
            system.restart(victim)
    assert_as_if_nothing_happened(system, undisturbed)


def has_sent(player: Player, count: int) -> bool:
    return player.sent >= count


def test_without_sql_for_a_while_history_catches_up(
    run_system: Callable[..., System], undisturbed: dict[str, object], postgres: Postgres, postgresql_url: str
) -> None:
    system = run_system(DATABASE_URL=postgresql_url, LIVE_SHARDS=2)
    with telling(system) as player:
        wait_until(lambda: player.sent > player.total // 4, "a quarter to be sent", 120)
        postgres.stop()
        try:
            wait_until(lambda: player.sent == player.total, "the rest to be sent without SQL", 120)
            assert system.get("/readyz").json()["status"] == "degraded"
        finally:
            postgres.start()
    assert_as_if_nothing_happened(system, undisturbed)
