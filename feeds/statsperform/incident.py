"""What MA1 and MA3 share: the fixture a message is about, the displayed minute, and a happening as updates."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from db.domain import Event, Person, Score, Side, Stamp, Update

SOURCE = "statsperform"
# The last displayed minute of each period; what is played beyond it is added time.
LAST_MINUTE = {1: 45, 2: 90, 3: 105, 4: 120}
FIRST_MINUTE = {1: 1, 2: 46, 3: 91, 4: 106}
STARTS = {1: "kickoff", 2: "second_half", 3: "extra_time", 4: "extra_second_half", 5: "shootout_start"}
# Periods 2, 4 and 5 may be the last one: then their end is full time, else it has no word of its own.
ENDS = {1: "half_time", 3: "extra_half_time"}


@dataclass(frozen=True, slots=True)
class Fixture:
    """at: ms, when a whole document was last updated, 0 for a push message, which tells only of its own events.

    sides by contestant id: empty where a push message does not name the contestants; the score that the message tells
    then says of which side a goal is.
    """

    match_id: str
    received_at: int
    stamp: Stamp
    at: int = 0
    sides: dict[str, Side] = field(default_factory=dict)
    score: Score | None = None


@dataclass(frozen=True, slots=True)
class Incident:
    """One happening, before its stamps. partial: a telling that lacks something which a document has."""

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
    """Minute and added minute as shown; a shoot-out and the breaks have none."""
    last = LAST_MINUTE.get(period or 0)
    if last is None or minute is None:
        return None, None
    return (last, min(minute - last, 99)) if minute > last else (minute, None)


def update_of(fixture: Fixture, moment: Incident) -> Update:
    """The happening as of when it happened, and as of its last edit: one voided before that edit is valid again."""
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
    """A partial telling yields to a whole one of its second; so does one that knows no sides."""
    at = moment.modified or since.at
    # Documents date to the second: one millisecond before it is older than all of them, newer than the second before.
    return at // 1000 * 1000 - 1 if at and (moment.partial or not fixture.sides) else at
