"""Sportradar soccer by REST, beside the stream: schedules ahead, status words, matches that were withdrawn."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial

from db.domain import Update
from feeds.sportradar.soccer import SOURCE
from workers.feed.http import each
from workers.feed.session import FeedSession, now_ms
from workers.feed.sportradar import SportradarApi, parsed
from workers.feed.squads import Squads

# Summaries of matches in play; the live TTL is about one second, but status words are all that push lacks.
SUMMARIES_S = 10.0
# Schedules of today and the days after.
SCHEDULE_S, SCHEDULE_DAYS = 30 * 60.0, 7
# Matches of a page of a list, and pages read of one: a Saturday has some 1,500 matches.
PAGE, PAGES_MAX = 200, 20
# Matches read in full after one list, so that the rest of the quota is left.
REPAIRED_MAX = 3
# Line-ups read after one list: on a Saturday 109 matches begin in one minute, and all are asked for within ten.
SQUADS_MAX = 2
# Matches that were withdrawn; the list is a minute old at most.
REMOVED_S = 60.0


class SportradarRest:
    name = "sportradar_rest"
    silent_after_s = 90.0
    places = 1

    def __init__(self, api: SportradarApi) -> None:
        self.api = api
        self.squads = Squads()
        self.removed: set[str] = set()
        # Matches of a page when it was last sent, by path and page.
        self.sizes: dict[tuple[str, int], int] = {}
        self.removed_due_s = 0.0
        # After a restart at once: whose line-ups are to be asked for is known from nowhere else.
        self.schedules_due_s = 0.0
        # Of which the schedule is still to be read: one that fails is asked for again with the next summaries.
        self.days: list[date] = []

    def read(self, session: FeedSession) -> None:
        self.api.source.go_on(session)
        while not session.halt.is_set():
            # What is in play comes first.
            each(session, [partial(step, session) for step in self._steps()])
            session.halt.wait(SUMMARIES_S)

    def _steps(self) -> Iterator[Callable[[FeedSession], None]]:
        yield self._reconcile
        yield self._read_schedules
        if time.monotonic() >= self.removed_due_s:
            yield self._read_removed
        yield self._read_squads

    def _reconcile(self, session: FeedSession) -> None:
        """Compare all matches in play with the provider's list of them, and read those in full that still differ."""
        listed = self._read_list(session, "schedules/live/summaries")
        if listed is None:
            return
        standing = session.reconcile_list(listed, SOURCE)[:REPAIRED_MAX]
        paths = [f"sport_events/{match_id}/timeline" for match_id in standing]
        each(session, [partial(self.api.read, session, path, may_be_missing=True) for path in paths])

    def _read_squads(self, session: FeedSession) -> None:
        def noted(body: bytes, received_at: int) -> list[Update]:
            updates = parsed(body, received_at)
            self.squads.note(updates)
            return updates

        due = self.squads.due(now_ms(), SQUADS_MAX)
        paths = [f"sport_events/{match_id}/lineups" for match_id in due]
        each(session, [partial(self.api.read, session, path, noted, may_be_missing=True) for path in paths])

    def _read_schedules(self, session: FeedSession) -> None:
        if time.monotonic() >= self.schedules_due_s:
            today = datetime.fromtimestamp(now_ms() / 1000, UTC).date()
            self.days = [today + timedelta(ahead) for ahead in range(SCHEDULE_DAYS)]
            self.schedules_due_s = time.monotonic() + SCHEDULE_S
        each(session, [partial(self._read_day, session, day) for day in self.days])

    def _read_day(self, session: FeedSession, day: date) -> None:
        self._read_list(session, f"schedules/{day}/summaries")
        self.days.remove(day)

    def _read_list(self, session: FeedSession, path: str) -> list[str] | None:
        """All pages of a list of matches; their ids, None where a page has not changed and is not sent again."""
        match_ids: dict[str, None] = {}
        is_whole = True
        for page in range(PAGES_MAX):
            names: list[str] = []

            def noted(body: bytes, received_at: int, names: list[str] = names) -> list[Update]:
                told = parsed(body, received_at)
                # Asked for by the provider's own id.
                self.squads.note(told)
                updates = session.live.names.resolved(told)
                names += dict.fromkeys(update.match_id for update in updates)
                return updates

            query = f"?start={page * PAGE}&limit={PAGE}" if page else ""
            is_sent = self.api.read(session, path, noted, query=query)
            self.sizes[path, page] = len(names) if is_sent else self.sizes.get((path, page), 0)
            is_whole = is_whole and is_sent
            # A list that knows no pages is sent whole again: it has nothing new.
            is_new = not is_sent or bool(set(names) - match_ids.keys())
            match_ids |= dict.fromkeys(names)
            if self.sizes[path, page] < PAGE or not is_new or session.halt.is_set():
                break
        return list(match_ids) if is_whole else None

    def _read_removed(self, session: FeedSession) -> None:
        """Ids stay in this list for two weeks: told once each, and only of matches that we know."""
        told: set[str] = set()

        def news(body: bytes, received_at: int) -> list[Update]:
            updates = [update for update in parsed(body, received_at) if update.match_id not in self.removed]
            versions = session.live.matches.versions([update.match_id for update in updates])
            known = [update for update, version in zip(updates, versions, strict=True) if version is not None]
            told.update(update.match_id for update in known)
            return known

        self.removed_due_s = time.monotonic() + REMOVED_S
        # The list may be the same while we have come to know a match of it.
        self.api.read(session, "sport_events/removed", news, even_if_unchanged=True, may_be_missing=True)
        self.removed |= told
