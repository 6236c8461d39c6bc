"""What readers cost who ask again as soon as they are answered: goals a second apart, and all who arrive at once.

`python -m bench.again [--readers 15000] [--goals 4]`. All wait for one match at one process, on connections that stay
open; nchan beside it, where it is installed, with the same readers (again.c, compiled at the start). Three parts:

- Arrival: all connect and ask within three seconds; until all wait, which is when the server's processor rests.
- Goals a second apart: from sending the signed webhook, which for us includes the worker, or from nchan's publish
  request, until the last reader has each goal. Processor: of the web process, or of nginx, until it rests.
- The same again, and in each burst three goals in other matches, each with one reader and written straight into Redis:
  from the commit until that reader has it. So soon does the listener hear the next goal in the middle of a burst. Ours
  alone.

Readers and servers share the cores.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import requests

from api.server.places import places
from api.services import HELD_PERCENT
from bench.again_other import OtherMatch
from bench.again_readers import ReaderProgram, Record, compiled
from bench.crowd import SPARE_FILES, open_files
from bench.hold import NCHAN, NO_RAMP_S, goal, nginx, say, until_there
from dev.system import System, cpu_s, running

# A stadium that opens the app together.
ARRIVAL_S = 3.0
GOAL_S = 1.0
# A goal's number is its minute, and the second and third part have as many each.
GOALS_MAX = 25
# After each goal of the third part, when the others are committed: a burst of 300 ms has just begun, is in its middle,
# and ends.
OTHERS_S = (0.05, 0.15, 0.3)
# A server that uses less than a fifth of a core over three such times is at rest; a kernel counts in 0.01 s.
LOOK_S, REST_S, REST_SHARE = 0.1, 0.3, 0.2
# A server that has not come to rest by then is measured as it is.
PATIENCE_S = 45.0


@dataclass
class Burst:
    """last_ms: by goal, until the last reader had it or a later one; None where some never did.
    held: the fewest readers that had any of them. answers: those with a goal that was new to their reader.
    cpu_s: of the server."""

    last_ms: list[float | None]
    held: int
    answers: int
    cpu_s: float


@dataclass
class Measurement:
    """admit_ms: until all waited, from the first connection. closed: connections that the server ended."""

    admit_ms: float
    admit_cpu_s: float
    burst: Burst
    closed: int
    listener_ms: list[float] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.again", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--readers", type=int, default=15_000, help="readers at one process (default 15000)")
    parser.add_argument(
        "--goals", type=int, default=4, choices=range(1, GOALS_MAX + 1), metavar="N", help="a second apart (default 4)"
    )
    parser.add_argument("--alone", action="store_true", help="without nchan")
    options = parser.parse_args()
    open_files(options.readers + SPARE_FILES)
    with compiled() as binary:
        ours = measure_ours(binary, options.readers, options.goals)
        beside = NCHAN.exists() and shutil.which("nginx") and not options.alone
        nchan = measure_nchan(binary, options.readers, options.goals) if beside else None
    print_table(ours, nchan)
    print(json.dumps(summary(ours, nchan)))


def measure_ours(binary: Path, readers: int, goals: int) -> Measurement:
    # Some places more: for the readers of other matches, and for those who post and look.
    wanted = math.ceil(readers * 100 / HELD_PERCENT) + 1_000
    room = places(wanted) * HELD_PERCENT // 100 - len(OTHERS_S)
    if readers > room:
        raise SystemExit(f"{room} can wait at one process here: open files are limited (ulimit -Hn).")
    with running(WORKER_CONNECTIONS=wanted, RAMP_S=NO_RAMP_S) as system:
        server = system.processes["web"].pid
        others = [OtherMatch(system, f"other-{n}") for n in range(len(OTHERS_S))]
        goal(system, 1)
        path = until_there(system)
        # Its slot has just begun, so that no hold ends of itself while they arrive.
        say(f"ours: {readers} arrive…")
        crowd, admit_ms, admit_cpu_s = admitted(binary, system.port, readers, path, server)
        sent, used_s = burst(lambda n: goal(system, n), range(2, goals + 2), server)
        say("ours: the same, with goals in other matches…")
        more, _ = burst(lambda n: goal_and_others(system, n, others), range(goals + 2, 2 * goals + 2), server)
        records, closed = crowd.end()
        for other in others:
            other.end()
    first, second = (measured(records, times, readers, cpu) for times, cpu in ((sent, used_s), (more, 0.0)))
    tell(first, second)
    if unheard := sum(len(other.committed_at) for other in others):
        say(f"  {unheard} goals of other matches were never heard")
    listener_ms = [lag for other in others for lag in other.lags_ms] if not unheard else []
    return Measurement(admit_ms, admit_cpu_s, first, closed, listener_ms)


def measure_nchan(binary: Path, readers: int, goals: int) -> Measurement:
    with nginx(1) as (port, process):
        say(f"nchan: {readers} arrive…")
        crowd, admit_ms, admit_cpu_s = admitted(binary, port, readers, "/sub", process.pid)

        def publish(n: int) -> None:
            body = f'{{"match_id":"bench-1","home_score":{n}}}'.ljust(700).encode()
            requests.post(f"http://127.0.0.1:{port}/pub", data=body, timeout=30).raise_for_status()

        sent, used_s = burst(publish, range(2, goals + 2), process.pid)
        records, closed = crowd.end()
    goals_a_second = measured(records, sent, readers, used_s)
    tell(goals_a_second)
    return Measurement(admit_ms, admit_cpu_s, goals_a_second, closed)


def admitted(binary: Path, port: int, readers: int, path: str, server: int) -> tuple[ReaderProgram, float, float]:
    """The readers, all waiting; milliseconds from the first until that; processor seconds of the server."""
    before, began = cpu_s(server), time.monotonic()
    crowd = ReaderProgram(binary, port, readers, ARRIVAL_S, path)
    crowd.wait_until_asked()
    at_rest = wait_for_rest(server)
    return crowd, (at_rest - began) * 1000, cpu_s(server) - before


def burst(post: Callable[[int], None], numbers: range, server: int) -> tuple[dict[int, float], float]:
    """Post the goals a second apart, however long each takes; when each was sent (seconds since the epoch), and the
    server's processor seconds until it rests."""
    before = cpu_s(server)
    sent: dict[int, float] = {}
    with ThreadPoolExecutor(len(numbers)) as pool:
        began = time.monotonic()
        posts = []
        for index, number in enumerate(numbers):
            time.sleep(max(0.0, began + index * GOAL_S - time.monotonic()))
            sent[number] = time.time()
            posts.append(pool.submit(post, number))
        for posted in posts:
            posted.result()
    wait_for_rest(server)
    return sent, cpu_s(server) - before


