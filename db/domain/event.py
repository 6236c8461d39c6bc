"""One entry of the timeline, and all that was ever told of it: content is the newest of each field that is not null."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from db.domain.record import replace
from db.domain.score import Score
from db.domain.stamp import Key, Mark, Stamp, by_time, mark_of
from db.domain.vocabulary import CLOSING, SCORING, Side, Status

# Tellings kept of one event: the first ones say when it was first so, the last ones what it is now. Recorded push
# streams send an event up to ten times; a goal of a polled document bears the time of its last change, not of the poll.
FIRST_KEPT, LAST_KEPT = 8, 16
# The id that the generic feed makes for an event that bears none.
DERIVED_ID = re.compile(r"d-[0-9a-f]{20}")


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Telling:
    """What one message says of one event. None means not said.

    stamp: when it was said.
    since: when it became so by the sender's word, where that is another time.
    void: that it does not stand; then nothing else is said.
    by: the event that takes it back, where one does.
    board, shootout: the scoreboard beside it.
    """

    stamp: Stamp
    since: Stamp | None = None
    void: bool = False
    by: str | None = None
    type: str | None = None
    team: Side | None = None
    minute: int | None = None
    added_minute: int | None = None
    period: int | None = None
    player: Person | None = None
    assist: Person | None = None
    detail: str | None = None
    home_score: int | None = None
    away_score: int | None = None
    voids: str | None = None
    board: Score | None = None
    shootout: Score | None = None
    status: Status | None = None
    created_at: int = 0

    @property
    def marks(self) -> tuple[Mark, ...]:
        """When it was so: since then, and as of its telling."""
        marks = (mark_of(self.stamp), mark_of(self.since)) if self.since else (mark_of(self.stamp),)
        return tuple(mark for mark in marks if not mark.undated) or marks[:1]

    @property
    def fields(self) -> int:
        """How much it says."""
        return sum(getattr(self, name) is not None for name in CONTENT)


CONTENT = (
    *("type", "team", "minute", "added_minute", "period", "player", "assist", "detail"),
    *("home_score", "away_score", "voids"),
)
# Told together: a new minute without added time ends the old added time, a score has two numbers.
_PAIRS = {"added_minute": "minute", "home_score": "away_score", "away_score": "home_score"}
_PRECISE = ("own_goal", "penalty_goal")


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the timeline. Voided entries stay; their goals no longer count.

    team: the side it counts for (an own goal: the side that gains).
    home_score, away_score: after it, as the sender said it.
    stamp: of its newest content.
    since: when it last became valid.
    void_at: when it was voided; it is voided while void_at is not older than since.
    named_void: that a message names it as void; not where a board fell or documents leave it out.
    tellings: all that was told of it; empty where the event itself says as much.
    """

    id: str
    type: str
    stamp: Stamp
    since: Stamp
    void_at: Stamp | None = None
    team: Side | None = None
    minute: int | None = None
    added_minute: int | None = None
    period: int | None = None
    player: Person | None = None
    assist: Person | None = None
    detail: str | None = None
    home_score: int | None = None
    away_score: int | None = None
    voids: str | None = None
    created_at: int = 0
    named_void: bool = True
    tellings: tuple[Telling, ...] = ()

    @property
    def voided(self) -> bool:
        return self.void_at is not None and not self.since.newer(self.void_at)

    @property
    def counts(self) -> bool:
        return self.type in SCORING and self.team is not None and not self.voided

    @property
    def order(self) -> tuple[int, int, int, int, str]:
        """Place on the timeline: by the match clock, not by arrival. A whistle that bears no minute ends its period."""
        minute, added = self.minute or 0, self.added_minute or 0
        first = min(
            (mark.at for telling in self.tellings if not telling.void for mark in telling.marks), default=self.since.at
        )
        if self.minute is None and self.type in CLOSING:
            return (self.period or CLOSING[self.type], 999, 0, first, self.id)
        return (self.period or period_at(minute), minute, added, first, self.id)

    @property
    def is_anonymous(self) -> bool:
        """Whether its sender gave it no id."""
        return DERIVED_ID.fullmatch(self.id) is not None


def period_at(minute: int) -> int:
    """The football period a displayed minute lies in: halves 1 and 2, extra-time halves 3 and 4."""
    return 1 if minute <= 45 else 2 if minute <= 90 else 3 if minute <= 105 else 4


def telling_of(event: Event) -> Telling:
    """What an event that was told once says. Its own score is the scoreboard of its moment."""
    whole = event.home_score is not None and event.away_score is not None
    return Telling(
        event.stamp,
        since=event.since if event.since != event.stamp else None,
        board=Score(event.home_score or 0, event.away_score or 0) if whole else None,
        created_at=event.created_at,
        **{name: getattr(event, name) for name in CONTENT if name != "type"},
        type=event.type or None,
    )


