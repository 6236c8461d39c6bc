"""The provider's own documents against the live state: what differs, and what still does after it was repaired."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from db.domain import Match, Phase, Update

# A document is applied within a second. What is after this as it was before was not repaired by it.
STANDING_MS = 5_000
# Matches of which differences are remembered: those of all leagues in play at once are a few hundred.
REMEMBERED = 5_000


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of one match.

    since: when it was first seen (ms).
    document: that differs; None for a match that a list lacks.
    was: what we knew instead.
    stands: it was still so after the document was applied.
    """

    match_id: str
    field: str
    since: int
    document: Update | None = None
    was: object = None
    stands: bool = False


class Reconciliation:
    """Of one feed. Every document that is read is compared with what was known just before, and then applied."""

    def __init__(self) -> None:
        self.differences: dict[tuple[str, str], Difference] = {}

    def standing(self) -> list[str]:
        """Matches that differ although their documents were applied; those that differ for longest first."""
        standing = sorted((one for one in self.differences.values() if one.stands), key=lambda one: one.since)
        return list(dict.fromkeys(one.match_id for one in standing))

    def due(self, now_ms: int) -> list[str]:
        """Matches that are to be looked at again."""
        due = (one.match_id for one in self.differences.values() if now_ms - one.since >= STANDING_MS)
        return list(dict.fromkeys(due))

    def recheck(self, matches: Mapping[str, Match], now_ms: int) -> None:
        """matches: those that are due, as they are now; one that is not there is over."""
        for key, one in list(self.differences.items()):
            if now_ms - one.since < STANDING_MS:
                continue
            match = matches.get(one.match_id)
            if match is None or not _still_differs(one, match):
                del self.differences[key]
            else:
                self.differences[key] = replace(one, stands=True)

    def compare(self, updates: Iterable[Update], matches: Mapping[str, Match], now_ms: int) -> list[Difference]:
        """Differences that are new. updates: of one message; those that are no documents say nothing of the whole."""
        fresh: list[Difference] = []
        for document in documents(updates):
            match = matches.get(document.match_id)
            fields = differing(document, match) if match else []
            others = {field for match_id, field in self.differences if match_id == document.match_id} - {"absent"}
            seen = [Difference(document.match_id, field, now_ms, document, _value(match, field)) for field in fields]
            fresh += self._note(document.match_id, others, seen)
        return fresh

    def compare_list(self, listed: Iterable[str], live: Sequence[Match], now_ms: int) -> list[Difference]:
        """Matches of ours in play that a list of all matches in play lacks, as far as that is new."""
        ids, fresh = set(listed), list[Difference]()
        for match in live:
            fresh += self._note(match.id, {"absent"}, [Difference(match.id, "absent", now_ms)] * (match.id not in ids))
        return fresh

    def _note(self, match_id: str, looked_at: set[str], seen: Sequence[Difference]) -> list[Difference]:
        """looked_at: fields that agree, unless they are among what was seen."""
        for field in looked_at - {one.field for one in seen}:
            self.differences.pop((match_id, field), None)
        fresh: list[Difference] = []
        for one in seen:
            before = self.differences.get((match_id, one.field))
            if before and before.was == one.was:
                self.differences[match_id, one.field] = replace(before, document=one.document)
            elif before or len(self.differences) < REMEMBERED:
                self.differences[match_id, one.field] = one
                fresh.append(one)
        return fresh


def _still_differs(difference: Difference, match: Match) -> bool:
    if difference.document is None:
        return match.phase in (Phase.LIVE, Phase.BREAK)
    is_as_before = _value(match, difference.field) == difference.was
    return is_as_before and difference.field in differing(difference.document, match)


def _value(match: Match | None, field: str) -> object:
    if match is None:
        return None
    return {"score": match.score, "status": match.status, "start": match.start_time}.get(field, match.source)


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
