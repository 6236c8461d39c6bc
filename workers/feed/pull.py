"""Polls a provider by its mapping: often while a match is in play, rarely otherwise, and never beyond its quota."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from db.domain import Phase, Update
from db.domain.errors import Refused
from feeds.pull.mapping import Mapping
from feeds.pull.parse import IN_PLAY_MS, PulledMatch, json_of, parse
from workers.feed.http import HttpSource, each
from workers.feed.session import FeedSession, now_ms
from workers.feed.vanished import VanishedMatches

# Live polling begins this long before a start: a kick-off is sometimes early, a start time off by some minutes.
EARLY_MS = 5 * 60 * 1000
# Matches whose last content is remembered: a season of every league that one process would poll.
MATCHES_MAX = 20_000
# An unchanged match in play is accepted again after this, twice: what two documents lack that are ten seconds apart is
# taken back, if the first of them is some seconds later than the last that had it (db/domain/absence.py).
CONFIRM_S, CONFIRMATIONS = 11.0, 2


@dataclass(slots=True)
class SeenMatch:
    """digest: of the content last accepted.

    since_s: when it was first accepted, monotonic.
    confirmations: times that it was accepted again since.
    changed_at: ms, by the provider.
    """

    digest: str
    since_s: float
    confirmations: int
    changed_at: int
    start_time: int | None
    phase: Phase | None


class PullReader:
    """base: URL of the provider. items: what is followed, put for {item} into the URL."""

    places = 1

    def __init__(self, mapping: Mapping, base: str, items: Sequence[str], key: str = "") -> None:
        self.name = mapping.name
        self.mapping = mapping
        self.base = base.rstrip("/")
        self.items = list(items) or [""]
        header = mapping.request.key_header
        self.source = HttpSource(mapping.request.per_minute, {header: key} if header and key else {}, (key,))
        # A request is made each idle_s, and may take some seconds.
        self.silent_after_s = max(90.0, 1.5 * mapping.request.idle_s)
        self.vanished = VanishedMatches(mapping, self.source, self.base)
        self.seen: dict[str, SeenMatch] = {}
        # The last answer of changed_url and the placeholders it is made of, by item.
        self.changed: dict[str, str] = {}
        self.parts: dict[str, dict[str, Any]] = {}

    def read(self, session: FeedSession) -> None:
        self.source.go_on(session)
        while not session.halt.is_set():
            started_s = time.monotonic()
            each(session, [partial(self._follow, session, item) for item in self.items])
            session.halt.wait(max(0.0, self._period_s() - (time.monotonic() - started_s)))

    def _follow(self, session: FeedSession, item: str) -> None:
        """What was not taken, or is no answer, is asked for in full the next time: it may say that a goal fell."""
        url = self._url(self.mapping.request.url, item, {})
        is_taken = False
        try:
            is_taken = not self._has_changed(session, item) or self._poll(session, item, url)
        finally:
            if not is_taken:
                self.source.forget(url)
                self.changed.pop(item, None)
        self.vanished.ask(session, item)

    def _poll(self, session: FeedSession, item: str, url: str) -> bool:
        """False where the answer is refused."""
        body = self._get(session, url)
        if body is None:
            return True
        listed: list[PulledMatch] = []
        matches: list[PulledMatch] = []

        def changed_updates(content: bytes, received_at: int) -> list[Update]:
            listed[:] = parse(self.mapping, content, received_at=received_at)
            matches[:] = self._changed_matches(listed)
            return [update for match in matches for update in match.updates]

        if session.accept(changed_updates, body) is None:
            return False
        for match in matches:
            self._remember(match)
        self._remember_parts(item, body)
        if listed:
            self.vanished.note(item, listed)
        return True

    def _get(self, session: FeedSession, url: str) -> bytes | None:
        return self.source.get(session, url, quota_header=self.mapping.request.quota_header)

    def _has_changed(self, session: FeedSession, item: str) -> bool:
        """By changed_url, where there is one and it is known how to ask; a match may also begin without a change."""
        parts = self.parts.get(item)
        if not self.mapping.request.changed_url or parts is None or self._begins_now():
            return True
        body = self._get(session, self._url(self.mapping.request.changed_url, item, parts))
        if body is None or self.changed.get(item) == body.decode(errors="replace"):
            return self._is_unconfirmed()
        self.changed[item] = body.decode(errors="replace")
        return True

    def _begins_now(self) -> bool:
        """Whether a match without a status word has come to its start."""
        now = now_ms()
        return any(
            seen.phase is Phase.SCHEDULED and 0 <= now - (seen.start_time or 0) < IN_PLAY_MS
            for seen in self.seen.values()
        )

    def _is_unconfirmed(self) -> bool:
        return any(_is_to_confirm(seen) for seen in self.seen.values())

    def _changed_matches(self, matches: list[PulledMatch]) -> list[PulledMatch]:
        return [match for match in matches if self._is_news(match)]

    def _is_news(self, match: PulledMatch) -> bool:
        seen = self.seen.get(match.match_id)
        if seen is None:
            return True
        if seen.digest == _digest(match):
            return _is_to_confirm(seen)
        # A cache of the provider's may answer with an older document once more.
        return match.changed_at >= seen.changed_at

    def _remember(self, match: PulledMatch) -> None:
        digest, seen = _digest(match), self.seen.get(match.match_id)
        is_same = seen is not None and seen.digest == digest
        since_s, confirmations = (seen.since_s, seen.confirmations + 1) if seen and is_same else (time.monotonic(), 0)
        self.seen.pop(match.match_id, None)
        self.seen[match.match_id] = SeenMatch(
            digest, since_s, confirmations, match.changed_at, match.start_time, match.phase
        )
        if len(self.seen) > MATCHES_MAX:
            del self.seen[next(iter(self.seen))]

    def _remember_parts(self, item: str, body: bytes) -> None:
        try:
            document = json_of(body)
        except Refused:
            return
        parts = {name: path(document) for name, path in self.mapping.request.changed.items()}
        if all(isinstance(value, str | int) for value in parts.values()):
            self.parts[item] = parts

    def _url(self, template: str, item: str, parts: dict[str, Any]) -> str:
        today = datetime.now(UTC).date()
        days = {"today": today, "yesterday": today - timedelta(1), "tomorrow": today + timedelta(1)}
        return template.format(base=self.base, item=item, **days, **parts)

    def _period_s(self) -> float:
        request, now = self.mapping.request, now_ms()
        if any(seen.phase in (Phase.LIVE, Phase.BREAK) for seen in self.seen.values()):
            return request.live_s
        starts = [seen.start_time for seen in self.seen.values() if seen.start_time and seen.phase is Phase.SCHEDULED]
        waits = [(start - EARLY_MS - now) / 1000 for start in starts if start + EARLY_MS > now]
        return max(request.live_s, min(request.idle_s, *waits)) if waits else request.idle_s


def _is_to_confirm(seen: SeenMatch) -> bool:
    is_in_play = seen.phase in (Phase.LIVE, Phase.BREAK)
    due_s = seen.since_s + CONFIRM_S * (seen.confirmations + 1)
    return is_in_play and seen.confirmations < CONFIRMATIONS and time.monotonic() >= due_s


def _digest(match: PulledMatch) -> str:
    """Of the content and the phase, which a match without a status word changes by the clock."""
    return hashlib.sha256(f"{match.phase}{match.raw}".encode()).hexdigest()
