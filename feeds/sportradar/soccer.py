"""Sportradar soccer v4 and its older field names (`team`, `goal_scorer`…): a document or message → updates.

What the status object says of score and status beats the event beside it: an old goal told again carries the old score.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from db.domain import Competition, Event, MatchInfo, Person, Side, Stamp, Status, Team, Update
from feeds.fields import TEXT_MOST, Json, ident, ms, person, text, thing, things, whole
from feeds.listing import with_listing
from feeds.sportradar import soccer_status as state

SOURCE = "sportradar"

# Every touch of the ball is told. These carry score and clock to us, and are no moments of the match.
# possible_goal comes up to ten seconds before a score_change, and is none.
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
# Other sports have documents of the same shape; their ids are Sportradar's, the same in all its products.
SPORTS = {
    "sr:sport:1": "football",
    "sr:sport:2": "basketball",
    "sr:sport:3": "baseball",
    "sr:sport:4": "ice_hockey",
    "sr:sport:16": "american_football",
}


def document(told: Json, received_at: int) -> list[Update]:
    """A summary or timeline. With its time, a complete timeline also tells which events no longer stand."""
    sport_event = thing(told.get("sport_event"))
    match_id = normal_id(sport_event.get("id") or told.get("id"))
    if match_id is None:
        return []
    at = ms(told.get("generated_at"))
    status = thing(told.get("sport_event_status"))
    moments = [update for one in things(told.get("timeline")) for update in _moment(match_id, one, {}, received_at)]
    state_told = replace(_state(match_id, status, Stamp(at or 0, source=SOURCE), received_at), is_document=True)
    state_told = replace(state_told, info=_info(sport_event))
    entries = _entries(told.get("timeline")) if at is not None and not told.get("excerpt") else {}
    return [*moments, with_listing(state_told, entries, lists_cards=True) if entries else state_told]


def _entries(timeline: Any) -> dict[str, tuple[str | None, Side | None]]:
    """Of a complete timeline, type and side by id. Empty where it is not filled yet, or one of it cannot be read."""
    entries = [(ident(thing(one).get("id")), thing(one)) for one in timeline] if isinstance(timeline, list) else []
    if any(event_id is None for event_id, _ in entries):
        return {}
    return {event_id: (_type(str(one.get("type")), one), _side(one)) for event_id, one in entries if event_id}


def message(payload: Json, metadata: Json, received_at: int) -> list[Update]:
    """One push message: an event, and the state of the match as it was sent."""
    match_id = normal_id(metadata.get("sport_event_id"))
    if match_id is None:
        return []
    event, status = thing(payload.get("event")), thing(payload.get("sport_event_status"))
    told = _moment(match_id, event, status, received_at) if event else []
    if status:
        told.append(_state(match_id, status, _stamp(event), received_at))
    return told


def normal_id(value: Any) -> str | None:
    """One id for a match that products call sr:sport_event:1, sr:sport_event_id:1 and sr:match:1."""
    found = (
        re.fullmatch(r"sr:(?:sport_event|sport_event_id|match):(\d{1,20})", value) if isinstance(value, str) else None
    )
    return f"sr:sport_event:{found[1]}" if found else None


def _info(sport_event: Json) -> MatchInfo:
    context = thing(sport_event.get("sport_event_context"))
    sides = {one.get("qualifier"): one for one in things(sport_event.get("competitors"))}
    competition = _named(context.get("competition") or sport_event.get("competition"))
    return MatchInfo(
        home=Team(*home) if (home := _named(sides.get("home"))) else None,
        away=Team(*away) if (away := _named(sides.get("away"))) else None,
        competition=Competition(*competition) if competition else None,
        venue=text(thing(sport_event.get("venue")).get("name")),
        start_time=ms(sport_event.get("start_time")),
        sport=_sport(context.get("sport")),
        coverage=text(thing(thing(sport_event.get("coverage")).get("sport_event_properties")).get("scores"), 64),
        replaced_by=normal_id(sport_event.get("replaced_by")),
    )


def _sport(value: Any) -> str | None:
    """None where it is not told: the match is then football, whose documents these are."""
    sport_id = text(thing(value).get("id"), 64)
    return SPORTS.get(sport_id, "other") if sport_id else None


def _named(value: Any) -> tuple[str, str] | None:
    one = thing(value)
    name, id_ = text(one.get("name")), ident(one.get("id"))
    return (id_, name) if id_ and name else None


def _state(match_id: str, told: Json, stamp: Stamp, received_at: int) -> Update:
    """The status object: score, shoot-out, status and clock as of the stamp."""
    minute, added = state.clock(told)
    status, word = state.status_and_word(told)
    return Update(
        match_id,
        stamp,
        received_at,
        score=None if stamp.undated else state.score(told),
        shootout=state.shootout(told),
        status=status,
        status_word=word,
        decided_by=state.decided_by(told),
        minute=minute,
        added_minute=added,
    )


def _moment(match_id: str, told: Json, status: Json, received_at: int) -> list[Update]:
    """One timeline entry. Its own score speaks only where no status object does."""
    kind, event_id = text(told.get("type"), 64), ident(told.get("id"))
    if kind is None or event_id is None:
        return []
    minute, added = _clock(told)
    stamp, since = _stamp(told), Stamp(ms(told.get("time")) or 0, source=SOURCE, clock=_order(told))
    type_ = _type(kind, told)
    kicks = type_ in ("shootout_goal", "shootout_missed")
    return [
        Update(
            match_id,
            stamp,
            received_at,
            event=_event(event_id, type_, told, stamp, since, received_at) if type_ else None,
            score=None if status or kicks or stamp.undated else state.score(told),
            shootout=None if state.shootout(status) else state.own_shootout(told),
            status=_implied(kind, told),
            minute=minute,
            added_minute=added,
            period=whole(told.get("period"), 20),
            # An entry edited into noise, a goal that was but a shot, is one to take back.
            voids=event_id if kind in NOISE and told.get("updated") is True else None,
        )
    ]


def _type(kind: str, told: Json) -> str | None:
    """Our word for an entry; None for noise, and its own word for what Sportradar invents next."""
    if kind == "score_change":
        in_shootout = told.get("period_type") == "penalties"
        return "shootout_goal" if in_shootout else GOALS.get(str(_method(told)), "goal")
    if kind == "penalty_shootout":
        return {"scored": "shootout_goal", "missed": "shootout_missed"}.get(str(told.get("status")))
    if kind == "period_start":
        in_shootout = told.get("period_type") == "penalties"
        return "shootout_start" if in_shootout else PERIODS.get((str(told.get("period_type")), _half(told)))
    if kind == "break_start":
        return None if told.get("period_type") in BREAKS else "half_time"
    return None if kind in NOISE else TYPES.get(kind, kind)


def _half(told: Json) -> int:
    """Overtime's halves are numbered 1 and 2 in some documents, 3 and 4 in others."""
    number = whole(told.get("period"), 20) or 1
    return number - 2 if told.get("period_type") == "overtime" and number > 2 else number


