"""Jobs the operator asks for: whom an alert would reach and in which words, and one to a single user's devices."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

from db.domain import LANGUAGES, VARIANTS, Event, Kind, Match, Score, Side, Stamp, Status, Team, mask_of
from db.live.live import LiveStore
from db.sql.history import History
from notify.content.alert import Alert
from notify.content.news import News
from notify.transports.base import Envelope
from notify.transports.outcome import Outcome
from workers.boot import services
from workers.push.planner import CHUNK
from workers.push.quiet_hours import QuietHours
from workers.push.renderer import MessageRenderer, written

Answer = list[dict[str, Any]]


def dry_run(match_id: str, kind: str) -> dict[str, Any]:
    """The audience of such news now, in numbers, and the words by language."""
    here, now_ms = services(), time.time_ns() // 1_000_000
    match = _match(here.live, here.history, match_id)
    alert = _alert(match, Kind(kind), now_ms)
    silence, counts = QuietHours(now_ms), Counter[str]()
    for page, _ in here.audience.followers(match, mask_of([Kind(kind)]), CHUNK):
        for _, _, zone, since, until, _ in page:
            counts["quiet" if zone and silence.reigns(zone, since, until) else "devices"] += 1
    messages = {language: written(alert, mask_of([Kind(kind)]), language) for language in LANGUAGES}
    return {
        "match": match.id,
        "kind": kind,
        "devices": counts["devices"],
        "quiet": counts["quiet"],
        "topics": here.audience.variants(VARIANTS),
        "channels": [channel.environment for channel in here.audience.channels([match.id])],
        "messages": {name: {"title": said.title, "body": said.body} for name, said in messages.items()},
    }


def send(user_id: str, match_id: str) -> Answer:
    """A goal to each device of the user, past preferences and quiet hours; what became of each."""
    here, now_ms = services(), time.time_ns() // 1_000_000
    match = _match(here.live, here.history, match_id) if match_id else _made_up(now_ms)
    letters = MessageRenderer(_alert(match, Kind.GOAL, now_ms))
    said: Answer = []
    for one in here.audience.of_user(user_id):
        message = letters.to(mask_of([Kind.GOAL]), one.locale, spoiler_free=one.spoiler_free)
        transport = here.transports.of(one.device)
        if transport is None or message is None:
            said.append(_said(one.device.platform, one.device.environment, "failed", "no_transport"))
            continue
        for _, outcome in transport.send([Envelope(one.device, message, one.id)]):
            said.append(_said(one.device.platform, one.device.environment, _word(outcome), outcome.reason))
    return said


def _match(live: LiveStore, history: History, match_id: str) -> Match:
    found = live.timeline(match_id) or history.match(match_id)
    return found or Match(match_id)


def _alert(match: Match, kind: Kind, now_ms: int) -> Alert:
    goals = [event for event in match.timeline if event.counts]
    last = goals[-1] if goals and kind is Kind.GOAL else None
    news = News(kind, "test", now_ms, last.team if last else None, last.id if last else None, minutes=15)
    return Alert(f"{match.id}-test", match, (news,), now_ms)


def _made_up(now_ms: int) -> Match:
    stamp = Stamp(now_ms)
    goal = Event("test", "goal", stamp, stamp, team=Side.HOME, minute=23)
    return Match(
        "test", 1, now_ms, home=Team("home", "Home"), away=Team("away", "Away"), status=Status.FIRST_HALF,
        score=Score(1, 0), minute=23, events={goal.id: goal},
    )  # fmt: skip


def _word(outcome: Outcome) -> str:
    return type(outcome).__name__.lower()


def _said(platform: str, environment: str, outcome: str, reason: str) -> dict[str, str]:
    return {"platform": platform, "environment": environment, "outcome": outcome, "reason": reason}
