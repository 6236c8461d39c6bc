"""A push worker killed at random points: every phone gets its goal, and resends are few and hidden."""

from __future__ import annotations

import pytest

from bench import kills


@pytest.mark.faults
def test_a_killed_push_worker_loses_nothing_and_resends_a_chunk_at_most() -> None:
    found = kills.run(devices=4_000, kills=3, seed=7)
    assert found["kills"] >= 1
    assert found["reached"] == 4_000
    assert found["resent"] <= 3 * found["chunk"]
    assert found["shown_twice"] == 0
