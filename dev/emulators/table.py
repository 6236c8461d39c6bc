"""The phones somebody looks at: named ones laid on the table, and what stands on their lock screens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dev.emulators.activity import LockScreenActivity
from dev.emulators.journal import PushJournal
from dev.emulators.phone import history, phone_of

# The table is a demo's, not a warehouse: it is read once a second by every open page.
PHONES = 4
# What a lock screen is looked through for, and the pushes read back to find it. Most replace an older one.
SHOWN, READ_BACK = 12, 100
# The same of Live Activities: a phone shows a few, those that are running first.
ACTIVITIES, STARTS_BACK = 2, 12


@dataclass(frozen=True, slots=True)
class Label:
    """name and about: for people. platform: ios or android. locale: BCP 47, the language the phone is set to.
    live_activity_token: a push-to-start token, "" for none."""

    name: str
    platform: str
    locale: str
    about: str
    live_activity_token: str = ""


class Table:
    def __init__(self, ledger: PushJournal, clock: Callable[[], float]) -> None:
        self.ledger, self.clock = ledger, clock
        self.labels: dict[str, Label] = {}

    def lay(self, token: str, label: Label) -> None:
        """A phone more, the oldest making room; or another label for one that lies there."""
        self.labels[token] = label
        while len(self.labels) > PHONES:
            del self.labels[next(iter(self.labels))]

    def seen(self) -> dict[str, Any]:
        """now: s since the epoch, as every `at`. Without the device tokens: who knows one may write to it."""
        return {"now": self.clock(), "phones": [self._seen(token, label) for token, label in self.labels.items()]}

    def _seen(self, token: str, label: Label) -> dict[str, Any]:
        start, now = label.live_activity_token, self.clock()
        phone = phone_of(history(self.ledger, token, most=READ_BACK), now)
        activities = phone_of(history(self.ledger, start, most=STARTS_BACK), now).activities if start else {}
        newest = sorted(phone.screen.items(), key=lambda item: item[1].at, reverse=True)[:SHOWN]
        return {
            "name": label.name,
            "platform": label.platform,
            "locale": label.locale,
            "about": label.about,
            "pushes": self.ledger.count(token) + (self.ledger.count(start) if start else 0),
            "activities": _standing(activities, now),
            "screen": [
                {
                    "id": key,
                    "at": shown.at,
                    "title": shown.title,
                    "body": shown.body,
                    "silent": shown.silent,
                    "replaced": shown.replaced,
                }
                for key, shown in newest
            ],
        }


def _standing(activities: dict[str, LockScreenActivity], now: float) -> list[dict[str, Any]]:
    standing = [(name, one) for name, one in activities.items() if one.stands(now)]
    standing.sort(key=lambda named: (named[1].ended, -named[1].at))
    return [
        {"id": name, "at": one.at, "ended": one.ended, "attributes": one.attributes, "state": one.state}
        for name, one in standing[:ACTIVITIES]
    ]
