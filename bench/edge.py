"""What the edge takes off the origin and how soon it shows a goal, through a real Varnish in front of the whole system.

`python -m bench.edge [--part held …]`. Five parts:
held      15,000 readers wait for one match at the edge: origin requests, time to release, memory of one who waits
polled    2,000 readers poll 50 matches with a goal every second: share that never reaches the origin, versions that go
          backwards, time until a goal is seen. They ask every half second, so that each stands for four who keep to
          poll_after_ms: what the origin is asked does not depend on how many they are
lost      the same with every purge lost: what the lifetimes alone bound it to
outage    the origin is killed for 50 seconds under 200 readers, and then another is ill for as long: answers that were
          not a score, what the origin is asked meanwhile, and what recovery costs it
hanging   goals applied with a CDN that never answers a purge, beside one that does

Times run from sending the signed webhook, which includes the worker that applies it; readers and all servers are on the
same cores. Figures of one run on a machine: docs/edge.md.
"""

from __future__ import annotations

import argparse
import json
import socket
import threading
import time
from typing import Any

from bench.crowd import Crowd
from bench.deployment import Deployment, deployed, percentile, release, say
from bench.hold import memory_kb
from bench.readers import Readers
from cdn.varnish.daemon import PARAMETERS
from dev.system import children, free_port

PARTS = ("held", "polled", "lost", "outage", "hanging")


def held(options: argparse.Namespace) -> dict[str, object]:
    with deployed() as d:
        (path,) = d.kick_off(1)
        processes = children(d.varnishd)
        before = memory_kb(processes)
        say(f"held: opening {options.clients} connections…")
        crowd = Crowd(d.port, options.clients, options.crowd)
        rounds = []
        for n in range(options.rounds):
            rounds.append(release(d, crowd, path, n + 1, options.clients))
            if n == 0:
                kb = (rounds[0]["memory_kb"] - before) / options.clients
        crowd.leave()
    # The first round finds cold workers and threads that have to be made; it is printed above.
    warm = rounds[1:] or rounds
    return {
        "held": min(round(figures["released"]) for figures in warm),
        "origin_requests": max(round(figures["origin"]) for figures in warm),
        "release_p50_ms": _median([figures["p50"] for figures in warm]),
        "release_p99_ms": _median([figures["p99"] for figures in warm]),
        "release_last_ms": _median([figures["last"] for figures in warm]),
        "kb_per_client": round(kb, 1),
        "parameters": PARAMETERS,
    }


def polled(options: argparse.Namespace, *, purging: str = "", seconds: float = 0) -> dict[str, object]:
    seconds = seconds or options.seconds
    with deployed(purging=purging) as d:
        paths = d.kick_off(options.matches)
        name = "lost" if purging else "polled"
        say(f"{name}: {options.readers} readers, {options.matches} matches, {seconds:.0f} s…")
        readers = Readers(d.port, paths, options.readers, options.poll_every)
        before = d.counters()
        seen = _goals(d, paths, seconds, options.goal_every)
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
        "visible_p50_ms": percentile(from_sent, 0.5, 1000),
        "visible_p99_ms": percentile(from_sent, 0.99, 1000),
        "visible_max_ms": percentile(from_sent, 1.0, 1000),
        "committed_to_visible_p99_ms": percentile(from_commit, 0.99, 1000),
    }


def _goals(d: Deployment, paths: list[str], seconds: float, every_s: float) -> list[tuple[float, float, float | None]]:
    """A goal now and then, each in another match: when it was sent, committed, and seen at the edge."""
    seen: list[tuple[float, float, float | None]] = []
    threads = []
    started = time.monotonic()
    for n in range(int(seconds / every_s)):
        time.sleep(max(0.0, started + n * every_s - time.monotonic()))
        match_id, home = paths[n % len(paths)].rsplit("/", 1)[1], 1 + n // len(paths)
        sent = d.send(match_id, "goal", home)

        def watch(match_id: str = match_id, home: int = home, sent: float = sent) -> None:
            at = d.until_seen(match_id, home)
            seen.append((sent, d.committed(match_id), at))

        threads.append(threading.Thread(target=watch))
        threads[-1].start()
    for thread in threads:
        thread.join()
    return seen


