"""What each public GET costs the web process.

`python -m bench.reads [--count 200]`. 246 live matches of twelve competitions, one of them with 1,900 events. Each
request is sent on one kept-alive connection, with gzip accepted: first ten times to warm up, then `--count` times.
The table has the processor of the web process for one request, and the bytes of its body. `again` asks with the ETag
of the answer before.
"""

from __future__ import annotations

import argparse
import http.client
import json
import time
from collections.abc import Iterator
from typing import Any

import requests

from dev.system import System, cpu_s, request_bytes, running

MATCHES, COMPETITIONS, EVENTS, BATCH, PAGE, WARM_UP = 246, 12, 1_900, 50, 100, 10
LONG = "reads-0"


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.reads", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=200, help="requests of each kind (default 200)")
    options = parser.parse_args()
    with running(WEB_CONCURRENCY=1) as system:
        for body in deliveries():
            post(system, body)
        until_applied(system)
        pid = system.processes["web"].pid
        day = time.strftime("%Y-%m-%d", time.gmtime())
        print(f"{'GET':52}{'bytes':>9}{'µs':>8}{'again':>8}")
        costs = dict(measured(system, pid, options.count, paths(day)))
    print(json.dumps(costs))


def paths(day: str) -> tuple[str, ...]:
    return (
        f"/api/score/{LONG}",
        f"/api/score/{LONG}/wait/1.0",
        "/api/live",
        "/api/live/wait/1.0",
        "/api/live?competition=cup-3",
        f"/api/matches?date={day}",
        "/api/matches?team=home-3",
        f"/api/matches/{LONG}",
        f"/api/matches/{LONG}/events",
        f"/api/matches/{LONG}/head-to-head",
        "/api/competitions/cup-3/table",
        "/api/competitions/cup-3/scorers",
        "/api/teams/home-3",
        "/api/search?q=home",
        "/api/score/unknown",
        "/api/openapi.json",
        "/",
        f"/match/{LONG}",
        f"/day/{day}",
        "/competition/cup-3",
        "/team/home-3",
    )


def measured(system: System, pid: int, count: int, targets: tuple[str, ...]) -> Iterator[tuple[str, float]]:
    connection = http.client.HTTPConnection("127.0.0.1", system.port, timeout=30)
    for path in targets:
        size, etag = ask(connection, path)
        first_us = cost_us(connection, pid, count, path)
        again_us = cost_us(connection, pid, count, path, etag) if etag else None
        print(f"{path:52}{size:>9}{first_us:>8.0f}{'' if again_us is None else format(again_us, '.0f'):>8}", flush=True)
        yield path, first_us


def cost_us(connection: http.client.HTTPConnection, pid: int, count: int, path: str, etag: str = "") -> float:
    for _ in range(WARM_UP):
        ask(connection, path, etag)
    before = cpu_s(pid)
    for _ in range(count):
        ask(connection, path, etag)
    return round((cpu_s(pid) - before) * 1e6 / count)


def ask(connection: http.client.HTTPConnection, path: str, etag: str = "") -> tuple[int, str]:
    """Bytes of the body, and the ETag."""
    connection.request("GET", path, headers={"Accept-Encoding": "gzip"} | ({"If-None-Match": etag} if etag else {}))
    answer = connection.getresponse()
    return len(answer.read()), answer.headers.get("ETag") or ""


def deliveries() -> Iterator[dict[str, Any]]:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    fixtures = [
        {
            "id": f"reads-{n}",
            "home_team": {"id": f"home-{n}", "name": f"Home {n}"},
            "away_team": {"id": f"away-{n}", "name": f"Away {n}"},
            "start_time": now,
            "competition": {"id": f"cup-{n % COMPETITIONS}", "name": f"Cup {n % COMPETITIONS}"},
            "status": "first_half",
        }
        for n in range(MATCHES)
    ]
    events = [
        {
            "match_id": LONG,
            "event_id": f"e-{n}",
            "event_type": "pass",
            "home_score": 0,
            "away_score": 0,
            "minute": 1 + n * 44 // EVENTS,
            "timestamp": now,
            "sequence": n,
            "player": f"Player {n % 22}",
        }
        for n in range(EVENTS)
    ]
    for first in range(0, MATCHES, BATCH):
        yield {"matches": fixtures[first : first + BATCH]}
    for first in range(0, EVENTS, BATCH):
        yield {"events": events[first : first + BATCH]}


def post(system: System, body: dict[str, Any]) -> None:
    text = json.dumps(body)
    head, _ = request_bytes(system, text, f"{time.time_ns()}").split(b"\r\n\r\n", 1)
    fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    answer = requests.post(f"{system.url}/api/ingest/generic", data=text.encode(), headers=fields, timeout=60)
    answer.raise_for_status()


def until_applied(system: System) -> None:
    """All events are on the timeline, and the day lists a page of matches."""
    day = time.strftime("%Y-%m-%d", time.gmtime())
    while count_of(system, f"/api/matches/{LONG}/events", "events") < EVENTS:
        time.sleep(0.2)
    while count_of(system, f"/api/matches?date={day}&limit={PAGE}", "matches") < PAGE:
        time.sleep(0.2)


def count_of(system: System, path: str, name: str) -> int:
    """0 where there is no such match yet."""
    answer = requests.get(f"{system.url}{path}", timeout=30)
    if answer.status_code == requests.codes.not_found:
        return 0
    answer.raise_for_status()
    return len(answer.json()[name])


if __name__ == "__main__":
    main()
