"""What a match day takes: requests, connections, processes, pushes and cost. Arithmetic, no measurement of its own."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from workers.plan.figures import BenchFigures
from workers.plan.prices import Prices
from workers.plan.sizing import (
    BURST,
    BUSY_SHARE,
    EVENTS_PER_MATCH_S,
    HELD_PER_CACHE,
    HELD_SHARE,
    PUSHED_WITHIN_S,
    Hosting,
)

HOLD_S, LIFETIME_S = 20.0, 2.0
# Changes of a match that release its readers, goals, cards and whistles among them; its clock releases nobody.
CHANGES = 60
# Bytes of an answer, compressed, and of its header fields (docs/edge.md, "What it costs").
ANSWER_BYTES, MESSAGE_BYTES = 1_600, 1_200
# s. Released readers ask again within it (api/static/scores.js).
AGAIN_S = 0.2
# Metadata and timeline at each cache, each five seconds.
DETAILS_S = 2 / 5
# Of one event: commands of Redis (accept, read, commit, outbox, purge) and rows in SQL (match, event, score).
COMMANDS_PER_EVENT, ROWS_PER_EVENT = 8, 3


@dataclass(frozen=True, slots=True)
class Mix:
    """Shares of viewers: who poll, hold a wait, or have an event stream or a WebSocket. They add up to 1."""

    poll: float = 0.0
    wait: float = 1.0
    stream: float = 0.0
    socket: float = 0.0

    @property
    def own(self) -> float:
        """Of connections that no cache can share."""
        return self.stream + self.socket


@dataclass(frozen=True, slots=True)
class Scenario:
    """viewers: at the peak, each of one match.
    matches: at once.
    goals: of each match.
    hours: that the peak lasts.
    followers: of each match, who are pushed to at each goal.
    poll_s: between two polls of a reader.
    """

    viewers: int
    matches: int = 1
    goals: int = 3
    hours: float = 2.0
    followers: int = 0
    poll_s: float = 2.0
    mix: Mix = Mix()


@dataclass(frozen=True, slots=True)
class Capacity:
    """edge_requests_s: mean.
    edge_goal_requests_s: in the moment after a goal in one match.
    origin_requests_s, origin_connections: at the origin.
    web_dynos, worker_dynos: for them.
    goal_release_s: of the loop of a web process, to release those that it holds.
    redis_commands_s, sql_rows_s: mean, with the bursts of kick-offs ten times that.
    pushes: of the whole time.
    pushed_s: from a goal to the last device.
    requests, gb: at the edge, of the whole time.
    dyno_cost: US dollars for the whole time.
    cdn_cost: the same by CDN; empty without one.
    """

    edge_requests_s: float
    edge_goal_requests_s: float
    origin_requests_s: float
    origin_connections: float
    web_dynos: int
    worker_dynos: int
    goal_release_s: float
    redis_commands_s: float
    sql_rows_s: float
    pushes: int
    pushed_s: float
    requests: float
    gb: float
    dyno_cost: float
    cdn_cost: dict[str, float]


def capacity(scenario: Scenario, deployment: Hosting, figures: BenchFigures, prices: Prices) -> Capacity:
    seconds = scenario.hours * 3_600
    asked_s = _asked_s(scenario)
    origin_s, connections = _origin(scenario, deployment, asked_s)
    web = _web(origin_s, connections, deployment, figures)
    workers = _workers(scenario, deployment, figures)
    events_s = scenario.matches * EVENTS_PER_MATCH_S
    requests = asked_s * seconds
    messages = scenario.viewers * scenario.mix.own * CHANGES * scenario.hours / 2
    gb = (requests * ANSWER_BYTES + messages * MESSAGE_BYTES) / 1e9
    senders = workers * deployment.worker_processes
    on_one = connections / max(1, web * deployment.web_concurrency)
    return Capacity(
        edge_requests_s=asked_s,
        edge_goal_requests_s=asked_s + scenario.viewers / scenario.matches * scenario.mix.wait / AGAIN_S,
        origin_requests_s=origin_s,
        origin_connections=connections,
        web_dynos=web,
        worker_dynos=workers,
        goal_release_s=on_one / scenario.matches * figures.release_us / 1e6,
        redis_commands_s=origin_s + events_s * COMMANDS_PER_EVENT,
        sql_rows_s=events_s * ROWS_PER_EVENT,
        pushes=scenario.followers * scenario.goals * scenario.matches,
        pushed_s=scenario.followers / (senders * figures.pushes_per_worker_s),
        requests=requests,
        gb=gb,
        dyno_cost=prices.dynos(web + workers, scenario.hours),
        cdn_cost={name: cdn.cost(gb=gb, requests=requests) for name, cdn in prices.cdn.items()}
        if deployment.caches
        else {},
    )


def at(viewers: int, scenario: Scenario) -> Scenario:
    return replace(scenario, viewers=viewers)


def _asked_s(scenario: Scenario) -> float:
    """Requests a second of all viewers. A wait ends with its hold, and with each change."""
    changes_s = CHANGES / (2 * 3_600)
    each = scenario.mix.poll / scenario.poll_s + scenario.mix.wait * (1 / HOLD_S + changes_s)
    return scenario.viewers * each


def _origin(scenario: Scenario, deployment: Hosting, asked_s: float) -> tuple[float, float]:
    """Requests a second and connections. Behind a CDN those of its caches, and streams and sockets, which it passes."""
    if not deployment.caches:
        return asked_s, float(scenario.viewers)
    pairs = scenario.matches * deployment.caches
    reads = 1 / LIFETIME_S if scenario.mix.poll else 0.0
    waits = HELD_PER_CACHE / HOLD_S + CHANGES / (2 * 3_600) if scenario.mix.wait else 0.0
    held = HELD_PER_CACHE if scenario.mix.wait else 0
    return pairs * (reads + waits + DETAILS_S), pairs * held + scenario.viewers * scenario.mix.own


def _web(requests_s: float, connections: float, deployment: Hosting, figures: BenchFigures) -> int:
    held = min(deployment.connections * HELD_SHARE, figures.held_per_process)
    processes = max(connections / held, requests_s / (figures.reads_per_process_s * BUSY_SHARE))
    return max(1, math.ceil(processes * deployment.factor / deployment.web_concurrency))


def _workers(scenario: Scenario, deployment: Hosting, figures: BenchFigures) -> int:
    pushing = scenario.followers / (figures.pushes_per_worker_s * PUSHED_WITHIN_S)
    applying = scenario.matches * EVENTS_PER_MATCH_S * BURST / figures.events_per_worker_s
    return max(1, math.ceil((pushing + applying) * deployment.factor / deployment.worker_processes))
