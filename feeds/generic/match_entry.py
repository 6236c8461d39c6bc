"""An entry of `matches` in the generic format → an update."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from datetime import datetime

from db.domain import (
    Competition,
    LineupPlayer,
    Lineups,
    MatchInfo,
    Person,
    Stamp,
    Stats,
    Team,
    TeamLineup,
    Update,
    formation_of,
    ordered,
)
from feeds.generic.schema import LineupsIn, MatchIn, NamedIn, TeamLineupIn
from feeds.generic.vocabulary import standing_of


def match_update(match: MatchIn, received_at: int) -> Update:
    """Undated: entries of `matches` have no time, so the arrival decides."""
    status, decided_by = standing_of(match.status) if match.status else (None, None)
    info = MatchInfo(
        home=Team(*_identity(match.home_team)) if match.home_team else None,
        away=Team(*_identity(match.away_team)) if match.away_team else None,
        competition=Competition(*_identity(match.competition)) if match.competition else None,
        venue=match.venue,
        start_time=ms_of(match.start_time) if match.start_time else None,
        sport=match.sport,
        coverage=match.coverage,
        replaced_by=match.replaced_by,
        stage=match.stage,
        round=match.round,
        leg=match.leg,
    )
    return Update(
        match.id,
        Stamp(0, source="generic"),
        received_at,
        info=info,
        status=status,
        status_word=match.status if status is None else None,
        decided_by=decided_by,
        lineups=_lineups(match.lineups) if match.lineups else None,
        stats=Stats(match.stats.home or {}, match.stats.away or {}) if match.stats else None,
    )


def _lineups(lineups: LineupsIn) -> Lineups:
    home, away = (_team_lineup(side) if side else None for side in (lineups.home, lineups.away))
    return Lineups(home, away, lineups.confirmed)


def _team_lineup(lineup: TeamLineupIn) -> TeamLineup:
    players = [LineupPlayer(**player.model_dump()) for player in lineup.players]
    return TeamLineup(formation_of(lineup.formation), person_of(lineup.coach), ordered(players))


def _identity(named: NamedIn) -> tuple[str, str]:
    return named.id or slug(named.name), named.name


def person_of(named: NamedIn | None) -> Person | None:
    return Person(named.name, named.id) if named else None


def slug(name: str) -> str:
    """An id from a name: `Côte d'Ivoire` → `cote-d-ivoire`; from a hash where no Latin letter is left."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    short = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:64].rstrip("-")
    return short or "n-" + hashlib.sha256(name.encode()).hexdigest()[:16]


def ms_of(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
