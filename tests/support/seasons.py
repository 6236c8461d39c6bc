"""Seasons of openfootball as finished matches, and tables counted another way: pair by pair, as one would by hand."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import pytest

from db.domain import Competition, Match, Score, Status, Team
from dev.recordings import openfootball
from feeds.generic.match_entry import slug
from tests.support.paths import DATA

needed = pytest.mark.skipif(not DATA.exists(), reason="no recorded data beside the repository: shared/data")


@cache
def season(name: str) -> tuple[Match, ...]:
    """The matches of a file as providers tell them: a group is the stage. Versions are 1, 2, 3, and so on."""
    document = json.loads((DATA / "openfootball" / f"{name}.json").read_text())
    matches = document.get("matches") or [
        match | {"round": part["name"]} for part in document["rounds"] for match in part["matches"]
    ]
    competition = Competition(slug(openfootball._without_season(document["name"])), document["name"])
    return tuple(_match(document["name"], competition, number, match) for number, match in enumerate(matches, 1))


def _match(name: str, competition: Competition, version: int, match: dict[str, Any]) -> Match:
    final, kicks = openfootball._final(match), (match.get("score") or {}).get("p")
    home, away = openfootball._team(match, 1), openfootball._team(match, 2)
    return Match(
        openfootball.match_id(name, match),
        version,
        home=Team(slug(home), home),
        away=Team(slug(away), away),
        competition=competition,
        stage=match.get("group"),
        round=match["round"],
        start_time=openfootball._start_ms(match),
        status=Status(match.get("status") or ("finished" if final else "scheduled")),
        score=Score(*final) if final else None,
        shootout=Score(*kicks) if kicks else None,
    )


def counted(matches: Iterable[Match], team_ids: Iterable[str]) -> dict[str, tuple[int, int, int]]:
    """Points, goal difference and goals of these teams in the matches between them."""
    wanted, figures = set(team_ids), dict.fromkeys(team_ids, (0, 0, 0))
    for match in matches:
        if not match.home or not match.away or not match.score or not _is_over(match):
            continue
        both = (match.home.id, match.score.home, match.score.away), (match.away.id, match.score.away, match.score.home)
        if {match.home.id, match.away.id} <= wanted:
            for team_id, scored, conceded in both:
                points, difference, goals = figures[team_id]
                won = 3 if scored > conceded else 1 if scored == conceded else 0
                figures[team_id] = points + won, difference + scored - conceded, goals + scored
    return figures


def met(matches: Iterable[Match], team_ids: Sequence[str], times: int) -> bool:
    """Whether each two of these teams have played so often."""
    played = [
        {match.home.id, match.away.id}
        for match in matches
        if match.home and match.away and match.score and _is_over(match)
    ]
    return all(played.count({one, other}) >= times for one in team_ids for other in team_ids if one < other)


def _is_over(match: Match) -> bool:
    return match.status in (Status.FINISHED, Status.AWARDED)
