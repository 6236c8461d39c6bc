"""Matches as they are now, decoded once a version for all the tables and lists that show them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from db.domain import Match
from db.domain.errors import Unavailable
from db.live.store import LiveStore
from db.sql.match_index import ListedMatch, MatchIndex

# Twenty leagues with all their matches: 1.5 KB each.
KEPT_MAX = 8_192
# Decoding takes 27 µs a match, and nothing else runs meanwhile: 50 between two questions to SQL.
BATCH = 50


@dataclass(frozen=True, slots=True)
class ShelfList:
    """Which matches are wanted, in which version.

    versions: newest known, by match id, in the order of the list.
    in_redis: those whose newest version Redis has, and SQL not yet.
    """

    versions: Mapping[str, int]
    in_redis: frozenset[str]

    @property
    def stamp(self) -> tuple[tuple[str, int], ...]:
        """What has another one where any of the matches has changed."""
        return tuple(self.versions.items())

    @property
    def version(self) -> int:
        """Of whatever is made from them: that of the newest change."""
        return max(self.versions.values(), default=0)


class MatchShelf:
    def __init__(self, live: LiveStore, index: MatchIndex, limit: int = KEPT_MAX) -> None:
        self.live = live
        self.index = index
        self.limit = limit
        self.kept: OrderedDict[str, Match] = OrderedDict()

    def stored(self, matches: Sequence[ListedMatch]) -> ShelfList:
        """With the versions that SQL has."""
        return ShelfList({match.id: match.version for match in matches}, frozenset())

    def current(self, matches: Sequence[ListedMatch]) -> ShelfList:
        """With the versions that Redis has. While that is away, SQL's are those of a moment ago; what is kept here may
        be newer, and is not taken back."""
        versions = {match.id: self._at_least(match) for match in matches}
        near = [match.id for match in matches if match.is_near]
        try:
            current = self.live.matches.versions(near) if near else []
        except Unavailable:
            current = [None] * len(near)
        newer = {
            match_id: version
            for match_id, version in zip(near, current, strict=True)
            if version is not None and version > versions[match_id]
        }
        return ShelfList(versions | newer, frozenset(newer))

    def matches(self, wanted: ShelfList) -> list[Match]:
        """In the order of the list, without events; those that nobody can read are left out. Raises Unavailable."""
        missing = [match_id for match_id, version in wanted.versions.items() if not self._has(match_id, version)]
        read = {match.id: match for match in self._read(missing, wanted.in_redis)}
        for match in read.values():
            self._keep(match)
        matches = (read.get(match_id) or self.kept.get(match_id) for match_id in wanted.versions)
        return [match for match in matches if match]

    def _at_least(self, match: ListedMatch) -> int:
        kept = self.kept.get(match.id)
        return kept.version if kept is not None and kept.version > match.version else match.version

    def _has(self, match_id: str, version: int) -> bool:
        kept = self.kept.get(match_id)
        return kept is not None and kept.version >= version

    def _read(self, match_ids: Sequence[str], in_redis: frozenset[str]) -> Iterator[Match]:
        """What has left Redis meanwhile is in SQL."""
        asked = [match_id for match_id in match_ids if match_id in in_redis]
        live = self.live.matches.readable(asked) if asked else []
        yield from live
        read = {match.id for match in live}
        rest = [match_id for match_id in match_ids if match_id not in read]
        for first in range(0, len(rest), BATCH):
            yield from self.index.matches(rest[first : first + BATCH])

    def _keep(self, match: Match) -> None:
        self.kept[match.id] = match
        self.kept.move_to_end(match.id)
        if len(self.kept) > self.limit:
            self.kept.popitem(last=False)
