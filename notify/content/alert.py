"""One message to a match's followers: what it tells, and what is left of it when goals become void. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from pydantic import TypeAdapter

from db.domain import Event, Kind, Match
from notify.content.news import News


@dataclass(frozen=True, slots=True)
class Alert:
    """News told in one message. match: as it then stands, with the events of the news. told_at: ms. of: for a
    cancelled goal, the alerts that told it; its audience is who got them at a version below `before`. id: the same for
    the same news, whoever works it out."""

    id: str
    match: Match
    news: tuple[News, ...]
    told_at: int
    of: tuple[str, ...] = ()
    before: int = 0


_alerts = TypeAdapter(Alert)


def mend(alert: Alert, void: Collection[str], match: Match) -> Alert | None:
    """An alert that is on its way when goals become void: without them, with the score as it is now. None if nothing of
    it is left."""
    news = tuple(item for item in alert.news if item.kind is not Kind.GOAL or item.key not in void)
    now = replace(match, events={**alert.match.events, **match.events})
    return replace(alert, match=only(now, news), news=news) if news else None


def only(match: Match, news: Iterable[News]) -> Match:
    """The match with no events but those of the news."""
    wanted = {item.event_id for item in news}
    events: dict[str, Event] = {key: event for key, event in match.events.items() if key in wanted}
    return replace(match, events=events)


def encode_alert(alert: Alert) -> bytes:
    return _alerts.dump_json(alert, exclude_defaults=True)


def decode_alert(text: bytes) -> Alert:
    return _alerts.validate_json(text)
