"""Live state on a real Redis: accept, commit, restore, park, refuse; and what happens when Redis is gone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.backoff import NoBackoff
from redis.retry import Retry

from db.codec import decode_facts
from db.domain import Event, Match, Person, Score, Side, Stamp, Status, Team, Update, reduce
from db.domain.errors import Unavailable
from db.live import keys
from db.live.client import connect
from db.live.live import ACCEPTED_MOST, KEEP_S, REFUSED_MOST, SEEN_S, CommitResult, LiveStore, StoredMatch
from db.refusal import RefusedPayload
from tests.conftest import RedisServer

NOW = 1_700_000_000_000


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    made = connect(redis_url)
    yield made
    made.close()


@pytest.fixture
def live(client: redis.Redis) -> LiveStore:
    return LiveStore(client, shards=2)


def goal(match_id: str, n: int, at: int = NOW) -> Update:
    stamp = Stamp(at + n * 1_000, source="generic")
    event = Event(f"g{n}", "goal", stamp, since=stamp, team=Side.HOME, minute=n, player=Person("Zoë"), created_at=at)
    return Update(match_id, stamp, at, event=event, score=Score(n, 0), minute=n)


def whistle(match_id: str, status: Status, at: int = NOW + 100_000) -> Update:
    return Update(match_id, Stamp(at, source="generic"), at, status=status)


def apply(
    live: LiveStore, *updates: Update, held: StoredMatch | None = None, ids: tuple[str, ...] = ()
) -> CommitResult:
    held = held or live.hold(updates[0].match_id)
    after, facts = held.match, ()
    for update in updates:
        after, new = reduce(after, update)
        facts += new
    assert after
    return live.commit(held, after, facts, ids, visible=bool(facts))


def board(live: LiveStore) -> list[str]:
    return [match.id for match in live.board().matches]


def redis_now(client: redis.Redis) -> int:
    seconds, micros = client.time()  # type: ignore[misc]
    return int(seconds) * 1_000 + int(micros) // 1_000


# Mailboxes in.


def test_what_is_accepted_waits_in_order_under_its_match(live: LiveStore) -> None:
    new, bells = live.accept([goal("a", 1), goal("b", 1), goal("a", 2)], now_ms=NOW)
    assert (new, set(bells)) == (True, {keys.shard_of("a", 2), keys.shard_of("b", 2)})
    assert [u.event.id for u in live.inbox("a", 10).updates if u.event] == ["g1", "g2"]
    assert live.inbox("a", 10).updates == (goal("a", 1), goal("a", 2))
    assert len(live.inbox("a", 1).ids) == 1
    assert live.backlog() == 3


def test_a_bell_rings_once_until_it_is_silenced(live: LiveStore) -> None:
    shard = keys.shard_of("a", 2)
    assert live.accept([goal("a", 1)], now_ms=NOW) == (True, [shard])
    assert live.accept([goal("a", 2)], now_ms=NOW) == (True, [])
    assert live.silence(shard) is False
    apply(live, goal("a", 1), ids=live.inbox("a", 10).ids)
    assert live.silence(shard) is True
    assert live.accept([goal("a", 3)], now_ms=NOW) == (True, [shard])


def test_a_delivery_seen_before_leaves_nothing(live: LiveStore, client: redis.Redis) -> None:
    assert live.accept([goal("a", 1)], now_ms=NOW, delivery="generic:msg:1")[0] is True
    assert live.accept([goal("a", 2)], now_ms=NOW, delivery="generic:msg:1") == (False, [])
    assert live.accept([goal("a", 2)], now_ms=NOW, delivery="sportradar:msg:1")[0] is True
    assert len(live.inbox("a", 10).ids) == 2
    assert 0 < int(client.ttl(keys.seen("generic", "msg:1"))) <= SEEN_S  # type: ignore[arg-type]


def test_a_long_delivery_is_taken_in_steps_in_order_and_once(live: LiveStore, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[int] = []
    script = live._accept

    def counted(keys: list[str], args: list[Any]) -> Any:
        steps.append((len(args) - 5) // 3)
        return script(keys=keys, args=args)

    monkeypatch.setattr(live, "_accept", counted)
    updates = [goal("a", n) for n in range(2 * ACCEPTED_MOST + 1)]
    assert live.accept(updates, now_ms=NOW, delivery="sportradar:msg:1") == (True, [keys.shard_of("a", 2)])
    assert live.inbox("a", 3 * ACCEPTED_MOST).updates == tuple(updates)
    assert live.backlog() == len(updates)
    assert steps == [ACCEPTED_MOST, ACCEPTED_MOST, 1]
    assert live.accept(updates, now_ms=NOW, delivery="sportradar:msg:1") == (False, [])
    assert live.backlog() == len(updates)


def test_a_long_delivery_that_broke_off_comes_again_whole(live: LiveStore, monkeypatch: pytest.MonkeyPatch) -> None:
    updates = [goal("a", n) for n in range(ACCEPTED_MOST + 1)]
    accept = LiveStore._accept_part

    def breaks(self: LiveStore, *args: Any, is_last: bool) -> Any:
        if is_last:
            raise Unavailable("gone between two steps")
        return accept(self, *args, is_last=is_last)

    with monkeypatch.context() as patch:
        patch.setattr(LiveStore, "_accept_part", breaks)
        with pytest.raises(Unavailable):
            live.accept(updates, now_ms=NOW, delivery="sportradar:msg:1")
    assert live.accept(updates, now_ms=NOW, delivery="sportradar:msg:1")[0] is True
    assert live.inbox("a", 10_000).updates[-1] == updates[-1]


def test_the_longest_waiting_comes_first(live: LiveStore) -> None:
    ids = [f"m{n}" for n in range(8) if keys.shard_of(f"m{n}", 2) == 0]
    for place, match_id in enumerate(reversed(ids)):
        live.accept([goal(match_id, 1)], now_ms=NOW + place)
    live.accept([goal(ids[-1], 2)], now_ms=NOW + 100)
    assert live.pending(0) == ids[::-1]
    assert live.pending(0, before_ms=NOW) == ids[-1:]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=30).filter(lambda text: text.isprintable()), st.integers(0, 9_999))
def test_an_update_comes_out_as_it_went_in(live: LiveStore, name: str, points: int) -> None:
    update = replace(goal("a", 1), event=replace(goal("a", 1).event, player=Person(name)), score=Score(points, 0))
    live.redis.delete(keys.inbox("a"))
    live.accept([update], now_ms=NOW)
    assert live.inbox("a", 10).updates == (update,)


# The commit.


def test_a_commit_does_everything_in_one_step(live: LiveStore, client: redis.Redis) -> None:
    listener = client.pubsub(ignore_subscribe_messages=True)
    listener.subscribe(keys.CHANGED)
    live.accept([goal("a", 1)], now_ms=NOW)
    done = apply(live, goal("a", 1), ids=live.inbox("a", 10).ids)
    assert (done.done, done.ring, done.left) == (True, True, 0)
    held = live.hold("a")
    assert held.match
    assert (held.match.version, held.match.score, held.rev) == (done.version, Score(1, 0), done.rev)
    assert replace(held.match.events["g1"], tellings=()) == goal("a", 1).event
    assert live.backlog() == 0
    assert client.exists(keys.inbox("a")) == 0
    assert board(live) == ["a"]
    [change] = live.outbox("a", 10)
    assert (change.match.version, [event.id for event in change.events]) == (done.version, ["g1"])
    assert [fact.kind.value for fact in decode_facts(change.facts)] == ["added", "score", "status", "info"]
    heard = None
    while heard is None:
        heard = listener.get_message(timeout=5)
    assert heard["data"].split()[:2] == [b"a", str(done.version).encode()]
    listener.close()


def test_the_hash_reads_in_plain_words(live: LiveStore, client: redis.Redis) -> None:
    late = replace(goal("a", 1), event=None, minute=90, added_minute=6, status=Status.SECOND_HALF, shootout=Score(4, 2))
    apply(live, late)
    said = client.hmget(keys.state("a"), "score", "time", "status")
    assert said == [b"1-0 (4-2 p)", b"90+6", b"second_half"]


def test_a_version_is_redis_s_own_time(live: LiveStore, client: redis.Redis) -> None:
    before = redis_now(client)
    done = apply(live, goal("a", 1))
    assert before <= done.version <= redis_now(client)
    [match] = live.read(["a"])
    assert match
    assert match.updated_at == done.version


def test_a_version_grows_when_the_clock_is_behind(live: LiveStore, client: redis.Redis) -> None:
    apply(live, goal("a", 1))
    ahead = redis_now(client) + 3_600_000
    client.hset(keys.state("a"), "version", ahead)
    assert apply(live, goal("a", 2)).version == ahead + 1
    assert apply(live, goal("a", 3)).version == ahead + 2


def test_a_version_and_a_revision_grow_past_a_lost_redis(live: LiveStore, client: redis.Redis) -> None:
    first = apply(live, goal("a", 1))
    client.flushall()
    second = apply(live, goal("a", 1))
    assert second.version > first.version
    assert int(second.rev) > int(first.rev)


def test_who_read_before_another_wrote_writes_nothing(live: LiveStore) -> None:
    live.accept([goal("a", 1), goal("a", 2)], now_ms=NOW)
    one = live.inbox("a", 1)
    behind = live.hold("a")
    apply(live, goal("a", 1), ids=one.ids)
    late = apply(live, goal("a", 1), held=behind, ids=one.ids)
    assert (late.done, late.left) == (False, 1)
    assert len(live.outbox("a", 10)) == 1
    assert len(live.inbox("a", 10).ids) == 1


def test_a_commit_repeated_after_a_lost_answer_is_stale(live: LiveStore) -> None:
    live.accept([goal("a", 1)], now_ms=NOW)
    held, ids = live.hold("a"), live.inbox("a", 10).ids
    assert apply(live, goal("a", 1), held=held, ids=ids).done
    assert not apply(live, goal("a", 1), held=held, ids=ids).done
    assert len(live.outbox("a", 10)) == 1


def test_what_no_reader_sees_makes_no_version(live: LiveStore) -> None:
    done = apply(live, goal("a", 1))
    held = live.hold("a")
    assert held.match
    newer = replace(held.match, told_at=Stamp(NOW + 50_000))
    kept = live.commit(held, newer, (), (), visible=False)
    assert (kept.done, kept.version, kept.ring) == (True, done.version, False)
    assert kept.rev != done.rev
    assert len(live.outbox("a", 10)) == 1
    again = live.hold("a")
    assert again.match
    assert again.match.told_at == Stamp(NOW + 50_000)


def test_a_repeat_only_empties_the_inbox(live: LiveStore) -> None:
    done = apply(live, goal("a", 1))
    live.accept([goal("a", 1)], now_ms=NOW)
    repeat = apply(live, goal("a", 1), ids=live.inbox("a", 10).ids)
    assert (repeat.version, repeat.rev, repeat.left) == (done.version, done.rev, 0)
    assert len(live.outbox("a", 10)) == 1


def test_only_events_that_were_touched_go_to_history(live: LiveStore) -> None:
    apply(live, goal("a", 1))
    apply(live, goal("a", 2))
    assert [[event.id for event in change.events] for change in live.outbox("a", 10)] == [["g1"], ["g2"]]


def test_state_is_kept_a_day_after_the_end_and_for_ever_before(live: LiveStore, client: redis.Redis) -> None:
    apply(live, goal("a", 1))
    assert (client.ttl(keys.state("a")), board(live)) == (-1, ["a"])
    apply(live, whistle("a", Status.FINISHED))
    left = [int(client.ttl(name)) for name in (keys.state("a"), keys.events("a"))]  # type: ignore[arg-type]
    assert all(KEEP_S - 5 <= seconds <= KEEP_S for seconds in left)
    assert board(live) == []
    apply(live, whistle("a", Status.SECOND_HALF, NOW + 200_000))
    assert (client.ttl(keys.state("a")), client.ttl(keys.events("a")), board(live)) == (-1, -1, ["a"])


def test_live_matches_come_by_their_start(live: LiveStore) -> None:
    for match_id, start in (("later", 2_000), ("sooner", 1_000)):
        held = live.hold(match_id)
        live.commit(held, Match(match_id, status=Status.LIVE, start_time=start), (), (), visible=True)
    assert board(live) == ["sooner", "later"]


def test_reading_keeps_the_order_and_says_what_is_not_there(live: LiveStore) -> None:
    apply(live, goal("a", 1))
    found = live.read(["nobody", "a"])
    assert (found[0], found[1] and found[1].id, live.read([])) == (None, "a", [])
    assert live.hold("nobody") == StoredMatch(None, "0")


# Restore, park, acknowledge.


def test_a_match_comes_back_from_history_unless_it_is_there(live: LiveStore) -> None:
    apply(live, goal("a", 1))
    match = live.hold("a").match
    assert match
    assert live.restore(replace(match, score=None)) is False
    live.redis.flushall()
    assert live.restore(match) is True
    assert live.hold("a").match == match
    assert board(live) == ["a"]
    assert apply(live, goal("a", 2)).version > match.version


def test_a_restored_revision_is_none_that_a_drain_remembers(live: LiveStore) -> None:
    done = apply(live, goal("a", 1))
    match = live.hold("a").match
    assert match
    live.redis.flushall()
    live.restore(match)
    assert int(live.hold("a").rev) > int(done.rev)


def test_a_restored_match_that_is_over_expires(live: LiveStore, client: redis.Redis) -> None:
    live.restore(Match("a", version=5, updated_at=5, status=Status.FINISHED, home=Team("h", "Home")))
    assert 0 < int(client.ttl(keys.state("a"))) <= KEEP_S  # type: ignore[arg-type]
    assert board(live) == []


def test_a_parked_match_waits_aside_and_comes_back(live: LiveStore) -> None:
    live.accept([goal("a", 1)], now_ms=NOW)
    live.park("a", now_ms=NOW)
    assert (live.backlog(), live.parked()) == (1, 1)
    assert live.unpark(before_ms=NOW - 1) == []
    assert live.unpark(before_ms=NOW) == ["a"]
    assert (live.backlog(), live.parked()) == (1, 0)
    assert live.inbox("a", 10).updates == (goal("a", 1),)


def test_an_outbox_may_be_parked_too(live: LiveStore) -> None:
    apply(live, goal("a", 1))
    live.park_history("a", now_ms=NOW)
    assert (live.history_pending(10), live.parked_history()) == ([], 1)
    assert live.unpark(before_ms=NOW) == ["a"]
    assert (live.history_pending(10), live.parked_history()) == (["a"], 0)


def test_a_pending_match_with_an_empty_inbox_is_settled(live: LiveStore) -> None:
    live.accept([goal("a", 1)], now_ms=NOW)
    live.park("a", now_ms=NOW)
    apply(live, goal("a", 1), ids=live.inbox("a", 10).ids)
    live.unpark(before_ms=NOW)
    assert live.settle("a") == 0
    assert live.backlog() == 0


def test_what_is_not_empty_is_not_settled(live: LiveStore) -> None:
    live.accept([goal("a", 1)], now_ms=NOW)
    assert live.settle("a") == 1
    assert live.backlog() == 1


def test_written_history_leaves_the_outbox(live: LiveStore) -> None:
    apply(live, goal("a", 1))
    apply(live, goal("a", 2))
    first, second = live.outbox("a", 10)
    assert live.history_waiting_since() is not None
    assert live.silence_history() is False
    live.ack({"a": [first.id]})
    assert live.outboxes(["a", "unknown"], 10) == {"a": [second], "unknown": []}
    assert live.history_pending(10) == ["a"]
    live.ack({"a": [second.id]})
    assert (live.history_pending(10), live.history_waiting_since()) == ([], None)
    assert live.silence_history() is True


def test_a_quieted_bell_can_ring_again(live: LiveStore) -> None:
    assert apply(live, goal("a", 1)).ring is True
    assert apply(live, goal("a", 2)).ring is False
    live.quiet_history()
    assert apply(live, goal("a", 3)).ring is True


# What was refused.


def payload(n: int) -> RefusedPayload:
    return RefusedPayload(f"id{n}", "generic", NOW + n, "invalid", "why\nevents[0].minute: no", bytes(range(256)))


def test_a_refused_payload_waits_whole(live: LiveStore) -> None:
    live.keep_refused(payload(1))
    [(entry, kept)] = live.refused(10)
    assert kept == payload(1)
    live.ack_refused([entry])
    live.ack_refused([])
    assert (live.refused(10), live.refused_waiting()) == ([], 0)


def test_refused_payloads_are_bounded_and_the_newest_stay(live: LiveStore) -> None:
    for n in range(REFUSED_MOST + 5):
        live.keep_refused(payload(n))
    kept = [one.id for _, one in live.refused(1_000)]
    assert (len(kept), kept[0], kept[-1]) == (REFUSED_MOST, "id5", f"id{REFUSED_MOST + 4}")


# Redis away.


def test_without_redis_every_verb_says_unavailable(redis_url: str) -> None:
    away = LiveStore(redis.Redis(port=1, retry=Retry(NoBackoff(), 0)), shards=1)
    verbs = [
        away.ping,
        away.backlog,
        away.board,
        lambda: away.accept([goal("a", 1)], now_ms=NOW),
        lambda: away.hold("a"),
        lambda: away.read(["a"]),
        lambda: away.restore(Match("a")),
        lambda: away.outbox("a", 1),
        lambda: away.outboxes(["a"], 1),
        lambda: away.ack({"a": ["1-0"]}),
        lambda: away.keep_refused(payload(1)),
    ]
    for verb in verbs:
        with pytest.raises(Unavailable):
            verb()


def test_a_full_redis_is_unavailable_not_a_bug(live: LiveStore, client: redis.Redis) -> None:
    client.config_set("maxmemory", "1")
    try:
        with pytest.raises(Unavailable, match="full"):
            live.accept([goal("a", 1)], now_ms=NOW)
    finally:
        client.config_set("maxmemory", "0")


@pytest.mark.faults
def test_what_was_accepted_survives_a_killed_redis(live: LiveStore, redis_server: RedisServer) -> None:
    live.accept([goal("a", 1)], now_ms=NOW, delivery="generic:1")
    redis_server.kill()
    redis_server.start()
    assert live.inbox("a", 10).updates == (goal("a", 1),)
    assert live.accept([goal("a", 1)], now_ms=NOW, delivery="generic:1")[0] is False
