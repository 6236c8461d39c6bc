"""What stands beside the score: who made it, and who was sent off, as a scoreboard lists them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from operator import itemgetter

from db.domain.event import Event
from db.domain.evidence import beside_of
from db.domain.vocabulary import RED_CARDS, SCORING, Side

# Of each match and list, the newest. Of 1,608 recorded matches the one with the most goals had ten; and a side that has
# lost five players to red cards cannot go on (Law 3 wants seven). An entry is 0.1 KB, and a Live Activity has 4 KB.
ENTRIES_MAX = 12
# Longer names only crowd out the rest, on a lock screen and in a row of a board.
NAME_CHARS = 40


@dataclass(frozen=True, slots=True)
class ScorelineEntry:
    """A goal that counts, or a red card that stands.

    team: the side that the goal counts for, or whose player was sent off; None where nobody told it.
    player: the name, NAME_CHARS at most.
    """

    event_type: str
    team: Side | None = None
    player: str | None = None
    minute: int | None = None
    added_minute: int | None = None

    @property
    def body(self) -> dict[str, object]:
        """As readers of a score and Live Activities get it."""
        return {
            "team": self.team,
            "player": self.player,
            "minute": self.minute,
            "added_minute": self.added_minute,
            "event_type": self.event_type,
        }


Placed = tuple[tuple[int, int, int, int, str], ScorelineEntry]
_place_of = itemgetter(0)


def scorers_of(events: Iterable[Event]) -> tuple[ScorelineEntry, ...]:
    """Goals that count, in match order."""
    return _entries(_placed(event) for event in events if event.type in SCORING and not event.voided)


def cards_of(events: Iterable[Event]) -> tuple[ScorelineEntry, ...]:
    """Red cards that stand, in match order. Some send a second yellow card and the red one that follows from it: nobody
    is sent off twice."""
    cards = sorted((_placed(event) for event in events if event.type in RED_CARDS and not event.voided), key=_place_of)
    first = {(card.team, card.player or place): (place, card) for place, card in reversed(cards)}
    return _entries(first.values())


def _entries(placed: Iterable[Placed]) -> tuple[ScorelineEntry, ...]:
    return tuple(entry for _, entry in sorted(placed, key=_place_of)[-ENTRIES_MAX:])


def _placed(event: Event) -> Placed:
    """With its place on the timeline. Worked out once: a match asks for its goals at every message."""
    memo = beside_of(event).memo
    placed: Placed | None = memo.get(("scoreline",))
    if placed is None:
        player = clip(event.player.name, NAME_CHARS) if event.player else None
        entry = ScorelineEntry(event.type, event.team, player, event.minute, event.added_minute)
        placed = memo[("scoreline",)] = (event.order, entry)
    return placed


def clip(text: str, length: int) -> str:
    return text if len(text) <= length else text[: max(0, length - 1)].rstrip() + "…"
