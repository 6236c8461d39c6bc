"""Shared by MA1 and MA3: the fixture of a message, the displayed minute, and an incident as an update."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from db.domain import Event, Person, Score, Side, Stamp, Update

SOURCE = "statsperform"
# Last displayed minute of each period; later minutes are added time.
LAST_MINUTE = {1: 45, 2: 90, 3: 105, 4: 120}
FIRST_MINUTE = {1: 1, 2: 46, 3: 91, 4: 106}
STARTS = {1: "kickoff", 2: "second_half", 3: "extra_time", 4: "extra_second_half", 5: "shootout_start"}
# The end of period 2, 4 or 5 is full time if it is the last one, and no event otherwise.
ENDS = {1: "half_time", 3: "extra_half_time"}


@dataclass(frozen=True, slots=True)
class Fixture:
    """match_id: ours.
    received_at: ms.
    stamp: of the whole message.
    at: ms, last update of a full document; 0 for a push message, which covers only its own events.
    sides: by contestant id; empty where a push message does not name the contestants.
    score: of the message; without `sides` it shows which side scored.
    """

    match_id: str
    received_at: int
    stamp: Stamp
    at: int = 0
    sides: dict[str, Side] = field(default_factory=dict)
    score: Score | None = None


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident before its stamps are set.

    period, minute: as the format counts them.
    happened, modified: ms.
    partial: lacks a field that another document of the match has.
    """

    id: str
    type: str
    period: int | None
    minute: int | None
    happened: int | None
    modified: int | None
    team: Side | None = None
    player: Person | None = None
    assist: Person | None = None
    detail: str | None = None
    score: Score | None = None
    partial: bool = False

    @property
    def clock(self) -> int:
        minute, added = displayed(self.period, self.minute)
        return (minute or 0) * 100 + (added or 0)


def displayed(period: int | None, minute: int | None) -> tuple[int | None, int | None]:
    """Displayed minute and added minute; (None, None) in a shoot-out or break."""
    last = LAST_MINUTE.get(period or 0)
    if last is None or minute is None:
        return None, None
    return (last, min(minute - last, 99)) if minute > last else (minute, None)


def update_of(fixture: Fixture, moment: Incident) -> Update:
    """The update of an incident. Its content counts from the last edit, so an edit after a void restores it."""
    since = Stamp(moment.happened or moment.modified or fixture.stamp.at, source=SOURCE, clock=moment.clock)
    minute, added = displayed(moment.period, moment.minute)
    event = Event(
        moment.id,
        moment.type,
        replace(since, at=_content_at(fixture, moment, since)),
        since=since,
        team=moment.team,
        minute=minute,
        added_minute=added,
        period=moment.period if moment.period in STARTS else None,
        player=moment.player,
        assist=moment.assist,
        detail=moment.detail,
        home_score=moment.score.home if moment.score else None,
        away_score=moment.score.away if moment.score else None,
        created_at=fixture.received_at,
    )
    return Update(
        fixture.match_id,
        since,
        fixture.received_at,
        event=event,
        minute=minute,
        added_minute=added,
        period=event.period,
    )


def _content_at(fixture: Fixture, moment: Incident, since: Stamp) -> int:
    """ms. A partial incident, or one without sides, yields to a full one of the same second."""
    at = moment.modified or since.at
    # Documents have whole seconds: one millisecond earlier is older than all of them, newer than the second before.
    return at // 1000 * 1000 - 1 if at and (moment.partial or not fixture.sides) else at
