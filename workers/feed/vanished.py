"""Matches to come that a polled provider lists no more: each is asked for by itself, for it may have been moved."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

from db.domain import Phase, Update
from db.domain.errors import Unavailable
from feeds.pull.mapping import Mapping
from feeds.pull.parse import PulledMatch, parse_one, withdrawn
from workers.feed.http import HttpSource
from workers.feed.session import FeedSession, now_ms

logger = logging.getLogger(__name__)

# Asked for in one poll, so that the rest of a quota is left for matches in play.
ASKED_MAX = 2
# One that is still there, outside of what the list covers, is asked for again after this.
AGAIN_S = 60 * 60.0
# One that is not there has to be not there twice: an empty answer may be a provider's mishap, and followers are told.
ABSENCES, ABSENT_AGAIN_S = 2, 60.0
# Fixtures remembered: those of one list are some dozens.
FIXTURES_MAX = 20_000


@dataclass(slots=True)
class ListedFixture:
    """A match to come.

    item: whose list it was on.
    asked_s: when it was last asked for (monotonic), None for never.
    absences: times that it was not there, one after the other.
    """

    item: str
    start_time: int
    asked_s: float | None = None
    absences: int = 0


class VanishedMatches:
    def __init__(self, mapping: Mapping, source: HttpSource, base: str) -> None:
        self.mapping, self.source, self.base = mapping, source, base
        self.fixtures: dict[str, ListedFixture] = {}
        # Ids of the last answer, by item.
        self.listed: dict[str, set[str]] = {}

    def note(self, item: str, listed: Sequence[PulledMatch]) -> None:
        """listed: all matches of an answer."""
        self.listed[item] = {match.match_id for match in listed}
        for match in listed:
            self._note(item, match)

    def ask(self, session: FeedSession, item: str) -> None:
        """For some of the matches that the last answer lacks. Raises Unavailable."""
        for match_id in self._missing(item)[:ASKED_MAX] if self.mapping.request.match_url else ():
            self._ask(session, match_id, self.fixtures[match_id])

    def _note(self, item: str, match: PulledMatch) -> None:
        self.fixtures.pop(match.match_id, None)
        if match.phase is Phase.SCHEDULED and match.start_time:
            self.fixtures[match.match_id] = ListedFixture(item, match.start_time)
        if len(self.fixtures) > FIXTURES_MAX:
            del self.fixtures[next(iter(self.fixtures))]

    def _missing(self, item: str) -> list[str]:
        listed, now = self.listed.get(item), now_ms()
        if not listed:
            return []
        self.fixtures = {name: one for name, one in self.fixtures.items() if one.start_time > now}
        return [
            match_id
            for match_id, one in self.fixtures.items()
            if one.item == item and match_id not in listed and _is_due(one)
        ]

    def _ask(self, session: FeedSession, match_id: str, fixture: ListedFixture) -> None:
        url = self.mapping.request.match_url.format(
            base=self.base, id=match_id.removeprefix(self.mapping.match.id_prefix)
        )
        fixture.asked_s = time.monotonic()
        try:
            body = self.source.get(session, url, quota_header=self.mapping.request.quota_header, missing=b"null")
        except Unavailable as error:
            # The next list says whether the provider is away. A refusal may be of this match alone.
            logger.warning("fixture_unasked feed=%s match=%s reason=%r", session.name, match_id, error.message)
            return
        if body is None:
            return
        answers: list[PulledMatch | None] = []

        def updates(content: bytes, received_at: int) -> list[Update]:
            answers.append(parse_one(self.mapping, content, received_at=received_at))
            if answers[0]:
                return answers[0].updates
            is_gone = fixture.absences + 1 >= ABSENCES
            return [withdrawn(self.mapping, match_id, received_at)] if is_gone else []

        session.accept(updates, body)
        if answers and answers[0] is None:
            fixture.absences += 1
            if fixture.absences >= ABSENCES:
                del self.fixtures[match_id]
        elif answers and answers[0]:
            self._note(fixture.item, answers[0])
            if match_id in self.fixtures:
                self.fixtures[match_id].asked_s = fixture.asked_s


def _is_due(fixture: ListedFixture) -> bool:
    wait_s = ABSENT_AGAIN_S if fixture.absences else AGAIN_S
    return fixture.asked_s is None or time.monotonic() - fixture.asked_s > wait_s
