"""Table and scorers of a competition, in the season that is asked for or in the one that is on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from api.computed import ComputedDocument, DocumentParts, computed
from api.delivery import render_competition
from api.services import Services
from cdn import keys
from db.domain import Competition, Match
from db.domain.competition_rules import CompetitionRules
from db.domain.errors import Fault, Refused
from db.domain.knockout import knockout_rounds
from db.domain.result import is_in_play
from db.domain.scorers import scorers
from db.domain.season import Season, season_at, season_named
from db.domain.standings import standings
from db.rulebook import rules_of
from db.sql.match_index import ListedMatch


@dataclass(frozen=True, slots=True)
class CompetitionSeason:
    """A season with the matches that are listed in it."""

    competition_id: str
    rules: CompetitionRules
    season: Season
    listed: Sequence[ListedMatch]


def chosen_season(services: Services, competition_id: str, season_name: str | None, now_ms: int) -> CompetitionSeason:
    """The season that is asked for. Without one, that of the newest match that has begun: a table stays until the first
    match of the next season.

    Raises Refused `bad_request`, Unavailable.
    """
    rules, index = rules_of(competition_id), services.history.index
    season = season_named(rules, season_name) if season_name else season_at(rules, now_ms)
    if season is None:
        fault = Fault("season", f"not a season of this competition, such as {season_at(rules, now_ms).name}")
        raise Refused("The query is not understood.", "bad_request", (fault,))
    listed = index.season(competition_id, season.since, season.until, now_ms)
    if not season_name and not any(match.has_begun for match in listed):
        nearest = index.nearest_start(competition_id, now_ms)
        if nearest is not None and not season.since <= nearest < season.until:
            season = season_at(rules, nearest)
            listed = index.season(competition_id, season.since, season.until, now_ms)
    return CompetitionSeason(competition_id, rules, season, listed)


def table(services: Services, chosen: CompetitionSeason) -> ComputedDocument:
    """Settled matches as SQL has them, those of these hours as Redis has. Raises Refused `unknown_competition`,
    Unavailable."""
    wanted = services.shelf.current(chosen.listed)

    def work_out(matches: list[Match]) -> DocumentParts:
        competition, own = _own(services, chosen, matches)
        team_ids = _other_names(services, own)
        name = chosen.season.name
        groups = standings(own, chosen.rules, name, team_ids)
        rounds = knockout_rounds(own, chosen.rules, name, team_ids)
        body = render_competition.table(competition, name, wanted.version, groups, rounds)
        return body, (keys.table(chosen.competition_id),)

    return computed(services, ("table", chosen.competition_id, chosen.season.name), wanted, work_out)


def top_scorers(services: Services, chosen: CompetitionSeason) -> ComputedDocument:
    """From history alone, which is a moment behind: Redis has thousands of events of a match in one piece.

    Raises as `table` does.
    """
    wanted = services.shelf.stored(chosen.listed)

    def work_out(matches: list[Match]) -> DocumentParts:
        competition, own = _own(services, chosen, matches)
        rows = scorers(services.goals.goals(own, wanted.versions), _other_names(services, own))
        in_play = any(map(is_in_play, own))
        body = render_competition.scorers(competition, chosen.season.name, wanted.version, rows, is_provisional=in_play)
        return body, (keys.table(chosen.competition_id),)

    return computed(services, ("scorers", chosen.competition_id, chosen.season.name), wanted, work_out)


def _own(services: Services, chosen: CompetitionSeason, matches: list[Match]) -> tuple[Competition, list[Match]]:
    """The competition as it is called now, and those that are still matches of it."""
    own = [match for match in matches if match.competition and match.competition.id == chosen.competition_id]
    competition = own[-1].competition if own else services.history.index.competition(chosen.competition_id)
    if competition is None:
        raise Refused(f"There is no competition {chosen.competition_id}.", "unknown_competition")
    return competition, own


def _other_names(services: Services, matches: Sequence[Match]) -> dict[str, str]:
    """Matches of before two teams were made one have the old id."""
    team_ids = {team.id for match in matches for team in (match.home, match.away) if team}
    return services.history.index.other_names(sorted(team_ids)) if team_ids else {}
