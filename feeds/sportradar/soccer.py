"""Sportradar soccer v4 and its older field names (`team`, `goal_scorer`…): a document or message → updates.

Score and status come from the status object, not from the event beside it: a re-sent old goal carries the old score.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from db.domain import Event, MatchInfo, Person, Side, Stamp, Status, Update
from feeds.fields import TEXT_LENGTH_MAX, Json, ident, keyed, ms, person, text, thing, things, whole
from feeds.lineups import lineups_told
from feeds.listing import with_listing
from feeds.sportradar import lineup
from feeds.sportradar import soccer_status as state
from feeds.sportradar.sport_event import id_of_match, info_of, normal_id

SOURCE = "sportradar"

# Event types that carry score and clock but do not appear in the timeline.
# possible_goal comes up to ten seconds before score_change and must never count as a goal.
NOISE = frozenset(
    {
        *("match_started", "period_score", "possible_goal", "penalty_kick", "injury_time_shown", "ball_position"),
        *("free_kick", "goal_kick", "throw_in", "corner_kick", "offside"),
        *("shot_on_target", "shot_off_target", "shot_saved", "save"),
        *("injury", "injury_return", "player_back_from_injury"),
        *("possible_decision_to_var", "possible_decision_to_var_over", "canceled_decision_to_var"),
    }
)
TYPES = {
    "yellow_card": "yellow_card",
    "yellow_red_card": "second_yellow",
    "red_card": "red_card",
    "substitution": "substitution",
    "penalty_missed": "penalty_missed",
    "video_assistant_referee": "var_review",
    "video_assistant_referee_over": "var_review",
    "match_ended": "full_time",
}
GOALS = {"own_goal": "own_goal", "penalty": "penalty_goal"}
PERIODS = {
    ("regular_period", 1): "kickoff",
    ("regular_period", 2): "second_half",
    ("overtime", 1): "extra_time",
    ("overtime", 2): "extra_second_half",
}
BREAKS = {
    "awaiting_extra": Status.BREAK_BEFORE_ET,
    "awaiting_extra_time": Status.BREAK_BEFORE_ET,
    "extra_time_halftime": Status.ET_HALF_TIME,
    "awaiting_penalties": Status.BREAK_BEFORE_PENS,
}


def document(document: Json, received_at: int) -> list[Update]:
    """A summary or timeline. A complete timeline with `generated_at` also shows which events were cancelled."""
    sport_event = thing(document.get("sport_event"))
    match_id = id_of_match(sport_event.get("id")) or normal_id(document.get("id"))
    if match_id is None:
        return []
    at = ms(document.get("generated_at"))
    status = thing(document.get("sport_event_status"))
    moments = [
        update for entry in things(document.get("timeline")) for update in _moment(match_id, entry, {}, received_at)
    ]
    match_state = replace(_state(match_id, status, Stamp(at or 0, source=SOURCE), received_at), is_document=True)
    if match_state.status is Status.SCHEDULED and sport_event.get("start_time_confirmed") is False:
        match_state = replace(match_state, status=Status.TIME_TBD)
    squads, figures = lineup.lineups(document), lineup.stats(document)
    match_state = replace(match_state, info=info_of(sport_event), lineups=squads, stats=figures)
    moments += lineups_told(match_state)
    entries = _entries(document.get("timeline")) if at is not None and not document.get("excerpt") else {}
    return [*moments, with_listing(match_state, entries, lists_cards=True) if entries else match_state]


def removed(entry: Json, generated_at: int | None, received_at: int) -> list[Update]:
    """An entry of `sport_events/removed`: it was entered by mistake, and may continue under another id."""
    match_id, successor = id_of_match(entry.get("id")), id_of_match(entry.get("replaced_by"))
    if match_id is None:
        return []
    stamp = Stamp(generated_at or received_at, source=SOURCE)
    status, info = (Status.REPLACED, MatchInfo(replaced_by=successor)) if successor else (Status.REMOVED, None)
    return [Update(match_id, stamp, received_at, status=status, info=info)]


def _entries(timeline: Any) -> dict[str, tuple[str | None, Side | None]]:
    """Type and side of each timeline event by id. Empty where the timeline is missing or an entry has no id."""
    entries = (
        [(ident(thing(entry).get("id")), thing(entry)) for entry in timeline] if isinstance(timeline, list) else []
    )
    if any(event_id is None for event_id, _ in entries):
        return {}
    return {event_id: (_type(str(entry.get("type")), entry), _side(entry)) for event_id, entry in entries if event_id}


def message(payload: Json, metadata: Json, received_at: int) -> list[Update]:
    """One push message: an event, and the state of the match at that time."""
    match_id = id_of_match(metadata.get("sport_event_id"))
    if match_id is None:
        return []
    event, status = thing(payload.get("event")), thing(payload.get("sport_event_status"))
    if event and (metadata.get("operation") == "delete" or event.get("deleted")):
        return _deletion(match_id, event, status, received_at)
    updates = _moment(match_id, event, status, received_at) if event else []
    if status:
        updates.append(_state(match_id, status, _stamp(event), received_at))
    return updates


def _deletion(match_id: str, event: Json, status: Json, received_at: int) -> list[Update]:
    """Not documented for soccer; other sports of the same push delete an event with its id and the time of it. The
    event's own time is of the goal, and says nothing of its deletion."""
    deleted_at = ms(event.get("deleted")) or ms(event.get("updated_time")) or received_at
    stamp = Stamp(deleted_at, source=SOURCE, clock=_order(event))
    updates = [Update(match_id, stamp, received_at, voids=ident(event.get("id")))]
    return [*updates, _state(match_id, status, stamp, received_at)] if status else updates


