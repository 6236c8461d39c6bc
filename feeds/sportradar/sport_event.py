"""Sportradar's `sport_event`: its id in all spellings, and what is known of a match besides its play."""

from __future__ import annotations

import re
from typing import Any

from db.domain import Competition, MatchInfo, Team, spelled
from feeds.fields import Json, ident, keyed, label, ms, text, thing, things, whole

# Other sports have documents of the same shape. Sport ids are the same in all Sportradar products.
SPORTS = {
    "sr:sport:1": "football",
    "sr:sport:2": "basketball",
    "sr:sport:3": "baseball",
    "sr:sport:4": "ice_hockey",
    "sr:sport:16": "american_football",
}


def normal_id(value: Any) -> str | None:
    """`sr:sport_event:1`, also for `sr:sport_event_id:1` and `sr:match:1`, which other products call the same match."""
    plain = spelled(value) if isinstance(value, str) else ""
    return plain if re.fullmatch(r"sr:sport_event:\d{1,20}", plain, re.ASCII) else None


def id_of_match(value: Any) -> str | None:
    """The same, and for a bare number in a field that can name nothing but a match."""
    number = ident(value)
    bare = number is not None and re.fullmatch(r"\d{1,20}", number, re.ASCII)
    return f"sr:sport_event:{number}" if bare else normal_id(value)


def info_of(sport_event: Json) -> MatchInfo:
    context = thing(sport_event.get("sport_event_context"))
    stage, rounds = thing(context.get("stage")), thing(context.get("round"))
    sides = keyed(sport_event.get("competitors"), "qualifier")
    competition = _named(context.get("competition") or sport_event.get("competition"))
    return MatchInfo(
        home=Team(*home) if (home := _named(sides.get("home"))) else None,
        away=Team(*away) if (away := _named(sides.get("away"))) else None,
        competition=Competition(*competition) if competition else None,
        venue=text(thing(sport_event.get("venue")).get("name")),
        start_time=ms(sport_event.get("start_time")),
        sport=_sport(context.get("sport")),
        coverage=text(thing(thing(sport_event.get("coverage")).get("sport_event_properties")).get("scores"), 64),
        replaced_by=id_of_match(sport_event.get("replaced_by")),
        stage=_group(context) or text(stage.get("phase")) or text(stage.get("type")),
        round=label(rounds.get("name")) or label(rounds.get("number")),
        leg=_leg(rounds),
    )


def _group(context: Json) -> str | None:
    """`Group A`, which says more than that it is the group stage. A league is a group without such a name."""
    name = next((name for group in things(context.get("groups")) if (name := text(group.get("group_name"), 8))), None)
    return f"Group {name}" if name else None


def _leg(rounds: Json) -> int | None:
    """Which match of a pairing it is; older documents have other names for it."""
    of, leg = (
        next((number for name in names if (number := whole(rounds.get(name), 9))), None)
        for names in (
            ("cup_round_number_of_sport_events", "cup_round_matches"),
            ("cup_round_sport_event_number", "cup_round_match_number"),
        )
    )
    return leg if of is not None and of > 1 else None


def _sport(value: Any) -> str | None:
    """None where it is missing: these are soccer documents, so the default (football) applies."""
    sport_id = text(thing(value).get("id"), 64)
    return SPORTS.get(sport_id, "other") if sport_id else None


def _named(value: Any) -> tuple[str, str] | None:
    fields = thing(value)
    name, id_ = text(fields.get("name")), ident(fields.get("id"))
    return (id_, name) if id_ and name else None
