"""What one message costs to apply, by the length of its match: does the price of a goal grow with the timeline?

`make bench-derive`. A match told touch by touch, as StatsBomb records them, each an event with an id and the score: of
20, 200, 2,000 and 20,000 events, the recorded mix repeated; and a basketball match of 500 scores. One message in seven
comes up to ten places late, as in a recorded push stream. `reduce` alone in µs, a mean over the last messages; from a
worker that has never seen the match to its commit, over a real Redis, in ms, a median. Without the recording beside the
repository a mix like it is made up. Progress goes to stderr, the last line is JSON.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from config import Settings
from db.domain import Event, Match, Update, essential, reduce
from db.live.matches import StoredMatch
from dev.local import redis_binary
from dev.system import ROOT, free_port, wait_for_port
from feeds.generic.match_entry import slug
from feeds.generic.parse import parse
from workers.boot import WorkerServices
from workers.ingest import Drain

RECORDING = ROOT.parent / "shared/data/statsbomb/events-3788741-turkey-italy-2021-06-11.json.gz"
LENGTHS = (20, 200, 2_000, 20_000)
SCORES = 500
# The last of a match's messages are timed; short matches are played again until as many are.
TIMED = 300
COLD_ROUNDS = 9
LATE, LATE_PLACES = 0.14, 10
START_S = 1_795_600_000
MATCH_S = 5_400

Json = dict[str, Any]


def recorded_mix() -> list[Json] | None:
    """Type, team and player of each touch."""
    if not RECORDING.exists():
        return None
    events = json.loads(gzip.decompress(RECORDING.read_bytes()))
    home = events[0]["team"]["id"]
    return [_touch(event, home) for event in events]


def _touch(event: Json, home: int) -> Json:
    is_goal = event.get("shot", {}).get("outcome", {}).get("name") == "Goal" or event["type"]["name"] == "Own Goal For"
    touch = {
        "event_type": "goal" if is_goal else slug(event["type"]["name"]).replace("-", "_"),
        "team": "home" if event["team"]["id"] == home else "away",
        "player": event.get("player", {}).get("name"),
    }
    return {name: value for name, value in touch.items() if value}


def made_up_mix() -> list[Json]:
    """The recording's shares: 28 % passes, 27 % receipts, 23 % carries, three goals in 3,800."""
    rng = random.Random(1)
    kinds = rng.choices(("pass", "ball_receipt", "carry", "pressure", "duel"), (28, 27, 23, 10, 12), k=3_800)
    for place in (1_900, 2_400, 2_900):
        kinds[place] = "goal"
    return [
        {"event_type": kind, "team": rng.choice(("home", "away")), "player": f"Player {rng.randrange(22)}"}
        for kind in kinds
    ]


def touches(mix: list[Json], length: int) -> list[Json]:
    """The mix repeated, spread over the match, each with the score after it; and the rounds of a cold start more."""
    score = {"home": 0, "away": 0}
    events = []
    for n in range(length + COLD_ROUNDS):
        touch = mix[n % len(mix)]
        if touch["event_type"] == "goal":
            score[touch["team"]] += 1
        board = {"home_score": score["home"], "away_score": score["away"]}
        events.append({**touch, **board, "event_id": f"e{n}", **_when(n, length)})
    return events


def baskets(length: int) -> list[Json]:
    score, rng = [0, 0], random.Random(2)
    events = []
    for n in range(length + COLD_ROUNDS):
        score[rng.random() < 0.5] += rng.choice((1, 2, 2, 3))
        events.append({"event_type": "score", "home_score": score[0], "away_score": score[1], **_when(n, length)})
    return events