def _implied(kind: str, told: Json) -> Status | None:
    if kind == "break_start":
        return BREAKS.get(str(told.get("period_type")))
    if kind == "match_ended":
        return state.FINAL.get(str(told.get("status")), Status.ENDED)
    return Status.FIRST_HALF if kind == "match_started" else None


def _event(event_id: str, type_: str, told: Json, stamp: Stamp, since: Stamp, received_at: int) -> Event:
    minute, added = _clock(told)
    score = state.score(told)
    player, assist = _people(told)
    return Event(
        event_id,
        type_,
        stamp,
        since=since,
        team=_side(told),
        minute=minute,
        added_minute=added,
        period=whole(told.get("period"), 20),
        player=player,
        assist=assist,
        detail=_detail(told),
        home_score=score.home if score else None,
        away_score=score.away if score else None,
        created_at=received_at,
    )


def _side(told: Json) -> Side | None:
    """For an own goal too this is the side that gains: the competitor of the score change."""
    word = told.get("competitor") or told.get("team")
    return Side(word) if word in ("home", "away") else None


def _people(told: Json) -> tuple[Person | None, Person | None]:
    """Who did it and who helped; of a substitution who comes on (`_detail` says for whom)."""
    players = {one.get("type"): one for one in things(told.get("players"))}
    doer = players.get("scorer") or players.get("substituted_in") or told.get("goal_scorer") or told.get("player_in")
    doer = doer or told.get("player") or next(iter(players.values()), None)
    helper = players.get("assist") or told.get("assist")
    return person(doer), person(helper)


def _detail(told: Json) -> str | None:
    players = {one.get("type"): one for one in things(told.get("players"))}
    off = person(players.get("substituted_out") or told.get("player_out"))
    if off:
        return f"off: {off.name}"
    return text(told.get("description") or _method(told), TEXT_MOST)


def _method(told: Json) -> Any:
    return told.get("method") or thing(told.get("goal_scorer")).get("method")


def _clock(told: Json) -> tuple[int | None, int | None]:
    """The displayed minute, and the added one while the clock stands at 45:00 or 90:00."""
    minute, added = whole(told.get("match_time"), 999), whole(told.get("stoppage_time"), 99)
    return minute, added or None


def _order(told: Json) -> int:
    minute, added = _clock(told)
    return (minute or 0) * 100 + (added or 0)


def _stamp(told: Json) -> Stamp:
    """When it was last told: `time` is overwritten by updates and may go backwards, `updated_time` does not."""
    at = ms(told.get("updated_time")) or ms(told.get("time")) or 0
    return Stamp(at, source=SOURCE, clock=_order(told))
