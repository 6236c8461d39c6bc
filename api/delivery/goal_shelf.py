"""Who has scored in which match, read once a version."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence

from api.delivery.match_shelf import BATCH, KEPT_MAX
from db.domain import Match
from db.domain.scorers import CreditedGoal, credited_goals
from db.sql.match_index import MatchIndex


class GoalShelf:
    def __init__(self, index: MatchIndex, limit: int = KEPT_MAX) -> None:
        self.index = index
        self.limit = limit
        self.kept: OrderedDict[str, tuple[int, list[CreditedGoal]]] = OrderedDict()

    def goals(self, matches: Sequence[Match], versions: Mapping[str, int]) -> list[CreditedGoal]:
        """Of all these matches. versions: that SQL has of them. Raises Unavailable, Undecodable."""
        goals = {match.id: kept[1] for match in matches if (kept := self._kept(match.id, versions[match.id]))}
        missing = [match for match in matches if match.id not in goals]
        for first in range(0, len(missing), BATCH):
            batch = missing[first : first + BATCH]
            events = self.index.goals([match.id for match in batch])
            for match in batch:
                goals[match.id] = list(credited_goals(match, events[match.id]))
                self._keep(match.id, versions[match.id], goals[match.id])
        return [goal for match in matches for goal in goals[match.id]]

    def _kept(self, match_id: str, version: int) -> tuple[int, list[CreditedGoal]] | None:
        kept = self.kept.get(match_id)
        return kept if kept and kept[0] == version else None

    def _keep(self, match_id: str, version: int, goals: list[CreditedGoal]) -> None:
        self.kept[match_id] = version, goals
        self.kept.move_to_end(match_id)
        if len(self.kept) > self.limit:
            self.kept.popitem(last=False)
