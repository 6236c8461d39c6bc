"""Progress of a replay: one line that rewrites itself on a terminal, a line every few seconds in a log."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TextIO

from dev.replay.player import Player


class Watch:
    """Progress line. every_s: seconds between two updates."""

    def __init__(self, out: TextIO) -> None:
        self.out = out
        self.rewrites = out.isatty()
        # Often on a terminal, rarely in a log.
        self.every_s = 0.2 if self.rewrites else 5.0
        self.started = time.monotonic()

    def __call__(self, player: Player) -> None:
        self.out.write(f"\r\x1b[K{self._line(player)}" if self.rewrites else f"{self._line(player)}\n")
        self.out.flush()

    def end(self, player: Player) -> None:
        """The last line stays."""
        self(player)
        if self.rewrites:
            self.out.write("\n")

    def _line(self, player: Player) -> str:
        moment = datetime.fromtimestamp(player.at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M") if player.sent else "-"
        rate = player.sent / max(time.monotonic() - self.started, 0.001)
        again = f", {player.again} sent again" if player.again else ""
        return f"{player.sent}/{player.total} requests, match clock {moment}, {rate:.0f}/s{again}"
