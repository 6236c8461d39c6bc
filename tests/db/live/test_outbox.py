"""Outboxes on a real Redis."""

from __future__ import annotations

from db.live.store import LiveStore
from tests.conftest import wait_until
from tests.support.live import NOW, apply, goal, redis_now


def test_an_outbox_may_be_parked_too(live: LiveStore) -> None:
    apply(live, goal("a", 1))
    live.outbox.park("a", now_ms=NOW)
    assert (live.outbox.pending(10), live.outbox.parked()) == ([], 1)
    assert live.outbox.unpark(before_ms=NOW) == ["a"]
    assert (live.outbox.pending(10), live.outbox.parked()) == (["a"], 0)


def test_written_history_leaves_the_outbox(live: LiveStore) -> None:
    apply(live, goal("a", 1))
    apply(live, goal("a", 2))
    first, second = live.outbox.entries("a", 10)
    assert live.outbox.waiting_since() is not None
    assert live.outbox.clear_bell() is False
    live.outbox.ack({"a": [first.id]})
    assert live.outbox.batch(["a", "unknown"], 10) == {"a": [second], "unknown": []}
    assert live.outbox.pending(10) == ["a"]
    live.outbox.ack({"a": [second.id]})
    assert (live.outbox.pending(10), live.outbox.waiting_since()) == ([], None)
    assert live.outbox.clear_bell() is True


def test_a_match_that_changed_while_it_was_written_waits_since_then(live: LiveStore) -> None:
    apply(live, goal("a", 1))
    [first] = live.outbox.entries("a", 10)
    filled = live.outbox.waiting_since()
    assert filled
    wait_until(lambda: redis_now(live.sharded.of("a").redis) > filled, "a later millisecond")
    apply(live, goal("a", 2))
    live.outbox.ack({"a": [first.id]})
    [second] = live.outbox.entries("a", 10)
    assert live.outbox.waiting_since() == int(second.id.split("-")[0]) > filled


def test_a_quieted_bell_can_ring_again(live: LiveStore) -> None:
    assert apply(live, goal("a", 1)).ring is True
    assert apply(live, goal("a", 2)).ring is False
    live.outbox.mute_bell()
    assert apply(live, goal("a", 3)).ring is True
