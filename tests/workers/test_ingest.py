"""From inbox to present: batches, races, poison, lost answers, and a Redis that came back empty."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from redis.client import Pipeline

from db.domain import Event, Match, Score, Side, Stamp, Status, Update
from db.domain.errors import Unavailable
from db.live import keys
from db.live.commits import Commits
from db.live.inbox import Inbox
from db.live.store import LiveStore
from tests.support.live import drain_all, key_of
from workers import ingest
from workers.boot import WorkerServices
from workers.history import write_batch
from workers.ingest import BATCH, Drain, drain_pending

NOW = 1_700_000_000_000


def goal(match_id: str, n: int) -> Update:
    stamp = Stamp(NOW + n * 1_000, source="generic")
    event = Event(f"g{n}", "goal", stamp, since=stamp, team=Side.HOME, minute=n % 90 + 1, created_at=NOW)
    return Update(match_id, stamp, NOW, event=event)


def accept(services: WorkerServices, *updates: Update) -> None:
    services.live.inbox.accept(updates, now_ms=NOW)


def drain(services: WorkerServices) -> Drain:
    return Drain(services.live, services.bells)


def present(services: WorkerServices, match_id: str) -> Match:
    match = services.live.matches.load(match_id).match
    assert match
    return match


def versions(services: WorkerServices, match_id: str) -> list[int]:
    return [change.match.version for change in services.live.outbox.entries(match_id, 10_000)]


@pytest.mark.everywhere
def test_everything_that_waits_is_applied_in_order(services: WorkerServices) -> None:
    accept(services, *(goal("a", n) for n in range(3)), goal("b", 1))
    drain_all(drain(services))
    assert (present(services, "a").score, present(services, "b").score) == (Score(3, 0), Score(1, 0))
    assert services.live.inbox.backlog() == 0
    assert not services.live.redis.exists(key_of(services.live, "a", keys.bell(services.live.sharded.of("a").number)))
    assert [job.func_name for job in services.bells.queues["history"].jobs] == ["workers.history.drain"]


def test_a_burst_is_applied_in_batches(services: WorkerServices) -> None:
    accept(services, *(goal("a", n) for n in range(2 * BATCH + 1)))
    drain(services).match("a")
    assert present(services, "a").score == Score(2 * BATCH + 1, 0)
    assert len(versions(services, "a")) == 3


def test_repeats_make_no_version(services: WorkerServices) -> None:
    worker = drain(services)
    for _ in range(3):
        accept(services, goal("a", 1), goal("a", 1))
        worker.match("a")
    assert len(versions(services, "a")) == 1
    assert services.live.inbox.backlog() == 0


def test_a_drain_uses_what_it_remembers_only_while_it_is_the_present(services: WorkerServices) -> None:
    first, other = drain(services), drain(services)
    for n, worker in enumerate((first, first, other, first, other, other, first)):
        accept(services, goal("a", n))
        worker.match("a")
    assert present(services, "a").score == Score(7, 0)
    assert sorted(present(services, "a").events) == [f"g{n}" for n in range(7)]


def test_what_a_drain_remembers_of_a_lost_redis_is_not_the_present(services: WorkerServices) -> None:
    """One drain remembers its first commit; Redis is lost and restored; the revisions must not meet again."""
    old, new = drain(services), drain(services)
    accept(services, goal("a", 0))
    old.match("a")
    for n in range(1, 4):
        accept(services, goal("a", n))
        new.match("a")
    write_batch(services.live, services.history)
    services.live.redis.flushall()
    services.live.commits.restore(services.history.match("a") or Match("a"))
    accept(services, goal("a", 4))
    old.match("a")
    assert present(services, "a").score == Score(5, 0)


def test_two_drains_racing_on_one_match_apply_everything_once(services: WorkerServices) -> None:
    count = 300
    workers = [drain(services) for _ in range(2)]
    start = threading.Barrier(3)

    def work(worker: Drain) -> None:
        start.wait()
        while present_score(services) < count:
            worker.match("a")

    threads = [threading.Thread(target=work, args=(worker,)) for worker in workers]
    for thread in threads:
        thread.start()
    start.wait()
    for n in range(count):
        accept(services, goal("a", n))
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    match = present(services, "a")
    assert (match.score, len(match.events)) == (Score(count, 0), count)
    written = versions(services, "a")
    assert written == sorted(set(written))
    added = [event.id for change in services.live.outbox.entries("a", 10_000) for event in change.events]
    assert sorted(added) == sorted(f"g{n}" for n in range(count))
    assert services.live.inbox.backlog() == 0


def undated(status: Status) -> Update:
    """What such an update says is news by its arrival: applied once more, it would undo what came after it."""
    return Update("a", Stamp(0), NOW, status=status)


def test_what_another_drain_applied_after_the_inbox_was_read_is_not_applied_again(
    services: WorkerServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Inbox.head

    def overtaken(self: LiveStore, match_id: str, limit: int) -> Any:
        waiting = read(self, match_id, limit)
        monkeypatch.setattr(Inbox, "head", read)
        overtake(services)
        return waiting

    accept(services, undated(Status.FIRST_HALF))
    monkeypatch.setattr(Inbox, "head", overtaken)
    drain(services).match("a")
    assert present(services, "a").status is Status.HALF_TIME
    assert services.live.inbox.backlog() == 0


def test_what_another_drain_applied_while_the_inbox_was_read_is_not_applied_again(
    services: WorkerServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept(services, undated(Status.FIRST_HALF))
    client = services.live.sharded.of("a").redis

    class Slow(Pipeline):
        """Something happens after the first of its commands."""

        def execute(self, raise_on_error: bool = True) -> Any:
            monkeypatch.undo()
            counts = []
            for n, (args, options) in enumerate(self.command_stack):
                counts.append(client.execute_command(*args, **options))
                if n == 0:
                    overtake(services)
            self.reset()
            return counts

    monkeypatch.setattr(client, "pipeline", lambda transaction: Slow(client.connection_pool, {}, transaction, None))
    drain(services).match("a")
    assert present(services, "a").status is Status.HALF_TIME
    assert services.live.inbox.backlog() == 0


def overtake(services: WorkerServices) -> None:
    """Another drain applies what waits, and then what comes next."""
    other = drain(services)
    other.match("a")
    accept(services, undated(Status.HALF_TIME))
    other.match("a")


def present_score(services: WorkerServices) -> int:
    match = services.live.matches.read(["a"])[0]
    return match.score.home if match and match.score else 0


def test_a_commit_whose_answer_was_lost_is_not_done_twice(
    services: WorkerServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept(services, goal("a", 1))
    commit = Commits.commit

    def lossy(self: LiveStore, *args: Any, **kwargs: Any) -> Any:
        commit(self, *args, **kwargs)
        raise Unavailable("the answer was lost")

    monkeypatch.setattr(Commits, "commit", lossy)
    worker = drain(services)
    with pytest.raises(Unavailable):
        worker.match("a")
    monkeypatch.setattr(Commits, "commit", commit)
    accept(services, goal("a", 1), goal("a", 2))
    worker.match("a")
    assert present(services, "a").score == Score(2, 0)
    assert len(versions(services, "a")) == 2


@pytest.mark.everywhere
def test_a_poisoned_inbox_is_set_aside_and_the_others_go_on(services: WorkerServices) -> None:
    accept(services, goal("bad", 1), goal("good", 1))
    inbox = key_of(services.live, "bad", keys.inbox)
    services.live.redis.xadd(inbox, {"u": b"{no update}"})
    drain_all(drain(services))
    assert present(services, "good").score == Score(1, 0)
    assert (services.live.inbox.backlog(), services.live.inbox.parked()) == (1, 1)
    assert services.live.inbox.unpark(before_ms=2**53) == ["bad"]
    services.live.redis.xdel(inbox, services.live.redis.xrevrange(inbox, count=1)[0][0])
    drain_all(drain(services))
    assert present(services, "bad").score == Score(1, 0)
    assert (services.live.inbox.backlog(), services.live.inbox.parked()) == (0, 0)


def test_a_match_pending_without_an_inbox_is_waited_for_no_longer(services: WorkerServices) -> None:
    shard = services.live.sharded.of("ghost")
    services.live.redis.zadd(shard.key(keys.pending(shard.number)), {"ghost": NOW})
    drain_all(drain(services))
    assert services.live.inbox.backlog() == 0
    assert services.live.matches.load("ghost").match is None


def test_a_drain_with_too_much_to_do_rings_for_the_next(
    services: WorkerServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "LIFE_S", 0.0)
    accept(services, goal("a", 1))
    drain_all(drain(services))
    assert [job.func_name for job in services.bells.queues["ingest"].jobs] == ["workers.ingest.drain_shard"]
    assert services.live.inbox.backlog() == 1


def test_a_match_that_redis_has_let_go_is_taken_up_where_history_left_it(services: WorkerServices) -> None:
    accept(
        services,
        goal("a", 1),
        goal("a", 2),
        Update("a", Stamp(NOW + 9_000, source="generic"), NOW, status=Status.FINISHED),
    )
    drain(services).match("a")
    before = present(services, "a").version
    write_batch(services.live, services.history)
    services.live.redis.flushall()
    accept(services, goal("a", 3))
    drain(services).match("a")
    assert present(services, "a").score == Score(1, 0)
    write_batch(services.live, services.history)
    after = present(services, "a")
    assert (after.score, after.status, sorted(after.events)) == (Score(3, 0), Status.FINISHED, ["g1", "g2", "g3"])
    assert after.version > before


def test_a_goal_waits_for_no_database(make_services: Callable[..., WorkerServices]) -> None:
    services = make_services("postgresql://u:p@127.0.0.1:1/none")
    accept(services, goal("a", 1))
    drain(services).match("a")
    assert present(services, "a").score == Score(1, 0)


def test_memory_of_matches_is_bounded(services: WorkerServices, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "REMEMBERED", 3)
    worker = drain(services)
    for n in range(5):
        accept(services, goal(f"m{n}", 1))
        worker.match(f"m{n}")
    assert list(worker.remembered) == ["m2", "m3", "m4"]


def test_each_shard_drains_its_own(make_services: Callable[..., WorkerServices], sqlite_url: str) -> None:
    services = make_services(sqlite_url, live_shards=2)
    ids = [f"m{n}" for n in range(6)]
    accept(services, *(goal(match_id, 1) for match_id in ids))
    drain_pending(drain(services), 1)
    left = services.live.inbox.pending(0)
    assert left == [match_id for match_id in ids if services.live.sharded.of(match_id).number == 0]
    assert 0 < len(left) < 6
