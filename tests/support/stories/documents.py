"""A match told by push and by documents that lag behind it, as Sportradar would tell both; and a phone that listens."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from db.domain import Kind, Match, reduce
from feeds.sportradar.parse import parse
from notify.content.news import news_of
from notify.content.window import Window, WindowResult, apply, close

BASE_MS = 1_795_600_000_000
LENGTH_S = 600
# What a push message takes to us, at least and at most.
TRANSIT_S = (0.2, 3.0)


@dataclass(frozen=True)
class Caches:
    """Where documents come from, polled every second.

    lags: seconds that the content of each cache is behind; a poll meets any of them.
    errors: seconds by which the clock of each is wrong.
    is_dated_on_arrival: a document bears the time of its delivery, and not that of its content.
    torn: how many of ten documents list nothing, and as many lack a goal that their own score counts.
    """

    lags: tuple[float, ...]
    errors: tuple[float, ...] = (0.0,)
    is_dated_on_arrival: bool = False
    torn: int = 1


@dataclass(frozen=True)
class Moment:
    """Seconds; gone: when it was taken back, None where it stands."""

    id: int
    kind: str
    at: float
    side: str
    gone: float | None

    def stands(self, second: float) -> bool:
        return self.at <= second and (self.gone is None or second < self.gone)


@dataclass(frozen=True)
class Truth:
    moments: tuple[Moment, ...]

    def state(self, second: float) -> dict[str, Any]:
        sides = [m.side for m in self.moments if m.kind == "score_change" and m.stands(second)]
        score = {"home_score": sides.count("home"), "away_score": sides.count("away")}
        return {"status": "live", "match_status": "1st_half", **score}

    def timeline(self, second: float) -> list[dict[str, Any]]:
        return [entry(m) for m in self.moments if m.stands(second)]


def truth(rng: random.Random) -> Truth:
    """Goals and red cards of a quarter of an hour; every third is taken back, where only the documents say so."""
    moments = [Moment(1, "match_started", 0, "home", None)]
    at = 0.0
    for n in range(2, 8):
        at += rng.uniform(15, 80)
        kind = rng.choice(("score_change", "score_change", "red_card"))
        gone = at + rng.uniform(25, 150) if rng.random() < 0.34 else None
        moments.append(Moment(n, kind, at, rng.choice(("home", "away")), gone))
    return Truth(tuple(moments))


def entry(event: Moment) -> dict[str, Any]:
    return {"id": event.id, "type": event.kind, "time": moment(event.at), "competitor": event.side}


def moment(second: float) -> str:
    return datetime.fromtimestamp((BASE_MS + round(second * 1000)) / 1000, UTC).isoformat(timespec="milliseconds")


def deliveries(truth: Truth, caches: Caches, rng: random.Random) -> Iterator[tuple[float, Any]]:
    """Seconds of arrival, and what arrives."""
    arrivals = [(event.at + rng.uniform(*TRANSIT_S), n, push(truth, event)) for n, event in enumerate(truth.moments)]
    for second in range(1, LENGTH_S):
        n = rng.randrange(len(caches.lags))
        content = second - caches.lags[n]
        dated = (second if caches.is_dated_on_arrival else content) + caches.errors[n % len(caches.errors)]
        fate = rng.random() * 10 / caches.torn if caches.torn else 10
        if content > 0:
            arrivals.append((second, -1, document(truth, content, dated, fate)))
    for second, _, message in sorted(arrivals, key=lambda arrival: arrival[:2]):
        yield second, message


def push(truth: Truth, event: Moment) -> dict[str, Any]:
    payload = {"sport_event_status": truth.state(event.at), "event": entry(event)}
    return {"payload": payload, "metadata": {"sport_event_id": "sr:sport_event_id:9"}}


def document(truth: Truth, content: float, dated: float, fate: float) -> dict[str, Any]:
    """fate: below 1 its timeline is empty, below 2 it lacks the last goal."""
    timeline = truth.timeline(content)
    goals = [event for event in timeline if event["type"] == "score_change"]
    if fate < 1:
        timeline = []
    elif fate < 2 and goals:
        timeline.remove(goals[-1])
    head = {"generated_at": moment(dated), "sport_event": {"id": "sr:sport_event:9"}}
    return {**head, "sport_event_status": truth.state(content), "timeline": timeline}


@dataclass
class Phone:
    """What a follower of the match is told."""

    window: Window = field(default_factory=Window)
    kinds: list[Kind] = field(default_factory=list)

    def hear(self, match: Match, facts: tuple[Any, ...], now_ms: int) -> None:
        self.wait(now_ms)
        self._take(apply(self.window, match, news_of(match, facts), now_ms=now_ms))

    def wait(self, now_ms: int) -> None:
        while self.window.due is not None and self.window.due <= now_ms:
            self._take(close(self.window, now_ms=self.window.due))

    def _take(self, result: WindowResult) -> None:
        self.window = result.window
        self.kinds += [news.kind for alert in result.alerts for news in alert.news]


def steps(truth: Truth, caches: Caches, rng: random.Random, phone: Phone) -> Iterator[tuple[float, Match]]:
    """The match after each delivery, and the second in which it came."""
    match: Match | None = None
    for second, message in deliveries(truth, caches, rng):
        now_ms = BASE_MS + round(second * 1000)
        updates = parse(json.dumps(message).encode(), received_at=now_ms)
        match, facts = reduce(match, *updates)
        phone.hear(match, facts, now_ms)
        yield second, match
