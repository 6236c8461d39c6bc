"""What somebody sees: pushes → the alerts that lit the screen, and the notifications that stand on it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from notify.emulators.ledger import Push


@dataclass(frozen=True, slots=True)
class Shown:
    """One alert. at: s since the epoch. replaced: it took the place of an older one of its collapse id."""

    at: float
    title: str
    body: str
    collapse: str
    silent: bool = False
    replaced: bool = False

    def same(self, other: Shown | None) -> bool:
        return other is not None and (self.title, self.body) == (other.title, other.body)


@dataclass
class Phone:
    """alerts: all that were shown, in order. screen: what stands there now, by collapse id. repeats: pushes that
    brought what already stood there, which nobody notices. late: what expired before the phone could be reached."""

    alerts: list[Shown] = field(default_factory=list)
    screen: dict[str, Shown] = field(default_factory=dict)
    repeats: int = 0
    late: int = 0

    def show(self, push: Push, at: float) -> None:
        if not (words := _words(push)):
            return
        title, body, silent = words
        key = push.collapse or f"{at}:{len(self.alerts)}"
        before = self.screen.get(key)
        shown = Shown(at, title, body, push.collapse, silent, before is not None)
        if shown.same(before):
            self.repeats += 1
            return
        self.screen[key] = shown
        self.alerts.append(shown)


def phone_of(pushes: Iterable[Push], now: float) -> Phone:
    """One phone's history up to `now`.

    An offline phone gets, once back, the one newest push APNs stored for the app, if it has not expired (Apple: one
    notification per app and device is stored); FCM stores one per collapse key.
    """
    phone, online = Phone(), True
    stored: dict[str, Push] = {}
    for push in pushes:
        if push.at > now:
            break
        if push.sort in ("offline", "online"):
            online = push.sort == "online"
            if online:
                _deliver_stored(phone, stored, push.at)
        elif online:
            phone.show(push, push.at)
        elif push.expires_at:
            stored["" if push.service == "apns" else push.collapse] = push
    return phone


def _deliver_stored(phone: Phone, stored: dict[str, Push], at: float) -> None:
    for push in stored.values():
        if push.expires_at > at:
            phone.show(push, at)
        else:
            phone.late += 1
    stored.clear()


def _words(push: Push) -> tuple[str, str, bool] | None:
    """Title, body and whether it came without a sound; None for a push that shows nothing."""
    if push.service == "fcm":
        said = push.payload.get("notification") or {}
        silent = "default_sound" not in push.payload.get("android", {}).get("notification", {})
        return (said.get("title", ""), said.get("body", ""), silent) if said else None
    aps = push.payload.get("aps", {})
    alert = aps.get("alert")
    if not alert:
        return None
    return alert.get("title", ""), alert.get("body", ""), push.sort == "alert" and "sound" not in aps
