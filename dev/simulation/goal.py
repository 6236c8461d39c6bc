"""A goal: when each viewer sees it, counted from the webhook, and what it makes the caches ask of the origin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from dev.simulation.world import Times, World, near, sizes

# s. Bins in which what reaches the origin is counted.
BIN_S = 1.0
# Metadata, timeline and board are read again beside the score.
BESIDE = 3


@dataclass(frozen=True, slots=True)
class GoalSeen:
    """p50, p99, p999, last: seconds from the webhook until so many viewers see it.
    origin_peak: requests in the busiest second at the origin.
    connections: held at the origin by the caches.
    """

    p50: float
    p99: float
    p999: float
    last: float
    origin_peak: float
    connections: int


@dataclass(frozen=True, slots=True)
class PathTimes:
    """round_trips: of each PoP to its shield, or to the origin without one.
    shield_trips: of its shield to the origin; 0 without.
    shield_fresh: when its shield has dropped the old score.
    purged: when the PoP does.
    """

    round_trips: Times
    shield_trips: Times
    shield_fresh: Times
    purged: Times


def goal(world: World, random: np.random.Generator, *, worst: bool = False) -> GoalSeen:
    """worst: it comes when the holds of everybody have just ended together, which slots make them do."""
    paths = _paths(world, random)
    fresh = _fresh(world, paths, random)
    seen = np.concatenate(list(_seen(world, paths, fresh, random, worst=worst)))
    p50, p99, p999 = np.percentile(seen, [50, 99, 99.9])
    return GoalSeen(
        float(p50), float(p99), float(p999), float(seen.max()), _origin_peak(world, fresh, random), _held(world)
    )


def _paths(world: World, random: np.random.Generator) -> PathTimes:
    trips = random.uniform(0.005, world.pop_shield_s, world.pops)
    purged = _purges(world, world.pops, random)
    if not world.shields:
        return PathTimes(trips, np.zeros(world.pops), np.zeros(world.pops), purged)
    of = random.integers(0, world.shields, world.pops)
    shield_trips = random.uniform(0.002, world.shield_origin_s, world.shields)
    return PathTimes(trips, shield_trips[of], _purges(world, world.shields, random)[of], purged)


def _purges(world: World, caches: int, random: np.random.Generator) -> Times:
    """When each cache drops the old score: by its purge, or by its lifetime where that is lost."""
    arrives = world.base_s + random.lognormal(np.log(world.purge_s), world.purge_sigma, caches)
    expires = world.base_s + random.uniform(0.0, world.ttl_s, caches)
    return np.where(random.random(caches) < world.purge_lost, expires, arrives)


def _fresh(world: World, paths: PathTimes, random: np.random.Generator) -> Times:
    """When each PoP has the new score for those who poll.

    A PoP that is purged before its shield fetches the old one again. That is dropped by the second purge, or expires.
    """
    again = np.minimum(random.uniform(0.0, world.ttl_s, world.pops), world.rebound_s) + paths.purged
    is_late = paths.purged + paths.round_trips / 2 >= paths.shield_fresh
    asked = np.where(is_late, paths.purged, np.maximum(again, paths.shield_fresh))
    return np.asarray(asked + paths.round_trips + paths.shield_trips)


def _seen(world: World, paths: PathTimes, fresh: Times, random: np.random.Generator, *, worst: bool) -> Iterator[Times]:
    """Of each PoP in turn, for all viewers at once would not fit into memory."""
    for pop, viewers in enumerate(sizes(world, random)):
        polling = int(viewers * world.poll)
        yield _polled(world, float(fresh[pop]), polling, random).astype(np.float32)
        released = world.base_s + (paths.round_trips[pop] + paths.shield_trips[pop]) / 2
        yield _waited(world, float(released), int(viewers) - polling, random, worst=worst).astype(np.float32)


def _polled(world: World, fresh_s: float, count: int, random: np.random.Generator) -> Times:
    """Whose next poll comes at any moment of the pause after the PoP has it."""
    pause = world.poll_s * (1 + random.random(count) / 10)
    return np.asarray(fresh_s + random.random(count) * pause + near(world, count, random) / 2)


def _waited(world: World, released_s: float, count: int, random: np.random.Generator, *, worst: bool) -> Times:
    """Held readers are written to one after another; those between two holds get it with their next request."""
    trips = near(world, count, random)
    on_server = min(count, world.readers_per_server)
    written = released_s + random.random(count) * on_server * world.release_s
    asks_at = _pauses(world, count, random, worst=worst) + trips / 2
    return np.asarray(np.maximum(written, asks_at) + trips / 2)


def _pauses(world: World, count: int, random: np.random.Generator, *, worst: bool) -> Times:
    """How long each still pauses before its next hold; 0 for those who are held."""
    if worst:
        return np.asarray(random.random(count) * world.gap_s)
    share = world.gap_s / 2 / (world.hold_s + world.gap_s / 2)
    # The pause that one comes upon is a longer one: its density grows with its length.
    left = np.sqrt(random.random(count)) * random.random(count) * world.gap_s
    return np.where(random.random(count) < share, left, 0.0)


def _held(world: World) -> int:
    """Each cache holds one request for each slot that its readers are in, the present one and the next."""
    return 2 * world.caches if world.poll < 1 else 0


def _origin_peak(world: World, fresh: Times, random: np.random.Generator) -> float:
    if not world.collapses:
        # Everybody's next request reaches the origin: those who waited within again_s, the others within a poll.
        waiting, polling = world.viewers * (1 - world.poll), world.viewers * world.poll
        return waiting / max(BIN_S, world.again_s) + polling / max(BIN_S, world.poll_s)
    asks = [random.uniform(0, 0.5, world.caches * BESIDE) + world.base_s]
    if world.poll:
        asks.append(fresh if not world.shields else random.choice(fresh, world.caches))
    if world.poll < 1:
        asks.append(world.base_s + random.uniform(0.0, world.again_s, world.caches))
    counts, _ = np.histogram(np.concatenate(asks), np.arange(0.0, 10.0, BIN_S))
    return float(counts.max() / BIN_S)
