"""Ids in paths and messages of readers."""

from __future__ import annotations

from db.domain import ID_PATTERN
from db.domain.errors import Refused


def checked_id(match_id: str) -> str:
    """Raises Refused `unknown_match` where no match can have this id."""
    return _checked(match_id, "match")


def checked_competition(competition_id: str) -> str:
    """Raises Refused `unknown_competition`."""
    return _checked(competition_id, "competition")


def checked_team(team_id: str) -> str:
    """Raises Refused `unknown_team`."""
    return _checked(team_id, "team")


def _checked(id_: str, noun: str) -> str:
    if not ID_PATTERN.fullmatch(id_):
        raise Refused(f"This cannot be the id of a {noun}.", f"unknown_{noun}")
    return id_