def lost(options: argparse.Namespace) -> dict[str, object]:
    figures = polled(options, purging=f"http://127.0.0.1:{free_port()}", seconds=min(options.seconds, 30))
    names = ("visible_p50_ms", "visible_p99_ms", "visible_max_ms", "offload", "backwards")
    return {f"lost_{name}": figures[name] for name in names}


def outage(options: argparse.Namespace) -> dict[str, object]:
    """The origin is killed; then one that is up but ill: without its Redis it answers 503 to all but probes."""
    return _without(options, "web", "outage") | _without(options, "redis", "ill")


def _without(options: argparse.Namespace, victim: str, scene: str) -> dict[str, object]:
    with deployed() as d:
        paths = d.kick_off(min(options.matches, 10))
        readers = Readers(d.port, paths, min(options.readers, 200), options.poll_every)
        time.sleep(3)
        say(f"{scene}: {victim} is killed for {options.outage:.0f} s…")
        at_first = d.counters()["MAIN.backend_req"]
        d.system.kill(victim)
        time.sleep(options.outage)
        before = d.counters()["MAIN.backend_req"]
        started = time.time()
        d.system.restart(victim)
        up = time.time()
        sent = d.send("bench-0", "goal", 1)
        at = d.until_seen("bench-0", 1)
        time.sleep(2)
        after = d.counters()["MAIN.backend_req"]
        tally = readers.tally()
    return {
        f"{scene}_s": options.outage,
        f"{scene}_requests": tally.requests,
        f"{scene}_failures": tally.failures,
        f"{scene}_cut": tally.cut,
        f"{scene}_backwards": tally.backwards,
        f"{scene}_origin_requests": before - at_first,
        f"{scene}_restart_ms": round((up - started) * 1000),
        f"{scene}_recovery_ms": round((at - sent) * 1000) if at else None,
        f"{scene}_recovery_origin_requests": after - before,
    }


class Hanging(threading.Thread):
    """A CDN that accepts connections and never answers."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.server = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.url = f"http://127.0.0.1:{self.server.getsockname()[1]}"
        self.connections: list[Any] = []
        self.start()

    def run(self) -> None:
        while True:
            self.connections.append(self.server.accept())


def hanging(options: argparse.Namespace) -> dict[str, object]:
    healthy = _applied(options, "")
    hung = _applied(options, Hanging().url)
    return {
        "applied_p50_ms": healthy[0],
        "applied_p99_ms": healthy[1],
        "applied_hanging_p50_ms": hung[0],
        "applied_hanging_p99_ms": hung[1],
    }


def _applied(options: argparse.Namespace, purging: str) -> tuple[float, float]:
    """Milliseconds from sending a goal to its commit."""
    with deployed(purging=purging) as d:
        paths = d.kick_off(10)
        say(f"hanging: {options.goals} goals, purges go to {purging or 'the edge'}…")
        took = []
        for n in range(options.goals):
            match_id, home = paths[n % 10].rsplit("/", 1)[1], 1 + n // 10
            before = d.committed(match_id)
            sent = d.send(match_id, "goal", home)
            while (committed := d.committed(match_id)) <= before:
                time.sleep(0.002)
            took.append((committed - sent) * 1000)
            time.sleep(0.03)
    took.sort()
    return percentile(took, 0.5), percentile(took, 0.99)


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


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
    parser.add_argument(
        "--outage", type=float, default=50.0, help="seconds without an origin, below stale-if-error (default 50)"
    )
    parser.add_argument("--goals", type=int, default=100, help="of the part `hanging` (default 100)")
    options = parser.parse_args()
    parts = {"held": held, "polled": polled, "lost": lost, "outage": outage, "hanging": hanging}
    summary: dict[str, object] = {}
    for name in options.part or PARTS:
        figures = parts[name](options)
        print(f"\n{name}")
        for key, value in figures.items():
            if key != "parameters":
                print(f"  {key:32}{value:>12}")
        # The held part's origin requests are the promise; those of the polled part are in its offload.
        summary = figures | summary if name != "held" else summary | figures
    print(json.dumps(summary))


if __name__ == "__main__":
    main()
