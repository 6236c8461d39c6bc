"""What the board costs a reader who waits, whole and by difference.

`python -m bench.board [--seconds 300] [--readers 1000]`. Two parts:
bytes     a Saturday's 246 matches (bench.saturday) are committed as a worker commits them, in real time, into the Redis
          of a real web process. Two readers are held there: one asks `next`, for the whole board, the other `changes`.
          What each is answered is compressed anew, gzip level 6, bodies only; the first read is not counted
origin    so many readers at a real Varnish in front of it, first all with `next`, then all with `changes`, a goal every
          four seconds: what reaches the origin, and what Varnish sends

Names are made up, as long as real ones. Readers and all servers are on the same cores.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import http.client
import itertools
import json
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable

from bench.deployment import Deployment, deployed, say
from bench.saturday import MATCHES, Happening, Saturday
from db.domain import Update, is_visible, reduce
from db.live.client import connect
from db.live.store import LiveStore
from dev.system import System, running

LEVEL = 6
WAYS = ("next", "changes")
# Between an answer and the next request, as scores.js has it.
AGAIN_S = 0.2
GOAL_EVERY_S = 4.0


class HeldReader(threading.Thread):
    """Asks one way again and again. sizes: of its answers, compressed. whole: of those, how many were whole boards."""

    def __init__(self, port: int, way: str) -> None:
        super().__init__(daemon=True)
        self.port, self.way = port, way
        self.sizes: list[int] = []
        self.whole = 0
        self.stopped = threading.Event()
        self.holding = threading.Event()

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        path, first = "/api/live", True
        while not self.stopped.is_set():
            connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
            if not first:
                self.holding.set()
            answer = connection.getresponse()
            data = answer.read()
            body = gzip.decompress(data) if answer.headers["Content-Encoding"] == "gzip" else data
            document = json.loads(body)
            if not first and not self.stopped.is_set():
                self.sizes.append(len(gzip.compress(body, LEVEL)))
                self.whole += "matches" in document
                time.sleep(random.uniform(0, AGAIN_S))
            path, first = document[self.way], False


def commit(live: LiveStore, update: Update) -> None:
    """As a drain does it."""
    held = live.matches.load(update.match_id, ())
    after, facts = reduce(held.match, update)
    visible = is_visible(held.match, after, facts)
    assert live.commits.commit(held, after, facts, (), visible=visible).done


def play(live: LiveStore, saturday: Saturday, seconds: float) -> Counter[str]:
    """In real time."""
    happened: Counter[str] = Counter()
    started = time.monotonic()
    for number, happening in enumerate(saturday.happenings(seconds), 1):
        time.sleep(max(0.0, started + happening.at_s - time.monotonic()))
        for update in saturday.told(happening, time.time_ns() // 1_000_000, number):
            commit(live, update)
        happened[happening.kind] += 1
    time.sleep(max(0.0, started + seconds - time.monotonic()))
    return happened


def kick_off(system: System) -> tuple[LiveStore, Saturday]:
    live, saturday = LiveStore(connect(system.redis_url), 1), Saturday()
    for update in saturday.first(time.time_ns() // 1_000_000):
        commit(live, update)
    return live, saturday


def sent_bytes(options: argparse.Namespace) -> dict[str, object]:
    with running() as system:
        live, saturday = kick_off(system)
        readers = {way: HeldReader(system.port, way) for way in WAYS}
        for reader in readers.values():
            reader.start()
            reader.holding.wait(60)
        say(f"bytes: {MATCHES} matches for {options.seconds:.0f} s…")
        happened = play(live, saturday, options.seconds)
        for reader in readers.values():
            reader.stopped.set()
    hour = 3_600 / options.seconds / 1_000_000
    full, delta = (round(sum(readers[way].sizes) * hour, 3) for way in WAYS)
    return {
        **{f"told_{kind}s": count for kind, count in sorted(happened.items())},
        "full_answers": len(readers["next"].sizes),
        "delta_answers": len(readers["changes"].sizes),
        "delta_whole": readers["changes"].whole,
        "full_body_bytes": _median(readers["next"].sizes),
        "delta_body_bytes": _median(readers["changes"].sizes),
        "full_mb_hour": full,
        "delta_mb_hour": delta,
        "ratio": round(delta / full, 4),
    }


def _median(sizes: list[int]) -> int:
    return sorted(sizes)[len(sizes) // 2] if sizes else 0


class BoardCrowd:
    """Readers at the edge, each with a connection of its own.

    answers: how many they had; failures: those not 200.
    bytes: of the bodies of all but their first reads, as Varnish sent them.
    """

    def __init__(self, port: int, way: str) -> None:
        self.port = port
        self.following = re.compile(rf'"{way}":"([^"]+)"'.encode())
        # By their compressed bytes, for most get the same.
        self.paths: dict[int, str] = {}
        self.answers = self.failures = self.bytes = 0
        self.waiting = 0

    async def read(self, ends_at: float) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        path = "/api/live"
        while time.monotonic() < ends_at:
            writer.write(f"GET {path} HTTP/1.1\r\nHost: scores.example\r\nAccept-Encoding: gzip\r\n\r\n".encode())
            self.waiting += 1
            head = await reader.readuntil(b"\r\n\r\n")
            self.waiting -= 1
            length = re.search(rb"(?i)content-length: (\d+)", head)
            assert length
            data = await reader.readexactly(int(length[1]))
            self.answers += 1
            self.failures += not head.startswith(b"HTTP/1.1 200")
            self.bytes += len(data) if path != "/api/live" else 0
            path = self._next(data, b"gzip" in head) or "/api/live"
            await asyncio.sleep(random.uniform(0, AGAIN_S))
        writer.close()

    def _next(self, data: bytes, is_compressed: bool) -> str:
        key = hash(data)
        if key not in self.paths:
            found = self.following.search(gzip.decompress(data) if is_compressed else data)
            self.paths[key] = found[1].decode() if found else ""
        return self.paths[key]


async def read_all(crowd: BoardCrowd, readers: int, seconds: float, goals: Callable[[], None]) -> None:
    ends_at = time.monotonic() + seconds
    tasks = [asyncio.create_task(crowd.read(ends_at)) for _ in range(readers)]
    while time.monotonic() < ends_at:
        await asyncio.sleep(GOAL_EVERY_S)
        await asyncio.to_thread(goals)
    # The last of them are released.
    while any(not task.done() for task in tasks):
        await asyncio.to_thread(goals)
        await asyncio.wait(tasks, timeout=GOAL_EVERY_S)
    for task in tasks:
        task.result()


def reach_origin(options: argparse.Namespace) -> dict[str, object]:
    figures: dict[str, object] = {}
    with deployed() as d:
        live, saturday = kick_off(d.system)
        numbers = itertools.count(1)

        def goal() -> None:
            happening = Happening(0.0, random.randrange(MATCHES), "goal")
            for update in saturday.told(happening, time.time_ns() // 1_000_000, next(numbers)):
                commit(live, update)

        for way in WAYS:
            figures |= _way(d, way, options, goal)
    return figures


def _way(d: Deployment, way: str, options: argparse.Namespace, goal: Callable[[], None]) -> dict[str, object]:
    say(f"origin: {options.readers} readers ask `{way}` for {options.edge_seconds:.0f} s…")
    crowd = BoardCrowd(d.port, way)
    before = d.counters()
    asyncio.run(read_all(crowd, options.readers, options.edge_seconds, goal))
    after = d.counters()
    return {
        f"{way}_answers": crowd.answers,
        f"{way}_failures": crowd.failures,
        f"{way}_origin_requests": after["MAIN.backend_req"] - before["MAIN.backend_req"],
        f"{way}_mb": round(crowd.bytes / 1_000_000, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.board", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--seconds", type=float, default=300.0, help="of the part `bytes` (default 300); 0 leaves it out"
    )
    parser.add_argument("--readers", type=int, default=1_000, help="at the edge (default 1000); 0 leaves that part out")
    parser.add_argument("--edge-seconds", type=float, default=60.0, help="each way there (default 60)")
    options = parser.parse_args()
    figures = sent_bytes(options) if options.seconds else {}
    if options.readers:
        figures = reach_origin(options) | figures
    for name, value in figures.items():
        print(f"{name:28}{value:>12}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
