"""A push worker killed at random points: every phone gets its goal or its Live Activity, and resends are few and
hidden."""

from __future__ import annotations

import pytest

from dev import push_kills
from tests.support.stories.count import in_full, scaled


@pytest.mark.faults
def test_a_killed_push_worker_loses_nothing_and_resends_a_chunk_at_most() -> None:
    devices, kills = scaled(2_000, 4_000), scaled(1, 3)
    figures = push_kills.run(devices=devices, kills=kills, seed=7)
    assert figures["kills"] >= 1
    assert figures["reached"] == devices
    assert figures["resent"] <= kills * figures["chunk"]
    assert (figures["shown_twice"], figures["rung_twice"]) == (0, 0)


@in_full
def test_a_push_worker_killed_at_kick_off_leaves_each_phone_with_one_live_activity() -> None:
    figures = push_kills.run(devices=3_000, kills=2, seed=11, activities=True)
    assert figures["kills"] >= 1
    assert figures["reached"] == 3_000
    assert figures["resent"] <= 2 * figures["chunk"]
    assert figures["shown_twice"] == 0
