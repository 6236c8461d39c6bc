"""The purge mailbox and who empties it, on a real Redis."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

import pytest
import redis

from cdn.backends.base import DONE, Budget, Outcome, later, refused
from cdn.backends.null import NullBackend
from db.domain import Match, MatchInfo, Stamp, Team, Update
from db.live import keys
from db.live.client import connect
from db.live.purges import DuePurge, Purges, entry
from db.live.sharding import ShardedRedis
from db.live.store import LiveStore
from tests.support.layouts import Layout
from workers.ingest import Drain
from workers.purge import COALESCE_S, DUE_KEYS_MAX, REBOUND_MS, RETRY_MAX_S, Purger, drain_pending
from workers.queues import PURGE, Doorbells

NOW = 1_795_600_000_000


class Recording(NullBackend):
    """A CDN that says yes, or what it is told to say, and remembers its calls."""

    name = "recording"
    max_keys = 3
    rebound_above_s = 0.0

    def __init__(self, **traits: object) -> None:
        self.budget = Budget(1000, 1000)
        self.calls: list[tuple[list[str], bool]] = []
        self.says: list[Outcome] = []
        for name, value in traits.items():
            setattr(self, name, value)

    def purge(self, keys: Sequence[str], *, soft: bool) -> Outcome:
        self.calls.append((list(keys), soft))
        return self.says.pop(0) if self.says else DONE

    @property
    def purged(self) -> list[str]:
        return [key for keys, _ in self.calls for key in keys]


@pytest.fixture
def client(layout: Layout) -> Iterator[redis.Redis]:
    client = connect(layout.plain_url)
    yield client
    client.close()


@pytest.fixture
def purges(layout: Layout) -> Iterator[Purges]:
    connection = layout.connect()
    yield Purges(ShardedRedis(connection, layout.shards))
    connection.close()


def wanted(purges: Purges, *names: str, lifetime_s: int = 10, at_ms: int = NOW) -> None:
    """As if a match of the same name had changed."""
    for name in names:
        shard = purges.sharded.of(name)
        shard.redis.zadd(shard.key(keys.PURGE_PENDING), {entry(name, lifetime_s): at_ms})


def ring(purges: Purges, match_id: str) -> None:
    shard = purges.sharded.of(match_id)
    shard.redis.set(shard.key(keys.PURGE_BELL), 1)


def is_ringing(purges: Purges, match_id: str) -> bool:
    shard = purges.sharded.of(match_id)
    return bool(shard.redis.exists(shard.key(keys.PURGE_BELL)))


class TestRounds:
    def test_what_waits_is_purged_in_chunks_of_the_vendor_and_each_once(
        self, client: redis.Redis, purges: Purges
    ) -> None:
        cdn = Recording()
        names = [f"match-{n}" for n in range(7)]
        wanted(purges, *names)
        wanted(purges, "match-0", lifetime_s=660)
        Purger(purges, cdn).round(NOW + 5)
        assert [len(called) for called, _ in cdn.calls] == [3, 3, 1]
        assert sorted(cdn.purged) == names
        assert purges.waiting() == 0

    def test_scores_go_hard_and_first_and_lists_softly(self, client: redis.Redis, purges: Purges) -> None:
        cdn = Recording()
        wanted(purges, "day-2026-11-25", "live", "competition-cup", "match-1")
        Purger(purges, cdn).round(NOW + 5)
        assert [(sorted(called), soft) for called, soft in cdn.calls] == [
            (["live", "match-1"], False),
            (["competition-cup", "day-2026-11-25"], True),
        ]

    def test_a_cdn_that_knows_no_soft_purge_gets_one_call(self, client: redis.Redis, purges: Purges) -> None:
        cdn = Recording(soft=False)
        wanted(purges, "day-2026-11-25", "live")
        Purger(purges, cdn).round(NOW + 5)
        assert [soft for _, soft in cdn.calls] == [False]

    def test_everything_is_purged_again_after_two_seconds_and_then_no_more(
        self, client: redis.Redis, purges: Purges
    ) -> None:
        cdn = Recording()
        purger = Purger(purges, cdn)
        wanted(purges, "live")
        assert purger.round(NOW) == pytest.approx(REBOUND_MS / 1000, abs=0.1)
        assert purger.round(NOW + REBOUND_MS - 100) is not None
        assert len(cdn.calls) == 1
        assert purger.round(NOW + REBOUND_MS + 100) is None
        assert cdn.purged == ["live", "live"]
        assert purger.round(NOW + 10 * REBOUND_MS) is None

    def test_a_key_purged_again_meanwhile_rebounds_from_then(self, client: redis.Redis, purges: Purges) -> None:
        cdn = Recording()
        purger = Purger(purges, cdn)
        wanted(purges, "live")
        purger.round(NOW)
        wanted(purges, "live", at_ms=NOW + 1_500)
        purger.round(NOW + 1_500)
        purger.round(NOW + REBOUND_MS + 100)
        assert len(cdn.calls) == 2
        purger.round(NOW + 1_500 + REBOUND_MS + 100)
        assert len(cdn.calls) == 3

    def test_a_commit_during_the_call_is_not_lost(self, client: redis.Redis, purges: Purges) -> None:
        cdn = Recording()
        purger = Purger(purges, cdn)
        wanted(purges, "live")
        say_yes = cdn.purge

        def purge(names: Sequence[str], *, soft: bool) -> Outcome:
            if not cdn.calls:
                wanted(purges, "live", at_ms=NOW + 1)
            return say_yes(names, soft=soft)

        cdn.purge = purge  # type: ignore[method-assign]
        purger.round(NOW)
        assert purges.waiting() == 1
        purger.round(NOW + 50)
        assert len(cdn.calls) == 2
        assert purges.waiting() == 0

    def test_where_calls_are_dear_only_what_lasts_is_purged_again(self, client: redis.Redis, purges: Purges) -> None:
        cdn = Recording(rebound_above_s=15)
        purger = Purger(purges, cdn)
        wanted(purges, "live", lifetime_s=3)
        wanted(purges, "match-1", lifetime_s=660)
        purger.round(NOW)
        purger.round(NOW + REBOUND_MS + 100)
        assert sorted(cdn.purged) == ["live", "match-1", "match-1"]

    def test_what_expires_before_the_cdn_could_act_is_left_to_expire(self, client: redis.Redis, purges: Purges) -> None:
        cdn = Recording(floor_s=15)
        wanted(purges, "live", lifetime_s=3)
        wanted(purges, "match-1", lifetime_s=60)
        Purger(purges, cdn).round(NOW)
        assert cdn.purged == ["match-1"]
        assert purges.waiting() == 0


class TestFailing:
    def test_a_failed_purge_is_tried_again_later_and_longer_each_time(
        self, client: redis.Redis, purges: Purges, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        most: list[float] = []
        monkeypatch.setattr("workers.purge.random.uniform", lambda _low, high: most.append(high) or high)
        cdn = Recording()
        cdn.says = [later("timed out")] * 9
        purger = Purger(purges, cdn)
        wanted(purges, "match-1", lifetime_s=660)
        at = NOW
        for _ in range(9):
            pause_s = purger.round(at)
            assert pause_s is not None
            at = purger.retries[False].not_before_ms
        assert most == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
        assert purger.round(at) is not None
        assert len(cdn.calls) == 10
        assert purges.waiting() == 0

    def test_a_cdn_that_has_failed_for_hours_is_asked_again(self, client: redis.Redis, purges: Purges) -> None:
        cdn = Recording()
        cdn.says = [later("timed out")]
        purger = Purger(purges, cdn)
        purger.retries[False].failures = 1_100
        wanted(purges, "match-1", lifetime_s=660)
        purger.round(NOW)
        assert purger.retries[False].not_before_ms <= NOW + RETRY_MAX_S * 1000 + 1_000
        purger.round(purger.retries[False].not_before_ms)
        assert cdn.purged == ["match-1", "match-1"]

    def test_a_goal_after_a_failure_gets_its_try_at_once(self, client: redis.Redis, purges: Purges) -> None:
        cdn = Recording()
        cdn.says = [refused("the credentials are wrong or may not purge (401)")]
        purger = Purger(purges, cdn)
        wanted(purges, "match-1", lifetime_s=660)
        purger.round(NOW)
        wanted(purges, "match-2", lifetime_s=660, at_ms=NOW + 1_000)
        purger.round(NOW + 1_000)
        assert cdn.purged == ["match-1", "match-2"]
        # The CDN is back, so what had failed goes now, too.
        purger.round(NOW + 1_100)
        assert cdn.purged == ["match-1", "match-2", "match-1"]
        assert purges.waiting() == 0

    def test_a_cdn_that_takes_no_soft_purges_still_gets_the_hard_ones(
        self, client: redis.Redis, purges: Purges
    ) -> None:
        cdn = Recording()
        purger = Purger(purges, cdn)

        def purge(names: Sequence[str], *, soft: bool) -> Outcome:
            cdn.calls.append((list(names), soft))
            return refused("may not (403)") if soft else DONE

        cdn.purge = purge  # type: ignore[method-assign]
        for goal in range(3):
            wanted(purges, "day-2026-11-25", f"match-{goal}", lifetime_s=660, at_ms=NOW + 500 * goal)
            purger.round(NOW + 500 * goal)
        assert [key for called, soft in cdn.calls for key in called if not soft] == ["match-0", "match-1", "match-2"]

    def test_nothing_is_called_before_its_time(self, client: redis.Redis, purges: Purges) -> None:
        cdn = Recording()
        cdn.says = [later("over its limit (429)", 7.0)]
        purger = Purger(purges, cdn)
        wanted(purges, "match-1", lifetime_s=660)
        purger.round(NOW)
        purger.round(NOW + 6_900)
        assert len(cdn.calls) == 1
        purger.round(NOW + 7_100)
        assert len(cdn.calls) == 2

    def test_a_purge_is_given_up_when_every_answer_it_could_drop_has_expired(
        self, client: redis.Redis, purges: Purges, caplog: pytest.LogCaptureFixture
    ) -> None:
        cdn = Recording()
        wanted(purges, "live", lifetime_s=3)
        wanted(purges, "match-1", lifetime_s=660)
        with caplog.at_level(logging.WARNING):
            Purger(purges, cdn).round(NOW + 3_001)
        assert cdn.purged == ["match-1"]
        assert "purge_moot cdn=recording keys=1 first=live" in caplog.text

    def test_what_a_person_must_mend_is_said_once_and_loudly(
        self, client: redis.Redis, purges: Purges, caplog: pytest.LogCaptureFixture
    ) -> None:
        cdn = Recording()
        cdn.says = [refused("the credentials are wrong or may not purge (401)")] * 2
        purger = Purger(purges, cdn)
        wanted(purges, "match-1", lifetime_s=660)
        with caplog.at_level(logging.WARNING):
            purger.round(NOW)
            purger.round(NOW + 31_000)
        records = [record for record in caplog.records if "purge_refused" in record.message]
        assert [record.levelname for record in records] == ["ERROR"]

    def test_a_spent_budget_keeps_what_waits(self, client: redis.Redis, purges: Purges) -> None:
        cdn = Recording(max_keys=1)
        cdn.budget = Budget(per_s=1, burst=2)
        purger = Purger(purges, cdn)
        wanted(purges, "match-1", "match-2", "match-3", lifetime_s=660)
        purger.round(NOW)
        assert (len(cdn.calls), purges.waiting()) == (2, 1)
        purger.round(NOW + 1_001)
        assert (len(cdn.calls), purges.waiting()) == (3, 0)


class TestDraining:
    @pytest.mark.everywhere
    def test_it_silences_the_bell_only_when_nothing_waits(
        self, client: redis.Redis, purges: Purges, redis_url: str
    ) -> None:
        bells = Doorbells(client)
        ring(purges, "match-1")
        wanted(purges, "match-1", at_ms=now_ms(client))
        cdn = Recording(rebound_above_s=15)
        drain_pending(Purger(purges, cdn), bells)
        assert cdn.purged == ["match-1"]
        assert not is_ringing(purges, "match-1")

    def test_where_the_cdn_is_down_it_waits_and_rings_for_the_next(
        self, client: redis.Redis, purges: Purges, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("workers.purge.LIFE_S", 0.3)
        bells = Doorbells(client)
        wanted(purges, "match-1", lifetime_s=660, at_ms=now_ms(client))
        cdn = Recording()
        cdn.says = [refused("the credentials are wrong or may not purge (401)")]
        drain_pending(Purger(purges, cdn), bells)
        assert len(cdn.calls) == 1
        assert purges.waiting() == 1
        assert len(bells.queues[PURGE]) == 1

    def test_where_the_cdn_is_down_it_does_not_keep_other_jobs_waiting(
        self, client: redis.Redis, purges: Purges
    ) -> None:
        bells = Doorbells(client)
        bells.history()
        ring(purges, "match-1")
        wanted(purges, "match-1", lifetime_s=660, at_ms=now_ms(client))
        cdn = Recording()
        cdn.says = [refused("the credentials are wrong or may not purge (401)")]
        drain_pending(Purger(purges, cdn), bells)
        assert len(cdn.calls) == 1
        assert len(bells.queues[PURGE]) == 0
        # The clock rings for it, and every commit need not.
        assert is_ringing(purges, "match-1")

    def test_a_spent_budget_is_waited_for_here(self, client: redis.Redis, purges: Purges) -> None:
        cdn = Recording(max_keys=1, rebound_above_s=15)
        cdn.budget = Budget(per_s=5, burst=1)
        wanted(purges, "match-1", "match-2", "match-3", lifetime_s=15, at_ms=now_ms(client))
        drain_pending(Purger(purges, cdn), Doorbells(client))
        assert len(cdn.calls) == 3

    def test_jobs_that_another_worker_takes_are_no_reason_to_give_way(
        self, client: redis.Redis, purges: Purges
    ) -> None:
        bells = Doorbells(client, (PURGE,))
        bells.history()
        wanted(purges, "match-1", at_ms=now_ms(client))
        cdn = Recording()
        drain_pending(Purger(purges, cdn), bells)
        assert len(cdn.calls) == 2
        assert purges.next_ms() is None

    def test_it_gives_way_to_other_jobs_and_leaves_the_second_purge_to_the_clock(
        self, client: redis.Redis, purges: Purges
    ) -> None:
        bells = Doorbells(client)
        bells.history()
        wanted(purges, "match-1", at_ms=now_ms(client))
        drain_pending(Purger(purges, Recording()), bells)
        assert purges.next_ms() is not None
        assert not is_ringing(purges, "match-1")


class TestCommitting:
    @pytest.fixture
    def live(self, purges: Purges) -> LiveStore:
        return LiveStore(purges.sharded.connection, len(purges.sharded.shards))

    def update(self, sequence: int, **records: object) -> Update:
        info = MatchInfo(venue=f"Ground {sequence}")
        return Update("m1", stamp=Stamp(NOW + sequence, sequence), received_at=NOW, info=info)

    def drained(self, live: LiveStore, client: redis.Redis, *, purging: bool) -> Doorbells:
        bells = Doorbells(client)
        live.inbox.accept([self.update(1)], now_ms=NOW)
        Drain(live, bells, purging=purging).match("m1")
        return bells

    def test_a_commit_leaves_its_keys_in_the_same_step_and_rings(
        self, live: LiveStore, purges: Purges, client: redis.Redis
    ) -> None:
        bells = self.drained(live, client, purging=True)
        (due,) = purges.due(now_ms(client), DUE_KEYS_MAX)
        version = live.matches.versions(["m1"])[0]
        assert due == DuePurge("match-m1", 60, version, live.sharded.of("m1"))
        assert len(bells.queues[PURGE]) == 1
        assert is_ringing(purges, "m1")

    def test_a_second_commit_does_not_ring_a_bell_that_rings(
        self, live: LiveStore, purges: Purges, client: redis.Redis
    ) -> None:
        bells = self.drained(live, client, purging=True)
        live.inbox.accept([self.update(2)], now_ms=NOW)
        Drain(live, bells, purging=True).match("m1")
        assert len(bells.queues[PURGE]) == 1
        assert purges.waiting() == 1

    def test_without_a_cdn_nothing_is_left(self, live: LiveStore, purges: Purges, client: redis.Redis) -> None:
        bells = self.drained(live, client, purging=False)
        assert purges.waiting() == 0
        assert len(bells.queues[PURGE]) == 0

    def test_a_commit_that_came_too_late_leaves_nothing(self, live: LiveStore, purges: Purges) -> None:
        held = live.matches.load("m1")
        first = Match("m1", home=Team("h", "H"))
        assert live.commits.commit(held, first, (), [], visible=True).done
        stale = live.commits.commit(held, first, (), [], visible=True, purges=["live 3"])
        assert not stale.done
        assert purges.waiting() == 0


def now_ms(client: redis.Redis) -> int:
    seconds, micros = client.time()
    return int(seconds) * 1000 + int(micros) // 1000


def test_looks_are_closer_than_readers_would_notice() -> None:
    assert COALESCE_S <= 0.1
