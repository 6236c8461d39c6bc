"""Ids in paths and messages of readers."""

from __future__ import annotations

from db.domain import ID_PATTERN
from db.domain.errors import Refused


def checked_id(match_id: str) -> str:
    """Raises Refused `unknown_match` where no match can have this id."""
    if not ID_PATTERN.fullmatch(match_id):
        raise Refused("This cannot be the id of a match.", "unknown_match")
    return match_id
