"""Commits on a real Redis: one step, growing versions, restores."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
import redis

from db.codec import decode_facts
from db.domain import Match, Score, Stamp, Status, Team
from db.live import keys
from db.live.commits import KEEP_S
from db.live.pubsub import MatchChanged
from db.live.store import LiveStore
from tests.conftest import wait_until
from tests.support.layouts import Layout
from tests.support.live import NOW, apply, board, goal, key_of, redis_now, whistle


@pytest.mark.everywhere
def test_a_commit_does_everything_in_one_step(live: LiveStore, client: redis.Redis, layout: Layout) -> None:
    feed = layout.feed()
    live.inbox.accept([goal("a", 1)], now_ms=NOW)
    done = apply(live, goal("a", 1), ids=live.inbox.head("a", 10).ids)
    assert (done.done, done.ring, done.left) == (True, True, 0)
    held = live.matches.load("a")
    assert held.match
    assert (held.match.version, held.match.score, held.rev) == (done.version, Score(1, 0), done.rev)
    assert replace(held.match.events["g1"], tellings=()) == goal("a", 1).event
    assert live.inbox.backlog() == 0
    assert client.exists(key_of(live, "a", keys.inbox)) == 0
    assert board(live) == ["a"]
    [change] = live.outbox.entries("a", 10)
    assert (change.match.version, [event.id for event in change.events]) == (done.version, ["g1"])
    assert [fact.kind.value for fact in decode_facts(change.facts)] == ["added", "score", "status", "info"]
    wait_until(lambda: MatchChanged("a", done.version, done.version, urgent=True) in feed.next(0.1), "the news")
    feed.close()


def test_the_hash_reads_in_plain_words(live: LiveStore, client: redis.Redis) -> None:
    late = replace(goal("a", 1), event=None, minute=90, added_minute=6, status=Status.SECOND_HALF, shootout=Score(4, 2))
    apply(live, late)
    values = client.hmget(key_of(live, "a", keys.state), "score", "time", "status")
    assert values == [b"1-0 (4-2 p)", b"90+6", b"second_half"]


def test_a_version_is_redis_s_own_time(live: LiveStore, client: redis.Redis) -> None:
    before = redis_now(client)
    done = apply(live, goal("a", 1))
    assert before <= done.version <= redis_now(client)
    [match] = live.matches.read(["a"])
    assert match
    assert match.updated_at == done.version


def test_a_version_grows_when_the_clock_is_behind(live: LiveStore, client: redis.Redis) -> None:
    apply(live, goal("a", 1))
    ahead = redis_now(client) + 3_600_000
    client.hset(key_of(live, "a", keys.state), "version", ahead)
    assert apply(live, goal("a", 2)).version == ahead + 1
    assert apply(live, goal("a", 3)).version == ahead + 2


def test_a_version_and_a_revision_grow_past_a_lost_redis(live: LiveStore, client: redis.Redis) -> None:
    first = apply(live, goal("a", 1))
    client.flushall()
    second = apply(live, goal("a", 1))
    assert second.version > first.version
    assert int(second.rev) > int(first.rev)


def test_who_read_before_another_wrote_writes_nothing(live: LiveStore) -> None:
    live.inbox.accept([goal("a", 1), goal("a", 2)], now_ms=NOW)
    batch = live.inbox.head("a", 1)
    behind = live.matches.load("a")
    apply(live, goal("a", 1), ids=batch.ids)
    late = apply(live, goal("a", 1), held=behind, ids=batch.ids)
    assert (late.done, late.left) == (False, 1)
    assert len(live.outbox.entries("a", 10)) == 1
    assert len(live.inbox.head("a", 10).ids) == 1


def test_a_commit_repeated_after_a_lost_answer_is_stale(live: LiveStore) -> None:
    live.inbox.accept([goal("a", 1)], now_ms=NOW)
    held, ids = live.matches.load("a"), live.inbox.head("a", 10).ids
    assert apply(live, goal("a", 1), held=held, ids=ids).done
    assert not apply(live, goal("a", 1), held=held, ids=ids).done
    assert len(live.outbox.entries("a", 10)) == 1


def test_what_no_reader_sees_makes_no_version(live: LiveStore) -> None:
    done = apply(live, goal("a", 1))
    held = live.matches.load("a")
    assert held.match
    newer = replace(held.match, told_at=Stamp(NOW + 50_000))
    kept = live.commits.commit(held, newer, (), (), visible=False)
    assert (kept.done, kept.version, kept.ring) == (True, done.version, False)
    assert kept.rev != done.rev
    assert len(live.outbox.entries("a", 10)) == 1
    again = live.matches.load("a")
    assert again.match
    assert again.match.told_at == Stamp(NOW + 50_000)


def test_a_repeat_only_empties_the_inbox(live: LiveStore) -> None:
    done = apply(live, goal("a", 1))
    live.inbox.accept([goal("a", 1)], now_ms=NOW)
    repeat = apply(live, goal("a", 1), ids=live.inbox.head("a", 10).ids)
    assert (repeat.version, repeat.rev, repeat.left) == (done.version, done.rev, 0)
    assert len(live.outbox.entries("a", 10)) == 1


def test_only_events_that_were_touched_go_to_history(live: LiveStore) -> None:
    apply(live, goal("a", 1))
    apply(live, goal("a", 2))
    assert [[event.id for event in change.events] for change in live.outbox.entries("a", 10)] == [["g1"], ["g2"]]


def test_state_is_kept_a_day_after_the_end_and_for_ever_before(live: LiveStore, client: redis.Redis) -> None:
    apply(live, goal("a", 1))
    assert (client.ttl(key_of(live, "a", keys.state)), board(live)) == (-1, ["a"])
    apply(live, whistle("a", Status.FINISHED))
    hashes = [key_of(live, "a", keys.state), key_of(live, "a", keys.events)]
    left = [int(client.ttl(name)) for name in hashes]  # type: ignore[arg-type]
    assert all(KEEP_S - 5 <= seconds <= KEEP_S for seconds in left)
    assert board(live) == []
    apply(live, whistle("a", Status.SECOND_HALF, NOW + 200_000))
    assert ([client.ttl(name) for name in hashes], board(live)) == ([-1, -1], ["a"])


def test_a_match_comes_back_from_history_unless_it_is_there(live: LiveStore) -> None:
    apply(live, goal("a", 1))
    match = live.matches.load("a").match
    assert match
    assert live.commits.restore(replace(match, score=None)) is False
    live.redis.flushall()
    assert live.commits.restore(match) is True
    assert live.matches.load("a").match == match
    assert board(live) == ["a"]
    assert apply(live, goal("a", 2)).version > match.version


def test_a_restored_revision_is_none_that_a_drain_remembers(live: LiveStore) -> None:
    done = apply(live, goal("a", 1))
    match = live.matches.load("a").match
    assert match
    live.redis.flushall()
    live.commits.restore(match)
    assert int(live.matches.load("a").rev) > int(done.rev)


def test_a_restored_match_that_is_over_expires(live: LiveStore, client: redis.Redis) -> None:
    live.commits.restore(Match("a", version=5, updated_at=5, status=Status.FINISHED, home=Team("h", "Home")))
    assert 0 < int(client.ttl(key_of(live, "a", keys.state))) <= KEEP_S  # type: ignore[arg-type]
    assert board(live) == []


def shown(live: LiveStore) -> tuple[int, int]:
    """The version of the match `a`, and that at which its timeline last changed."""
    [match] = live.matches.read(["a"])
    assert match
    return match.version, match.events_version


def test_a_match_tells_when_its_timeline_last_changed(live: LiveStore, client: redis.Redis) -> None:
    first = apply(live, goal("a", 1)).version
    assert shown(live) == (first, first)

    def commit(after: Match, *, visible: bool) -> int:
        return live.commits.commit(live.matches.load("a"), after, (), (), visible=visible).version

    match = live.matches.load("a").match
    assert match
    second = commit(replace(match, minute=2), visible=True)
    assert shown(live) == (second, first)
    # Nobody sees it yet: a voiding that is told with the next version.
    voided = replace(match.events["g1"], void_at=Stamp(NOW + 50_000, source="generic"))
    commit(replace(match, minute=2, events={"g1": voided}), visible=False)
    third = commit(replace(match, minute=3, events={"g1": voided}), visible=True)
    assert shown(live) == (third, third)
    # The release before makes a version and says nothing of the timeline.
    client.hset(key_of(live, "a", keys.state), "version", third + 1)
    assert shown(live) == (third + 1, third + 1)
    last = commit(replace(match, minute=4, events={"g1": voided}), visible=True)
    assert shown(live) == (last, last)
    apply(live, goal("a", 2))
    assert shown(live)[0] == shown(live)[1]


@pytest.mark.parametrize(("days", "kept_days"), [(0, 1), (3, 4), (8, 9), (9, 1), (200, 1)])
def test_fixtures_that_are_far_ahead_do_not_fill_redis(
    live: LiveStore, client: redis.Redis, days: int, kept_days: int
) -> None:
    start_ms = time.time_ns() // 1_000_000 + days * KEEP_S * 1000 - 60_000
    live.commits.restore(Match("a", version=5, updated_at=5, start_time=start_ms))
    assert (kept_days - 1) * KEEP_S < int(client.ttl(key_of(live, "a", keys.state))) <= kept_days * KEEP_S  # type: ignore[arg-type]
