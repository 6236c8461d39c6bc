"""What stands beside a score: who made it, and how many were sent off. The twin of api/static/scoreline.js."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from api.pages.bidi import isolate
from api.pages.clock import Body, minute_text

# How a goal was scored, where that is said beside the minute.
_HOW = {"own_goal": " (og)", "penalty_goal": " (pen)"}

_SCORERS = Markup('<span class="scorers %s">%s</span>')
_LINE = Markup("<bdi>%s</bdi>")
_BETWEEN = Markup(" · ")
_RED_CARDS = Markup(
    '<span class="red-cards"><span aria-hidden="true">%s</span><span class="hidden">Red cards: %s</span></span>'
)


def scorer_lines(goals: Sequence[Body] | None, side: str) -> list[str]:
    """A line a player: Kylian Mbappé 80' (pen), 81'. Goals of nobody in particular are left out."""
    lines: dict[str, list[str]] = {}
    for goal in goals or ():
        if goal["team"] == side and goal["player"]:
            minute = minute_text(goal["minute"], goal["added_minute"]) + _HOW.get(goal["event_type"], "")
            lines.setdefault(goal["player"], []).append(minute)
    return [f"{isolate(player)} {', '.join(minutes)}" for player, minutes in lines.items()]


def sent_off(cards: Sequence[Body] | None, side: str) -> int:
    """How many of a side were sent off."""
    return sum(card["team"] == side for card in cards or ())


def scorers(lines: Sequence[str], side: str) -> Markup:
    """The lines in one row."""
    return _SCORERS % (side, _BETWEEN.join(_LINE % line for line in lines)) if lines else Markup("")


def red_cards(count: int) -> Markup:
    """A red card beside a team's name, with their number where there are more."""
    return _RED_CARDS % (count if count > 1 else "", count) if count else Markup("")
