"""Jobs of the command line: whom an alert would reach and in which words, and a test alert to one user's devices."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

from db.domain import (
    LANGUAGES,
    VARIANTS,
    Device,
    Event,
    Kind,
    Match,
    Score,
    Side,
    Stamp,
    Status,
    Team,
    Variant,
    mask_of,
)
from db.live.store import LiveStore
from db.sql.history import History
from notify.content.alert import Alert, players_of
from notify.content.news import News
from notify.transports.base import Envelope
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
    quiet_hours, counts = QuietHours(now_ms), Counter[str]()
    players = here.audience.followed(players_of(alert))
    for page, _ in here.audience.followers(match, mask_of([Kind(kind)]), CHUNK, players=players):
        for _, _, zone, since, until, _ in page:
            counts["quiet" if zone and quiet_hours.is_active(zone, since, until) else "devices"] += 1
    messages = {language: written(alert, mask_of([Kind(kind)]), Variant(language)) for language in LANGUAGES}
    return {
        "match": match.id,
        "kind": kind,
        "devices": counts["devices"],
        "quiet": counts["quiet"],
        "topics": here.audience.variants(VARIANTS),
        "channels": [channel.environment for channel in here.audience.channels([match.id])],
        "messages": {name: {"title": message.title, "body": message.body} for name, message in messages.items()},
    }


def send(user_id: str, match_id: str) -> Answer:
    """A goal to each device of the user, past preferences and quiet hours; what became of each."""
    here, now_ms = services(), time.time_ns() // 1_000_000
    match = _match(here.live, here.history, match_id) if match_id else _sample(now_ms)
    renderer = MessageRenderer(_alert(match, Kind.GOAL, now_ms))
    answer: Answer = []
    for recipient in here.audience.of_user(user_id):
        device = recipient.device
        message = renderer.to(mask_of([Kind.GOAL]), recipient.locale, spoiler_free=recipient.spoiler_free)
        transport = here.transports.of(device)
        if transport is None or message is None:
            answer.append(_line(device, "failed", "no_transport"))
            continue
        for _, outcome in transport.send([Envelope(device, message, recipient.id)]):
            answer.append(_line(device, type(outcome).__name__.lower(), outcome.reason))
    return answer


def _match(live: LiveStore, history: History, match_id: str) -> Match:
    return live.matches.timeline(match_id) or history.match(match_id) or Match(match_id)


def _alert(match: Match, kind: Kind, now_ms: int) -> Alert:
    goals = [event for event in match.timeline if event.counts]
    last = goals[-1] if goals and kind is Kind.GOAL else None
    news = News(kind, "test", now_ms, last.team if last else None, last.id if last else None, minutes=15)
    return Alert(f"{match.id}-test", match, (news,), now_ms)


def _sample(now_ms: int) -> Match:
    stamp = Stamp(now_ms)
    goal = Event("test", "goal", stamp, stamp, team=Side.HOME, minute=23)
    return Match(
        "test", 1, now_ms, home=Team("home", "Home"), away=Team("away", "Away"), status=Status.FIRST_HALF,
        score=Score(1, 0), minute=23, events={goal.id: goal},
    )  # fmt: skip


def _line(device: Device, outcome: str, reason: str) -> dict[str, str]:
    return {
        "platform": device.platform,
        "environment": device.environment,
        "outcome": outcome,
        "reason": reason,
    }
