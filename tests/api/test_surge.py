"""A surge: readers come less often, nobody new is held, and it ends by itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from click.testing import Result

from api.delivery.snapshot import SURGE_POLL_MS
from api.surge_watch import SurgeWatch
from cdn import headers, keys
from db.domain import Cursor, Fact, FactKind, Match, Phase, Status
from db.live.client import connect
from db.live.surge import SurgeSwitch
from tests.api.conftest import Site, event, fixture
from tests.api.delivery.test_hub import Client, Clock, Stream, body, score
from tests.api.delivery.test_hub import CountingHub as Hub

NOW = 1_700_000_000_000
NOWHERE = "redis://127.0.0.1:1/0"
HOUR_MS = 3_600_000


def command(site: Site, *args: str) -> Result:
    return site.app.test_cli_runner().invoke(args=["surge", *args])


def score_of(site: Site) -> dict[str, object]:
    return dict(site.get("/api/score/m").get_json())


@pytest.fixture
def playing(site: Site) -> Site:
    site.tell(event("m"), matches=(fixture("m", start_time="2026-05-01T18:00:00Z"),))
    return site


class TestHub:
    def hub(self) -> Hub:
        hub = Hub(10, Clock().later)
        hub.watch("m")
        hub.know(score(NOW))
        return hub

    def test_nobody_new_is_held_and_whoever_is_here_stays(self) -> None:
        hub, held, stream = self.hub(), Client(), Stream()
        assert hub.ask("m", Cursor(NOW), held, NOW) is None
        assert hub.join("m", stream)
        hub.surging = True
        answer = hub.ask("m", Cursor(NOW), Client(), NOW)
        assert answer
        assert {name: body(answer)[name] for name in ("held", "next", "poll_after_ms")} == {
            "held": "full",
            "next": None,
            "poll_after_ms": SURGE_POLL_MS,
        }
        assert not hub.join("m", Stream())
        hub.know(score(NOW + 1))
        assert held.told["version"] == NOW + 1
        assert stream.offered == [NOW + 1]

    def test_whoever_missed_a_change_is_told_it_and_polls(self) -> None:
        hub = self.hub()
        hub.surging = True
        answer = hub.ask("m", Cursor(NOW - 1), Client(), NOW)
        assert answer
        assert (body(answer)["held"], body(answer)["version"], body(answer)["next"]) == ("behind", NOW, None)

    def test_after_it_readers_are_held_again(self) -> None:
        hub = self.hub()
        hub.surging = True
        hub.surging = False
        assert hub.ask("m", Cursor(NOW), Client(), NOW) is None

    def test_a_pace_that_is_slower_already_is_kept(self) -> None:
        assert replace(score(NOW), poll_after_ms=60_000).in_surge.poll_after_ms == 60_000


def test_on_is_served_with_longer_lifetimes_and_another_etag_and_off_is_as_before(playing: Site) -> None:
    before = playing.get("/api/score/m")
    assert "readers poll every 10 s" in command(playing, "on", "--minutes", "5").output
    playing.services.surge_watch.look()
    during = playing.get("/api/score/m", If_None_Match=before.headers["ETag"])
    assert during.status_code == 200, "a 304 would leave an edge with the pace of before"
    assert (during.get_json()["next"], during.get_json()["poll_after_ms"]) == (None, SURGE_POLL_MS)
    assert "s-maxage=8, stale-while-revalidate=2" in during.headers["Cache-Control"]
    assert "max-age=1," in during.headers["Cache-Control"]
    assert playing.get("/api/live").get_json()["poll_after_ms"] == SURGE_POLL_MS
    ready = playing.get("/readyz").get_json()
    assert ready["surge_until"]
    command(playing, "off")
    playing.services.surge_watch.look()
    after = playing.get("/api/score/m", If_None_Match=during.headers["ETag"])
    assert (after.status_code, after.headers["ETag"]) == (200, before.headers["ETag"])
    assert after.get_json()["next"]
    assert command(playing, "status").output == "Off.\n"


def test_one_that_is_forgotten_ends_by_itself_even_while_redis_is_away(redis_url: str) -> None:
    hub, time_ms = Hub(10, Clock().later), [NOW]
    with connect(redis_url) as client:
        switch = SurgeSwitch(client)
        until_ms = switch.turn_on(now_ms=NOW, lasting_ms=HOUR_MS)
        assert 0 < client.pttl("surge") <= HOUR_MS
        watch = SurgeWatch(switch, hub, lambda: time_ms[0])
        watch.look()
        assert hub.surging
        with connect("redis://127.0.0.1:1/0", retries=0) as away:
            watch.switch = SurgeSwitch(away)
            watch.look()
            assert hub.surging, "what was read last holds"
            time_ms[0] = until_ms
            watch.look()
            assert not hub.surging


def test_it_is_a_metric(make_site: Callable[..., Site], sqlite_url: str) -> None:
    playing = make_site(sqlite_url, metrics_open=True)
    assert b"surge 0.0" in playing.get("/metrics").data
    SurgeSwitch(playing.services.redis).turn_on(now_ms=time.time_ns() // 1_000_000, lasting_ms=HOUR_MS)
    assert b"surge 1.0" in playing.get("/metrics").data


@pytest.mark.parametrize("minutes", ["0", "181", "-5"])
def test_it_cannot_be_left_on(site: Site, minutes: str) -> None:
    assert command(site, "on", "--minutes", minutes).exit_code != 0
    assert site.services.surge_switch.until_ms() == 0


@pytest.mark.parametrize("phase", [*Phase])
def test_a_purge_is_repeated_for_as_long_as_an_answer_of_a_surge_lives(phase: Phase) -> None:
    """A purge that is given up while the edge still has the old score would leave it there."""
    status = {Phase.LIVE: Status.FIRST_HALF, Phase.BREAK: Status.HALF_TIME, Phase.FINISHED: Status.FINISHED}
    match = Match("m", status=status.get(phase, Status.SCHEDULED))
    for purge in keys.purges(match, match, [Fact(FactKind.SCORE)]):
        policies = {"live": [headers.LIVE]}.get(purge.key, [headers.for_phase(match.phase), headers.LIST])
        assert purge.lifetime_s >= max(headers.in_surge(policy).lifetime_s for policy in policies), purge.key


def test_without_redis_the_operator_gets_one_sentence(make_site: Callable[..., Site], sqlite_url: str) -> None:
    away = make_site(sqlite_url, redis_url=NOWHERE, rq_redis_url=NOWHERE)
    refused = command(away, "on")
    assert (refused.exit_code, refused.stderr) == (1, "Error: live state is out of reach: ConnectionError\n")
