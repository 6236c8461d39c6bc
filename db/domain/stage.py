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
    r"|quali|prelim|barrage|^cup$",
    re.I | re.ASCII,
)
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
            return Place(group=group[1].upper())
    if _KNOCKOUT.search(round_) or is_cup:
        return Place(round=round_ or stage)
    if _KNOCKOUT.search(stage):
        # Of a round that is but a number, the stage says more.
        return Place(round=round_ if round_ and not round_.isdecimal() else stage)
    is_ordinary = re.sub(r"[\W_]+", " ", stage).strip().lower() in _ORDINARY
    return Place(stage=None if is_ordinary else stage)
