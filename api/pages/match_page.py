"""What the page of one match says. The twin of api/static/match.js."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markupsafe import Markup

from api.pages import clock, scoreline, timeline
from api.pages.badge import badge
from api.pages.bidi import isolate
from api.pages.clock import Body
from api.pages.head import between
from api.pages.lists import competition_path, team_path

_TIME = Markup('<time class="utc" datetime="{at}">{written}</time>')
_TEXT = Markup("<bdi>{text}</bdi>")


@dataclass(frozen=True, slots=True)
class SidePart:
    """One team. path: of its page, "" where nobody has named it."""

    badge: Markup
    path: str
    red_cards: Markup
    scorers: list[str]
    kicks: list[timeline.Kick]
    is_lost: bool


def context(match: Body, metadata: Body, events: Sequence[Body], now_ms: int) -> dict[str, Any]:
    """For the template."""
    names = {side: clock.name_of(match[f"{side}_team"]) for side in ("home", "away")}
    competition = match["competition"]
    return {
        "match": match,
        "names": names,
        "heading": between(match, "–"),
        "home": _side(match, "home", events),
        "away": _side(match, "away", events),
        "score": clock.figures(match),
        "kicks": clock.kicks(match),
        "clock": clock.status_text(match, now_ms),
        "competition_path": competition_path(competition["id"]) if competition else "",
        "entries": timeline.entries(events),
        "facts": list(_facts(match, metadata).items()),
        "isolate": isolate,
    }


def round_of(metadata: Body) -> str:
    """`Group Stage, 2`; of a second leg `semifinal, leg 2`."""
    told = [part.replace("_", " ") for part in (metadata["stage"], metadata["round"]) if part]
    return ", ".join(told + ([f"leg {metadata['leg']}"] if metadata["leg"] else []))


def _side(match: Body, side: str, events: Sequence[Body]) -> SidePart:
    team, won = match[f"{side}_team"], clock.winner(match)
    return SidePart(
        badge(team["name"] or ""),
        team_path(team["id"]) if team["id"] else "",
        scoreline.red_cards(scoreline.sent_off(match["cards"], side)),
        timeline.scorers(events, side),
        timeline.kicks_of(events, side),
        is_lost=won is not None and won != side,
    )


def _facts(match: Body, metadata: Body) -> dict[str, Markup]:
    facts = {
        "Kick-off": _kick_off(match),
        "Competition": _text(match["competition"]["name"] if match["competition"] else ""),
        "Round": _text(round_of(metadata)),
        "Venue": _text(metadata["venue"] or ""),
    }
    return {term: value for term, value in facts.items() if value}


def _text(text: str) -> Markup:
    return _TEXT.format(text=text) if text else Markup("")


def _kick_off(match: Body) -> Markup:
    start = match["start_time"]
    if not start:
        return _text("Time to be decided")
    at = datetime.fromisoformat(start)
    return _TIME.format(at=start, written=f"{at:%a} {at.day} {at:%b %Y, %H:%M} UTC")
