"""A match as it stands on a lock screen. Pure.

On iOS a Live Activity: started by a push, kept up to date by its channel (ActivityKit, "Starting and updating Live
Activities with ActivityKit push notifications"). On Android a Live Update: the app shows the state of a data message.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from dev.emulators.journal import AcceptedPush

# An activity that has ended stays at most this long ("Displaying live data with Live Activities").
DISMISSAL_MAX_S = 4 * 3600


@dataclass
class LockScreenActivity:
    """
    at: s since the epoch, when it started.
    attributes: the app's, fixed while it runs.
    state: the app's content-state as shown.
    channel: the journal's target of its broadcasts, "" for none.
    state_at: the timestamp of the state it shows.
    updates: how often the state changed.
    ended: it shows the last state there will be.
    gone_at: when it leaves the screen.
    """

    at: float
    attributes: dict[str, Any]
    state: dict[str, Any]
    channel: str
    state_at: int
    updates: int = 0
    ended: bool = False
    gone_at: float | None = None

    def apply(self, push: AcceptedPush, at: float) -> None:
        """A broadcast. One older than the state on the screen is ignored."""
        aps = push.payload["aps"]
        if self.ended or aps["timestamp"] < self.state_at:
            return
        self.state, self.state_at = aps["content-state"], aps["timestamp"]
        self.updates += 1
        if aps["event"] == "end":
            self.ended = True
            self.gone_at = min(aps.get("dismissal-date", at + DISMISSAL_MAX_S), at + DISMISSAL_MAX_S)

    def visible(self, now: float) -> bool:
        return self.gone_at is None or now < self.gone_at


def start_of(push: AcceptedPush, at: float) -> LockScreenActivity | None:
    """The activity a push starts; None for any other push."""
    aps = push.payload.get("aps", {})
    if push.sort != "liveactivity" or aps.get("event") != "start":
        return None
    return LockScreenActivity(at, aps["attributes"], aps["content-state"], channel_of(push), aps["timestamp"])


def live_update_of(push: AcceptedPush, at: float) -> LockScreenActivity | None:
    """The state a data message brings to an app on Android; None for any other push."""
    data = push.payload.get("data", {})
    if data.get("type") != "live_update":
        return None
    ended = data["over"] == "true"
    attributes, state, version = json.loads(data["attributes"]), json.loads(data["state"]), int(data["version"])
    gone_at = at + DISMISSAL_MAX_S if ended else None
    return LockScreenActivity(at, attributes, state, "", version, ended=ended, gone_at=gone_at)


def channel_of(push: AcceptedPush) -> str:
    """The target of the channel a start listens to; "" for any other push."""
    channel = push.payload.get("aps", {}).get("input-push-channel")
    return f"channel:{channel}" if channel else ""
