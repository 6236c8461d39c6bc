"""Simulates kick-off and a goal for 50 million viewers. Needs numpy (pip install -r requirements-chart.txt).

`python -m dev.simulation [--viewers 50000000] [--seed 1]`. Each row is one way to run a match day. Times are from the
webhook to the viewer; `worst` is a goal just when all holds have ended together. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from dev.simulation.arrival import kickoff, reconnect
from dev.simulation.calibration import LARGE, SMALL, errors, line
from dev.simulation.goal import goal
from dev.simulation.world import World

MIXES = {"wait": 0.0, "mixed": 0.5, "poll": 1.0}


def scenarios(world: World) -> Iterator[tuple[str, World]]:
    for name, poll in MIXES.items():
        for shields in (world.shields, 0):
            for prewarmed in (True, False):
                how = f"{name}, {'shield' if shields else 'no shield'}, {'warm' if prewarmed else 'cold'}"
                yield how, replace(world, poll=poll, shields=shields, prewarmed=prewarmed)
    yield "wait, purges lost at every tenth", replace(world, poll=0.0, purge_lost=0.1)
    yield "poll, purges lost at every tenth", replace(world, poll=1.0, purge_lost=0.1)
    yield "wait, 5,000 readers a server", replace(world, poll=0.0, readers_per_server=5_000)
    yield "poll, in a surge", replace(world, poll=1.0, poll_s=10.0, ttl_s=8.0)
    yield "wait, no collapsing", replace(world, poll=0.0, collapses=False)


def simulated(world: World, seed: int) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    usual, worst = goal(world, random), goal(world, random, worst=True)
    start, back = kickoff(world, random), reconnect(world, random)
    return asdict(usual) | {
        "worst_p50": worst.p50,
        "worst_p999": worst.p999,
        "kickoff_edge_peak": start.edge_peak,
        "kickoff_origin_peak": start.origin_peak,
        "reconnect_edge_peak": back.edge_peak,
        "reconnect_origin_peak": back.origin_peak,
    }


COLUMNS = {
    "p50": "p50 s",
    "p99": "p99 s",
    "p999": "p99.9 s",
    "worst_p50": "worst p50",
    "worst_p999": "worst p99.9",
    "origin_peak": "goal req/s",
    "kickoff_origin_peak": "kick-off req/s",
    "connections": "held",
}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m dev.simulation", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--viewers", type=int, default=50_000_000, help="of one match (default 50000000)")
    parser.add_argument("--pops", type=int, default=300, help="PoPs of the CDN (default 300)")
    parser.add_argument("--seed", type=int, default=1, help="of all random numbers (default 1)")
    args = parser.parse_args()
    fit = line(SMALL)
    world = World(args.viewers, args.pops, base_s=fit.base_s, release_s=fit.release_s)
    print(f"{'':34}" + "".join(f"{title:>15}" for title in COLUMNS.values()))
    results: dict[str, Any] = {}
    for name, scenario in scenarios(world):
        figures = results[name] = simulated(scenario, args.seed)
        print(f"{name:34}" + "".join(f"{figures[column]:>15,.2f}" for column in COLUMNS), flush=True)
    error = errors(fit.at(LARGE.readers), LARGE)
    print(f"\nCalibrated on {SMALL.readers:,} held readers; {LARGE.readers:,} predicted blind, and wrong by:")
    print("  " + ", ".join(f"{name} {share:+.0%}" for name, share in error.items()))
    print(json.dumps({"viewers": args.viewers, "error": error, "scenarios": results}))


if __name__ == "__main__":
    main()