def tellings_of(event: Event) -> tuple[Telling, ...]:
    """All that was told of it."""
    if event.tellings:
        return event.tellings
    standing = (telling_of(event),) if event.type else ()
    void = (Telling(event.void_at, void=True, created_at=event.created_at),) if event.void_at else ()
    return standing + void


def retold(event: Event | None, event_id: str, telling: Telling) -> Event:
    """The event with one telling more; the very same where that says nothing new."""
    if event is None:
        return event_of(event_id, (telling,))
    before = tellings_of(event)
    same = [earlier for earlier in before if _is_same(earlier, telling)]
    if not same:
        return event_of(event_id, (*before, telling))
    if telling.created_at >= same[0].created_at:
        return event
    return event_of(event_id, (*(earlier for earlier in before if earlier is not same[0]), telling))


def _is_same(telling: Telling, other: Telling) -> bool:
    """Alike but for when it was heard."""
    return telling.stamp == other.stamp and replace(telling, created_at=other.created_at) == other


def event_of(event_id: str, tellings: tuple[Telling, ...]) -> Event:
    """The event that follows from its tellings alone. Whether a goal stands is for the whole match to say."""
    if len(tellings) == 1 and not tellings[0].void:
        return _told_once(event_id, tellings[0])
    ordered = in_order(tellings)
    if len(ordered) > FIRST_KEPT + LAST_KEPT:
        ordered = ordered[:FIRST_KEPT] + ordered[-LAST_KEPT:]
    content = content_of(ordered)
    standing = [telling for telling in ordered if not telling.void]
    voids = [telling for telling in ordered if telling.void]
    newest = standing[-1].stamp if standing else Stamp(0, source=ordered[0].stamp.source)
    void_at = max((telling.stamp for telling in voids), key=lambda stamp: by_time(mark_of(stamp)), default=None)
    event = Event(
        event_id,
        stamp=newest,
        since=_since(standing, void_at) if standing else newest,
        void_at=void_at,
        created_at=min(telling.created_at for telling in ordered),
        **content,
    )
    return event if tellings_of(event) == ordered else replace(event, tellings=ordered)


def _told_once(event_id: str, telling: Telling) -> Event:
    event = Event(
        event_id,
        telling.type or "",
        telling.stamp,
        telling.since if telling.since and _time(telling.since) < _time(telling.stamp) else telling.stamp,
        None,
        telling.team,
        telling.minute,
        telling.added_minute,
        telling.period,
        telling.player,
        telling.assist,
        telling.detail,
        telling.home_score,
        telling.away_score,
        telling.voids,
        telling.created_at,
    )
    return event if telling_of(event) == telling else replace(event, tellings=(telling,))


def unfolded(event: Event) -> Event:
    """The event with its tellings beside it, where they are looked at again and again."""
    return event if event.tellings else replace(event, tellings=tellings_of(event))


def _since(standing: list[Telling], void_at: Stamp | None) -> Stamp:
    """When it last became valid: the first word of it after it was last voided; else the first of all."""
    stamps = sorted(
        (stamp for telling in standing for stamp in (telling.since or telling.stamp, telling.stamp)), key=_time
    )
    after = [stamp for stamp in stamps if void_at is None or _time(stamp)[:2] > _time(void_at)[:2]]
    return (after or stamps)[0]


def _time(stamp: Stamp) -> Key:
    return by_time(mark_of(stamp))


def content_of(ordered: tuple[Telling, ...]) -> dict[str, Any]:
    """Of each field the newest telling that says it. Null never erases."""
    content: dict[str, Any] = dict.fromkeys(CONTENT)
    for telling in ordered:
        for name in CONTENT:
            value = getattr(telling, name)
            if value is not None or (name in _PAIRS and getattr(telling, _PAIRS[name]) is not None):
                content[name] = value
    content["type"] = content["type"] or ""
    return content


def in_order(tellings: tuple[Telling, ...]) -> tuple[Telling, ...]:
    if len(tellings) < 2:
        return tellings
    times = [_time(telling.stamp) for telling in tellings]
    key = _order if len(set(times)) < len(times) else _when
    return tuple(sorted(tellings, key=key))


def _when(telling: Telling) -> Key:
    return _time(telling.stamp)


def _order(telling: Telling) -> tuple[object, ...]:
    """By stamp; of equal ones, in a fixed way: first the voiding, then who says less, then the plainer type."""
    precise = telling.type in _PRECISE
    return (*_time(telling.stamp), not telling.void, telling.fields, precise, repr(telling))
