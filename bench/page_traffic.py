"""What a busy board costs a reader's line: bytes and requests of the first view, and of ten minutes as the page asks
now and as clients of 0.1.0 asked.

`python -m bench.page_traffic [--seconds 600]`. Needs Chromium (apt-get install chromium). A Saturday's 246 matches
(bench.saturday) are committed as a worker commits them, in real time, into the Redis of the whole system. Two readers
look at the board meanwhile:

now     the page in Chromium: what the browser has received, heads included
before  a client of 0.1.0: it was sent the whole board whenever anything on it had changed, a minute included, once a
        second at most, and asked again within 0.2 s. Compressed, as an edge did it then

The first view is counted by itself, all of it: page, styles, modules, board. What the page asks besides the board
(lists, once a minute) counts on both sides.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import shutil
import sys
import threading
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import CDPSession, sync_playwright

from bench.board import AGAIN_S, kick_off, play
from bench.deployment import say
from bench.page import QUIET, open_board
from bench.saturday import MATCHES
from dev.system import System, running

# How often readers of the whole board were told at most.
TOLD_S = 1.0
# After the board is live the page asks for nothing more but what it holds.
REST_MS = 2_000
BOARD, OTHER = "board", "other"


class PageTraffic:
    """requests and bytes received: of the board, and of everything else."""

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.bytes: Counter[str] = Counter()
        self.kinds: dict[str, str] = {}

    def count(self, session: CDPSession) -> None:
        """Until the session is detached (Chrome DevTools Protocol, "Network")."""
        session.on("Network.requestWillBeSent", self._note_sent)
        session.on("Network.loadingFinished", self._note_received)
        session.send("Network.enable")

    def _note_sent(self, event: dict[str, Any]) -> None:
        path = urlsplit(event["request"]["url"]).path
        self.kinds[event["requestId"]] = BOARD if path.startswith("/api/live") else OTHER

    def _note_received(self, event: dict[str, Any]) -> None:
        kind = self.kinds.pop(event["requestId"], OTHER)
        self.requests[kind] += 1
        self.bytes[kind] += int(event["encodedDataLength"])


class WholeBoardReader(threading.Thread):
    """requests that were answered with another board, and bytes of those answers."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.port = port
        self.requests = self.bytes = 0
        self.stopped = threading.Event()

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Accept-Encoding": "gzip"}
        while not self.stopped.wait(TOLD_S + random.uniform(0, AGAIN_S)):
            connection.request("GET", "/api/live", headers=headers)
            answer = connection.getresponse()
            body = answer.read()
            # Held, it would not have been answered.
            if answer.status != 304:
                headers["If-None-Match"] = answer.headers["ETag"]
                self.requests += 1
                self.bytes += len(body) + _head_bytes(answer)


def _head_bytes(answer: http.client.HTTPResponse) -> int:
    fields = sum(len(name) + len(value) + len(": \r\n") for name, value in answer.getheaders())
    return len(f"HTTP/1.1 {answer.status} {answer.reason}\r\n\r\n") + fields


def measure(system: System, chromium: str, seconds: float) -> dict[str, float]:
    live, saturday = kick_off(system)
    first, traffic, before = PageTraffic(), PageTraffic(), WholeBoardReader(system.port)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET.split())
        # The page forbids eval, by which Playwright waits.
        page = browser.new_page(bypass_csp=True)
        session = page.context.new_cdp_session(page)
        first.count(session)
        open_board(page, system.url, MATCHES)
        page.wait_for_timeout(REST_MS)
        session.detach()
        traffic.count(page.context.new_cdp_session(page))
        before.start()
        say(f"{MATCHES} matches for {seconds:.0f} s…")
        playing = threading.Thread(target=play, args=(live, saturday, seconds), daemon=True)
        playing.start()
        # Events of the browser are heard while it waits.
        page.wait_for_timeout(seconds * 1_000)
        before.stopped.set()
        browser.close()
        playing.join()
    others = traffic.bytes[OTHER]
    now_bytes, before_bytes = traffic.bytes[BOARD] + others, before.bytes + others
    return {
        "seconds": seconds,
        "first_requests": first.requests.total(),
        "first_kb": round(first.bytes.total() / 1_000, 1),
        "board_requests": traffic.requests[BOARD],
        "before_board_requests": before.requests,
        "other_requests": traffic.requests[OTHER],
        "mb": round(now_bytes / 1_000_000, 3),
        "before_mb": round(before_bytes / 1_000_000, 3),
        "ratio": round(now_bytes / before_bytes, 3),
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.page_traffic", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=600.0, help="how long (default 600)")
    options = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        print("no Chromium: apt-get install chromium", file=sys.stderr)
        return 2
    with running() as system:
        figures = measure(system, chromium, options.seconds)
    for name, value in figures.items():
        print(f"{name:24}{value:>10}")
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