def wait_for_rest(server: int) -> float:
    """When it came to rest (time.monotonic)."""
    ends = time.monotonic() + PATIENCE_S
    rests_since = time.monotonic()
    while (now := time.monotonic()) < ends and now - rests_since < REST_S:
        before = cpu_s(server)
        time.sleep(LOOK_S)
        if cpu_s(server) - before >= REST_SHARE * LOOK_S:
            rests_since = time.monotonic()
    if now >= ends:
        say(f"  the server has not come to rest within {PATIENCE_S:.0f} s")
    return rests_since


def measured(records: list[Record], sent: dict[int, float], readers: int, used_s: float) -> Burst:
    """sent: when, by goal. used_s: processor seconds of the server."""
    last_ms: list[float | None] = []
    held = readers
    for number, moment in sent.items():
        first: dict[int, float] = {}
        for record in records:
            if record.score >= number:
                first.setdefault(record.reader, record.at)
        held = min(held, len(first))
        last_ms.append(round((max(first.values()) - moment) * 1000, 1) if len(first) == readers else None)
    return Burst(last_ms, held, sum(record.score in sent for record in records), used_s)


def goal_and_others(system: System, n: int, others: list[OtherMatch]) -> None:
    with ThreadPoolExecutor(1) as pool:
        began = time.monotonic()
        posted = pool.submit(goal, system, n)
        for other, after_s in zip(others, OTHERS_S, strict=True):
            time.sleep(max(0.0, began + after_s - time.monotonic()))
            other.commit(n)
        posted.result()


def tell(*bursts: Burst) -> None:
    for goals in bursts:
        times = ("not all" if ms is None else f"{ms:.0f}" for ms in goals.last_ms)
        say("  last reader of each goal, ms: " + ", ".join(times))


def worst(last_ms: list[float | None]) -> float | None:
    """None where some reader never had some goal."""
    times = [ms for ms in last_ms if ms is not None]
    return max(times) if len(times) == len(last_ms) else None


def print_table(ours: Measurement, nchan: Measurement | None) -> None:
    columns = ("held", "last ms", "cpu s", "answers", "µs/answer", "admit ms", "admit cpu s", "closed")
    print(f"\n{'':8}" + "".join(f"{name:>12}" for name in columns))
    for name, result in (("ours", ours), ("nchan", nchan)):
        if result:
            goals, last = result.burst, worst(result.burst.last_ms)
            print(
                f"{name:8}{goals.held:>12}{'not all' if last is None else format(last, '.0f'):>12}{goals.cpu_s:>12.2f}"
                f"{goals.answers:>12}{goals.cpu_s * 1e6 / max(goals.answers, 1):>12.0f}"
                f"{result.admit_ms:>12.0f}{result.admit_cpu_s:>12.2f}{result.closed:>12}"
            )
    if ours.listener_ms:
        print(
            f"commit to the first reader of another match, ms: "
            f"p50 {statistics.median(ours.listener_ms):.0f}, worst {max(ours.listener_ms):.0f}"
        )


def summary(ours: Measurement, nchan: Measurement | None) -> dict[str, object]:
    return {
        "held": ours.burst.held,
        "ours_last_ms": worst(ours.burst.last_ms),
        "nchan_last_ms": worst(nchan.burst.last_ms) if nchan else None,
        "ours_cpu_s": round(ours.burst.cpu_s, 2),
        "nchan_cpu_s": round(nchan.burst.cpu_s, 2) if nchan else None,
        "ours_goals_ms": ours.burst.last_ms,
        "nchan_goals_ms": nchan.burst.last_ms if nchan else None,
        "listener_ms": round(max(ours.listener_ms), 1) if ours.listener_ms else None,
        "ours_admit_ms": round(ours.admit_ms),
        "nchan_admit_ms": round(nchan.admit_ms) if nchan else None,
        "ours_admit_cpu_s": round(ours.admit_cpu_s, 2),
        "nchan_admit_cpu_s": round(nchan.admit_cpu_s, 2) if nchan else None,
        "ours_answers": ours.burst.answers,
        "nchan_answers": nchan.burst.answers if nchan else None,
    }


if __name__ == "__main__":
    main()
