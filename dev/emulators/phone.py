"""What a phone shows of the pushes it got: the alerts that lit the screen, and what is on the lock screen now. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from dev.emulators.activity import LockScreenActivity, channel_of, live_update_of, start_of
from dev.emulators.journal import AcceptedPush, PushJournal
from dev.emulators.shape import shape_of

# "Collapsible and non-collapsible messages", of FCM.
FCM_COLLAPSE_KEYS_MAX = 4


@dataclass(frozen=True, slots=True)
class ScreenEntry:
    """One alert.

    at: s since the epoch, when it was shown.
    title: as shown.
    body: as shown.
    collapse: collapse id, "" for none.
    silent: it came without a sound.
    replaced: it replaced an older one with its collapse id.
    shape: what it asks of the phone beside its words (dev.emulators.shape).
    """

    at: float
    title: str
    body: str
    collapse: str
    silent: bool = False
    replaced: bool = False
    shape: list[str] = field(default_factory=list)

    def same_as(self, other: ScreenEntry | None) -> bool:
        return other is not None and (self.title, self.body) == (other.title, other.body)


@dataclass
class Phone:
    """
    alerts: all that were shown, in order.
    screen: what is on the lock screen now, by collapse id.
    activities: the Live Activity of each match, ended or not.
    repeats: pushes that brought what was already on the screen.
    rings: pushes that made a sound, repeats too: a replacement is presented like any other.
    late: pushes that expired before the phone could be reached.
    broadcasts: the newest of each channel, which APNs keeps for those who join late.
    """

    alerts: list[ScreenEntry] = field(default_factory=list)
    screen: dict[str, ScreenEntry] = field(default_factory=dict)
    activities: dict[str, LockScreenActivity] = field(default_factory=dict)
    repeats: int = 0
    rings: int = 0
    late: int = 0
    broadcasts: dict[str, AcceptedPush] = field(default_factory=dict, repr=False)

    def show(self, push: AcceptedPush, at: float) -> None:
        if activity := start_of(push, at):
            self._start(activity, push)
        elif state := live_update_of(push, at):
            self._update(state)
        elif push.sort == "liveactivity":
            for running in self.activities.values():
                if running.channel == push.target:
                    running.apply(push, at)
        elif content := _content(push):
            self._notify(push, at, *content)

    def _start(self, activity: LockScreenActivity, push: AcceptedPush) -> None:
        """The app keeps the newer of two activities of a match. A start's alert is shown once and not kept."""
        name = str(activity.attributes.get("match_id"))
        running = self.activities.get(name)
        newest = self.broadcasts.get(activity.channel)
        if newest and newest.expires_at > activity.at:
            activity.apply(newest, activity.at)
        self.rings += 1
        if running and not running.ended:
            self.repeats += 1
        else:
            alert = push.payload["aps"]["alert"]
            self.alerts.append(ScreenEntry(activity.at, alert.get("title", ""), alert.get("body", ""), push.collapse))
        self.activities[name] = activity

    def _update(self, update: LockScreenActivity) -> None:
        """A Live Update is begun by the first state of a match that is not over, and shows the newest."""
        name = str(update.attributes.get("match_id"))
        running = self.activities.get(name)
        if running is None and not update.ended:
            self.activities[name] = update
        elif running and not running.ended and update.state_at > running.state_at:
            self.activities[name] = replace(update, at=running.at, updates=running.updates + 1)

    def _notify(self, push: AcceptedPush, at: float, title: str, body: str, silent: bool) -> None:
        # A browser replaces by the tag; the topic is for what waits at the service.
        key = push.payload.get("tag") or push.collapse or f"{at}:{len(self.alerts)}"
        before = self.screen.get(key)
        shown = ScreenEntry(at, title, body, push.collapse, silent, before is not None, shape_of(push))
        self.rings += not silent
        if shown.same_as(before):
            self.repeats += 1
            return
        self.screen[key] = shown
        self.alerts.append(shown)


def history(journal: PushJournal, *tokens: str, limit: int | None = None) -> list[AcceptedPush]:
    """What reached one phone by its tokens, and by the channels its Live Activities listen to: all of it, or the last
    `limit` of each."""
    own = [push for token in tokens for push in journal.of(token, limit)]
    channels = sorted({channel for push in own if (channel := channel_of(push))})
    broadcasts = [push for channel in channels for push in journal.of(channel, limit)]
    return sorted([*own, *broadcasts], key=lambda push: push.at)


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
            _store(stored, push)
    return phone


def _deliver_stored(phone: Phone, stored: dict[str, AcceptedPush], at: float) -> None:
    for push in stored.values():
        if push.expires_at > at:
            phone.show(push, at)
        else:
            phone.late += 1
    stored.clear()


def _store(stored: dict[str, AcceptedPush], push: AcceptedPush) -> None:
    """FCM keeps four collapse keys of an app and device; which ones of more is not promised, here the newest."""
    slot = _slot(push)
    stored.pop(slot, None)
    stored[slot] = push
    of_fcm = [slot for slot, push in stored.items() if push.service == "fcm" and slot != str(id(push))]
    if len(of_fcm) > FCM_COLLAPSE_KEYS_MAX:
        del stored[of_fcm[0]]


def _slot(push: AcceptedPush) -> str:
    """Services keep only the newest push of a slot for an offline phone."""
    if push.service == "fcm":
        key = push.payload.get("android", {}).get("collapse_key")
        # A notification without a key collapses by the app's package name.
        return str(key) if key else "package" if "notification" in push.payload else str(id(push))
    if push.service == "webpush":
        return push.collapse or str(id(push))
    return push.target if push.sort == "liveactivity" else ""


def _content(push: AcceptedPush) -> tuple[str, str, bool] | None:
    """Title, body and whether it came without a sound; None for a push that shows nothing."""
    if push.service == "webpush":
        return push.payload.get("title", ""), push.payload.get("body", ""), bool(push.payload.get("silent"))
    if push.service == "fcm":
        return _fcm_content(push.payload)
    aps = push.payload.get("aps", {})
    alert = aps.get("alert")
    if not alert:
        return None
    return alert.get("title", ""), alert.get("body", ""), "sound" not in aps


def _fcm_content(payload: dict[str, Any]) -> tuple[str, str, bool] | None:
    """The system tray shows a notification message; the sample app builds its own from the data of any other."""
    notification, data = payload.get("notification"), payload.get("data", {})
    if notification:
        silent = "default_sound" not in payload.get("android", {}).get("notification", {})
        return notification.get("title", ""), notification.get("body", ""), silent
    return (data["title"], data.get("body", ""), data.get("silent") == "true") if "title" in data else None
