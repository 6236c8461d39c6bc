"""A push worker killed at random points: every phone gets its goal or its Live Activity, and resends are few and
hidden."""

from __future__ import annotations

import pytest

from dev import push_kills


@pytest.mark.faults
def test_a_killed_push_worker_loses_nothing_and_resends_a_chunk_at_most() -> None:
    figures = push_kills.run(devices=4_000, kills=3, seed=7)
    assert figures["kills"] >= 1
    assert figures["reached"] == 4_000
    assert figures["resent"] <= 3 * figures["chunk"]
    assert (figures["shown_twice"], figures["rung_twice"]) == (0, 0)


@pytest.mark.faults
def test_a_push_worker_killed_at_kick_off_leaves_each_phone_with_one_live_activity() -> None:
    figures = push_kills.run(devices=3_000, kills=2, seed=11, activities=True)
    assert figures["kills"] >= 1
    assert figures["reached"] == 3_000
    assert figures["resent"] <= 2 * figures["chunk"]
    assert figures["shown_twice"] == 0
