"""What readers cost our Varnish who ask again as soon as they are answered, beside a VCL that only caches.

`python -m bench.edge_again [--readers 15000] [--goals 4]`. One service, and in front of it one Varnish after the other:
ours, and one whose VCL has three lines, with the same parameters; each with and without gzip. Two parts:

goals     all readers wait for one match; goals a second apart: from sending the signed webhook, which includes the
          worker, until the last reader has each goal; processor of varnishd from the first goal until it rests
kickoff   250 matches with 60 readers each; every match has a goal within ten seconds, twice: the slowest reader of each
          goal, answers that were errors, and readers who never had a goal

The readers are bench/again.c, compiled at the start; they and all servers share the cores.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from bench.again_readers import ReaderProgram, Record, compiled
from bench.crowd import SPARE_FILES, open_files
from bench.deployment import SECRET, say
from cdn.varnish.daemon import Edge
from dev.system import System, children, cpu_s, free_port, request_bytes, running

ARRIVAL_S, GOAL_S, KICKOFF_S = 3.0, 1.0, 10.0
# A server that uses less than a fifth of a core for three such times is at rest.
LOOK_S, REST_S, REST_SHARE, PATIENCE_S = 0.1, 0.3, 0.2, 45.0
PARTS = ("goals", "kickoff")

BARE = """vcl 4.1;
backend default {{ .host = "127.0.0.1"; .port = "{port}"; .first_byte_timeout = 30s; }}
sub vcl_recv {{ return (hash); }}
sub vcl_backend_response {{ set beresp.ttl = 20s; set beresp.do_gzip = true; set beresp.do_stream = false; }}
"""


class BareEdge(Edge):
    """Caches the same answers and does nothing else."""

    def prepare(self) -> None:
        super().prepare()
        port = self.origin.rsplit(":", 1)[1]
        (self.folder / "edge.vcl").write_text(BARE.format(port=port))


@dataclass
class Result:
    """Of one Varnish.

    last_ms: of each goal, until the last reader had it; None where some never did.
    cpu_s: of varnishd.
    requests: that it answered.
    errors: answers other than 200.
    closed: connections that it ended.
    threads: that it had at the end.
    """

    last_ms: list[float | None]
    cpu_s: float
    requests: int
    errors: int
    closed: int
    threads: int


class Bench:
    """The service, and the number of the next goal of each match."""

    def __init__(self, system: System, binary: Path, options: argparse.Namespace) -> None:
        self.system, self.binary, self.options = system, binary, options
        self.scores: dict[str, int] = {}
        self.session = requests.Session()
        self.deliveries = 0

    def goal(self, match_id: str) -> tuple[int, float]:
        """Its number, and when it was sent (seconds since the epoch)."""
        number = self.scores[match_id] = self.scores.get(match_id, 0) + 1
        event = {"match_id": match_id, "event_type": "goal", "team": "home", "home_score": number, "away_score": 0}
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        body = json.dumps({"events": [event | {"minute": min(number, 90), "timestamp": stamp, "sequence": number}]})
        self.deliveries += 1
        delivery = f"{time.time_ns()}-{self.deliveries}"
        head, _ = request_bytes(self.system, body, delivery).split(b"\r\n\r\n", 1)
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
        at = time.time()
        url = f"{self.system.url}/api/ingest/generic"
        requests.post(url, data=body.encode(), headers=headers, timeout=60).raise_for_status()
        return number, at

    def next_path(self, match_id: str) -> str:
        """Once the match has its newest goal."""
        while True:
            answer = self.session.get(f"{self.system.url}/api/score/{match_id}", timeout=30)
            if answer.ok and answer.json()["home_score"] == self.scores[match_id]:
                return str(answer.json()["next"])
            time.sleep(0.02)

    @contextmanager
    def edge(self, kind: type[Edge], **parameters: str) -> Iterator[tuple[Edge, int]]:
        """With the process that serves."""
        folder = self.system.folder / f"varnish-{free_port()}"
        listen, admin = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
        edge = kind(folder, f"127.0.0.1:{self.system.port}", listen, admin)
        with edge.running(SECRET, **parameters) as manager:
            (server,) = [pid for pid in children(manager.pid) if pid != manager.pid]
            yield edge, server

    def goals(self, kind: type[Edge], *, gzip: bool, **parameters: str) -> Result:
        """One match, goals a second apart."""
        self.goal("again")
        with self.edge(kind, **parameters) as (edge, server):
            readers = self.arrived(edge, server, [self.next_path("again")], gzip=gzip)
            before, began = cpu_s(server), time.monotonic()
            sent = []
            with ThreadPoolExecutor(self.options.goals) as pool:
                for index in range(self.options.goals):
                    time.sleep(max(0.0, began + index * GOAL_S - time.monotonic()))
                    sent.append(pool.submit(self.goal, "again"))
            until_at_rest(server)
            return self.result(readers, server, before, [goal.result() for goal in sent])

    def kickoff(self, kind: type[Edge], *, gzip: bool, **parameters: str) -> Result:
        """Many matches, each with a goal within ten seconds, and one more within the next ten."""
        matches = [f"kickoff-{n}" for n in range(self.options.matches)]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(self.goal, matches))
        paths = [self.next_path(match_id) for match_id in matches]
        with self.edge(kind, **parameters) as (edge, server):
            readers = self.arrived(edge, server, paths, gzip=gzip)
            before, began = cpu_s(server), time.monotonic()
            sent = []
            for index, match_id in enumerate(matches * 2):
                time.sleep(max(0.0, began + index * KICKOFF_S / len(matches) - time.monotonic()))
                sent.append(self.goal(match_id))
            until_at_rest(server)
            return self.result(readers, server, before, sent, len(matches))

    def arrived(self, edge: Edge, server: int, paths: list[str], *, gzip: bool) -> ReaderProgram:
        port = int(edge.listen.rsplit(":", 1)[1])
        readers = ReaderProgram(self.binary, port, self.options.readers, ARRIVAL_S, *paths, gzip=gzip)
        readers.wait_until_asked()
        until_at_rest(server)
        return readers

    def result(
        self, readers: ReaderProgram, server: int, before_s: float, sent: list[tuple[int, float]], matches: int = 1
    ) -> Result:
        used_s, threads = cpu_s(server) - before_s, len(list(Path(f"/proc/{server}/task").iterdir()))
        records, closed = readers.end()
        last_ms = reached(records, sent, self.options.readers, matches)
        return Result(last_ms, used_s, len(records), readers.errors, closed, threads)


def reached(records: list[Record], sent: list[tuple[int, float]], readers: int, matches: int) -> list[float | None]:
    """By goal, milliseconds until the last reader of its match had it, or a later one; None where some never did."""
    by_match: list[list[Record]] = [[] for _ in range(matches)]
    for record in records:
        by_match[record.reader % matches].append(record)
    last_ms: list[float | None] = []
    for index, (number, at) in enumerate(sent):
        first: dict[int, float] = {}
        for record in by_match[index % matches]:
            if record.score >= number:
                first.setdefault(record.reader, record.at)
        own_readers = readers // matches + (index % matches < readers % matches)
        last_ms.append(round((max(first.values()) - at) * 1000, 1) if len(first) == own_readers else None)
    return last_ms


def until_at_rest(server: int) -> None:
    ends = rests_since = time.monotonic()
    ends += PATIENCE_S
    while (now := time.monotonic()) < ends and now - rests_since < REST_S:
        before = cpu_s(server)
        time.sleep(LOOK_S)
        if cpu_s(server) - before >= REST_SHARE * LOOK_S:
            rests_since = time.monotonic()


def worst(last_ms: list[float | None]) -> float | None:
    """None where some reader never had some goal."""
    times = [ms for ms in last_ms if ms is not None]
    return max(times) if len(times) == len(last_ms) else None


def row(name: str, result: Result) -> None:
    last = worst(result.last_ms)
    print(
        f"{name:32}{'not all' if last is None else format(last, '.0f'):>10}{result.cpu_s:>8.2f}"
        f"{result.cpu_s * 1e6 / max(1, result.requests):>10.0f}{result.errors:>8}{result.closed:>8}{result.threads:>9}",
        flush=True,
    )


def measure(bench: Bench, options: argparse.Namespace) -> dict[str, Any]:
    print(f"{'':32}{'last ms':>10}{'cpu s':>8}{'µs/answer':>10}{'errors':>8}{'closed':>8}{'threads':>9}")
    summary: dict[str, Any] = {"readers": options.readers}
    parameters = dict(setting.split("=", 1) for setting in options.parameter)
    for part in options.part or PARTS:
        run = {"goals": bench.goals, "kickoff": bench.kickoff}[part]
        for gzip in (False, True):
            for name, kind in (("ours", Edge), ("bare", BareEdge)):
                label = f"{part}_{name}{'_gzip' if gzip else ''}"
                say(f"{label}: {options.readers} readers…")
                result = run(kind, gzip=gzip, **parameters)
                row(label, result)
                summary |= {
                    f"{label}_last_ms": worst(result.last_ms),
                    f"{label}_cpu_s": round(result.cpu_s, 2),
                    f"{label}_errors": result.errors + result.closed,
                }
    return summary


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.edge_again", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--part", choices=PARTS, action="append", help="only this part (may be repeated)")
    parser.add_argument("--readers", type=int, default=15_000, help="who wait (default 15000)")
    parser.add_argument("--goals", type=int, default=4, help="a second apart (default 4)")
    parser.add_argument("--matches", type=int, default=250, help="of the part kickoff (default 250)")
    parser.add_argument(
        "--parameter", action="append", default=[], metavar="NAME=VALUE", help="of varnishd, instead of ours"
    )
    options = parser.parse_args()
    open_files(options.readers + SPARE_FILES)
    with compiled() as binary, running() as system:
        print(json.dumps(measure(Bench(system, binary, options), options)))


if __name__ == "__main__":
    main()
