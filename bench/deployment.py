"""The whole system with a real Varnish in front of it, in the hands of a bench."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis
import requests

from bench.crowd import Crowd
from bench.hold import get, memory_kb
from cdn.varnish.daemon import Edge
from dev.system import System, children, free_port, request_bytes, running

SECRET = "of the bench"
RELEASE_S = 18.0
SEEN_S = 15.0


class Deployment:
    """The system, its edge, and the process of varnishd."""

    def __init__(self, system: System, edge: Edge, varnishd: int) -> None:
        self.system, self.edge, self.varnishd = system, edge, varnishd
        self.port = int(edge.listen.rsplit(":", 1)[1])
        self.url = f"http://{edge.listen}"
        self.redis = redis.Redis.from_url(system.redis_url)
        self.session = requests.Session()
        self.deliveries = 0

    def kick_off(self, count: int, name: str = "bench") -> list[str]:
        """The paths of so many matches, once all are seen at the edge."""
        match_ids = [f"{name}-{n}" for n in range(count)]
        for match_id in match_ids:
            self.send(match_id, "kickoff", 0)
        for match_id in match_ids:
            self.until_seen(match_id, 0)
        return [f"/api/score/{match_id}" for match_id in match_ids]

    def send(self, match_id: str, event_type: str, home: int) -> float:
        """Deliver an event; when it was sent (seconds since the epoch)."""
        event = {"match_id": match_id, "event_type": event_type, "home_score": home, "away_score": 0, "minute": home}
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        body = json.dumps({"events": [event | {"team": "home", "timestamp": stamp, "sequence": home}]})
        self.deliveries += 1
        head, data = request_bytes(self.system, body, f"{time.time_ns()}-{self.deliveries}").split(b"\r\n\r\n", 1)
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
        at = time.time()
        url = f"{self.system.url}/api/ingest/generic"
        self.session.post(url, data=data, headers=headers, timeout=30).raise_for_status()
        return at

    def until_seen(self, match_id: str, home: int) -> float | None:
        """When the edge first showed it, asked every five milliseconds."""
        deadline = time.monotonic() + SEEN_S
        with requests.Session() as session:
            while time.monotonic() < deadline:
                answer = session.get(f"{self.url}/api/score/{match_id}", timeout=30)
                if answer.ok and (answer.json()["home_score"] or 0) >= home:
                    return time.time()
                time.sleep(0.005)
        return None

    def committed(self, match_id: str) -> float:
        version: Any = self.redis.hget(f"match:{{{match_id}}}:state", "version")
        return int(version or 0) / 1000

    def counters(self) -> dict[str, int]:
        command = ["varnishstat", "-n", str(self.edge.folder / "work"), "-1", "-j"]
        document = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
        return {name: int(counter["value"]) for name, counter in document["counters"].items()}


@contextmanager
def deployed(*, purging: str = "", **settings: object) -> Iterator[Deployment]:
    """purging: where purges go, if not to the edge."""
    listen, admin = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    edge_settings = {"CDN": "varnish", "EDGE_PURGE_SECRET": SECRET, "VARNISH_URLS": purging or f"http://{admin}"}
    with running(**(edge_settings | settings)) as system:
        edge = Edge(system.folder / "varnish", f"127.0.0.1:{system.port}", listen, admin)
        with edge.running(SECRET) as process:
            yield Deployment(system, edge, process.pid)


def release(d: Deployment, crowd: Crowd, path: str, home: int, clients: int) -> dict[str, float]:
    following = str(requests.get(d.url + path, timeout=30).json()["next"])
    # A thread of varnishd adds its figures to the sum when its request is over.
    time.sleep(0.5)
    before = d.counters()
    crowd.ask(get(following))
    crowd_is_parked(d, before, clients)
    memory = memory_kb(children(d.varnishd))
    sent = d.send(path.rsplit("/", 1)[1], "goal", home)
    times = [(moment - sent) * 1000 for moment in crowd.released(RELEASE_S)]
    time.sleep(0.5)
    origin = d.counters()["MAIN.backend_req"] - before["MAIN.backend_req"]
    measured = {
        "released": len(times),
        "origin": origin,
        "p50": percentile(times, 0.5),
        "p99": percentile(times, 0.99),
        "last": round(times[-1], 1),
        "memory_kb": memory,
    }
    say("  " + ", ".join(f"{name} {value:.0f}" for name, value in measured.items()))
    return measured


def crowd_is_parked(d: Deployment, before: dict[str, int], clients: int) -> None:
    """Until all but the one that asks the origin wait at the edge, or a hold has ended under them."""
    deadline = time.monotonic() + RELEASE_S
    while time.monotonic() < deadline:
        now = d.counters()
        if now["MAIN.busy_sleep"] - before["MAIN.busy_sleep"] >= clients - 1:
            return
        time.sleep(0.05)
    say("  not all were parked in time")


def percentile(values: list[float], share: float, unit: float = 1) -> float:
    """Of sorted values; -1 where there are none."""
    return round(values[min(len(values) - 1, int(len(values) * share))] * unit, 1) if values else -1


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
