"""A Live Activity as it stands on a lock screen: begun by a push, kept up to date by its channel. Pure.

ActivityKit, "Starting and updating Live Activities with ActivityKit push notifications".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dev.emulators.journal import AcceptedPush

# An activity that has ended stays at most this long ("Displaying live data with Live Activities").
STAYS_S = 4 * 3600


@dataclass
class LockScreenActivity:
    """at: s since the epoch, when it began. attributes, state: of the app. channel: the target its broadcasts have in
    the ledger, "" for none. told_at: the timestamp of what it shows; updates: how often that changed. ended: it shows
    the last there will be. gone_at: when it leaves the screen."""

    at: float
    attributes: dict[str, Any]
    state: dict[str, Any]
    channel: str
    told_at: int
    updates: int = 0
    ended: bool = False
    gone_at: float | None = None

    def hear(self, push: AcceptedPush, at: float) -> None:
        """A broadcast; what was said before the state it shows is not shown."""
        aps = push.payload["aps"]
        if self.ended or aps["timestamp"] < self.told_at:
            return
        self.state, self.told_at = aps["content-state"], aps["timestamp"]
        self.updates += 1
        if aps["event"] == "end":
            self.ended = True
            self.gone_at = min(aps.get("dismissal-date", at + STAYS_S), at + STAYS_S)

    def stands(self, now: float) -> bool:
        return self.gone_at is None or now < self.gone_at


def begun(push: AcceptedPush, at: float) -> LockScreenActivity | None:
    """What a push begins; None for any other."""
    aps = push.payload.get("aps", {})
    if push.sort != "liveactivity" or aps.get("event") != "start":
        return None
    return LockScreenActivity(at, aps["attributes"], aps["content-state"], channel_of(push), aps["timestamp"])


def channel_of(push: AcceptedPush) -> str:
    """The target of the channel a start listens to; "" for any other push."""
    channel = push.payload.get("aps", {}).get("input-push-channel")
    return f"channel:{channel}" if channel else ""
