"""Sportradar soccer: squads of the line-ups document, and the figures of `statistics` in summaries and timelines."""

from __future__ import annotations

from db.domain import (
    FIGURE_NAME,
    FIGURES_MAX,
    LineupPlayer,
    Lineups,
    Person,
    Side,
    Stats,
    TeamLineup,
    formation_of,
    ordered,
)
from feeds.fields import Json, figure, ident, keyed, text, thing, things, whole

# Names of ours; all others are kept as they are.
FIGURES = {
    "ball_possession": "possession",
    "shots_total": "shots",
    "corner_kicks": "corners",
    "shots_saved": "saves",
    "passes_total": "passes",
}


def lineups(document: Json) -> Lineups | None:
    """None where the document has no squads."""
    competitors = keyed(thing(document.get("lineups")).get("competitors"), "qualifier")
    squads = {side: _team(entry) for side, entry in competitors.items()}
    complete = {side: squad for side, squad in squads.items() if side in set(Side) and squad.players}
    conditions = thing(thing(document.get("sport_event")).get("sport_event_conditions"))
    confirmed = thing(conditions.get("lineups")).get("confirmed") is True
    return Lineups(complete.get("home"), complete.get("away"), confirmed) if complete else None


def stats(document: Json) -> Stats | None:
    competitors = keyed(thing(thing(document.get("statistics")).get("totals")).get("competitors"), "qualifier")
    figures = {side: _figures(thing(entry.get("statistics"))) for side, entry in competitors.items()}
    home, away = figures.get("home", {}), figures.get("away", {})
    return Stats(home, away) if home or away else None


def _team(entry: Json) -> TeamLineup:
    players = [player for one in things(entry.get("players")) if (player := _player(one))]
    manager = thing(entry.get("manager"))
    name = text(manager.get("name"))
    coach = Person(name, ident(manager.get("id"))) if name else None
    return TeamLineup(formation_of(text(thing(entry.get("formation")).get("type"), 16)), coach, ordered(players))


def _player(entry: Json) -> LineupPlayer | None:
    name = text(entry.get("name"))
    if name is None:
        return None
    return LineupPlayer(
        name,
        ident(entry.get("id")),
        whole(entry.get("jersey_number"), 999),
        text(entry.get("type"), 64),
        whole(entry.get("order"), 11) or None,
        entry.get("starter") is True,
    )


def _figures(statistics: Json) -> dict[str, float]:
    named = {FIGURES.get(name, name): figure(value) for name, value in statistics.items() if isinstance(name, str)}
    figures = {name: value for name, value in named.items() if value is not None and FIGURE_NAME.fullmatch(name)}
    return dict(list(figures.items())[:FIGURES_MAX])