def _when(n: int, length: int) -> Json:
    second = n * MATCH_S / length
    moment = datetime.fromtimestamp(START_S + second, UTC).isoformat(timespec="milliseconds")
    return {"minute": min(int(second // 60) + 1, 90), "timestamp": moment}


def updates(match_id: str, events: list[Json], sport: str = "football") -> list[Update]:
    """Through the generic feed, in order of arrival."""
    rng = random.Random(3)
    # Where a late one goes is behind the one that is as many places on.
    late = [n + (rng.uniform(1, LATE_PLACES) if rng.random() < LATE else 0) for n in range(len(events))]
    order = [event for _, event in sorted(zip(late, events, strict=True), key=lambda pair: pair[0])]
    parsed = _parsed({"matches": [{"id": match_id, "sport": sport, "home_team": "Home", "away_team": "Away"}]})
    for at in range(0, len(order), 500):
        parsed += _parsed({"events": [{"match_id": match_id, **event} for event in order[at : at + 500]]})
    return parsed


def _parsed(document: Json) -> list[Update]:
    return parse(json.dumps(document).encode(), received_at=(START_S + MATCH_S) * 1000)


def timed(messages: list[Update], name: str) -> tuple[Match, float]:
    """The match, and µs a message over the last of them."""
    rounds = max(1, TIMED // len(messages))
    spent, count = 0.0, 0
    for _ in range(rounds):
        events: dict[str, Event] = {}
        match, first = _played(messages[: max(0, len(messages) - TIMED)], name, events), max(0, len(messages) - TIMED)
        started = time.perf_counter()
        for update in messages[first:]:
            match = _reduced(match, update, events)
        spent, count = spent + time.perf_counter() - started, count + len(messages) - first
    assert match is not None
    return replace(match, events=events), spent / count * 1e6


def _reduced(match: Match | None, update: Update, events: dict[str, Event]) -> Match:
    """As a worker does it: to a match with the events of its ledger and the one that the update names.

    events: all of the match so far, which a worker leaves in Redis.
    """
    name = update.event.id if update.event else ""
    if match is not None and name in events:
        match = replace(match, events={**match.events, name: events[name]})
    match, _ = reduce(match, update)
    if name:
        events[name] = match.events[name]
    return essential(match)


def _played(messages: list[Update], name: str, events: dict[str, Event]) -> Match | None:
    match: Match | None = None
    for n, update in enumerate(messages):
        match = _reduced(match, update, events)
        if n % 1_000 == 0:
            print(f"{name}: {n} of {len(messages)}…", file=sys.stderr)
    return match


def cold_ms(services: WorkerServices, match: Match, later: list[Update]) -> float:
    """One message to a worker that has to load the match: inbox, load, reduce, commit. A median."""
    services.live.commits.commit(StoredMatch(None, "0"), match, (), (), visible=True)
    times_ms = []
    for update in later:
        services.live.inbox.accept([update], now_ms=time.time_ns() // 1_000_000)
        drain = Drain(services.live, services.bells)
        started = time.perf_counter()
        drain.match(match.id)
        times_ms.append((time.perf_counter() - started) * 1e3)
    return statistics.median(times_ms)


@contextmanager
def store() -> Iterator[WorkerServices]:
    """A real Redis; SQL is never asked, for Redis knows the match."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="scores-bench-") as folder:
        command = [redis_binary(), "--port", str(port), "--save", "", "--dir", folder, "--bind", "127.0.0.1"]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            wait_for_port(port)
            yield WorkerServices(
                Settings(redis_url=f"redis://127.0.0.1:{port}/0", database_url=f"sqlite:///{folder}/none.db")
            )
        finally:
            server.terminate()
            server.wait()


def measure(services: WorkerServices, match_id: str, messages: list[Update]) -> tuple[float, float]:
    match, us = timed(messages[:-COLD_ROUNDS], match_id)
    return us, cold_ms(services, match, messages[-COLD_ROUNDS:])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.derive", description=__doc__)
    parser.add_argument("--longest", type=int, default=LENGTHS[-1], help="events of the longest match (default 20,000)")
    args = parser.parse_args()
    mix = recorded_mix()
    print("Mix: " + ("StatsBomb's, as recorded." if mix else f"made up, for there is no {Path(RECORDING).name}."))
    print(f"{'':28}{'µs a message':>14}{'cold ms':>10}", flush=True)
    figures: dict[str, float] = {}
    # The first rounds of a process are slower than all others.
    timed(updates("warm-up", touches(made_up_mix(), LENGTHS[0])), "warm-up")
    with store() as services:
        for length in (length for length in LENGTHS if length <= args.longest):
            messages = updates(f"touches-{length}", touches(mix or made_up_mix(), length))
            us, ms = measure(services, f"touches-{length}", messages)
            print(f"{f'{length:,} touches':28}{us:>14.0f}{ms:>10.1f}", flush=True)
            figures |= {f"us_{length}": round(us, 1), f"cold_ms_{length}": round(ms, 2)}
        messages = updates("baskets", baskets(SCORES), "basketball")
        us, ms = measure(services, "baskets", messages)
        print(f"{f'basketball, {SCORES} scores':28}{us:>14.0f}{ms:>10.1f}")
    figures |= {f"us_basketball_{SCORES}": round(us, 1), f"cold_ms_basketball_{SCORES}": round(ms, 2)}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
