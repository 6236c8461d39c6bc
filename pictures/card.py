"""What the picture of a match shows, and the digest that names it."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from dataclasses import astuple, dataclass
from functools import lru_cache

from db.domain import Match, Phase, Score, Status, Team
from pictures.words import status_words

# Raised when pictures of the same card look different: they are others then, with addresses of their own.
LAYOUT = 1
# Characters of a name: what is longer is cut. No club's or league's is: the longest in samples/ has 34.
NAME_MAX = 80
# Marks upon one letter. Vietnamese needs two; more are put there to write over the lines above and below.
MARKS_MAX = 2
# Zero-width joiners choose the form of an Arabic letter, and show nothing.
_JOINERS = "\u200c\u200d"
# What continues elsewhere, or never was.
_GONE = (Status.REMOVED, Status.REPLACED)


@dataclass(frozen=True, slots=True)
class Card:
    """Plain text of a bounded length; "" for a name that is not known.

    score, kicks: `3–1`, – where a score is not known; "" for no shoot-out.
    status: in words. No minute: a picture stays where it was shared, and a minute would be wrong in the next.
    """

    home: str
    away: str
    score: str
    kicks: str
    status: str
    is_live: bool
    competition: str

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits, which no other card has."""
        return hashlib.sha256(json.dumps([LAYOUT, *astuple(self)]).encode()).hexdigest()[:12]


def card_of(match: Match) -> Card | None:
    """None for a match that has no picture of its own: before its start there is no score to show, and one that
    continues as another has that one's."""
    if match.phase is Phase.SCHEDULED or match.status in _GONE or match.replaced_by not in (None, match.id):
        return None
    return Card(
        _name(match.home),
        _name(match.away),
        _figures(match.score) or "–",
        _figures(match.shootout),
        status_words(match.status.value, match.decided_by, match.sport, match.period)[1],
        match.phase is Phase.LIVE,
        plain(match.competition.name) if match.competition else "",
    )


def picture_path(match_path: str, match: Match) -> str:
    """ "" for a match that has none of its own. match_path: of its page."""
    card = card_of(match)
    return f"{match_path}/{card.digest}.png" if card else ""


@lru_cache(maxsize=4_096)
def plain(text: str) -> str:
    """One line that is safe to draw: without what is not written but acts on what is (controls, directions, joined
    surrogates), in letters composed with their marks, and no longer than NAME_MAX."""
    kept, marks = [], 0
    for character in unicodedata.normalize("NFC", " ".join(text.split())):
        category = unicodedata.category(character)
        marks = marks + 1 if category.startswith("M") else 0
        if (character in _JOINERS or not category.startswith("C")) and marks <= MARKS_MAX:
            kept.append(character)
    line = "".join(kept)
    return line if len(line) <= NAME_MAX else line[: NAME_MAX - 1].rstrip() + "…"


def _name(team: Team | None) -> str:
    return plain(team.name) if team else ""


def _figures(score: Score | None) -> str:
    return f"{score.home}–{score.away}" if score else ""
