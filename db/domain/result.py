"""What the result of a match is worth: whether it counts, and for whom."""

from __future__ import annotations

from enum import StrEnum

from db.domain.match import Match
from db.domain.vocabulary import Phase, Side, Status, phase_of

# By status and not by phase: a table asks for each of its 380 matches.
_IN_PLAY = frozenset(status for status in Status if phase_of(status) in (Phase.LIVE, Phase.BREAK)) | {Status.ENDED}
_BEGUN = _IN_PLAY | {status for status in Status if phase_of(status) is Phase.FINISHED}
_WITHDRAWN = frozenset({Status.REMOVED, Status.REPLACED})


class MatchOutcome(StrEnum):
    """Of a match, for one of its sides."""

    WON = "won"
    DRAWN = "drawn"
    LOST = "lost"


def is_replaced(match: Match) -> bool:
    """It is no match of its own: it continues as another, or was withdrawn by its provider."""
    return match.status in _WITHDRAWN or match.replaced_by not in (None, match.id)


def is_dropped(match: Match) -> bool:
    """Nobody takes part by this fixture."""
    return match.status is Status.CANCELLED or is_replaced(match)


def has_result(match: Match) -> bool:
    """It counts with its score: it is over, or in play with the score of now. One that is abandoned or postponed counts
    nothing until a result is awarded."""
    return match.score is not None and match.status in _BEGUN and not is_replaced(match)


def is_in_play(match: Match) -> bool:
    """Its result is not final: it is played, stopped, or the whistle has gone and nobody has confirmed it."""
    return match.status in _IN_PLAY


def winning_side(match: Match) -> Side | None:
    """By the score, then by the shoot-out; None for a draw and where no score is known."""
    for score in (match.score, match.shootout):
        if score is not None and score.home != score.away:
            return Side.HOME if score.home > score.away else Side.AWAY
    return None


def outcome_for(match: Match, side: Side) -> MatchOutcome:
    winner = winning_side(match)
    if winner is None:
        return MatchOutcome.DRAWN
    return MatchOutcome.WON if winner is side else MatchOutcome.LOST
