"""What the edge takes off the origin and how soon it shows a goal, through a real Varnish in front of the whole system.

`python -m bench.edge [--part held …]`. Five parts:
held      15,000 readers wait for one match at the edge: origin requests, time to release, memory of one who waits
polled    2,000 readers poll 50 matches with a goal every second: share that never reaches the origin, versions that go
          backwards, time until a goal is seen. They ask every half second, so that each stands for four who keep to
          poll_after_ms: what the origin is asked does not depend on how many they are
lost      the same with every purge lost: what the lifetimes alone bound it to
outage    the origin is killed for a minute under 200 readers, and then another is ill for as long: answers that were no
          score, what the origin is asked meanwhile, and what recovery costs it
hanging   goals applied with a CDN that never answers a purge, beside one that does

Times run from sending the signed webhook, which includes the worker that applies it; readers and all servers are on the
same cores. Figures of one run on a machine: docs/edge.md.
"""

from __future__ import annotations

import argparse
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis
import requests

from bench.crowd import Crowd
from bench.hold import get, memory_kb
from bench.readers import Readers
from cdn.varnish.daemon import PARAMETERS, Edge
from dev.system import System, children, free_port, request_bytes, running

SECRET = "of the bench"
PARTS = ("held", "polled", "lost", "outage", "hanging")
RELEASE_S = 18.0
SEEN_S = 15.0


class Deployment:
    """The system with its edge."""

    def __init__(self, system: System, edge: Edge, varnishd: int) -> None:
        self.system, self.edge, self.varnishd = system, edge, varnishd
        self.port = int(edge.listen.rsplit(":", 1)[1])
        self.url = f"http://{edge.listen}"
        self.redis = redis.Redis.from_url(system.redis_url)
        self.session = requests.Session()
        self.sent = 0

    def kick_off(self, count: int, name: str = "bench") -> list[str]:
        """The paths of so many matches, once all are seen at the edge."""
        match_ids = [f"{name}-{n}" for n in range(count)]
        for match_id in match_ids:
            self.tell(match_id, "kickoff", 0)
        for match_id in match_ids:
            self.until_seen(match_id, 0)
        return [f"/api/score/{match_id}" for match_id in match_ids]

    def tell(self, match_id: str, event_type: str, home: int) -> float:
        """When it was sent (seconds since the epoch)."""
        event = {"match_id": match_id, "event_type": event_type, "home_score": home, "away_score": 0, "minute": home}
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        body = json.dumps({"events": [event | {"team": "home", "timestamp": stamp, "sequence": home}]})
        self.sent += 1
        head, sent = request_bytes(self.system, body, f"{time.time_ns()}-{self.sent}").split(b"\r\n\r\n", 1)
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
        at = time.time()
        url = f"{self.system.url}/api/ingest/generic"
        self.session.post(url, data=sent, headers=headers, timeout=30).raise_for_status()
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
        found: Any = self.redis.hget(f"match:{{{match_id}}}:state", "version")
        return int(found or 0) / 1000

    def counters(self) -> dict[str, int]:
        command = ["varnishstat", "-n", str(self.edge.folder / "work"), "-1", "-j"]
        said = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
        return {name: int(one["value"]) for name, one in said["counters"].items()}


@contextmanager
def deployed(*, purging: str = "", **settings: object) -> Iterator[Deployment]:
    """purging: where purges go, if not to the edge."""
    listen, admin = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    told = {"CDN": "varnish", "EDGE_PURGE_SECRET": SECRET, "VARNISH_URLS": purging or f"http://{admin}"}
    with running(**(told | settings)) as system:
        edge = Edge(system.folder / "varnish", f"127.0.0.1:{system.port}", listen, admin)
        with edge.running(SECRET) as process:
            yield Deployment(system, edge, process.pid)


def held(asked: argparse.Namespace) -> dict[str, object]:
    with deployed() as d:
        (path,) = d.kick_off(1)
        processes = children(d.varnishd)
        before = memory_kb(processes)
        say(f"held: opening {asked.clients} connections…")
        crowd = Crowd(d.port, asked.clients, asked.crowd)
        rounds = []
        for n in range(asked.rounds):
            rounds.append(release(d, crowd, path, n + 1, asked.clients))
            if n == 0:
                kb = (rounds[0]["memory_kb"] - before) / asked.clients
        crowd.leave()
    # The first round finds cold workers and threads that have to be made; it is told above.
    told = rounds[1:] or rounds
    return {
        "held": min(round(one["released"]) for one in told),
        "origin_requests": max(round(one["origin"]) for one in told),
        "release_p50_ms": _middle([one["p50"] for one in told]),
        "release_p99_ms": _middle([one["p99"] for one in told]),
        "release_last_ms": _middle([one["last"] for one in told]),
        "kb_per_client": round(kb, 1),
        "parameters": PARAMETERS,
    }


