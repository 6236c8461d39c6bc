"""Matches to come that a polled provider lists no more: each is asked for by itself, for it may have been moved."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from db.domain import Phase, Update
from feeds.pull.mapping import Mapping
from feeds.pull.parse import PulledMatch, parse_one, withdrawn
from workers.feed.http import HttpSource
from workers.feed.session import FeedSession, now_ms

# Asked for in one poll, so that the rest of a quota is left for matches in play.
ASKED_MAX = 2
# One that is still there, outside of what the list covers, is asked for again after this.
AGAIN_S = 60 * 60.0
# Fixtures remembered: those of one list are some dozens.
FIXTURES_MAX = 20_000


@dataclass(slots=True)
class Fixture:
    """A match to come. item: whose list it was on. asked_s: when it was last asked for (monotonic), None for never."""

    item: str
    start_time: int
    asked_s: float | None = None


class VanishedMatches:
    def __init__(self, mapping: Mapping, source: HttpSource, base: str) -> None:
        self.mapping, self.source, self.base = mapping, source, base
        self.fixtures: dict[str, Fixture] = {}

    def look(self, session: FeedSession, item: str, listed: Iterable[PulledMatch]) -> None:
        """listed: all matches of an answer. Raises Unavailable."""
        here = {match.match_id: match for match in listed}
        for match_id in self._missing(item, here)[:ASKED_MAX] if self.mapping.request.match_url else ():
            self._ask(session, match_id, self.fixtures[match_id])
        for match in here.values():
            self._note(item, match)

    def _note(self, item: str, match: PulledMatch) -> None:
        self.fixtures.pop(match.match_id, None)
        if match.phase is Phase.SCHEDULED and match.start_time:
            self.fixtures[match.match_id] = Fixture(item, match.start_time)
        if len(self.fixtures) > FIXTURES_MAX:
            del self.fixtures[next(iter(self.fixtures))]

    def _missing(self, item: str, here: Iterable[str]) -> list[str]:
        listed, now = set(here), now_ms()
        self.fixtures = {name: one for name, one in self.fixtures.items() if one.start_time > now}
        return [
            match_id
            for match_id, one in self.fixtures.items()
            if one.item == item and match_id not in listed and _is_due(one)
        ]

    def _ask(self, session: FeedSession, match_id: str, fixture: Fixture) -> None:
        url = self.mapping.request.match_url.format(
            base=self.base, id=match_id.removeprefix(self.mapping.match.id_prefix)
        )
        body = self.source.get(session, url, quota_header=self.mapping.request.quota_header, missing=b"null")
        if body is None:
            return
        answers: list[PulledMatch | None] = []

        def updates(content: bytes, received_at: int) -> list[Update]:
            answers.append(parse_one(self.mapping, content, received_at=received_at))
            return answers[0].updates if answers[0] else [withdrawn(self.mapping, match_id, received_at)]

        session.accept(updates, body)
        fixture.asked_s = time.monotonic()
        if answers and answers[0] is None:
            del self.fixtures[match_id]
        elif answers and answers[0]:
            self._note(fixture.item, answers[0])
            if match_id in self.fixtures:
                self.fixtures[match_id].asked_s = time.monotonic()


def _is_due(fixture: Fixture) -> bool:
    return fixture.asked_s is None or time.monotonic() - fixture.asked_s > AGAIN_S
