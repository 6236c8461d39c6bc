"""The phones somebody looks at: named ones laid on the table, and what stands on their lock screens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from notify.emulators.ledger import Ledger
from notify.emulators.phone import history, phone_of

# The table is a demo's, not a warehouse: it is read once a second by every open page.
PHONES = 4
# What a lock screen is looked through for, and the pushes read back to find it. Most replace an older one.
SHOWN, READ_BACK = 12, 100


@dataclass(frozen=True, slots=True)
class Label:
    """name and about: for people. platform: ios or android. locale: BCP 47, the language the phone is set to."""

    name: str
    platform: str
    locale: str
    about: str


class Table:
    def __init__(self, ledger: Ledger, clock: Callable[[], float]) -> None:
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
        phone = phone_of(history(self.ledger, token, most=READ_BACK), self.clock())
        newest = sorted(phone.screen.items(), key=lambda item: item[1].at, reverse=True)[:SHOWN]
        return {
            "name": label.name,
            "platform": label.platform,
            "locale": label.locale,
            "about": label.about,
            "pushes": self.ledger.count(token),
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