def release(d: Deployment, crowd: Crowd, path: str, home: int, clients: int) -> dict[str, float]:
    following = str(requests.get(d.url + path, timeout=30).json()["next"])
    # A thread of varnishd adds its figures to the sum when its request is over.
    time.sleep(0.5)
    before = d.counters()
    crowd.ask(get(following))
    crowd_is_parked(d, before, clients)
    memory = memory_kb(children(d.varnishd))
    sent = d.tell(path.rsplit("/", 1)[1], "goal", home)
    times = [(moment - sent) * 1000 for moment in crowd.released(RELEASE_S)]
    time.sleep(0.5)
    origin = d.counters()["MAIN.backend_req"] - before["MAIN.backend_req"]
    found = {
        "released": len(times),
        "origin": origin,
        "p50": share(times, 0.5),
        "p99": share(times, 0.99),
        "last": round(times[-1], 1),
        "memory_kb": memory,
    }
    say("  " + ", ".join(f"{name} {value:.0f}" for name, value in found.items()))
    return found


def crowd_is_parked(d: Deployment, before: dict[str, int], clients: int) -> None:
    """Until all but the one that asks the origin wait at the edge, or a hold has ended under them."""
    deadline = time.monotonic() + RELEASE_S
    while time.monotonic() < deadline:
        now = d.counters()
        if now["MAIN.busy_sleep"] - before["MAIN.busy_sleep"] >= clients - 1:
            return
        time.sleep(0.05)
    say("  not all were parked in time")


def polled(asked: argparse.Namespace, *, purging: str = "", seconds: float = 0) -> dict[str, object]:
    seconds = seconds or asked.seconds
    with deployed(purging=purging) as d:
        paths = d.kick_off(asked.matches)
        name = "lost" if purging else "polled"
        say(f"{name}: {asked.readers} readers, {asked.matches} matches, {seconds:.0f} s…")
        readers = Readers(d.port, paths, asked.readers, asked.poll_every)
        before = d.counters()
        seen = _goals(d, paths, seconds, asked.goal_every)
        after = d.counters()
        tally = readers.tally()
    from_commit = sorted(at - committed for _, committed, at in seen if at)
    from_sent = sorted(at - sent for sent, _, at in seen if at)
    origin = after["MAIN.backend_req"] - before["MAIN.backend_req"]
    requests_ = after["MAIN.client_req"] - before["MAIN.client_req"]
    return {
        "requests": requests_,
        "requests_per_s": round(requests_ / seconds),
        "origin_requests": origin,
        "offload": round(1 - origin / max(1, requests_), 4),
        "origin_per_match_per_s": round(origin / len(paths) / seconds, 2),
        "failures": tally.failures,
        "cut": tally.cut,
        "backwards": tally.backwards,
        "goals": len(seen),
        "unseen": sum(at is None for _, _, at in seen),
        "visible_p50_ms": share(from_sent, 0.5, 1000),
        "visible_p99_ms": share(from_sent, 0.99, 1000),
        "visible_max_ms": share(from_sent, 1.0, 1000),
        "committed_to_visible_p99_ms": share(from_commit, 0.99, 1000),
    }


def _goals(d: Deployment, paths: list[str], seconds: float, every_s: float) -> list[tuple[float, float, float | None]]:
    """A goal now and then, each in another match: when it was sent, committed, and seen at the edge."""
    seen: list[tuple[float, float, float | None]] = []
    threads = []
    started = time.monotonic()
    for n in range(int(seconds / every_s)):
        time.sleep(max(0.0, started + n * every_s - time.monotonic()))
        match_id, home = paths[n % len(paths)].rsplit("/", 1)[1], 1 + n // len(paths)
        sent = d.tell(match_id, "goal", home)

        def watch(match_id: str = match_id, home: int = home, sent: float = sent) -> None:
            at = d.until_seen(match_id, home)
            seen.append((sent, d.committed(match_id), at))

        threads.append(threading.Thread(target=watch))
        threads[-1].start()
    for thread in threads:
        thread.join()
    return seen


def lost(asked: argparse.Namespace) -> dict[str, object]:
    found = polled(asked, purging=f"http://127.0.0.1:{free_port()}", seconds=min(asked.seconds, 30))
    names = ("visible_p50_ms", "visible_p99_ms", "visible_max_ms", "offload", "backwards")
    return {f"lost_{name}": found[name] for name in names}


def outage(asked: argparse.Namespace) -> dict[str, object]:
    """The origin killed, and then one that is up but ill: without its Redis it answers 503 to all but probes."""
    return _without(asked, "web", "outage") | _without(asked, "redis", "ill")


