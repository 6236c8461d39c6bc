"""Which matches of different sources may be one: by start, and by how alike the names of their teams are. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from rapidfuzz import fuzz

from db.domain import Match, Status

# Starts of one match differ by a rescheduling that one source has not heard of. Teams play once a day.
APART_MS = 3 * 60 * 60 * 1000
# Of 100: two teams of one town come to 72 (Manchester), two spellings of one team to 75 and more (tests/feeds has a
# table). Where one team is surely the same, which plays once at that time, the other may be spelled as it likes.
ALIKE_MIN, SURE_MIN, OTHER_MIN = 75, 85, 50
# Words that say that it is a club, and not which.
_NOISE = re.compile(r"\b(?:1|fc|afc|cf|sc|ac|as|ss|ssc|sv|vfl|vfb|tsg|rb|bsc|fsv|ud|cd|club|de|der|the)\b")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """name: the match that would become another name of `match`.
    likeness: of the names of the teams, of 100.
    """

    name: Match
    match: Match
    likeness: int


def suggestions(matches: Iterable[Match], goes_before: Callable[[str, str], bool]) -> list[Suggestion]:
    """The likeliest first; each match once as a name.

    goes_before: whether the first source keeps its id.
    """
    pairs = sorted(_pairs(matches, goes_before), key=lambda pair: (-pair.likeness, pair.name.id, pair.match.id))
    taken: set[str] = set()
    best: list[Suggestion] = []
    for pair in pairs:
        if not taken & {pair.name.id}:
            taken |= {pair.name.id}
            best.append(pair)
    return best


def likeness(name: str, other: str) -> float:
    """Of two names of teams, 0 to 100: the mean of all words and of those that both have."""
    plain, other_plain = _plain(name), _plain(other)
    return (fuzz.token_sort_ratio(plain, other_plain) + fuzz.token_set_ratio(plain, other_plain)) / 2


def _pairs(matches: Iterable[Match], goes_before: Callable[[str, str], bool]) -> Iterator[Suggestion]:
    ordered = sorted((match for match in matches if _is_comparable(match)), key=lambda match: match.start_time or 0)
    for index, match in enumerate(ordered):
        for other in ordered[index + 1 :]:
            if (other.start_time or 0) - (match.start_time or 0) > APART_MS:
                break
            if match.source == other.source or match.sport != other.sport:
                continue
            alike = _alike(match, other)
            if alike is not None:
                first, second = (match, other) if _keeps(match, other, goes_before) else (other, match)
                yield Suggestion(second, first, alike)


def _keeps(match: Match, other: Match, goes_before: Callable[[str, str], bool]) -> bool:
    if goes_before(match.source, other.source) or goes_before(other.source, match.source):
        return goes_before(match.source, other.source)
    return match.id < other.id


def _is_comparable(match: Match) -> bool:
    is_whole = match.home is not None and match.away is not None and match.start_time is not None
    return is_whole and match.status not in (Status.REPLACED, Status.REMOVED)


def _alike(match: Match, other: Match) -> int | None:
    """None where either side is another team."""
    if match.home is None or match.away is None or other.home is None or other.away is None:
        return None
    sides = likeness(match.home.name, other.home.name), likeness(match.away.name, other.away.name)
    is_one = min(sides) >= ALIKE_MIN or (max(sides) >= SURE_MIN and min(sides) >= OTHER_MIN)
    return round(sum(sides) / 2) if is_one else None


def _plain(name: str) -> str:
    """Lower case, without accents, punctuation, and words that every club has."""
    letters = unicodedata.normalize("NFKD", name.casefold().replace("ß", "ss"))
    plain = re.sub(r"[^a-z0-9 ]+", " ", "".join(letter for letter in letters if not unicodedata.combining(letter)))
    short = " ".join(_NOISE.sub(" ", plain).split())
    return short or " ".join(plain.split()) or name
