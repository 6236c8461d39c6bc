"""One message to a match's followers: the news it brings, and what is left of it when goals become void. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field, TypeAdapter

from db.domain import Event, Kind, Match, mask_of
from notify.content.news import News


@dataclass(frozen=True, slots=True)
class Alert:
    """News sent in one message. Aliases are the names in the stored JSON.

    id: the same for the same news, whichever worker computes it.
    match: the match as it stood then, with the events of the news.
    news: what the message says, at least one item.
    opened_at: when the alert was opened (ms).
    corrects: of a cancelled goal, the alerts that announced it.
    before: of a cancelled goal, its audience is who got those alerts at a match version below this one.
    """

    id: str
    match: Match
    news: tuple[News, ...]
    opened_at: Annotated[int, Field(alias="told_at")]
    corrects: Annotated[tuple[str, ...], Field(alias="of")] = ()
    before: int = 0


_alerts = TypeAdapter(Alert)
# Whoever hears of a player's goal hears who scored it, and of its end.
_OF_A_GOAL = mask_of([Kind.GOAL, Kind.SCORER, Kind.GOAL_CANCELLED])


def amend(alert: Alert, void: Collection[str], match: Match) -> Alert | None:
    """An alert that is being sent when goals become void: without those goals, and with the present score. None if
    nothing of it is left."""
    news = tuple(item for item in alert.news if goal_of(item) not in void)
    present = replace(match, events={**alert.match.events, **match.events})
    return replace(alert, match=with_events_of(present, news), news=news) if news else None


def goal_of(item: News) -> str | None:
    """Key of the goal that it tells of, itself or its scorer; None if it tells of none."""
    return {Kind.GOAL: item.key, Kind.SCORER: item.event_id}.get(item.kind)


def players_of(alert: Alert) -> dict[str, int]:
    """Ids of the players whom the news names, each with the kinds of that news as a mask."""
    masks: dict[str, int] = {}
    for item in alert.news:
        event = alert.match.events.get(item.event_id) if item.event_id else None
        bits = _OF_A_GOAL if item.kind in (Kind.GOAL, Kind.SCORER) else mask_of([item.kind])
        for person in (event.player, event.assist) if event else ():
            if person and person.id:
                masks[person.id] = masks.get(person.id, 0) | bits
    return masks


def with_events_of(match: Match, news: Iterable[News]) -> Match:
    """The match with the events of the news and no others."""
    wanted = {item.event_id for item in news}
    events: dict[str, Event] = {key: event for key, event in match.events.items() if key in wanted}
    return replace(match, events=events)


def encode_alert(alert: Alert) -> bytes:
    return _alerts.dump_json(alert, exclude_defaults=True, by_alias=True)


def decode_alert(text: bytes) -> Alert:
    return _alerts.validate_json(text)
