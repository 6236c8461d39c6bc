"""The phones somebody looks at: named ones laid on the table, and what stands on their lock screens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dev.emulators.activity import LockScreenActivity
from dev.emulators.journal import PushJournal
from dev.emulators.phone import history, phone_of

# Every open page of the demo reads it once a second.
PHONES = 6
# Entries of a lock screen, and the pushes read back to find them. Most replace an older one.
SHOWN, READ_BACK = 12, 100
# The same of Live Activities: a phone shows a few, running ones first.
ACTIVITIES, STARTS_BACK = 2, 12


@dataclass(frozen=True, slots=True)
class Label:
    """
    name: of the phone.
    platform: ios, android or web.
    locale: BCP 47, the language the phone is set to.
    about: what its owner follows and what it is there to show, in words.
    live_activity_token: a push-to-start token, "" for none.
    silence: why nothing comes, "" where something does.
    """

    name: str
    platform: str
    locale: str
    about: str
    live_activity_token: str = ""
    silence: str = ""


class Table:
    def __init__(self, journal: PushJournal, clock: Callable[[], float]) -> None:
        self.journal, self.clock = journal, clock
        self.labels: dict[str, Label] = {}

    def lay(self, token: str, label: Label) -> None:
        """Add a phone, or give one another label. The oldest is dropped where there are too many."""
        self.labels[token] = label
        while len(self.labels) > PHONES:
            del self.labels[next(iter(self.labels))]

    def seen(self) -> dict[str, Any]:
        """now and every `at`: s since the epoch. Without device tokens: whoever has one can write to the phone."""
        return {"now": self.clock(), "phones": [self._seen(token, label) for token, label in self.labels.items()]}

    def _seen(self, token: str, label: Label) -> dict[str, Any]:
        start, now = label.live_activity_token, self.clock()
        phone = phone_of(history(self.journal, token, limit=READ_BACK), now)
        started = phone_of(history(self.journal, start, limit=STARTS_BACK), now) if start else phone
        newest = sorted(phone.screen.items(), key=lambda item: item[1].at, reverse=True)[:SHOWN]
        return {
            "name": label.name,
            "platform": label.platform,
            "locale": label.locale,
            "about": label.about,
            "silence": label.silence,
            "pushes": self.journal.count(token) + (self.journal.count(start) if start else 0),
            "activities": _visible(started.activities, now),
            "screen": [
                {
                    "id": key,
                    "at": shown.at,
                    "title": shown.title,
                    "body": shown.body,
                    "silent": shown.silent,
                    "replaced": shown.replaced,
                    "shape": shown.shape,
                }
                for key, shown in newest
            ],
        }


def _visible(activities: dict[str, LockScreenActivity], now: float) -> list[dict[str, Any]]:
    visible = [(name, activity) for name, activity in activities.items() if activity.visible(now)]
    visible.sort(key=lambda named: (named[1].ended, -named[1].at))
    return [
        {
            "id": name,
            "at": activity.at,
            "ended": activity.ended,
            "attributes": activity.attributes,
            "state": activity.state,
        }
        for name, activity in visible[:ACTIVITIES]
    ]
