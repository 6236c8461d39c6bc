"""Tables: who stands where, from the results of a season. A match in play counts with its score of now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from db.domain.balance import Balance
from db.domain.competition_rules import CompetitionRules
from db.domain.match import Match
from db.domain.match_info import Team
from db.domain.ranking import Ranker, parted
from db.domain.result import MatchOutcome, has_result, is_dropped, is_in_play
from db.domain.stage import Place, place_of

# Results of a side that are told beside its row.
FORM = 5


@dataclass(slots=True)
class TableRow:
    """A side of a table.

    deducted: points taken away.
    outcomes: oldest first.
    live: the match in play that counts in it, None where all are over.
    position, home_position, away_position: from 1; sides that nothing tells apart share one.
    """

    team: Team
    home: Balance = field(default_factory=Balance)
    away: Balance = field(default_factory=Balance)
    overall: Balance = field(default_factory=Balance)
    deducted: int = 0
    outcomes: list[MatchOutcome] = field(default_factory=list)
    live: str | None = None
    position: int = 0
    home_position: int = 0
    away_position: int = 0

    @property
    def points(self) -> int:
        return self.overall.points - self.deducted

    @property
    def form(self) -> list[MatchOutcome]:
        return self.outcomes[-FORM:]


@dataclass(frozen=True, slots=True)
class Standings:
    """One table. place: of which stage or group. rows: best first. is_provisional: a match in play counts in it."""

    place: Place
    rows: tuple[TableRow, ...]

    @property
    def is_provisional(self) -> bool:
        return any(row.live is not None for row in self.rows)


def standings(
    matches: Iterable[Match], rules: CompetitionRules, season: str, team_ids: Mapping[str, str] | None = None
) -> list[Standings]:
    """The tables of a season from all its matches; of other sports than football none, for their points differ.

    team_ids: of teams that have another name, the id they are known by.
    """
    drafts: dict[Place, _Draft] = {}
    for match in sorted(matches, key=_start):
        if match.sport != "football" or is_dropped(match):
            continue
        place = place_of(match, rules)
        if place.round is None and match.home and match.away:
            draft = drafts.get(place) or drafts.setdefault(place, _Draft(team_ids or {}))
            draft.add(match, match.home, match.away)
    all_tables = [Standings(place, draft.finish(rules, season)) for place, draft in drafts.items()]
    # As they began; groups by their letter.
    return sorted(all_tables, key=lambda table: table.place.group or "")


def _start(match: Match) -> tuple[int, str]:
    return match.start_time or 0, match.id


class _Draft:
    """A table that is being counted."""

    def __init__(self, team_ids: Mapping[str, str]) -> None:
        self.team_ids = team_ids
        self.rows: dict[str, TableRow] = {}
        self.meetings: dict[tuple[str, str], list[tuple[int, int]]] = {}

    def add(self, match: Match, home: Team, away: Team) -> None:
        host, guest = self._row(home), self._row(away)
        score = match.score
        if score is None or not has_result(match):
            return
        host.outcomes.append(host.home.add(score.home, score.away))
        guest.outcomes.append(guest.away.add(score.away, score.home))
        self.meetings.setdefault((host.team.id, guest.team.id), []).append((score.home, score.away))
        if is_in_play(match):
            host.live = guest.live = match.id

    def _row(self, team: Team) -> TableRow:
        team_id = self.team_ids.get(team.id, team.id)
        row = self.rows.get(team_id)
        if row is None:
            row = self.rows[team_id] = TableRow(Team(team_id, team.name))
        elif team_id == team.id and row.team.name != team.name:
            # The newest name under its own id is what it is called.
            row.team = team
        return row

    def finish(self, rules: CompetitionRules, season: str) -> tuple[TableRow, ...]:
        deductions, rulings = rules.deductions.get(season, {}), rules.rulings.get(season, ())
        # Equals stand by name.
        rows = sorted(self.rows.values(), key=lambda row: (row.team.name.casefold(), row.team.id))
        for row in rows:
            row.overall = row.home.plus(row.away)
            row.deducted = deductions.get(row.team.id, 0)
        for row, position in _positions(parted(rows, lambda row: _usual(row.home))):
            row.home_position = position
        for row, position in _positions(parted(rows, lambda row: _usual(row.away))):
            row.away_position = position
        return self._ranked(rows, rules, season, rulings)

    def _ranked(
        self, rows: list[TableRow], rules: CompetitionRules, season: str, rulings: Sequence[Mapping[str, int]]
    ) -> tuple[TableRow, ...]:
        by_id = {row.team.id: row for row in rows}
        balances = {row.team.id: (row.home, row.away) for row in rows}
        deducted = {row.team.id: row.deducted for row in rows}
        ranker = Ranker(balances, deducted, self.meetings, rules.meetings)
        tiers = ranker.ranked(list(by_id), rules.order_in(season))
        parts = [part for tier in tiers for part in _by_ruling(tier, rulings)]
        ranked = tuple(by_id[team_id] for tier in parts for team_id in tier)
        for row, position in _positions([[by_id[team_id] for team_id in tier] for tier in parts]):
            row.position = position
        return ranked


def _by_ruling(tier: list[str], rulings: Sequence[Mapping[str, int]]) -> list[list[str]]:
    """Sides that all criteria leave equal, in the order of the ruling that names all of them."""
    ruling = next((ruling for ruling in rulings if len(tier) > 1 and set(tier) <= set(ruling)), None)
    return parted(tier, lambda team_id: (-ruling[team_id],)) if ruling else [tier]


def _usual(balance: Balance) -> tuple[int, ...]:
    return balance.points, balance.goal_difference, balance.goals_for


def _positions(tiers: Iterable[Sequence[TableRow]]) -> Iterator[tuple[TableRow, int]]:
    """Each row with its position: after two firsts comes a third."""
    before = 0
    for tier in tiers:
        for row in tier:
            yield row, before + 1
        before += len(tier)
