"""How soon the last of many held readers has a goal, and what each costs; nchan beside it, where it is installed.

`python -m bench.hold [--clients 15000] [--web 1] [--kind wait] [--live plain]`. Everybody waits for one match. Times
run from sending the signed webhook, which for us includes the worker that applies it, and for nchan from its publish
request. The crowd runs on the same cores. nchan: Debian's nginx-light and libnginx-mod-nchan.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import requests

from api.server.places import places
from api.services import HELD_PERCENT
from bench import layouts
from bench.crowd import Crowd
from dev.system import System, children, cpu_s, free_port, request_bytes, wait_for_port

NCHAN = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
# RAMP_S of a process that is to hold everybody as soon as it runs.
NO_RAMP_S = 0.001
# As a browser asks for a stream; nchan gives none without.
EVENTS = "Accept: text/event-stream"
# Of the time a client may wait: enough for a release, and no hold (20 s) ends of itself in it.
RELEASE_S = 15.0
# A server that uses less of a core than this over that time is not working off a queue.
IDLE, LOOK_S = 0.1, 0.3


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.hold", description=__doc__)
    parser.add_argument("--clients", type=int, default=15_000, help="readers held at once (default 15000)")
    parser.add_argument("--web", type=int, default=1, help="web processes (default 1)")
    parser.add_argument("--crowd", type=int, default=1, help="processes the readers are in (default 1)")
    parser.add_argument("--rounds", type=int, default=5, help="goals (default 5)")
    parser.add_argument("--kind", choices=("wait", "stream"), default="wait", help="long-poll or Server-Sent Events")
    parser.add_argument("--alone", action="store_true", help="without nchan")
    layouts.add_option(parser)
    options = parser.parse_args()
    ours = measure_ours(options)
    theirs = measure_nchan(options) if NCHAN.exists() and shutil.which("nginx") and not options.alone else None
    print(f"\n{'':8}{'held':>8}{'first ms':>10}{'p50 ms':>8}{'p99 ms':>8}{'last ms':>9}{'KB/client':>11}")
    row("ours", ours)
    if theirs:
        row("nchan", theirs)
    print(json.dumps(summary(ours, theirs)))


def summary(ours: dict[str, float], theirs: dict[str, float] | None) -> dict[str, float | None]:
    return {
        "held": ours["held"],
        "ours_first_ms": ours["first"],
        "ours_p50_ms": ours["p50"],
        "ours_p99_ms": ours["p99"],
        "ours_last_ms": ours["last"],
        "nchan_last_ms": theirs["last"] if theirs else None,
        "ratio": round(ours["last"] / theirs["last"], 2) if theirs else None,
        "kb_per_client": ours["kb"],
        "nchan_kb_per_client": theirs["kb"] if theirs else None,
    }


def row(name: str, measured: dict[str, float]) -> None:
    widths = {"first": 10, "p50": 8, "p99": 8, "last": 9}
    times = "".join(f"{measured[column]:>{width}.0f}" for column, width in widths.items())
    print(f"{name:8}{measured['held']:>8.0f}{times}{measured['kb']:>11.1f}")


def measure_ours(options: argparse.Namespace) -> dict[str, float]:
    # A quarter more connections than readers: a process holds at most 80 % of what it may have, and the kernel does not
    # deal them out evenly.
    most = options.clients * 2 // options.web + 1_000
    if options.clients > (can := places(most) * HELD_PERCENT // 100 * options.web):
        say(f"of these, {can} can wait: open files are limited (ulimit -Hn); more processes (--web) take more")
    settings = {"WEB_CONCURRENCY": options.web, "WORKER_CONNECTIONS": most, "RAMP_S": NO_RAMP_S}
    with layouts.running_on(options.live, **settings) as system:
        goal(system, 1)
        path = until_there(system)
        processes = children(system.processes["web"].pid)
        before = memory_kb(processes)
        say(f"ours: opening {options.clients} connections…")
        crowd = Crowd(system.port, options.clients, options.crowd)
        if options.kind == "stream":
            crowd.ask(get(path.split("/wait/")[0] + "/stream", EVENTS))
        rounds = []
        for n in range(options.rounds):
            if options.kind == "wait":
                crowd.ask(get(until_there(system)))
            until_idle(crowd, system.processes["web"].pid)
            if n == 0:
                kb = (memory_kb(processes) - before) / options.clients
            rounds.append(one_round(crowd, lambda n=n: goal(system, n + 2), options.clients))  # type: ignore[misc]
        crowd.leave()
    return averaged(rounds) | {"kb": round(kb, 1)}


def measure_nchan(options: argparse.Namespace) -> dict[str, float]:
    with nginx(options.web) as (port, process):
        body = b'{"match_id":"bench-1"}'.ljust(500)
        publish = partial(requests.post, f"http://127.0.0.1:{port}/pub", data=body, timeout=30)
        publish()
        processes = children(process.pid)
        before = memory_kb(processes)
        say(f"nchan: opening {options.clients} connections…")
        crowd = Crowd(port, options.clients, options.crowd)
        if options.kind == "stream":
            crowd.ask(get("/stream", EVENTS))
        rounds = []
        for n in range(options.rounds):
            if options.kind == "wait":
                crowd.ask(get("/sub"))
            until_idle(crowd, process.pid)
            if n == 0:
                kb = (memory_kb(processes) - before) / options.clients
            rounds.append(one_round(crowd, publish, options.clients))
        crowd.leave()
    return averaged(rounds) | {"kb": round(kb, 1)}


def one_round(crowd: Crowd, publish: Callable[[], object], expected: int) -> dict[str, float]:
    """Milliseconds after the publish was sent."""
    started = time.time()
    publish()
    times = [(moment - started) * 1000 for moment in crowd.released(RELEASE_S)]
    if not times:
        raise SystemExit("nobody was released")
    figures = {
        "held": len(times),
        "first": times[0],
        "p50": times[len(times) // 2],
        "p99": times[int(len(times) * 0.99)],
        "last": times[-1],
    }
    short = "" if len(times) == expected else f"  ({expected - len(times)} were not released)"
    say("  " + ", ".join(f"{name} {value:.0f}" for name, value in figures.items()) + short)
    return figures


def until_idle(crowd: Crowd, server: int) -> None:
    """Until everybody's request has been taken up: a held one says nothing, so it is seen by the processors' rest, of
    all the server's processes."""
    crowd.settle(0.5)
    used = IDLE
    while used >= IDLE:
        before = cpu_s(server)
        time.sleep(LOOK_S)
        used = (cpu_s(server) - before) / LOOK_S


