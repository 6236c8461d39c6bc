"""The expected end of a hand-written story, in its own order and in all others."""

from __future__ import annotations

from typing import Any

import pytest

from db.domain import Match
from tests.support.stories.orders import Story, other_orders
from tests.support.stories.play import Message, difference, event, line, play, shown, standing

SEED = 1
# Of stories too long for all their orders.
RANDOM_ORDERS = 24
# A score where nothing counts: nobody has told one, or it is 0-0.
NIL = (None, "0-0")


def goal(name: str | None, at: float, team: str | None, score: str | None = None, **fields: Any) -> Message:
    return event("goal", at, score, event_id=name, team=team, **fields)


def board(at: float, score: str | None = None, **fields: Any) -> Message:
    """A bare scoreboard."""
    return event("score", at, score, **fields)


def cancelled(at: float, score: str | None = None, **fields: Any) -> Message:
    return event("goal_cancelled", at, score, **({"event_id": f"cancelled-{at:g}"} | fields))


def assert_ends(*story: Message, **expected: Any) -> None:
    """expected: what is right of `end_of`; of a tuple, any.

    stands, void: ids of goals that count and of events taken back, in match order; goals: how many count; types: of
    the whole timeline.
    """
    whole: Story = list(story)
    own = play(whole)
    _compare(own, expected, whole)
    for order in other_orders(whole, SEED, RANDOM_ORDERS):
        end = play(order)
        _compare(end, expected, order)
        if shown(end) != shown(own):
            pytest.fail(
                f"in this order:\n{_told(order)}\nit ends otherwise:\n{difference(shown(own), shown(end))}", False
            )


def end_of(match: Match) -> dict[str, object]:
    stands = standing(match)
    void = [event.id for event in match.timeline if event.voided]
    return {
        "score": line(match.score),
        "shootout": line(match.shootout),
        "status": match.status.value,
        "decided": match.decided_by,
        "minute": match.minute,
        "added": match.added_minute,
        "stands": [event.id for event in stands],
        "goals": len(stands),
        "types": [event.type for event in match.timeline],
        "void": void,
    }


def _compare(match: Match, expected: dict[str, Any], order: Story) -> None:
    end = end_of(match)
    for name, right in expected.items():
        if end[name] not in (right if isinstance(right, tuple) else (right,)):
            fault = f"{name} is {end[name]}, not {right}"
            pytest.fail(f"{fault}, after\n{_told(order)}\n{_timeline(match)}", pytrace=False)


def _told(order: Story) -> str:
    return "\n".join(map(str, order))


def _timeline(match: Match) -> str:
    rows = "\n".join(f"  {row}" for row in shown(match).timeline)
    return f"with {line(match.score)} and the timeline\n{rows}"
