"""Everybody opens the app: 20,000 readers within ten seconds through Varnish, and the first goal.

`python -m bench.kickoff [--clients 20000] [--over 10] [--nodes 2] [--polling 0] [--surge]`. Each reader asks for
metadata, board and score, and then waits; --polling: so many of a hundred poll instead. A process may have 20,000 open
files here, so they are divided among two Varnish nodes before one origin. --surge: afterwards the switch is turned on,
then off, then on for a short time and forgotten; counted in each part are requests at the origin and at the edge, and
readers who had no answer or an error.

Times run from sending the signed webhook; readers and all servers share the cores. Figures: docs/figures.md.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import redis

from bench.arrivals import Arrivals, ArrivalTally
from bench.deployment import SECRET, Deployment, percentile, say
from cdn.varnish.daemon import Edge
from db.live.surge import SurgeSwitch
from dev.system import free_port, running

MATCH = "kickoff-0"
ARRIVED_S, SEEN_S = 60.0, 15.0
# Longer than a hold, so that each reader has an answer in each part.
PART_S = 25.0
# Until a turn of the switch has reached every reader: those who wait stay until their holds end, those who poll come
# once in ten seconds.
TURN_S = 22.0
# Of a switch that is forgotten.
FORGOTTEN_S = 10.0


class Nodes:
    """Several Varnish nodes before one origin; the first is a bench's usual deployment."""

    def __init__(self, first: Deployment, edges: list[Edge]) -> None:
        self.first, self.edges = first, edges

    @property
    def ports(self) -> list[int]:
        return [int(edge.listen.rsplit(":", 1)[1]) for edge in self.edges]

    def counter(self, name: str) -> int:
        return sum(_counters(edge)[name] for edge in self.edges)


def _counters(edge: Edge) -> dict[str, int]:
    command = ["varnishstat", "-n", str(edge.folder / "work"), "-1", "-j"]
    document = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    return {name: int(counter["value"]) for name, counter in document["counters"].items()}


@contextmanager
def deployed(nodes: int) -> Iterator[Nodes]:
    listens = [f"127.0.0.1:{free_port()}" for _ in range(nodes)]
    admins = [f"127.0.0.1:{free_port()}" for _ in range(nodes)]
    urls = ",".join(f"http://{admin}" for admin in admins)
    with running(CDN="varnish", EDGE_PURGE_SECRET=SECRET, VARNISH_URLS=urls) as system, ExitStack() as stack:
        edges = [
            Edge(system.folder / f"varnish-{n}", f"127.0.0.1:{system.port}", listen, admin)
            for n, (listen, admin) in enumerate(zip(listens, admins, strict=True))
        ]
        processes = [stack.enter_context(edge.running(SECRET)) for edge in edges]
        yield Nodes(Deployment(system, edges[0], processes[0].pid), edges)


def arrive(site: Nodes, options: argparse.Namespace) -> tuple[Arrivals, dict[str, Any]]:
    site.first.kick_off(1, "kickoff")
    time.sleep(1)
    before = site.counter("MAIN.backend_req")
    say(f"{options.clients} arrive within {options.over:.0f} s at {len(site.edges)} nodes…")
    crowd = Arrivals(site.ports, MATCH, options.clients // len(site.edges), options.over, options.polling)
    crowd.begin()
    began = time.monotonic()
    tally = _until(
        crowd, began + options.over + ARRIVED_S, lambda tally: tally.waiting + tally.errors >= options.clients
    )
    arrived_s = time.monotonic() - began
    # The last of them have sent their wait by then.
    time.sleep(1)
    arrival_requests = site.counter("MAIN.backend_req") - before
    say(f"  {tally.waiting} wait after {arrived_s:.1f} s, {tally.errors} errors, {arrival_requests} origin requests")
    sent = site.first.send(MATCH, "goal", 1)
    tally = _until(crowd, time.monotonic() + SEEN_S, lambda tally: len(tally.seen_at) + tally.errors >= options.clients)
    seen = sorted((at - sent) * 1000 for at in tally.seen_at)
    return crowd, {
        "clients": options.clients,
        "arrived_s": round(arrived_s, 1),
        "errors": tally.errors,
        "origin_requests": arrival_requests,
        "seen": len(seen),
        "goal_p50_ms": percentile(seen, 0.5),
        "goal_last_ms": round(seen[-1], 1) if len(seen) == options.clients else None,
    }


def _until(crowd: Arrivals, deadline: float, done: Any) -> ArrivalTally:
    tally = crowd.tally()
    while not done(tally) and time.monotonic() < deadline:
        time.sleep(0.2)
        tally = crowd.tally()
    return tally


def surge(site: Nodes, crowd: Arrivals) -> dict[str, Any]:
    """Requests at the origin and at the edge, readers without an answer, and errors; while it is off, on, turned off,
    and after it was forgotten."""
    with redis.Redis.from_url(site.first.system.redis_url) as client:
        switch = SurgeSwitch(client)
        figures = _part(site, crowd, "usual")
        _turn_on(switch, 2 * (TURN_S + PART_S))
        time.sleep(TURN_S)
        figures |= _part(site, crowd, "surge")
        switch.turn_off()
        time.sleep(TURN_S)
        figures |= _part(site, crowd, "off")
        _turn_on(switch, FORGOTTEN_S)
        time.sleep(FORGOTTEN_S + TURN_S)
        figures |= _part(site, crowd, "forgotten")
    return figures


def _turn_on(switch: SurgeSwitch, lasting_s: float) -> None:
    switch.turn_on(now_ms=time.time_ns() // 1_000_000, lasting_ms=round(lasting_s * 1000))


def _part(site: Nodes, crowd: Arrivals, name: str) -> dict[str, Any]:
    crowd.tally()
    origin, edge = site.counter("MAIN.backend_req"), site.counter("MAIN.client_req")
    time.sleep(PART_S)
    tally = crowd.tally()
    return {
        f"{name}_origin_requests_s": round((site.counter("MAIN.backend_req") - origin) / PART_S, 2),
        f"{name}_edge_requests_s": round((site.counter("MAIN.client_req") - edge) / PART_S),
        f"{name}_silent": tally.silent,
        f"{name}_errors": tally.errors,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.kickoff", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clients", type=int, default=20_000, help="who arrive (default 20000)")
    parser.add_argument("--over", type=float, default=10.0, help="seconds they arrive in (default 10)")
    parser.add_argument("--nodes", type=int, default=2, help="Varnish nodes they are divided among (default 2)")
    parser.add_argument("--polling", type=int, default=0, help="of a hundred readers, those who only poll (default 0)")
    parser.add_argument("--surge", action="store_true", help="then a surge on, off and forgotten (three minutes more)")
    options = parser.parse_args()
    with deployed(options.nodes) as site:
        crowd, figures = arrive(site, options)
        if options.surge:
            figures |= surge(site, crowd)
        crowd.end()
    for name, value in figures.items():
        print(f"{name:32}{value!s:>12}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
