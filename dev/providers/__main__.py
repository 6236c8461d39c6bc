"""`python -m dev.providers DATA`: emulated Sportradar and Stats Perform over the recordings in DATA.

Prints one JSON line once they listen: the settings that point at them. SIGTERM ends it.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from threading import Event

from dev.providers.faults import Limit
from dev.providers.playback import Playback, playback
from dev.providers.server import ProviderServer
from dev.providers.sportradar import SportradarProvider
from dev.providers.statsperform import LivePush, StatsPerformProvider
from dev.recordings import read

KEY = "emulator"
# Time to look at the scoreboard before kick-off.
LEAD_MS = 5_000


def recorded(folder: Path, pattern: str, speed: float) -> Playback:
    """All recordings of the folder that fit. A document of days later is left out: live, nobody has it."""
    recordings = [read(path) for path in sorted(folder.glob(pattern))]
    live = [
        replace(recording, messages=recording.messages[:-1]) if "ma3" in recording.name else recording
        for recording in recordings
    ]
    return playback(live, speed=speed, start_ms=time.time_ns() // 1_000_000, lead_ms=LEAD_MS)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m dev.providers", description=__doc__)
    parser.add_argument("data", type=Path, help="folder with sportradar/ and statsperform/")
    parser.add_argument("--speed", type=float, default=30.0, help="match minutes per minute (default: 30)")
    options = parser.parse_args()
    soccer = recorded(options.data / "sportradar", "soccer-timeline-*.json", options.speed)
    sportradar = ProviderServer(SportradarProvider(soccer, KEY, Limit(120, 60.0)))
    opta = StatsPerformProvider(recorded(options.data / "statsperform", "ma3-*.json", options.speed), KEY)
    statsperform, push = ProviderServer(opta), LivePush(opta)
    settings = {
        "sportradar_url": sportradar.url,
        "sportradar_key": KEY,
        "statsperform_url": push.url,
        "statsperform_rest_url": statsperform.url,
        "statsperform_oauth_url": statsperform.url,
        "statsperform_outlet_key": KEY,
    }
    print(json.dumps(settings), flush=True)
    stopping = Event()
    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, lambda *_: stopping.set())
    stopping.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
