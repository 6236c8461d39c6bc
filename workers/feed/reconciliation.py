"""The provider's own documents against the live state: what differs, and what still does after it was repaired."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from db.domain import Match, Phase, Update

# A document is applied within a second. What still differs in one that comes later than this was not repaired by it.
STANDING_MS = 5_000
# Matches of which differences are remembered: those of all leagues in play at once are a few hundred.
REMEMBERED = 5_000


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of one match. since: when it was first seen (ms)."""

    match_id: str
    field: str
    since: int


class Reconciliation:
    """Of one feed. Every document that is read is compared with what was known just before, and then applied."""

    def __init__(self) -> None:
        self.differences: dict[tuple[str, str], Difference] = {}

    def standing(self, now_ms: int) -> list[str]:
        """Matches that differ although their documents were applied; those that differ for longest first."""
        standing = sorted(self.differences.values(), key=lambda difference: difference.since)
        return list(dict.fromkeys(one.match_id for one in standing if now_ms - one.since >= STANDING_MS))

    def compare(self, updates: Iterable[Update], matches: Mapping[str, Match], now_ms: int) -> list[Difference]:
        """Differences that are new. updates: of one message; those that are no documents say nothing of the whole."""
        fresh: list[Difference] = []
        for document in documents(updates):
            match = matches.get(document.match_id)
            fresh += self._note(document.match_id, differing(document, match) if match else [], now_ms)
        return fresh

    def compare_list(self, listed: Iterable[str], live: Sequence[Match], now_ms: int) -> list[Difference]:
        """Matches of ours in play that a list of all matches in play lacks, as far as that is new."""
        ids, fresh = set(listed), list[Difference]()
        for match in live:
            fresh += self._note(match.id, ["absent"] if match.id not in ids else [], now_ms, only={"absent"})
        return fresh

    def forget(self, live: Iterable[str]) -> None:
        """Matches that are in play no more."""
        kept = set(live)
        self.differences = {key: one for key, one in self.differences.items() if one.match_id in kept}

    def _note(self, match_id: str, fields: Sequence[str], now_ms: int, only: Iterable[str] = ()) -> list[Difference]:
        """only: the fields that were looked at; all where none is named."""
        looked_at = set(only) or {field for name, field in self.differences if name == match_id and field != "absent"}
        for field in looked_at - set(fields):
            self.differences.pop((match_id, field), None)
        fresh = [Difference(match_id, field, now_ms) for field in fields if (match_id, field) not in self.differences]
        if len(self.differences) < REMEMBERED:
            self.differences |= {(match_id, one.field): one for one in fresh}
        return fresh


def documents(updates: Iterable[Update]) -> list[Update]:
    """The state that each document tells, with the start beside it."""
    starts = {update.match_id: update.info for update in updates if update.info}
    states = [update for update in updates if update.is_document and (update.score or update.status)]
    return [replace(state, info=state.info or starts.get(state.match_id)) for state in states]


def differing(document: Update, match: Match) -> list[str]:
    """`score`, `status`, `start`; or `source` alone where another source tells the match and says something else."""
    fields = ["score"] if document.score and document.score != match.score else []
    fields += ["status"] if document.status and document.status is not match.status else []
    if match.source not in ("", document.stamp.source):
        return ["source"] if fields else []
    start = document.info.start_time if document.info else None
    return [*fields, *(["start"] if start and match.phase is Phase.SCHEDULED and start != match.start_time else [])]
