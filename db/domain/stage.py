"""Which part of its competition a match belongs to: a table, or a knock-out round. Providers' words, as they come."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from db.domain.competition_rules import CompetitionRules
from db.domain.match import Match

# `Group A`, `GROUP_A`, `Gruppe A`, `World Cup 2022, Group A`; not `Group Stage`.
_GROUP = re.compile(r"(?:^|[\W_])(?:group|gruppe|groupe|grupo|girone|groep)[\W_]+([a-z]|\d{1,2})$", re.I | re.ASCII)
# `final` is in quarter-finals and in Halbfinale.
_KNOCKOUT = re.compile(
    r"final|knock|elimination|play[\W_]?off|round[\W_]of|last[\W_]\d|\d/\d|(?:third|3rd)[\W_]place|um platz 3"
    r"|barrage|^cup$",
    re.I | re.ASCII,
)
# Of a cup's first rounds, and of leagues in which nations qualify; those have rounds that are numbers.
_QUALIFYING = re.compile("quali|prelim", re.I | re.ASCII)
# `Semi-finals, 2nd leg`, `Quarter-finals - Leg 1`: both legs are of one round.
_LEG = re.compile(r"[\W_]*\b(?:(?:1st|2nd|first|second)[\W_]leg|leg[\W_]\d)\)?$", re.I | re.ASCII)
# Stages that need no name, for a competition has but one table or its groups.
_ORDINARY = frozenset(
    {"", "regular", "regular season", "group stage", "groups", "league", "league stage", "league phase"}
)


class Place(NamedTuple):
    """stage: as told; None for the ordinary one.
    group: its letter or number, None outside of groups.
    round: of a knock-out, as told; None where the match is played for a table.
    """

    stage: str | None = None
    group: str | None = None
    round: str | None = None


def place_of(match: Match, rules: CompetitionRules) -> Place:
    return _place(match.stage or "", match.round or "", rules.is_cup)


@lru_cache(maxsize=4_096)
def _place(stage: str, round_: str, is_cup: bool) -> Place:
    for name in (stage, round_):
        if group := _GROUP.search(name.strip()):
            # `League A, Group 1`: there may be a group 1 of League B.
            before = name.strip()[: group.start()] or (stage if name is not stage else "")
            return Place(_stage_name(before), group[1].upper())
    round_ = _LEG.sub("", round_)
    is_number = round_.isdecimal()
    if is_cup or _KNOCKOUT.search(round_) or _QUALIFYING.search(round_):
        return Place(round=round_ or stage)
    if _KNOCKOUT.search(stage) or (_QUALIFYING.search(stage) and not is_number):
        # Of a round that is but a number, the stage says more.
        return Place(round=round_ if round_ and not is_number else stage)
    return Place(_stage_name(stage))


def _stage_name(text: str) -> str | None:
    """None for what needs no name."""
    plain = re.sub(r"[\W_]+", " ", text).strip()
    return None if plain.lower() in _ORDINARY else text.strip(" ,;:-")
