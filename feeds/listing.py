"""The events that a full document lists. An event of a listed type that is missing may have been cancelled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace

from db.domain import KICKS, RED_CARDS, SCORING, Score, Side, Update

# Type and side of each event by id.
Events = Mapping[str, tuple[str | None, Side | None]]


def with_listing(state: Update, events: Events, *, lists_cards: bool) -> Update:
    """The state of a document, with the ids of its goals, kicks and red cards.

    A document whose goals do not add up to its score lags or is incomplete: it lists nothing. Kicks are listed only
    where they add up to its shoot-out.
    """
    if state.score is None or not _make(events, SCORING, state.score):
        return state
    types = SCORING | RED_CARDS if lists_cards else SCORING
    if state.shootout is not None and _make(events, {"shootout_goal"}, state.shootout):
        types |= KICKS
    ids = frozenset(event_id for event_id, (type_, _) in events.items() if type_ in types)
    return replace(state, present=ids, lists=types)


def _make(events: Events, types: Collection[str], score: Score) -> bool:
    """Whether events of these types add up to the score. If any has no side, only the total is compared."""
    sides = Counter(side for type_, side in events.values() if type_ in types)
    if sides.total() != score.home + score.away:
        return False
    return None in sides or sides[Side.HOME] == score.home
