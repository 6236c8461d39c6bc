"""MA3: Opta ball events → moments and voids. Of some 1,700 events a match only those of the timeline are kept.

Type and qualifier numbers: Stats Perform, "Opta event types" and "Opta qualifiers".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from db.domain import SCORING, Person, Score, Side, Stamp, Update
from feeds.fields import Json, ident, ms, text, things, whole
from feeds.statsperform.incident import ENDS, SOURCE, STARTS, Fixture, Incident, displayed

GOAL, CARD, PLAYER_OFF, PLAYER_ON, VAR, PERIOD_END, PERIOD_START = 16, 17, 18, 19, 65, 30, 32
MISSED = (13, 14, 15)  # wide, post, saved
DELETED, RESCINDED_CARD, DELETED_AFTER_REVIEW = 43, 47, 84
TAKEN_BACK = (DELETED, RESCINDED_CARD, DELETED_AFTER_REVIEW)
KEPT = (GOAL, *MISSED, CARD, PLAYER_ON, VAR)

Q_PENALTY, Q_OWN_GOAL, Q_ASSISTED, Q_RELATED, Q_WAS_TYPE, Q_GAME_END = 9, 28, 29, 55, 144, 209
CARDS = {33: "red_card", 32: "second_yellow", 31: "yellow_card"}

Qualifiers = dict[int | None, Any]
# By contestant and `eventId`, which each side counts for itself.
Index = dict[tuple[str | None, int | None], Json]


def moments(fixture: Fixture, events: list[Json]) -> list[Incident]:
    index = _index(events)
    return _with_scores(fixture, [moment for event in events if (moment := _moment(fixture, event, index))])


def voids(fixture: Fixture, events: list[Json]) -> list[Update]:
    index = _index(events)
    return [update for event in events for update in _voids(fixture, event, index)]


def _index(events: list[Json]) -> Index:
    return {(ident(event.get("contestantId")), whole(event.get("eventId"), 10**9)): event for event in events}


def modified(event: Json) -> int | None:
    return ms(event.get("lastModified")) or ms(event.get("timeStamp"))


def substitution_id(player_id: str) -> str:
    """MA1 gives substitutions no id, and nobody comes on twice."""
    return f"on-{player_id}"[:64]


def _voids(fixture: Fixture, event: Json, index: Index) -> Iterator[Update]:
    """A deleted event keeps its id. A rescinded card is a separate event that names the card."""
    if whole(event.get("typeId")) not in TAKEN_BACK:
        return
    stamp = Stamp(modified(event) or fixture.stamp.at, source=SOURCE)
    for event_id in _taken_back(event, index):
        yield Update(fixture.match_id, stamp, fixture.received_at, voids=event_id)


def _taken_back(event: Json, index: Index) -> list[str]:
    """Ids to void. Only events of a kept type, or of unknown type: deleted passes were never stored."""
    qualifiers, player_id = _qualifiers(event), ident(event.get("playerId"))
    was = whole(qualifiers.get(Q_WAS_TYPE))
    if was == PLAYER_ON and player_id:
        return [substitution_id(player_id)]
    related = _related(event, index)
    card = related if whole(related.get("typeId")) == CARD and whole(event.get("typeId")) == RESCINDED_CARD else {}
    ids = ident(event.get("id")), ident(card.get("id"))
    return [event_id for event_id in ids if event_id] if was is None or was in KEPT else []


def _moment(fixture: Fixture, event: Json, index: Index) -> Incident | None:
    kind, event_id = whole(event.get("typeId")), ident(event.get("id"))
    if kind in (PERIOD_START, PERIOD_END):
        return _period_moment(event, kind)
    type_ = _type(event)
    if type_ is None or event_id is None:
        return None
    player_id = ident(event.get("playerId"))
    return Incident(
        substitution_id(player_id) if kind == PLAYER_ON and player_id else event_id,
        type_,
        _period(event),
        _minute(event),
        ms(event.get("timeStamp")),
        ms(event.get("lastModified")),
        team=_side(fixture, event, type_),
        player=_player(event),
        assist=_assist(event, index),
        detail=_off(event, index),
        # Only MA1 has a card's reason. Only documents have a goal's score and assist, and who goes off.
        partial=kind == CARD or (not fixture.at and kind in (GOAL, PLAYER_ON)),
    )


def _type(event: Json) -> str | None:
    """Our event type; None for events outside the timeline, among them provisional goals and cards (38, 39, 78)."""
    kind, in_shootout, qualifiers = whole(event.get("typeId")), _period(event) == 5, _qualifiers(event)
    if kind == GOAL:
        if in_shootout:
            return "shootout_goal"
        return "own_goal" if Q_OWN_GOAL in qualifiers else "penalty_goal" if Q_PENALTY in qualifiers else "goal"
    if kind in MISSED and Q_PENALTY in qualifiers:
        return "shootout_missed" if in_shootout else "penalty_missed"
    if kind == CARD:
        return next((word for number, word in CARDS.items() if number in qualifiers), None)
    return {PLAYER_ON: "substitution", VAR: "var_review"}.get(kind or 0)


def _period_moment(event: Json, kind: int) -> Incident | None:
    """Both sides send it under an id of their own; it is one moment."""
    period = _period(event)
    if period is None or period not in STARTS:
        return None
    is_last = Q_GAME_END in _qualifiers(event)
    type_ = STARTS[period] if kind == PERIOD_START else "full_time" if is_last else ENDS.get(period)
    id_ = f"period-{period}-{'start' if kind == PERIOD_START else 'end'}"
    at, edited = ms(event.get("timeStamp")), ms(event.get("lastModified"))
    return Incident(id_, type_, period, _minute(event), at, edited) if type_ else None


def _with_scores(fixture: Fixture, moments: list[Incident]) -> list[Incident]:
    """Each goal with the score after it, where a document lists them all."""
    if not fixture.at:
        return moments
    score, scores = Score(0, 0), {}
    for goal in sorted(
        moments, key=lambda moment: (moment.period or 0, moment.minute or 0, moment.happened or 0, moment.id)
    ):
        if goal.type in SCORING and goal.team:
            scores[goal.id] = score = score.plus(goal.team, 1)
    return [replace(moment, score=scores.get(moment.id)) for moment in moments] if score == fixture.score else moments


def clock(fixture: Fixture, events: list[Json]) -> list[Update]:
    """The match clock from the newest event of any type."""
    touches = [
        (ms(event.get("timeStamp")) or 0, event) for event in events if whole(event.get("typeId")) not in TAKEN_BACK
    ]
    at, newest = max(touches, key=lambda touch: touch[0], default=(0, {}))
    minute, added = displayed(_period(newest), _minute(newest))
    if not at or minute is None:
        return []
    stamp = Stamp(at, source=SOURCE, clock=minute * 100 + (added or 0))
    period = _period(newest)
    return [Update(fixture.match_id, stamp, fixture.received_at, minute=minute, added_minute=added, period=period)]


def _period(event: Json) -> int | None:
    return whole(event.get("periodId"), 20)


def _minute(event: Json) -> int | None:
    """MA3 counts minutes played: 73 in the 74th minute."""
    played = whole(event.get("timeMin"), 998)
    return played + 1 if played is not None else None


def _side(fixture: Fixture, event: Json, type_: str) -> Side | None:
    side = fixture.sides.get(ident(event.get("contestantId")) or "")
    return side.other if side and type_ == "own_goal" else side


def _player(event: Json) -> Person | None:
    name = text(event.get("playerName"))
    return Person(name, ident(event.get("playerId"))) if name else None


def _assist(event: Json, index: Index) -> Person | None:
    is_assisted = whole(event.get("typeId")) == GOAL and Q_ASSISTED in _qualifiers(event)
    return _player(_related(event, index)) if is_assisted else None


def _off(event: Json, index: Index) -> str | None:
    related = _related(event, index)
    off = _player(related) if whole(related.get("typeId")) == PLAYER_OFF else None
    return f"off: {off.name}" if off and whole(event.get("typeId")) == PLAYER_ON else None


def _related(event: Json, index: Index) -> Json:
    number = whole(_qualifiers(event).get(Q_RELATED), 10**9)
    return index.get((ident(event.get("contestantId")), number), {}) if number is not None else {}


def _qualifiers(event: Json) -> Qualifiers:
    return {whole(qualifier.get("qualifierId")): qualifier.get("value") for qualifier in things(event.get("qualifier"))}
