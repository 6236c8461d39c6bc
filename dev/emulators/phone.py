"""What somebody sees: pushes → the alerts that lit the screen, and the notifications and Live Activities that stand on
it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from dev.emulators.activity import LockScreenActivity, begun, channel_of
from dev.emulators.journal import AcceptedPush, PushJournal


@dataclass(frozen=True, slots=True)
class ScreenEntry:
    """One alert. at: s since the epoch. replaced: it took the place of an older one of its collapse id."""

    at: float
    title: str
    body: str
    collapse: str
    silent: bool = False
    replaced: bool = False

    def same(self, other: ScreenEntry | None) -> bool:
        return other is not None and (self.title, self.body) == (other.title, other.body)


@dataclass
class Phone:
    """alerts: all that were shown, in order. screen: what stands there now, by collapse id. activities: the Live
    Activity of each match, ended or not. repeats: pushes that brought what already stood there, which nobody notices.
    late: what expired before the phone could be reached. broadcasts: the newest of each channel, as APNs keeps it for
    who joins late."""

    alerts: list[ScreenEntry] = field(default_factory=list)
    screen: dict[str, ScreenEntry] = field(default_factory=dict)
    activities: dict[str, LockScreenActivity] = field(default_factory=dict)
    repeats: int = 0
    late: int = 0
    broadcasts: dict[str, AcceptedPush] = field(default_factory=dict, repr=False)

    def show(self, push: AcceptedPush, at: float) -> None:
        if activity := begun(push, at):
            self._begin(activity, push)
        elif push.sort == "liveactivity":
            for one in self.activities.values():
                if one.channel == push.target:
                    one.hear(push, at)
        elif words := _words(push):
            self._notify(push, at, *words)

    def _begin(self, activity: LockScreenActivity, push: AcceptedPush) -> None:
        """Of two of one match the app keeps the newer; what lights the screen stands in the activity alone."""
        name = str(activity.attributes.get("match_id"))
        known = self.activities.get(name)
        newest = self.broadcasts.get(activity.channel)
        if newest and newest.expires_at > activity.at:
            activity.hear(newest, activity.at)
        if known and not known.ended:
            self.repeats += 1
        else:
            alert = push.payload["aps"]["alert"]
            self.alerts.append(ScreenEntry(activity.at, alert.get("title", ""), alert.get("body", ""), push.collapse))
        self.activities[name] = activity

    def _notify(self, push: AcceptedPush, at: float, title: str, body: str, silent: bool) -> None:
        key = push.collapse or f"{at}:{len(self.alerts)}"
        before = self.screen.get(key)
        shown = ScreenEntry(at, title, body, push.collapse, silent, before is not None)
        if shown.same(before):
            self.repeats += 1
            return
        self.screen[key] = shown
        self.alerts.append(shown)


def history(ledger: PushJournal, *tokens: str, most: int | None = None) -> list[AcceptedPush]:
    """What reached one phone by its tokens, and by the channels its Live Activities listen to: all of it, or the last
    `most` by each."""
    own = [push for token in tokens for push in ledger.of(token, most)]
    channels = sorted({channel for push in own if (channel := channel_of(push))})
    heard = [push for channel in channels for push in ledger.of(channel, most)]
    return sorted([*own, *heard], key=lambda push: push.at)


def phone_of(pushes: Iterable[AcceptedPush], now: float) -> Phone:
    """One phone's history up to `now`.

    An offline phone gets, once back, the one newest push APNs stored for the app, if it has not expired (Apple: one
    notification per app and device is stored), and that of each channel; FCM stores one per collapse key.
    """
    phone, online = Phone(), True
    stored: dict[str, AcceptedPush] = {}
    for push in pushes:
        if push.at > now:
            break
        if push.target.startswith("channel:"):
            phone.broadcasts[push.target] = push
        if push.sort in ("offline", "online"):
            online = push.sort == "online"
            if online:
                _deliver_stored(phone, stored, push.at)
        elif online:
            phone.show(push, push.at)
        elif push.expires_at:
            stored[_shelf(push)] = push
    return phone


def _deliver_stored(phone: Phone, stored: dict[str, AcceptedPush], at: float) -> None:
    for push in stored.values():
        if push.expires_at > at:
            phone.show(push, at)
        else:
            phone.late += 1
    stored.clear()


def _shelf(push: AcceptedPush) -> str:
    """Of what one shelf holds only the newest is kept."""
    if push.service == "fcm":
        return push.collapse
    return push.target if push.sort == "liveactivity" else ""


def _words(push: AcceptedPush) -> tuple[str, str, bool] | None:
    """Title, body and whether it came without a sound; None for a push that shows nothing."""
    if push.service == "fcm":
        said = push.payload.get("notification") or {}
        silent = "default_sound" not in push.payload.get("android", {}).get("notification", {})
        return (said.get("title", ""), said.get("body", ""), silent) if said else None
    aps = push.payload.get("aps", {})
    alert = aps.get("alert")
    if not alert:
        return None
    return alert.get("title", ""), alert.get("body", ""), "sound" not in aps