def _without(asked: argparse.Namespace, victim: str, scene: str) -> dict[str, object]:
    with deployed() as d:
        paths = d.kick_off(min(asked.matches, 10))
        readers = Readers(d.port, paths, min(asked.readers, 200), asked.poll_every)
        time.sleep(3)
        say(f"{scene}: {victim} is killed for {asked.outage:.0f} s…")
        well = d.counters()["MAIN.backend_req"]
        d.system.kill(victim)
        time.sleep(asked.outage)
        before = d.counters()["MAIN.backend_req"]
        started = time.time()
        d.system.restart(victim)
        up = time.time()
        sent = d.tell("bench-0", "goal", 1)
        at = d.until_seen("bench-0", 1)
        time.sleep(2)
        after = d.counters()["MAIN.backend_req"]
        tally = readers.tally()
    return {
        f"{scene}_s": asked.outage,
        f"{scene}_requests": tally.requests,
        f"{scene}_failures": tally.failures,
        f"{scene}_cut": tally.cut,
        f"{scene}_backwards": tally.backwards,
        f"{scene}_origin_requests": before - well,
        f"{scene}_restart_ms": round((up - started) * 1000),
        f"{scene}_recovery_ms": round((at - sent) * 1000) if at else None,
        f"{scene}_recovery_origin_requests": after - before,
    }


class Hanging(threading.Thread):
    """A CDN that takes calls and says nothing."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.server = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.url = f"http://127.0.0.1:{self.server.getsockname()[1]}"
        self.kept: list[Any] = []
        self.start()

    def run(self) -> None:
        while True:
            self.kept.append(self.server.accept())


def hanging(asked: argparse.Namespace) -> dict[str, object]:
    well = _applied(asked, "")
    stuck = _applied(asked, Hanging().url)
    return {
        "applied_p50_ms": well[0],
        "applied_p99_ms": well[1],
        "applied_hanging_p50_ms": stuck[0],
        "applied_hanging_p99_ms": stuck[1],
    }


def _applied(asked: argparse.Namespace, purging: str) -> tuple[float, float]:
    """Milliseconds from sending a goal to its commit."""
    with deployed(purging=purging) as d:
        paths = d.kick_off(10)
        say(f"hanging: {asked.goals} goals, purges go to {purging or 'the edge'}…")
        took = []
        for n in range(asked.goals):
            match_id, home = paths[n % 10].rsplit("/", 1)[1], 1 + n // 10
            before = d.committed(match_id)
            sent = d.tell(match_id, "goal", home)
            while (committed := d.committed(match_id)) <= before:
                time.sleep(0.002)
            took.append((committed - sent) * 1000)
            time.sleep(0.03)
    took.sort()
    return share(took, 0.5), share(took, 0.99)


def share(found: list[float], share: float, unit: float = 1) -> float:
    return round(found[min(len(found) - 1, int(len(found) * share))] * unit, 1) if found else -1


def _middle(found: list[float]) -> float:
    return sorted(found)[len(found) // 2]


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.edge", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--part", choices=PARTS, action="append", help="only this part (may be repeated)")
    parser.add_argument("--clients", type=int, default=15_000, help="held at once (default 15000)")
    parser.add_argument("--crowd", type=int, default=1, help="processes they are in (default 1)")
    parser.add_argument("--rounds", type=int, default=4, help="goals they wait for (default 4)")
    parser.add_argument("--readers", type=int, default=2_000, help="who poll (default 2000)")
    parser.add_argument("--poll-every", type=float, default=0.5, help="seconds between their reads (default 0.5)")
    parser.add_argument("--matches", type=int, default=50, help="they poll (default 50)")
    parser.add_argument("--seconds", type=float, default=60.0, help="they poll for (default 60)")
    parser.add_argument("--goal-every", type=float, default=1.0, help="seconds between goals (default 1)")
    parser.add_argument("--outage", type=float, default=60.0, help="seconds without an origin (default 60)")
    parser.add_argument("--goals", type=int, default=100, help="of the part `hanging` (default 100)")
    asked = parser.parse_args()
    parts = {"held": held, "polled": polled, "lost": lost, "outage": outage, "hanging": hanging}
    found: dict[str, object] = {}
    for name in asked.part or PARTS:
        told = parts[name](asked)
        print(f"\n{name}")
        for key, value in told.items():
            if key != "parameters":
                print(f"  {key:32}{value:>12}")
        # The held part's origin requests are the promise; those of the polled part are told as its offload.
        found = told | found if name != "held" else found | told
    print(json.dumps(found))


if __name__ == "__main__":
    main()