def _state(match_id: str, status: Json, stamp: Stamp, received_at: int) -> Update:
    """The status object: score, shoot-out, status and clock as of the stamp."""
    minute, added = state.clock(status)
    known_status, word = state.status_and_word(status)
    return Update(
        match_id,
        stamp,
        received_at,
        score=None if stamp.undated else state.score(status),
        shootout=state.shootout(status),
        status=known_status,
        status_word=word,
        decided_by=state.decided_by(status),
        minute=minute,
        added_minute=added,
    )


def _moment(match_id: str, entry: Json, status: Json, received_at: int) -> list[Update]:
    """One timeline entry. Its own score counts only where there is no status object."""
    kind, event_id = text(entry.get("type"), 64), ident(entry.get("id"))
    if kind is None or event_id is None:
        return []
    minute, added = _clock(entry)
    stamp, since = _stamp(entry), Stamp(ms(entry.get("time")) or 0, source=SOURCE, clock=_order(entry))
    type_ = _type(kind, entry)
    kicks = type_ in ("shootout_goal", "shootout_missed")
    return [
        Update(
            match_id,
            stamp,
            received_at,
            event=_event(event_id, type_, entry, stamp, since, received_at) if type_ else None,
            score=None if status or kicks or stamp.undated else state.score(entry),
            shootout=None if state.shootout(status) else state.own_shootout(entry),
            status=_implied(kind, entry),
            minute=minute,
            added_minute=added,
            period=whole(entry.get("period"), 20),
            # An entry edited to an ignored type (a goal that was only a shot) cancels the event.
            voids=event_id if kind in NOISE and entry.get("updated") is True else None,
        )
    ]


def _type(kind: str, entry: Json) -> str | None:
    """Our event type; None for ignored types. An unknown type keeps its own name."""
    if kind == "score_change":
        in_shootout = entry.get("period_type") == "penalties"
        return "shootout_goal" if in_shootout else GOALS.get(str(_method(entry)), "goal")
    if kind == "penalty_shootout":
        return {"scored": "shootout_goal", "missed": "shootout_missed"}.get(str(entry.get("status")))
    if kind == "period_start":
        in_shootout = entry.get("period_type") == "penalties"
        return "shootout_start" if in_shootout else PERIODS.get((str(entry.get("period_type")), _half(entry)))
    if kind == "break_start":
        return None if entry.get("period_type") in BREAKS else "half_time"
    return None if kind in NOISE else TYPES.get(kind, kind)


def _half(entry: Json) -> int:
    """Overtime halves are numbered 1 and 2 in some documents, 3 and 4 in others."""
    number = whole(entry.get("period"), 20) or 1
    return number - 2 if entry.get("period_type") == "overtime" and number > 2 else number


def _implied(kind: str, entry: Json) -> Status | None:
    if kind == "break_start":
        return BREAKS.get(str(entry.get("period_type")))
    if kind == "match_ended":
        return state.FINAL.get(str(entry.get("status")), Status.ENDED)
    return Status.FIRST_HALF if kind == "match_started" else None


def _event(event_id: str, type_: str, entry: Json, stamp: Stamp, since: Stamp, received_at: int) -> Event:
    minute, added = _clock(entry)
    score = state.score(entry)
    player, assist = _people(entry)
    return Event(
        event_id,
        type_,
        stamp,
        since=since,
        team=_side(entry),
        minute=minute,
        added_minute=added,
        period=whole(entry.get("period"), 20),
        player=player,
        assist=assist,
        detail=_detail(entry),
        home_score=score.home if score else None,
        away_score=score.away if score else None,
        created_at=received_at,
    )


def _side(entry: Json) -> Side | None:
    """The side that gains, for an own goal too: the competitor of the score_change."""
    word = entry.get("competitor") or entry.get("team")
    return Side(word) if word in ("home", "away") else None


def _people(entry: Json) -> tuple[Person | None, Person | None]:
    """Player and assist. Of a substitution, the player who comes on; `_detail` has the one who goes off."""
    players = keyed(entry.get("players"), "type")
    doer = players.get("scorer") or players.get("substituted_in") or entry.get("goal_scorer") or entry.get("player_in")
    doer = doer or entry.get("player") or next(iter(things(entry.get("players"))), None)
    helper = players.get("assist") or entry.get("assist")
    return person(doer), person(helper)


def _detail(entry: Json) -> str | None:
    players = keyed(entry.get("players"), "type")
    off = person(players.get("substituted_out") or entry.get("player_out"))
    if off:
        return f"off: {off.name}"
    return text(entry.get("description") or _method(entry), TEXT_LENGTH_MAX)


def _method(entry: Json) -> Any:
    return entry.get("method") or thing(entry.get("goal_scorer")).get("method")


def _clock(entry: Json) -> tuple[int | None, int | None]:
    """The displayed minute, and the added minute while the clock stands at 45:00 or 90:00."""
    minute, added = whole(entry.get("match_time"), 999), whole(entry.get("stoppage_time"), 99)
    return minute, added or None


def _order(entry: Json) -> int:
    minute, added = _clock(entry)
    return (minute or 0) * 100 + (added or 0)


def _stamp(entry: Json) -> Stamp:
    """The time of the last update: `time` is overwritten by updates and may go backwards, `updated_time` does not."""
    at = ms(entry.get("updated_time")) or ms(entry.get("time")) or 0
    return Stamp(at, source=SOURCE, clock=_order(entry))
