"""The feed process beside the whole system: killed again and again in a match, and a second one that waits."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from db.domain import Match
from db.live.feeds import LEASE_MS, FeedStates
from db.live.keys import feed_lease
from db.live.sharding import ShardedRedis
from dev.providers.faults import Limit
from dev.providers.playback import playback
from dev.providers.server import ProviderServer
from dev.providers.sportradar import SportradarProvider
from dev.recordings import read
from feeds.sportradar.parse import parse
from tests.conftest import wait_until
from tests.support.feeds import match_after
from tests.support.paths import DATA, ROOT
from tests.support.stories.count import in_full, scaled
from tests.support.system import System

pytestmark = [
    pytest.mark.skipif(not DATA.exists(), reason="no recordings at hand"),
    pytest.mark.faults,
]

TIMELINE = DATA / "sportradar" / "soccer-timeline-2020-05-16-frankfurt-moenchengladbach.json"
MATCH = "sr:sport_event:19866060"
KEY = "a-key-of-the-tests"
# The recording takes two hours.
MATCH_S = 7_200


@pytest.fixture
def sportradar() -> Iterator[Callable[[float], SportradarProvider]]:
    servers: list[ProviderServer] = []

    def play(in_s: float) -> Any:
        matches = playback([read(TIMELINE)], speed=MATCH_S / in_s, start_ms=time.time_ns() // 1_000_000, lead_ms=5_000)
        provider = SportradarProvider(matches, KEY, Limit(100_000, 60.0))
        servers.append(ProviderServer(provider))
        return provider, servers[-1].url

    yield play
    for server in servers:
        server.close()


def uncut(provider: SportradarProvider) -> Match:
    """The match of the same messages, read once and in order."""
    messages = [message for message in provider.matches.messages if message.match_id]
    updates = [update for message in messages for update in parse(message.body, received_at=message.at_ms)]
    return match_after(updates)


def started(run_system: Callable[..., System], url: str) -> System:
    return run_system(FEEDS="sportradar", SPORTRADAR_URL=url, SPORTRADAR_KEY=KEY)


def lease_until(system: System) -> int:
    """When (ms) the lease of the stream ends, unless it is renewed."""
    return time.time_ns() // 1_000_000 + int(system.redis.pttl(feed_lease("sportradar")))


def heard_at(system: System) -> int:
    """When (ms) the stream last said something; 0 for never."""
    return max(
        (
            health.heard_at or 0
            for health in FeedStates(ShardedRedis(system.redis, 1)).all()
            if health.name == "sportradar"
        ),
        default=0,
    )


def test_a_feed_process_killed_again_and_again_loses_nothing(
    run_system: Callable[..., System], sportradar: Any
) -> None:
    kills = scaled(2, 20)
    provider, url = sportradar(5.0 * kills)
    system = started(run_system, url)
    resumed_s: list[float] = []
    for _ in range(kills):
        began_ms = time.time_ns() // 1_000_000
        wait_until(lambda began_ms=began_ms: heard_at(system) > began_ms, "a message")
        before, at = provider.connections, time.monotonic()
        system.kill("feed")
        system.restart("feed")
        wait_until(lambda before=before: provider.connections > before, "the stream to be read again")
        resumed_s.append(time.monotonic() - at)
    print("resumed after, s:", " ".join(f"{s:.1f}" for s in sorted(resumed_s)))
    wait_until(lambda: provider.matches.is_over, "the recording's end", 180)
    wait_until(lambda: system.score(MATCH).get("status") == "finished", "the end")
    system.wait_settled()
    assert system.shown(MATCH) == "1-3"
    timeline = system.get(f"/api/matches/{MATCH}/events").json()["events"]
    standing = sorted(event["id"] for event in timeline if not event["voided"])
    assert standing == sorted(event.id for event in uncut(provider).timeline if not event.voided)


@in_full
def test_of_two_feed_processes_one_reads_and_the_other_takes_over(
    run_system: Callable[..., System], sportradar: Any, tmp_path: Path
) -> None:
    provider, url = sportradar(MATCH_S)
    system = started(run_system, url)
    wait_until(lambda: provider.connections == 1, "the first process")
    command = [sys.executable, "-m", "workers.feed"]
    log = tmp_path / "second.log"
    with log.open("wb") as output:
        second = subprocess.Popen(command, cwd=ROOT, env=system.env, stdout=output, stderr=output)
    try:
        wait_until(lambda: b"feeds_started" in log.read_bytes(), "the second process")
        # It asks for the lease each second, and the first renews it meanwhile, for longer than one lasts.
        until = lease_until(system) + 2 * LEASE_MS
        wait_until(lambda: lease_until(system) >= until, "two lives of the lease")
        assert provider.connections == 1
        system.kill("feed")
        wait_until(lambda: provider.connections == 2, "the second process")
        holder = next(
            health.holder for health in FeedStates(ShardedRedis(system.redis, 1)).all() if health.name == "sportradar"
        )
        wait_until(lambda: str(second.pid) in holder or provider.connections == 2, "its name")
    finally:
        second.terminate()
        second.wait(20)
    assert system.get("/readyz").json()["feeds"].keys() == {"sportradar", "sportradar_rest"}
