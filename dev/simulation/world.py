"""What is simulated: viewers, caches between them and the origin, and how each behaves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class World:
    """Seconds and shares, unless stated otherwise.

    Calibrated: `base_s` and `release_s` (dev.simulation.calibration). From the code: lifetimes, holds, pauses. Assumed:
    everything about distances, PoPs and the CDN's purges.

    viewers: of one match.
    pops: PoPs; their sizes are lognormal with this sigma, a few large ones and many small.
    shields: caches between PoPs and origin; 0 for none, then each PoP asks the origin.
    poll: share of viewers who poll; the others wait.
    poll_s: between two polls, and up to a tenth more.
    ttl_s: of a score in play (cdn.headers.LIVE).
    purge_s, purge_sigma: median and spread of a purge's arrival at one cache (lognormal). Vendors name 150 ms for all.
    purge_lost: share of caches that miss a purge.
    rebound_s: until everything is purged a second time.
    hold_s: of a wait. gap_s: readers pause up to so long after a hold that timed out, again_s: after a change.
    readers_per_server: of one cache server of a PoP.
    base_s: from the webhook to the first reader of a cache beside the origin.
    release_s: of a cache server, for each reader.
    near_s, near_sigma: round trip from viewer to PoP, mobile networks among them (lognormal).
    pop_shield_s, shield_origin_s: longest round trips; they are uniform below that.
    arrival_s: standard deviation of the arrivals around kick-off.
    prewarmed: the planner has read what they ask for.
    collapses: a cache sends one request for all who ask for the same.
    """

    viewers: int = 50_000_000
    pops: int = 300
    pop_sigma: float = 1.0
    shields: int = 4
    poll: float = 0.0
    poll_s: float = 2.0
    ttl_s: float = 2.0
    purge_s: float = 0.1
    purge_sigma: float = 0.5
    purge_lost: float = 0.001
    rebound_s: float = 2.0
    hold_s: float = 20.0
    gap_s: float = 1.0
    again_s: float = 0.2
    readers_per_server: int = 20_000
    base_s: float = 0.060
    release_s: float = 51e-6
    near_s: float = 0.040
    near_sigma: float = 0.7
    pop_shield_s: float = 0.150
    shield_origin_s: float = 0.030
    arrival_s: float = 20.0
    prewarmed: bool = True
    collapses: bool = True

    @property
    def caches(self) -> int:
        """Those that ask the origin."""
        return self.shields or self.pops


def sizes(world: World, random: np.random.Generator) -> NDArray[np.int64]:
    """Viewers of each PoP."""
    weights = random.lognormal(0.0, world.pop_sigma, world.pops)
    return np.asarray(random.multinomial(world.viewers, weights / weights.sum()))


def near(world: World, count: int, random: np.random.Generator) -> Times:
    """Round trips of viewers to their PoP."""
    return np.asarray(random.lognormal(np.log(world.near_s), world.near_sigma, count))
