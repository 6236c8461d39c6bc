"""From rows to matches."""

from __future__ import annotations

from collections.abc import Iterable

from db.codec import decode_match
from db.domain import Match
from db.domain.errors import Undecodable
from db.sql.models import MatchRow
from db.sql.moments import ms
from db.undecodable import decoded, tell


def match_of(row: MatchRow) -> Match:
    """Without its events. Raises Undecodable."""
    return decoded(row.id, lambda: decode_match(row.document, row.version, ms(row.updated_at)))


def readable(rows: Iterable[MatchRow]) -> list[Match]:
    """What this release can read of them."""
    matches: list[Match] = []
    for row in rows:
        try:
            matches.append(match_of(row))
        except Undecodable as error:
            tell(error)
    return matches
