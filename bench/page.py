"""The page in Chromium: how soon two tabs show a goal, and what a board of a thousand matches costs.

`python -m bench.page [--matches 1000] [--goals 20]`. Needs Chromium (apt-get install chromium). The whole system
runs: goals go in by the signed endpoint, tabs hold one request each. Delays run from the endpoint's 202 to the figure
in the page; a goal may be seen before its 202. Costs are Chromium's own counters, a change of the board each.
Everything shares this machine, the browser without a graphics card included.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import time
from datetime import UTC, datetime
from typing import Any

import requests
from playwright.sync_api import CDPSession, Page, sync_playwright

from dev.replay.ingest_client import signed
from dev.system import SECRET, System, running

QUIET = "--no-sandbox --disable-gpu --disable-background-networking --disable-component-update --no-first-run"
A_GROUP = 20  # matches a competition
SCROLL_S = 4.0
# Goals of one board come apart; and a tab returns to its hold within 0.2 s.
BETWEEN_S = 0.5

# Notes when the figure of one match becomes what it is waited for.
WATCH = """
() => {
  window.watch = (id, figure) => {
    window.seenAt = 0;
    const cell = document.querySelector(`li[data-id="${id}"] .points.home .score`);
    new MutationObserver((_, observer) => {
      if (cell.textContent !== figure) return;
      window.seenAt = Date.now();
      observer.disconnect();
    }).observe(cell, { childList: true, characterData: true, subtree: true });
  };
}
"""
# Scrolls through the board and returns the time between frames (ms).
SCROLL = """
(seconds) => new Promise((done) => {
  const frames = [];
  const started = performance.now();
  let before = started;
  const step = (now) => {
    frames.push(now - before);
    before = now;
    window.scrollBy(0, 40);
    if (now - started < seconds * 1000) requestAnimationFrame(step);
    else done(frames.slice(1));
  };
  requestAnimationFrame(step);
})
"""


def post(system: System, body: dict[str, Any]) -> float:
    """Returns the time of the 202 (s)."""
    data = json.dumps(body).encode()
    headers = signed(SECRET, f"bench-{time.time_ns()}", data, datetime.now(UTC)) | {"Content-Type": "application/json"}
    answer = requests.post(f"{system.url}/api/ingest/generic", data=data, headers=headers, timeout=30)
    answer.raise_for_status()
    return time.time()


def event(match: int, kind: str, home: int, minute: int) -> dict[str, Any]:
    at = datetime.now(UTC).isoformat()
    score = {"match_id": f"m{match}", "home_score": home, "away_score": 0, "minute": minute, "timestamp": at}
    return score | {"event_type": kind, "team": "home"}


def kick_off(system: System, matches: int) -> None:
    now = datetime.now(UTC).isoformat()
    for first in range(0, matches, 100):
        some = range(first, min(first + 100, matches))
        announced = [
            {
                "id": f"m{n}",
                "home_team": f"Home Town {n}",
                "away_team": f"Away United {n}",
                "start_time": now,
                "competition": f"League {n // A_GROUP:03}",
            }
            for n in some
        ]
        post(system, {"matches": announced, "events": [event(n, "kickoff", 0, 0) for n in some]})
    while len(requests.get(f"{system.url}/api/live", timeout=10).json()["matches"]) < matches:
        time.sleep(0.1)


def open_board(page: Page, url: str, matches: int) -> float:
    """Seconds until every row is there."""
    started = time.monotonic()
    page.goto(url)
    page.wait_for_function(f"document.querySelectorAll('.section.live .row').length === {matches}")
    took = time.monotonic() - started
    page.wait_for_function("document.querySelector('.connection').dataset.state === 'live'")
    page.evaluate(WATCH)
    return took


def goal_delays(system: System, tabs: list[Page], match: int, goals: int) -> list[float]:
    """Of each goal in each tab (ms)."""
    delays_ms = []
    for goal in range(1, goals + 1):
        time.sleep(BETWEEN_S)
        for tab in tabs:
            tab.evaluate("([id, figure]) => watch(id, figure)", [f"m{match}", str(goal)])
        accepted = post(system, {"events": [event(match, "goal", goal, goal)]})
        for tab in tabs:
            tab.wait_for_function("window.seenAt")
            delays_ms.append(tab.evaluate("window.seenAt") - accepted * 1000)
        print(f"\rgoal {goal} of {goals}", end="", file=sys.stderr)
    print(file=sys.stderr)
    return delays_ms


def spent(session: CDPSession) -> dict[str, float]:
    """Seconds by kind of work."""
    counters = session.send("Performance.getMetrics")["metrics"]
    return {counter["name"]: counter["value"] for counter in counters}


def measure(system: System, chromium: str, matches: int, goals: int) -> dict[str, float]:
    kick_off(system, matches)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET.split())
        # The page forbids eval, by which Playwright waits.
        tabs = [browser.new_page(bypass_csp=True) for _ in range(2)]
        opened = [open_board(tab, system.url, matches) for tab in tabs]
        session = tabs[0].context.new_cdp_session(tabs[0])
        session.send("Performance.enable")
        before = spent(session)
        delays = goal_delays(system, tabs, matches // 2, goals)
        after = spent(session)
        frames = tabs[0].evaluate(SCROLL, SCROLL_S)
        browser.close()
    return {
        "matches": matches,
        "open_s": round(opened[0], 2),
        "goal_p50_ms": round(statistics.median(delays)),
        "goal_most_ms": round(max(delays)),
        "script_ms_per_goal": round((after["ScriptDuration"] - before["ScriptDuration"]) * 1000 / goals, 1),
        "layout_ms_per_goal": round((after["LayoutDuration"] - before["LayoutDuration"]) * 1000 / goals, 1),
        "style_ms_per_goal": round((after["RecalcStyleDuration"] - before["RecalcStyleDuration"]) * 1000 / goals, 1),
        "frame_p50_ms": round(statistics.median(frames), 1),
        "frame_p99_ms": round(statistics.quantiles(frames, n=100)[98], 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.page", description=__doc__)
    parser.add_argument("--matches", type=int, default=1_000)
    parser.add_argument("--goals", type=int, default=20)
    args = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        print("no Chromium: apt-get install chromium", file=sys.stderr)
        return 2
    with running() as system:
        figures = measure(system, chromium, args.matches, args.goals)
    for name, value in figures.items():
        print(f"{name:>20}  {value}")
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())

# Measured 2026-11-25, 2 cores with other work on them (load 5), Chromium 156 without a graphics card:
#   matches   board open   goal seen after its 202    script, layout, style a goal   frames while scrolling
#     1,000       1.4 s    p50 136 ms, most 261 ms    2.8, 0.3, 0.2 ms               p50 16.7 ms, p99 16.8 ms
#        50       0.6 s    p50  22 ms, most  81 ms    1.5, 0.3, 0.2 ms               p50 16.7 ms, p99 16.8 ms
