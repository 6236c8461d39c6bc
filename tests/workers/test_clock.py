"""The clock: rings for what was forgotten, rebuilds what was lost, tidies what is old, and survives an outage."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from db.domain import Event, MatchInfo, Score, Side, Stamp, Status, Update
from db.live import keys
from db.live.commits import KEEP_S
from db.live.pubsub import Gap, MatchChanged
from db.refusal import RefusedPayload
from db.sql.models import MatchRow
from db.sql.session import begin
from tests.conftest import wait_until
from tests.support.live import key_of
from workers.boot import WorkerServices
from workers.clock import (
    KEEP_REFUSED_MS,
    OVERDUE_MS,
    PARKED_MS,
    Clock,
    housekeep,
    sweep,
)
from workers.history import write_batch
from workers.ingest import Drain
from workers.merge import Merger
from workers.queues import BELLS_MAX, DRAINS_MAX
from workers.reconcile import STALE_SILENT_MS, STALE_START_MS, reconcile

NOW = 1_700_000_000_000


def goal(match_id: str, n: int = 1, status: Status | None = None) -> Update:
    stamp = Stamp(NOW + n * 1_000, source="generic")
    event = Event(f"g{n}", "goal", stamp, since=stamp, team=Side.HOME, minute=n, created_at=NOW)
    return Update(match_id, stamp, NOW, event=event, status=status)


def play(services: WorkerServices, *updates: Update) -> None:
    services.live.inbox.accept(updates, now_ms=NOW)
    worker = Drain(services.live, services.bells)
    for update in updates:
        worker.match(update.match_id)


@pytest.fixture
def either(make_services: Callable[..., WorkerServices], database_url: str) -> WorkerServices:
    return make_services(database_url)


def rung(services: WorkerServices) -> list[str]:
    return [job.func_name for queue in services.bells.queues.values() for job in queue.jobs]


def silence(services: WorkerServices) -> None:
    for queue in services.bells.queues.values():
        queue.empty()


def test_a_bell_that_was_lost_is_rung_again(services: WorkerServices) -> None:
    services.live.inbox.accept([goal("a")], now_ms=NOW)
    assert sweep(services, now_ms=NOW + OVERDUE_MS - 1) == 0
    assert rung(services) == []
    assert sweep(services, now_ms=NOW + OVERDUE_MS) == 1
    assert rung(services) == ["workers.ingest.drain_shard"]


def test_an_outbox_news_and_a_picture_left_behind_are_rung_for(services: WorkerServices) -> None:
    play(services, goal("a"))
    Merger(services.live, services.history).batch()
    silence(services)
    filled = services.live.outbox.waiting_since()
    assert filled
    assert sweep(services, now_ms=filled + OVERDUE_MS + 1) == 3
    assert sorted(rung(services)) == ["workers.history.drain", "workers.pictures.draw", "workers.push.work"]


def test_a_refused_payload_is_rung_for(services: WorkerServices) -> None:
    services.live.refusals.keep(RefusedPayload("id", "generic", NOW, "invalid", "why", b"x"))
    assert sweep(services, now_ms=NOW) == 1


def test_nothing_to_do_rings_nothing(services: WorkerServices) -> None:
    assert sweep(services, now_ms=NOW) == 0


@pytest.mark.everywhere
def test_live_matches_come_back_into_an_empty_redis(services: WorkerServices) -> None:
    play(services, goal("playing"), goal("over", status=Status.FINISHED))
    before = services.live.matches.load("playing").match
    write_batch(services.live, services.history)
    services.live.redis.flushall()
    Clock(services).tick(NOW)
    assert services.live.matches.load("playing").match == before
    assert [match.id for match in services.live.board.read().matches] == ["playing"]
    assert services.live.matches.load("over").match is None
    assert services.live.redis.exists(key_of(services.live, "playing", keys.FILLED))
    play(services, goal("playing", 2))
    after = services.live.matches.load("playing").match
    assert after
    assert before
    assert (after.score, after.version > before.version) == (Score(2, 0), True)


def test_what_redis_still_holds_is_not_overwritten_by_older_history(services: WorkerServices) -> None:
    play(services, goal("a"))
    write_batch(services.live, services.history)
    play(services, goal("a", 2))
    reconcile(services.live, services.history, now_ms=NOW)
    match = services.live.matches.load("a").match
    assert match
    assert match.score == Score(2, 0)


def test_parked_matches_are_tried_again_after_a_minute(services: WorkerServices) -> None:
    services.live.inbox.accept([goal("a")], now_ms=NOW)
    services.live.inbox.park("a", now_ms=NOW)
    shard = services.live.sharded.of("a").number
    housekeep(services, now_ms=NOW + PARKED_MS - 1)
    assert services.live.inbox.pending(shard) == []
    housekeep(services, now_ms=NOW + PARKED_MS)
    assert (services.live.inbox.pending(shard), services.live.inbox.parked()) == (["a"], 0)


def test_refused_payloads_are_kept_a_month(services: WorkerServices) -> None:
    ages = {"old": NOW - KEEP_REFUSED_MS - 1, "young": NOW - KEEP_REFUSED_MS}
    services.history.refused_payloads.keep(
        [RefusedPayload(id_, "generic", at, "invalid", "why", b"x") for id_, at in ages.items()]
    )
    housekeep(services, now_ms=NOW)
    assert [payload.id for payload in services.history.refused_payloads.newest(10)] == ["young"]


def test_without_redis_or_sql_the_clock_goes_on(make_services: Callable[..., WorkerServices], sqlite_url: str) -> None:
    Clock(make_services(sqlite_url, redis_url="redis://127.0.0.1:1/0")).tick(NOW)
    blind = make_services("postgresql://u:p@127.0.0.1:1/none")
    Clock(blind).tick(NOW)
    filled = key_of(blind.live, "a", keys.FILLED)
    assert not blind.live.redis.exists(filled), "what could not be rebuilt must be tried again"


def test_mailboxes_are_swept_even_while_history_is_away(make_services: Callable[..., WorkerServices]) -> None:
    """A goal waits for no database, and so neither does the sweep of its bell."""
    services = make_services("postgresql://u:p@127.0.0.1:1/none")
    services.live.inbox.accept([goal("a")], now_ms=NOW)
    services.live.redis.delete(key_of(services.live, "a", keys.bell(services.live.sharded.of("a").number)))
    Clock(services).tick(NOW + 2 * OVERDUE_MS)
    assert "workers.ingest.drain_shard" in rung(services)


def test_a_clock_that_rings_while_no_worker_runs_does_not_fill_redis(services: WorkerServices) -> None:
    play(services, goal("a"))
    services.live.inbox.accept([goal("b")], now_ms=NOW)
    services.live.redis.zadd(key_of(services.live, "a", keys.PURGE_PENDING), {"live 2": NOW})
    filled = services.live.outbox.waiting_since()
    assert filled
    clock = Clock(services)
    for second in range(200):
        clock.tick(filled + OVERDUE_MS + second * 60_000)
    assert {name: queue.count for name, queue in services.bells.queues.items()} == {
        "ingest": BELLS_MAX,
        "purge": DRAINS_MAX,
        "push": BELLS_MAX,
        "history": DRAINS_MAX,
        "pictures": DRAINS_MAX,
    }


def test_a_match_that_was_never_ended_leaves_the_board_and_comes_back_with_its_next_news(
    services: WorkerServices,
) -> None:
    play(services, goal("forsaken", status=Status.SECOND_HALF))
    before = services.live.matches.load("forsaken").match
    assert before
    board = services.live.board.read()
    silent_enough = before.updated_at + STALE_SILENT_MS
    housekeep(services, now_ms=silent_enough)
    assert services.live.board.read() == board, "the last moment at which it is still believed"
    housekeep(services, now_ms=silent_enough + 1)
    after = services.live.board.read()
    assert (after.matches, after.version > board.version) == ((), True)
    assert services.live.matches.load("forsaken").match == before
    housekeep(services, now_ms=silent_enough + 2)
    assert services.live.board.read() == after, "it is dropped once"
    play(services, goal("forsaken", 2))
    assert [match.id for match in services.live.board.read().matches] == ["forsaken"]


def test_a_match_that_began_lately_or_of_which_something_was_told_stays_on_the_board(services: WorkerServices) -> None:
    play(services, goal("a", status=Status.SECOND_HALF))
    before = services.live.matches.load("a").match
    assert before
    later = before.updated_at + STALE_SILENT_MS + 1
    services.live.redis.zadd(key_of(services.live, "a", keys.MATCHES), {"a": later - STALE_START_MS + 1})
    housekeep(services, now_ms=later)
    assert len(services.live.board.read().matches) == 1, "it began less than six hours ago"
    play(services, goal("a", 2))
    assert not services.live.board.drop(before), "it has moved since it was read"
    assert len(services.live.board.read().matches) == 1


def test_readers_hear_that_the_board_has_changed(services: WorkerServices) -> None:
    play(services, goal("a", status=Status.SECOND_HALF))
    before = services.live.matches.load("a").match
    assert before
    feed = services.news()
    feed.subscribe()
    wait_until(lambda: feed.next(0.1) and not feed.deaf, "all shards to be heard")
    assert services.live.board.drop(before)
    heard: list[MatchChanged | Gap] = []
    version = services.live.board.read().version

    def is_heard() -> bool:
        heard.extend(feed.next(0.1))
        return MatchChanged("a", before.version, version, urgent=True) in heard

    wait_until(is_heard, "the news")
    feed.close()


def expires_s(services: WorkerServices, match_id: str) -> tuple[int, int]:
    return tuple(services.live.redis.ttl(key_of(services.live, match_id, name)) for name in (keys.state, keys.events))


def test_a_match_that_leaves_the_board_untold_leaves_redis_a_day_later(services: WorkerServices) -> None:
    play(services, goal("forsaken", status=Status.SECOND_HALF))
    before = services.live.matches.load("forsaken").match
    assert before
    assert expires_s(services, "forsaken") == (-1, -1)
    housekeep(services, now_ms=before.updated_at + STALE_SILENT_MS + 1)
    assert all(0 < seconds <= KEEP_S for seconds in expires_s(services, "forsaken"))
    play(services, goal("forsaken", 2))
    assert expires_s(services, "forsaken") == (-1, -1), "its next news puts it back"


def test_a_rebuild_puts_no_forsaken_match_back(either: WorkerServices) -> None:
    play(either, goal("forsaken", status=Status.SECOND_HALF), goal("live", status=Status.SECOND_HALF))
    write_batch(either.live, either.history)
    before = either.history.match("live")
    assert before
    now_ms = before.updated_at + STALE_SILENT_MS
    with begin(either.history.engine) as session:
        long_ago = datetime.fromtimestamp((before.updated_at - 1_000) / 1_000, UTC)
        session.execute(sa.update(MatchRow).where(MatchRow.id == "forsaken").values(updated_at=long_ago))
    either.live.redis.flushall()
    Clock(either)._reconcile(now_ms)
    assert [match.id for match in either.live.board.read().matches] == ["live"]
    play(either, goal("forsaken", 2))
    assert {match.id for match in either.live.board.read().matches} == {"live", "forsaken"}
    write_batch(either.live, either.history)
    back = either.live.matches.load("forsaken").match
    assert back
    assert back.score == Score(2, 0)


def test_a_scheduled_match_leaves_redis_and_is_read_from_sql(services: WorkerServices) -> None:
    now_ms = time.time_ns() // 1_000_000
    day_ms = KEEP_S * 1_000
    starts = {"undated": None, "past": now_ms - 3 * day_ms, "tomorrow": now_ms + day_ms, "far": now_ms + 90 * day_ms}
    kept_days = {"undated": 7, "past": 1, "tomorrow": 2, "far": 1}
    for match_id, start in starts.items():
        play(services, Update(match_id, Stamp(NOW), NOW, info=MatchInfo(start_time=start), status=Status.SCHEDULED))
    left = {match_id: services.live.redis.ttl(key_of(services.live, match_id, keys.state)) for match_id in starts}
    assert all(0 <= days * KEEP_S - left[match_id] < 60 for match_id, days in kept_days.items()), left
    write_batch(services.live, services.history)
    services.live.redis.delete(key_of(services.live, "far", keys.state), key_of(services.live, "far", keys.events))
    there = services.history.match("far")
    assert there
    assert there.start_time == starts["far"]
    play(services, Update("far", Stamp(NOW + 1), NOW, status=Status.FIRST_HALF))
    write_batch(services.live, services.history)
    match = services.live.matches.load("far").match
    assert match
    assert (match.start_time, services.live.redis.ttl(key_of(services.live, "far", keys.state))) == (starts["far"], -1)
