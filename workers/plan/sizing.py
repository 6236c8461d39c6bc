"""How many processes of each type what is expected takes, and the floor and ceiling around it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from workers.plan.booking import Booking
from workers.plan.figures import BenchFigures

# Of a process's connections, those that may wait (api.services.HELD_PERCENT).
HELD_SHARE = 0.8
# A cache holds one request for each address that its readers wait at: the present slot's and the next one's.
HELD_PER_CACHE = 2
# Requests a second that one cache sends for one match in play: its score every 2 s, metadata and timeline every 5 s
# (cdn.headers), and a wait every 20 s at each of two addresses.
READS_PER_CACHE_S = 1 / 2 + 2 / 5 + 2 / 20
# Requests a second of one viewer without a CDN, who waits 20 s at a time.
READS_PER_VIEWER_S = 1 / 20
# A second of busy loop is a second in which nobody is released: no more than this share is planned for.
BUSY_SHARE = 0.5
# s. Everybody who follows a match has its goal's alert by then.
PUSHED_WITHIN_S = 30.0
# Events a second of one match with full data (docs/architecture.md, "How much": 230 of 246), and its bursts.
EVENTS_PER_MATCH_S, BURST = 230 / 246, 10


@dataclass(frozen=True, slots=True)
class Hosting:
    """caches: that ask the origin, shields or PoPs; 0 without a CDN.
    web_concurrency: web processes in a dyno or container.
    connections: places of a web process.
    worker_processes: worker processes in a dyno or container.
    factor: that many times what is expected is made ready.
    floor: never fewer, by type.
    ceiling: never more, by type.
    """

    caches: int
    web_concurrency: int
    connections: int
    worker_processes: int
    factor: float
    floor: Mapping[str, int]
    ceiling: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Wanted:
    """processes: by type, within floor and ceiling.
    capped: types of which more were needed than the ceiling allows.
    """

    processes: dict[str, int]
    capped: tuple[str, ...] = field(default=())


def wanted(bookings: Iterable[Booking], deployment: Hosting, figures: BenchFigures) -> Wanted:
    """For matches that are due at the same time; for none of them, the floor."""
    due = list(bookings)
    needed = {"web": _web(due, deployment, figures), "worker": _workers(due, deployment, figures)} if due else {}
    processes: dict[str, int] = {}
    for kind in deployment.floor.keys() | (needed.keys() & deployment.ceiling.keys()):
        most = deployment.ceiling.get(kind, deployment.floor.get(kind, 1))
        processes[kind] = max(min(needed.get(kind, 0), most), deployment.floor.get(kind, 1))
    capped = tuple(sorted(kind for kind, count in needed.items() if count > deployment.ceiling.get(kind, count)))
    return Wanted(dict(sorted(processes.items())), capped)


def origin_connections(due: list[Booking], deployment: Hosting) -> float:
    """Behind a CDN the origin follows matches times caches, not viewers: each cache holds one request for all of its
    readers. Without one every viewer has a connection here."""
    if deployment.caches:
        return len(due) * deployment.caches * HELD_PER_CACHE * deployment.factor
    return sum(booking.expected.viewers for booking in due) * deployment.factor


def origin_requests_s(due: list[Booking], deployment: Hosting) -> float:
    if deployment.caches:
        return len(due) * deployment.caches * READS_PER_CACHE_S * deployment.factor
    return sum(booking.expected.viewers for booking in due) * READS_PER_VIEWER_S * deployment.factor


def _web(due: list[Booking], deployment: Hosting, figures: BenchFigures) -> int:
    held = min(deployment.connections * HELD_SHARE, figures.held_per_process)
    for_connections = origin_connections(due, deployment) / held
    for_requests = origin_requests_s(due, deployment) / (figures.reads_per_process_s * BUSY_SHARE)
    return _dynos(max(for_connections, for_requests), deployment.web_concurrency)


def _workers(due: list[Booking], deployment: Hosting, figures: BenchFigures) -> int:
    followers = sum(booking.expected.followers for booking in due) * deployment.factor
    pushing = followers / (figures.pushes_per_worker_s * PUSHED_WITHIN_S)
    applying = len(due) * EVENTS_PER_MATCH_S * BURST / figures.events_per_worker_s
    return _dynos(pushing + applying, deployment.worker_processes)


def _dynos(processes: float, in_each: int) -> int:
    return max(1, math.ceil(processes / in_each))
