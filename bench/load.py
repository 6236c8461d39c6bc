"""All of it at once: a Saturday's events come in while readers poll and wait at the edge. From sent to seen there.

`python -m bench.load [--seconds 60]`. 246 live matches and 230 events a second, one a request, as bench.ingest sends
them; 2,000 readers poll fifty of those matches through a real Varnish, and 5,000 wait there for one more match, which
has a goal every ten seconds. Four watchers ask the edge every five milliseconds for what is sent next, and two for the
page of its match. Readers, senders and every server are on the same cores.
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import requests

from bench import ingest
from bench.crowd import Crowd
from bench.deployment import Deployment, deployed, percentile, release, say
from bench.readers import Readers, ReaderTally

POLLED = 50
WATCHERS = 4
PAGE_WATCHERS = 2
SHOWN = re.compile(r'class="big-score">(\d+)–')
GOAL_EVERY_S = 10.0


class Watcher(threading.Thread):
    """Sees the next event of one match after another at the edge. seen: seconds from its sending."""

    def __init__(self, url: str, numbers: Iterator[int], sent: dict[str, list[int]]) -> None:
        super().__init__(daemon=True)
        self.url, self.numbers, self.sent = url, numbers, sent
        self.seen: list[float] = []
        self.session = requests.Session()
        self.stopped = threading.Event()

    def run(self) -> None:
        for n in self.numbers:
            self._watch(f"bench-{n % ingest.MATCHES}")
            if self.stopped.is_set():
                return

    def _watch(self, match_id: str) -> None:
        times = self.sent[match_id]
        awaited = next((n for n, at in enumerate(times) if not at), None)
        if awaited is None:
            return
        while not self.stopped.wait(0.005):
            if self.goals(match_id) > awaited:
                self.seen.append(time.time() - times[awaited] / 1000)
                return

    def goals(self, match_id: str) -> int:
        """Of the home side."""
        answer = self.session.get(f"{self.url}/api/score/{match_id}", timeout=30)
        return (answer.json()["home_score"] or 0) if answer.ok else 0


class PageWatcher(Watcher):
    """Looks at the page that the server renders."""

    def goals(self, match_id: str) -> int:
        shown = SHOWN.search(self.session.get(f"{self.url}/match/{match_id}", timeout=30).text)
        return int(shown[1]) if shown else 0


def loaded(d: Deployment, asked: argparse.Namespace) -> dict[str, object]:
    listener = ingest.ChangeListener(d.system)
    listener.start()
    sent: dict[str, list[int]] = defaultdict(list)
    ingest.drive(d.system, 200, 1, ingest.MATCHES / 200, sent)
    ingest.wait_applied(listener, sent)
    (final,) = d.kick_off(1, "final")
    before, since = d.counters(), {match_id: len(times) for match_id, times in sent.items()}
    crowd = Crowd(d.port, asked.held, 1)
    readers = Readers(d.port, [f"/api/score/bench-{n}" for n in range(POLLED)], asked.readers, 1.0)
    watchers = [Watcher(d.url, itertools.count(n, WATCHERS), sent) for n in range(WATCHERS)]
    page_watchers = [PageWatcher(d.url, itertools.count(n, PAGE_WATCHERS), sent) for n in range(PAGE_WATCHERS)]
    say(f"{asked.readers} poll, {asked.held} wait, {asked.rate:.0f} events a second for {asked.seconds:.0f} s…")
    refused: list[int] = []
    sender = threading.Thread(
        target=lambda: refused.append(ingest.drive(d.system, asked.rate, 1, asked.seconds, sent)[1])
    )
    sender.start()
    for watcher in (*watchers, *page_watchers):
        watcher.start()
    rounds = list(goals(d, crowd, final, asked.held, sender))
    sender.join()
    complete = ingest.wait_applied(listener, sent)
    for watcher in (*watchers, *page_watchers):
        watcher.stopped.set()
    tally = readers.tally()
    crowd.leave()
    seen, page_seen = times_seen(watchers), times_seen(page_watchers)
    return {
        "visible_p50_ms": percentile(seen, 0.5, 1000),
        "visible_p99_ms": percentile(seen, 0.99, 1000),
        "visible_samples": len(seen),
        "page_visible_p50_ms": percentile(page_seen, 0.5, 1000),
        "page_visible_p99_ms": percentile(page_seen, 0.99, 1000),
        "page_visible_samples": len(page_seen),
        "release_p99_ms": percentile(sorted(one["p99"] for one in rounds), 0.5),
        "released": min((round(one["released"]) for one in rounds), default=0),
        **told(d, before, tally),
        "applied_p99_ms": ingest.percentile(ingest.delays(listener, sent, since), 0.99),
        "all_applied": complete,
        "refused": sum(refused),
    }


def times_seen(watchers: Sequence[Watcher]) -> list[float]:
    return sorted(at for watcher in watchers for at in watcher.seen)


def goals(d: Deployment, crowd: Crowd, path: str, clients: int, while_: threading.Thread) -> Any:
    """A goal for those who wait, every ten seconds until the events end."""
    for n in itertools.count(1):
        while_.join(GOAL_EVERY_S)
        if not while_.is_alive():
            return
        yield release(d, crowd, path, n, clients)


def told(d: Deployment, before: dict[str, int], tally: ReaderTally) -> dict[str, object]:
    after = d.counters()
    origin = after["MAIN.backend_req"] - before["MAIN.backend_req"]
    asked = after["MAIN.client_req"] - before["MAIN.client_req"]
    return {
        "requests": asked,
        "origin_requests": origin,
        "offload": round(1 - origin / max(1, asked), 4),
        "failures": tally.failures,
        "backwards": tally.backwards,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.load", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="of events (default 60)")
    parser.add_argument("--rate", type=float, default=230.0, help="events a second, one a request (default 230)")
    parser.add_argument("--readers", type=int, default=2_000, help="who poll, once a second (default 2000)")
    parser.add_argument("--held", type=int, default=5_000, help="who wait (default 5000)")
    asked = parser.parse_args()
    with deployed() as d:
        found = loaded(d, asked)
        used = {name: round(seconds / asked.seconds, 2) for name, seconds in d.system.cpu_s().items()}
    for name, value in found.items():
        print(f"{name:20}{value}")
    print(f"{'cores used':20}{used}")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
