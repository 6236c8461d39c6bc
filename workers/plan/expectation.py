"""How many will watch a match: what an operator says, else what is known of its competition and its followers."""

from __future__ import annotations

from collections.abc import Mapping

from db.domain import Match
from workers.plan.booking import Expectation


def match_subject(match_id: str) -> str:
    return f"match:{match_id}"


def competition_subject(competition_id: str) -> str:
    return f"competition:{competition_id}"


def expected(match: Match, followers: int, words: Mapping[str, int], peaks: Mapping[str, int]) -> Expectation:
    """followers: users who follow it. words: viewers by subject, as the operator said. peaks: the most viewers that a
    match of a competition had, by its id.

    A word outweighs everything, that for the match the one for its competition: the operator knows of a final. Else the
    larger of the other two: followers are those with an account, and history is that of an ordinary match.
    """
    competition = match.competition.id if match.competition else ""
    for subject in (match_subject(match.id), competition_subject(competition)):
        if subject in words:
            return Expectation(words[subject], followers, "word")
    peak = peaks.get(competition, 0)
    return Expectation(max(peak, followers), followers, "history" if peak > followers else "followers")