def averaged(rounds: list[dict[str, float]]) -> dict[str, float]:
    """Medians over the rounds; of those held, the fewest."""
    figures = {name: round(statistics.median(each[name] for each in rounds), 1) for name in rounds[0]}
    return figures | {"held": min(each["held"] for each in rounds)}


def goal(system: System, n: int) -> None:
    event = {
        "match_id": "bench-1",
        "event_type": "goal",
        "team": "home",
        "home_score": n,
        "away_score": 0,
        "minute": n,
        "timestamp": f"2026-06-01T12:{n:02d}:00Z",
    }
    body = json.dumps({"events": [event]})
    head, sent = request_bytes(system, body, f"goal-{n}").split(b"\r\n\r\n", 1)
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    requests.post(f"{system.url}/api/ingest/generic", data=sent, headers=headers, timeout=30).raise_for_status()


def until_there(system: System) -> str:
    """The path to wait at."""
    while True:
        answer = requests.get(f"{system.url}/api/score/bench-1", timeout=30)
        if answer.ok:
            return str(answer.json()["next"])
        time.sleep(0.1)


def get(path: str, *lines: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: scores.example", *lines, "", ""]).encode()


def memory_kb(processes: list[int]) -> float:
    """Resident, as the kernel counts it (proc_pid_statm(5))."""
    page_kb = os.sysconf("SC_PAGE_SIZE") / 1024
    return sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * page_kb for pid in processes)


@contextmanager
def nginx(workers: int) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    folder, port = Path(tempfile.mkdtemp(prefix="scores-nchan-")), free_port()
    (folder / "nginx.conf").write_text(
        f"""load_module {NCHAN};
worker_processes {workers}; worker_rlimit_nofile 120000; daemon off; pid {folder}/pid; error_log {folder}/error.log;
user root;
events {{ worker_connections 60000; }}
http {{
  access_log off; keepalive_timeout 100; keepalive_requests 100000;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder}; uwsgi_temp_path {folder};
  scgi_temp_path {folder}; nchan_max_reserved_memory 256M;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    nchan_channel_id match; nchan_subscriber_first_message newest; nchan_message_buffer_length 1;
    location = /pub {{ nchan_publisher; }}
    location = /sub {{ nchan_subscriber longpoll; }}
    location = /stream {{ nchan_subscriber eventsource; }}
  }}
}}
"""
    )
    process = subprocess.Popen(["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")])
    try:
        wait_for_port(port)
        yield port, process
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
