"""Everybody arrives: around kick-off, and when a region's network is back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dev.simulation.world import World, sizes

# What each viewer asks for first: page, metadata, score, board, and then the wait.
FIRST = 5
# Lifetimes of the first four at the edge around kick-off, s (cdn.headers: PAGE, LIST, LIVE, LIVE).
LIFETIMES_S = (60.0, 5.0, 2.0, 2.0)
# Pauses of the client after failures: a random part of 1 s, 2 s, 4 s … 32 s (api/static/scores.js).
BACKOFF_S, BACKOFF_MOST_S = 1.0, 32.0
# Viewers of a sample of a region that is too large to be followed one by one.
SAMPLE = 2_000_000


@dataclass(frozen=True, slots=True)
class Arrived:
    """edge_peak, origin_peak: requests in the busiest second."""

    edge_peak: float
    origin_peak: float


def kickoff(world: World, random: np.random.Generator) -> Arrived:
    """Arrivals are normal around the start. A cache misses at its first reader, and then by lifetime.

    Warm, a shield has it all. Without shields the planner warms the one PoP that it reaches, and the others stay cold.
    """
    cold = _first_arrivals(world, random) if not world.shields else _first_of_shields(world, random)
    warm = world.prewarmed and world.shields > 0
    misses = np.zeros(0) if warm else np.concatenate([cold + random.uniform(0, 0.5, cold.size) for _ in range(FIRST)])
    counts, _ = np.histogram(misses, np.arange(-12 * world.arrival_s, 12 * world.arrival_s, 1.0))
    steady = world.caches * (sum(1 / lifetime for lifetime in LIFETIMES_S) + 2 / world.hold_s)
    per_viewer_s = 1 / (world.arrival_s * np.sqrt(2 * np.pi))
    edge = world.viewers * FIRST * per_viewer_s
    origin = edge if not world.collapses else float(counts.max()) + steady
    return Arrived(float(edge), float(origin))


def reconnect(world: World, random: np.random.Generator, *, share: float = 0.1, away_s: float = 30.0) -> Arrived:
    """A region is cut off for a while, and each of its viewers comes back when its backoff ends."""
    viewers = min(int(world.viewers * share), SAMPLE)
    at, attempt = random.random(viewers) * BACKOFF_S, 0
    while (at < away_s).any():
        attempt += 1
        most = min(BACKOFF_MOST_S, BACKOFF_S * 2**attempt)
        at = np.where(at < away_s, at + random.random(viewers) * most, at)
    counts, _ = np.histogram(at - away_s, np.arange(0.0, BACKOFF_MOST_S + 1, 1.0))
    edge = counts.max() * (world.viewers * share / viewers) * 2
    caches = max(1, round(world.caches * share))
    return Arrived(float(edge), float(edge if not world.collapses else caches * 2))


def _first_arrivals(world: World, random: np.random.Generator) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """When the first viewer of each PoP comes: the least of so many normal numbers, by its quantile."""
    counts = np.maximum(sizes(world, random), 1)
    quantile = 1 - (1 - random.random(world.pops)) ** (1 / counts)
    return np.asarray(world.arrival_s * _normal_quantile(quantile))


def _first_of_shields(world: World, random: np.random.Generator) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    first = _first_arrivals(world, random)
    of = np.arange(world.pops) % world.shields
    return np.asarray([first[of == shield].min() for shield in range(world.shields)])


def _normal_quantile(
    share: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Tail of a normal distribution, for shares far below a half (Abramowitz and Stegun, 26.2.23; error 4.5e-4)."""
    t = np.sqrt(-2 * np.log(np.clip(share, 1e-300, 0.5)))
    above = 2.515517 + 0.802853 * t + 0.010328 * t**2
    below = 1 + 1.432788 * t + 0.189269 * t**2 + 0.001308 * t**3
    return np.asarray(above / below - t)
