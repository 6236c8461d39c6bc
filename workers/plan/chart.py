"""The capacity of a match day as a chart. Needs matplotlib, which nothing else does (docs/decisions/0033)."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from workers.plan.capacity import Scenario, at, capacity
from workers.plan.figures import BenchFigures
from workers.plan.prices import Prices
from workers.plan.sizing import Hosting

# Viewers for which the lines are drawn.
VIEWERS = [10**exponent * step for exponent in range(3, 8) for step in (1, 2, 5)] + [100_000_000]


def draw(path: Path, scenario: Scenario, deployment: Hosting, figures: BenchFigures, prices: Prices) -> None:
    """A PNG."""
    days = [capacity(at(viewers, scenario), deployment, figures, prices) for viewers in VIEWERS]
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    load, cost = figure.subplots(1, 2)
    for label, values in {
        "requests/s at the edge": [day.edge_requests_s for day in days],
        "requests/s at the origin": [day.origin_requests_s for day in days],
        "connections at the origin": [day.origin_connections for day in days],
    }.items():
        load.loglog(VIEWERS, values, label=label)
    load.axvline(scenario.viewers, color="grey", linestyle=":")
    load.set(xlabel="viewers", title=f"{scenario.matches} matches, {deployment.caches or 'no'} caches")
    load.legend()
    cost.loglog(VIEWERS, [day.dyno_cost for day in days], label=f"dynos ({prices.dyno_size})")
    for name in days[0].cdn_cost:
        cost.loglog(VIEWERS, [day.cdn_cost[name] for day in days], label=name)
    cost.axvline(scenario.viewers, color="grey", linestyle=":")
    cost.set(xlabel="viewers", title=f"US dollars for {scenario.hours:g} h, list prices of {prices.date}")
    cost.legend()
    figure.savefig(path, format="png", dpi=120)
