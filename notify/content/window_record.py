"""What is kept of a match between two messages, and its stored form. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated

from pydantic import Field, TypeAdapter

from db.domain import NEW_KINDS, Kind, Match
from notify.content.announcements import Ledger
from notify.content.news import News

# News of one class waits for its own class only: a red card does not wait because a goal was just announced,
# and a rebound goal does not wait for the penalty that was missed before it.
_CLASSES = {
    Kind.GOAL: "goals",
    Kind.PENALTY_MISSED: "misses",
    Kind.RED_CARD: "cards",
    Kind.PENALTY: "penalties",
    Kind.VAR_CHECK: "checks",
    Kind.SHOOTOUT_KICK: "kicks",
    Kind.SCORER: "scorers",
}


@dataclass(frozen=True, slots=True)
class Window:
    """What is kept between two messages about a match. Aliases are the names in the stored JSON.

    match: as last received, with the events of waiting news.
    ledger: what was announced.
    until: by class, when its window ends (ms).
    waiting: news for the end of its window.
    """

    match: Match | None = None
    ledger: Annotated[Ledger, Field(alias="told")] = ()
    until: Mapping[str, int] = field(default_factory=dict)
    waiting: tuple[News, ...] = ()

    @property
    def due(self) -> int | None:
        """When the next waiting news or cancellation is to be announced (ms)."""
        ends = [self.until[class_of(news)] for news in self.waiting if not self.is_fallen(news)]
        ends += [line.fall.due for line in self.ledger if line.fall]
        return min(ends, default=None)

    def is_fallen(self, news: News) -> bool:
        """Whether it is a goal that does not count at the moment, and may again."""
        return any(line.fall and (line.kind, line.key) == (news.kind, news.key) for line in self.ledger)

    @property
    def alerts(self) -> list[str]:
        """Ids of the alerts in the ledger."""
        return list(dict.fromkeys(line.alert for line in self.ledger if line.alert))


_windows = TypeAdapter(Window)


def class_of(news: News) -> str:
    return _CLASSES.get(news.kind, "match")


def encode(window: Window) -> bytes:
    """News of kinds that the release before does not know is kept apart, where it does not look. It drops that part
    when it writes the window, so such news may be sent a second time if the feed repeats it then."""
    known = replace(
        window,
        ledger=tuple(line for line in window.ledger if line.kind not in NEW_KINDS),
        waiting=tuple(news for news in window.waiting if news.kind not in NEW_KINDS),
    )
    more = Window(
        ledger=tuple(line for line in window.ledger if line.kind in NEW_KINDS),
        waiting=tuple(news for news in window.waiting if news.kind in NEW_KINDS),
    )
    document = _windows.dump_python(known, mode="json", exclude_defaults=True, by_alias=True)
    if more != Window():
        document["more"] = _windows.dump_python(more, mode="json", exclude_defaults=True, by_alias=True)
    return json.dumps(document, separators=(",", ":")).encode()


def decode(text: bytes | None) -> Window:
    if not text:
        return Window()
    document = json.loads(text)
    window, more = _windows.validate_python(document), _windows.validate_python(document.get("more", {}))
    return replace(window, ledger=(*window.ledger, *more.ledger), waiting=(*window.waiting, *more.waiting))
