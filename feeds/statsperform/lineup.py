"""MA1's `lineUp`: squads with formation and places; with MA2, also the figures of each side."""

from __future__ import annotations

from typing import Any

from db.domain import FIGURES_MAX, LineupPlayer, Lineups, Person, Side, Stats, TeamLineup, formation_of, ordered
from feeds.fields import Json, figure, ident, text, thing, things, whole

POSITIONS = {
    "Goalkeeper": "goalkeeper",
    "Defender": "defender",
    "Wing Back": "defender",
    "Defensive Midfielder": "midfielder",
    "Midfielder": "midfielder",
    "Attacking Midfielder": "midfielder",
    "Attacker": "forward",
    "Striker": "forward",
}
# MA2's names of what we have a name for.
FIGURES = {
    "possessionPercentage": "possession",
    "totalScoringAtt": "shots",
    "ontargetScoringAtt": "shots_on_target",
    "shotOffTarget": "shots_off_target",
    "blockedScoringAtt": "shots_blocked",
    "wonCorners": "corners",
    "fkFoulLost": "fouls",
    "totalOffside": "offsides",
    "totalYellowCard": "yellow_cards",
    "totalRedCard": "red_cards",
    "saves": "saves",
    "totalPass": "passes",
    "totalThrows": "throw_ins",
    "goalKicks": "goal_kicks",
}


def lineups(live: Json, sides: dict[str, Side]) -> Lineups | None:
    """None where the document has none. Stats Perform sends them once the teams have: MA46 has provisional ones."""
    squads = {side: _team(entry) for entry in things(live.get("lineUp")) if (side := _side(entry, sides))}
    named = {side: squad for side, squad in squads.items() if squad.players}
    return Lineups(named.get(Side.HOME), named.get(Side.AWAY), confirmed=True) if named else None


def stats(live: Json, sides: dict[str, Side]) -> Stats | None:
    figures = {side: _figures(entry) for entry in things(live.get("lineUp")) if (side := _side(entry, sides))}
    home, away = figures.get(Side.HOME, {}), figures.get(Side.AWAY, {})
    return Stats(home, away) if home or away else None


def _side(entry: Json, sides: dict[str, Side]) -> Side | None:
    return sides.get(ident(entry.get("contestantId")) or "")


def _team(entry: Json) -> TeamLineup:
    officials = entry.get("teamOfficial")
    coach = next((one for one in things(officials) or [thing(officials)] if one.get("type") == "manager"), {})
    players = [player for one in things(entry.get("player")) if (player := _player(one))]
    return TeamLineup(formation_of(text(entry.get("formationUsed"), 16)), _person(coach), ordered(players))


def _player(entry: Json) -> LineupPlayer | None:
    name, position = _name(entry), text(entry.get("position"), 64)
    if name is None:
        return None
    is_starter = position is not None and position != "Substitute"
    position = position if is_starter else text(entry.get("subPosition"), 64)
    return LineupPlayer(
        name,
        ident(entry.get("playerId")),
        whole(entry.get("shirtNumber"), 999),
        POSITIONS.get(position, position.lower()) if position else None,
        whole(entry.get("formationPlace"), 11) or None,
        is_starter,
        entry.get("captain") in ("yes", True),
    )


def _name(entry: Json) -> str | None:
    whole_name = " ".join(part for key in ("firstName", "lastName") if (part := text(entry.get(key))))
    return text(entry.get("matchName")) or text(whole_name)


def _person(official: Json) -> Person | None:
    name = _name(official)
    return Person(name, ident(official.get("id"))) if name else None


def _figures(entry: Json) -> dict[str, float]:
    """Totals of a match. MA2 has some 150 kinds; those without a name of ours are left out."""
    values: dict[str, Any] = {str(one.get("type")): one.get("value") for one in things(entry.get("stat"))}
    figures = {ours: number for theirs, ours in FIGURES.items() if (number := figure(values.get(theirs))) is not None}
    return dict(list(figures.items())[:FIGURES_MAX])
