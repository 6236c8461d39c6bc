"""Tables and scorers of competitions, and teams: computed from all their matches."""

from __future__ import annotations

from flask import Blueprint, Response

from api import competitions, teams
from api.services import here, now_ms
from api.web import competition_schemas, responses
from api.web.ids import checked_competition, checked_team
from api.web.openapi import documented
from api.web.query import parsed_query

blueprint = Blueprint("competitions", __name__)


@blueprint.get("/api/competitions/<competition_id>/table")
@documented(
    "Table and knock-out rounds",
    competition_schemas.CompetitionTable,
    query=competition_schemas.SeasonQuery,
    tag="competitions",
    errors=(400, 404, 503),
)
def table(competition_id: str) -> Response:
    """A match in play counts with its score of now, and the table is `provisional`: a goal moves it."""
    return responses.rendered(competitions.table(here(), _season(competition_id)).answer)


@blueprint.get("/api/competitions/<competition_id>/scorers")
@documented(
    "Top scorers",
    competition_schemas.TopScorers,
    query=competition_schemas.SeasonQuery,
    tag="competitions",
    errors=(400, 404, 503),
)
def scorers(competition_id: str) -> Response:
    """The fifty with most goals."""
    return responses.rendered(competitions.top_scorers(here(), _season(competition_id)).answer)


def _season(competition_id: str) -> competitions.CompetitionSeason:
    name = parsed_query(competition_schemas.SeasonQuery).season
    return competitions.chosen_season(here(), checked_competition(competition_id), name, now_ms())


@blueprint.get("/api/teams/<team_id>")
@documented("A team's form, results and fixtures", competition_schemas.TeamPage, tag="teams")
def team(team_id: str) -> Response:
    """In all competitions. Another name of a team is as good as its id."""
    return responses.rendered(teams.team(here(), checked_team(team_id), now_ms()).answer)
