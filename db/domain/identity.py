"""Which tellings are of one goal, where the sender gives no ids.

A goal is known by its side and the number it makes for that side; one without a score, by what is said of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from db.domain.event import Event, Telling, event_of, tellings_of
from db.domain.ledger import Ledger
from db.domain.score import Score
from db.domain.vocabulary import KICKS, SCORING, Side

# Two goals that make the same number of their side are one if they lie this close: else the first was cancelled.
SAME_MINUTES = 5
# The same where no minute is told.
SAME_MS = 300_000


@dataclass(slots=True)
class _Goal:
    id: str
    tellings: list[Telling]

    @property
    def event(self) -> Event:
        return event_of(self.id, tuple(self.tellings))


def joined(ledger: Ledger) -> tuple[Mapping[str, Event], frozenset[str]]:
    """The events of the ledger with the tellings of each unnamed goal under the id of its first one, and the ids that
    are so no events of their own."""
    unnamed = [event for event in ledger.events.values() if event.is_anonymous and event.type in SCORING | KICKS]
    if len(unnamed) < 2:
        return ledger.events, frozenset()
    unnamed.sort(key=lambda event: (ledger.order(_first(event).marks[0]), _first(event).fields, event.id))
    goals: list[_Goal] = []
    gone: set[str] = set()
    for event in unnamed:
        same = next((goal for goal in reversed(goals) if _is_same(goal, event)), None)
        if same is None:
            goals.append(_Goal(event.id, list(tellings_of(event))))
        else:
            same.tellings += tellings_of(event)
            gone.add(event.id)
    if not gone:
        return ledger.events, frozenset()
    events = {key: event for key, event in ledger.events.items() if key not in gone}
    return {**events, **{goal.id: goal.event for goal in goals}}, frozenset(gone)


def _first(event: Event) -> Telling:
    standing = [telling for telling in tellings_of(event) if not telling.void]
    return (standing or list(tellings_of(event)))[0]


def _is_same(goal: _Goal, event: Event) -> bool:
    before = goal.event
    if before.team is not None and event.team is not None and before.team is not event.team:
        return False
    if not _is_near(goal, before, event):
        return False
    if (before.type in KICKS or event.type in KICKS) and before.type != event.type:
        return False
    side = before.team or event.team
    numbers = _number(before, side), _number(event, side)
    if None not in numbers:
        return numbers[0] == numbers[1]
    if before.player is not None and (before.player, before.assist) == (event.player, event.assist):
        return before.minute is None or event.minute is None or before.minute == event.minute
    return _adds_to(before, event)


def _is_near(goal: _Goal, before: Event, event: Event) -> bool:
    if before.minute is not None and event.minute is not None:
        return abs(before.minute - event.minute) <= SAME_MINUTES
    return abs(_first(event).stamp.at - goal.tellings[-1].stamp.at) <= SAME_MS


def _number(event: Event, side: Side | None) -> tuple[int, ...] | None:
    """What it makes the score, or the shoot-out: of its side, where that is told; else of both."""
    if event.type == "shootout_missed":
        # It makes none: the total beside it is of the kicks before.
        score = None
    elif event.type in KICKS:
        score = next((telling.shootout for telling in tellings_of(event) if telling.shootout is not None), None)
    elif event.home_score is None or event.away_score is None:
        score = None
    else:
        score = Score(event.home_score, event.away_score)
    if score is None:
        return None
    return (score.home, score.away) if side is None else (score.of(side),)


_SAID = ("type", "team", "minute", "added_minute", "period", "player", "assist", "detail", "home_score", "away_score")


def _adds_to(before: Event, event: Event) -> bool:
    """Whether it says all that was said, and more."""
    pairs = [(getattr(before, name), getattr(event, name)) for name in _SAID]
    if any(old is not None and old != new for old, new in pairs):
        return False
    return any(old is None and new is not None for old, new in pairs)


def hidden(event: Event) -> Event:
    """An event that turned out to be another's telling: kept, and not shown."""
    return replace(event, type="", tellings=tellings_of(event))
