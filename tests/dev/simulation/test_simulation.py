"""The simulation: what has to hold whatever is assumed, and how well it predicts a run that it was not made from."""

from __future__ import annotations

from dataclasses import replace

import pytest

np = pytest.importorskip("numpy", reason="pip install -r requirements-chart.txt")

from dev.simulation.arrival import kickoff, reconnect  # noqa: E402
from dev.simulation.calibration import LARGE, SMALL, Line, errors, line  # noqa: E402
from dev.simulation.goal import GoalSeen, goal  # noqa: E402
from dev.simulation.world import World, sizes  # noqa: E402

WORLD = World(viewers=200_000, pops=30)


def seen(seed: int = 1, *, worst: bool = False, **changed: object) -> GoalSeen:
    return goal(replace(WORLD, **changed), np.random.default_rng(seed), worst=worst)  # type: ignore[arg-type]


def test_every_viewer_has_a_pop_and_the_same_seed_is_the_same_day() -> None:
    assert sizes(WORLD, np.random.default_rng(1)).sum() == WORLD.viewers
    assert seen(7) == seen(7)
    assert seen(7) != seen(8)


def test_whoever_waits_sees_it_before_whoever_polls_and_the_worst_moment_is_the_worst() -> None:
    waiting, polling = seen(poll=0.0), seen(poll=1.0)
    assert waiting.p50 < polling.p50
    assert seen(poll=0.0, worst=True).p50 > waiting.p50
    assert waiting.p50 <= waiting.p99 <= waiting.p999 <= waiting.last


@pytest.mark.parametrize("poll", [0.0, 1.0])
def test_nobody_sees_it_before_it_happened_and_all_within_pauses_and_lifetimes(poll: float) -> None:
    day = seen(poll=poll, purge_lost=1.0)
    bound = WORLD.ttl_s + WORLD.rebound_s + WORLD.poll_s * 1.1 + 4 * WORLD.gap_s
    assert WORLD.base_s < day.p50 <= day.last < bound


def test_lost_purges_delay_those_who_poll_and_nobody_who_waits() -> None:
    assert seen(poll=1.0, purge_lost=0.5).p99 >= seen(poll=1.0, purge_lost=0.0).p99
    assert seen(poll=0.0, purge_lost=0.5).p99 == pytest.approx(seen(poll=0.0, purge_lost=0.0).p99, rel=0.05)


def test_the_origin_follows_caches_and_without_collapsing_viewers() -> None:
    assert seen(poll=0.0).connections == 2 * WORLD.shields
    assert seen(poll=0.0, shields=0).connections == 2 * WORLD.pops
    assert seen(poll=0.0).origin_peak < seen(poll=0.0, shields=0).origin_peak < 20 * WORLD.pops
    assert seen(poll=0.0, collapses=False).origin_peak == WORLD.viewers


def test_warming_helps_where_a_shield_is_there_to_be_warmed() -> None:
    def peak(**changed: object) -> float:
        return kickoff(replace(WORLD, **changed), np.random.default_rng(3)).origin_peak  # type: ignore[arg-type]

    assert peak(prewarmed=True) < peak(prewarmed=False)
    assert peak(shields=0, prewarmed=True) == peak(shields=0, prewarmed=False)


def test_a_region_that_comes_back_is_spread_by_its_clients() -> None:
    back = reconnect(WORLD, np.random.default_rng(1), share=0.5, away_s=30.0)
    assert 0 < back.edge_peak < WORLD.viewers * 0.5 * 2 / 5
    assert back.origin_peak <= WORLD.caches


def test_fifteen_thousand_readers_are_predicted_from_two_thousand_with_the_error_that_is_stated() -> None:
    """docs/simulation.md: a line has no bend, and Varnish's tree of wake-ups has: the median comes out too early."""
    error = errors(line(SMALL).at(LARGE.readers), LARGE)
    assert {name: round(share, 2) for name, share in error.items()} == {"p50": -0.22, "p99": -0.02, "last": -0.01}


def test_a_line_goes_through_what_it_is_made_from() -> None:
    fit = line(SMALL)
    assert fit.at(SMALL.readers).p50 == pytest.approx(SMALL.p50)
    assert fit.at(SMALL.readers).last == pytest.approx(SMALL.last)
    assert line(Line(0.1, 1e-5).at(5_000)).release_s == pytest.approx(1e-5)
