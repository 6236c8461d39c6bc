"""Inboxes on a real Redis: accepted once, in order, in steps; settled and parked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.domain import Person, Score
from db.domain.errors import Unavailable
from db.live import keys
from db.live.inbox import ACCEPTED_MAX, SEEN_S, Inbox
from db.live.metrics import Counter
from db.live.sharding import Shard
from db.live.store import LiveStore
from tests.support.live import NOW, apply, goal, key_of


def test_what_is_accepted_waits_in_order_under_its_match(live: LiveStore) -> None:
    new, bells = live.inbox.accept([goal("a", 1), goal("b", 1), goal("a", 2)], now_ms=NOW)
    assert (new, set(bells)) == (True, {live.sharded.of("a").number, live.sharded.of("b").number})
    assert [u.event.id for u in live.inbox.head("a", 10).updates if u.event] == ["g1", "g2"]
    assert live.inbox.head("a", 10).updates == (goal("a", 1), goal("a", 2))
    assert len(live.inbox.head("a", 1).ids) == 1
    assert live.inbox.backlog() == 3


def test_a_bell_rings_once_until_it_is_silenced(live: LiveStore) -> None:
    shard = live.sharded.of("a").number
    assert live.inbox.accept([goal("a", 1)], now_ms=NOW) == (True, [shard])
    assert live.inbox.accept([goal("a", 2)], now_ms=NOW) == (True, [])
    assert live.inbox.clear_bell(shard) is False
    apply(live, goal("a", 1), ids=live.inbox.head("a", 10).ids)
    assert live.inbox.clear_bell(shard) is True
    assert live.inbox.accept([goal("a", 3)], now_ms=NOW) == (True, [shard])


def test_a_delivery_seen_before_leaves_nothing(live: LiveStore, client: redis.Redis) -> None:
    assert live.inbox.accept([goal("a", 1)], now_ms=NOW, delivery="generic:msg:1")[0] is True
    assert live.inbox.accept([goal("a", 2)], now_ms=NOW, delivery="generic:msg:1") == (False, [])
    assert live.inbox.accept([goal("a", 2)], now_ms=NOW, delivery="sportradar:msg:1")[0] is True
    assert len(live.inbox.head("a", 10).ids) == 2
    assert 0 < int(client.ttl(key_of(live, "a", keys.seen("generic", "msg:1")))) <= SEEN_S  # type: ignore[arg-type]


@pytest.mark.everywhere
def test_a_long_delivery_is_taken_in_steps_in_order_and_once(live: LiveStore, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[int] = []
    script = live.inbox._accept

    def counted(shard: Shard, names: list[str], args: list[Any]) -> Any:
        steps.append((len(args) - 5) // 2)
        return script(shard, names, args)

    monkeypatch.setattr(live.inbox, "_accept", counted)
    updates = [goal("a", n) for n in range(2 * ACCEPTED_MAX + 1)]
    assert live.inbox.accept(updates, now_ms=NOW, delivery="sportradar:msg:1") == (True, [live.sharded.of("a").number])
    assert live.inbox.head("a", 3 * ACCEPTED_MAX).updates == tuple(updates)
    assert live.inbox.backlog() == len(updates)
    assert steps == [ACCEPTED_MAX, ACCEPTED_MAX, 1]
    assert live.inbox.accept(updates, now_ms=NOW, delivery="sportradar:msg:1") == (False, [])
    assert live.inbox.backlog() == len(updates)


def test_a_long_delivery_that_broke_off_comes_again_whole(live: LiveStore, monkeypatch: pytest.MonkeyPatch) -> None:
    updates = [goal("a", n) for n in range(ACCEPTED_MAX + 1)]
    accept = Inbox._accept_part

    def breaks(self: LiveStore, *args: Any, is_last: bool) -> Any:
        if is_last:
            raise Unavailable("gone between two steps")
        return accept(self, *args, is_last=is_last)

    with monkeypatch.context() as patch:
        patch.setattr(Inbox, "_accept_part", breaks)
        with pytest.raises(Unavailable):
            live.inbox.accept(updates, now_ms=NOW, delivery="sportradar:msg:1")
    assert live.inbox.accept(updates, now_ms=NOW, delivery="sportradar:msg:1")[0] is True
    assert live.inbox.head("a", 10_000).updates[-1] == updates[-1]


def test_the_longest_waiting_comes_first(live: LiveStore) -> None:
    ids = [f"m{n}" for n in range(100) if live.sharded.of(f"m{n}").number == 0][:4]
    for place, match_id in enumerate(reversed(ids)):
        live.inbox.accept([goal(match_id, 1)], now_ms=NOW + place)
    live.inbox.accept([goal(ids[-1], 2)], now_ms=NOW + 100)
    assert live.inbox.pending(0) == ids[::-1]
    assert (live.inbox.overdue(NOW - 1), live.inbox.overdue(NOW)) == ([], [0])


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=30).filter(lambda text: text.isprintable()), st.integers(0, 9_999))
def test_an_update_comes_out_as_it_went_in(live: LiveStore, name: str, points: int) -> None:
    update = replace(goal("a", 1), event=replace(goal("a", 1).event, player=Person(name)), score=Score(points, 0))
    live.redis.delete(key_of(live, "a", keys.inbox))
    live.inbox.accept([update], now_ms=NOW)
    assert live.inbox.head("a", 10).updates == (update,)


def test_a_parked_match_waits_aside_and_comes_back(live: LiveStore) -> None:
    live.inbox.accept([goal("a", 1)], now_ms=NOW)
    live.inbox.park("a", now_ms=NOW)
    assert (live.inbox.backlog(), live.inbox.parked()) == (1, 1)
    assert live.inbox.unpark(before_ms=NOW - 1) == []
    assert live.inbox.unpark(before_ms=NOW) == ["a"]
    assert (live.inbox.backlog(), live.inbox.parked()) == (1, 0)
    assert live.inbox.head("a", 10).updates == (goal("a", 1),)


def test_a_pending_match_with_an_empty_inbox_is_settled(live: LiveStore) -> None:
    live.inbox.accept([goal("a", 1)], now_ms=NOW)
    live.inbox.park("a", now_ms=NOW)
    apply(live, goal("a", 1), ids=live.inbox.head("a", 10).ids)
    live.inbox.unpark(before_ms=NOW)
    assert live.inbox.settle("a") == 0
    assert live.inbox.backlog() == 0


def test_what_is_not_empty_is_not_settled(live: LiveStore) -> None:
    live.inbox.accept([goal("a", 1)], now_ms=NOW)
    assert live.inbox.settle("a") == 1
    assert live.inbox.backlog() == 1


def test_updates_that_no_replica_has_in_time_are_accepted_and_counted(
    live: LiveStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[float] = []
    monkeypatch.setattr(Counter, "add", lambda _, amount: counted.append(amount))
    careful = Inbox(live.sharded, replica_wait_ms=1)
    assert careful.accept([goal("a", 1), goal("a", 2)], now_ms=NOW, delivery="generic:1")[0] is True
    assert careful.accept([goal("a", 1)], now_ms=NOW, delivery="generic:1")[0] is False
    assert careful.head("a", 10).updates == (goal("a", 1), goal("a", 2))
    assert sum(counted) in (0, 3), "a cluster has replicas"
