"""Stats Perform (Opta SDAPI): MA1 and MA3 documents, lists of MA1 documents, and the push messages of its SDDP.

A document holds all of a match as of its `lastUpdated`; a push message holds only its own events. An incident has the
same id in all formats. Formats: docs.performgroup.com, "SDAPI soccer" MA1, MA3.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from db.domain import RED_CARDS, Competition, MatchInfo, Score, Side, Stamp, Status, Team, Update, status_of
from db.domain.errors import Fault, Refused
from feeds.fields import Json, documents, ident, label, ms, plausible, text, thing, things, whole
from feeds.lineups import lineups_told
from feeds.listing import with_listing
from feeds.statsperform import lineup, ma1, ma3
from feeds.statsperform.incident import SOURCE, Fixture, Incident, displayed, update_of

PERIODS = {
    1: Status.FIRST_HALF,
    2: Status.SECOND_HALF,
    3: Status.ET_FIRST,
    4: Status.ET_SECOND,
    5: Status.SHOOTOUT,
    10: Status.HALF_TIME,
    11: Status.BREAK_BEFORE_ET,
    12: Status.ET_HALF_TIME,
    13: Status.BREAK_BEFORE_PENS,
    14: Status.ENDED,  # post-match, until matchStatus says Played
}

CARDS = RED_CARDS | {"yellow_card"}

# A message's score includes the goals beside it, so within one millisecond its state is later than its events.
AFTER_ALL = 100_000


def parse(body: bytes, *, received_at: int) -> list[Update]:
    """Updates in order: the match, voids, moments, the state. received_at: ms.

    Raises Refused `not_json`, or `invalid` where any part names no match.
    """
    values = list(documents(body))
    if not values:
        raise Refused("The body is not JSON.", "not_json")
    parts = [part for value in values for part in _parts(value)]
    faults = tuple(
        Fault(f"[{index}]", "names no match, or is no Stats Perform document or push message that we know", index)
        for index, part in enumerate(parts)
        if not _is_handshake(part) and _match_id(part) is None
    )
    if faults:
        raise Refused(
            "The body is JSON but not in this provider's format; nothing of it was applied.", "invalid", faults
        )
    return plausible([update for part in parts for update in _updates(part, received_at)], received_at)


def _parts(value: Any) -> list[Any]:
    """The documents of a list or of `{"match": [...]}`, or the value itself."""
    held = thing(value).get("match", value)
    return held if isinstance(held, list) else [value]


def _is_handshake(part: Any) -> bool:
    """`{"outlet": {"msg": "is_authorised"}}`, `{"content": {"msg": "is_subscribed"}}`: no match data."""
    message = thing(part)
    content = thing(message.get("content"))
    return any(word in message for word in ("outlet", "welcome", "heartbeat")) or (
        "msg" in content and "liveData" not in content
    )


def _match_id(part: Any) -> str | None:
    message = thing(part)
    content = thing(message.get("content")) or message
    details = thing(thing(content.get("liveData")).get("matchDetails"))
    named = content.get("fixtureUuid"), thing(content.get("matchInfo")).get("id"), details.get("fixtureUuid")
    return next((match_id for value in named if (match_id := ident(value))), None)


def _updates(part: Any, received_at: int) -> list[Update]:
    match_id, message = _match_id(part), thing(part)
    if match_id is None or _is_handshake(part):
        return []
    body = thing(message.get("content")) or message
    info, live = thing(body.get("matchInfo")), thing(body.get("liveData"))
    events, scores = things(live.get("event")), thing(thing(live.get("matchDetails")).get("scores"))
    stamp = Stamp(_told_at(info, live), source=SOURCE, clock=AFTER_ALL)
    # A push message may include matchInfo but never lists all events.
    at = stamp.at if info and "content" not in message else 0
    fixture = Fixture(match_id, received_at, stamp, at, _sides(info), _score(scores))
    head = [Update(match_id, stamp, received_at, info=_info(info, live))] if info else []
    moments = [*ma1.moments(fixture, live), *ma3.moments(fixture, events)]
    happenings = [*ma3.voids(fixture, events), *(update_of(fixture, moment) for moment in moments)]
    state = replace(_listing(_state(fixture, live), fixture, moments), **_documents(fixture, live))
    return [*head, *happenings, *ma3.clock(fixture, events), *lineups_told(state), state]


def _documents(fixture: Fixture, live: Json) -> dict[str, Any]:
    """Line-ups and figures of a whole document."""
    if not fixture.at:
        return {}
    return {"lineups": lineup.lineups(live, fixture.sides), "stats": lineup.stats(live, fixture.sides)}


def _told_at(info: Json, live: Json) -> int:
    """ms; 0 where nothing in the message has a time."""
    entries = [*things(live.get("goal")), *things(live.get("card")), *things(live.get("substitute"))]
    times = [ms(entry.get("lastUpdated")) or ms(entry.get("timestamp")) for entry in entries]
    times += [ma3.modified(entry) for entry in things(live.get("event"))]
    return ms(info.get("lastUpdated")) or max((at for at in times if at), default=0)


def _state(fixture: Fixture, live: Json) -> Update:
    """Score, shoot-out, status and clock as of the whole message."""
    details = thing(live.get("matchDetails"))
    scores, period = thing(details.get("scores")), whole(details.get("periodId"), 20)
    status, word = _status(details)
    minute, added = displayed(period, whole(details.get("matchTime"), 999))
    return Update(
        fixture.match_id,
        fixture.stamp,
        fixture.received_at,
        score=_score(scores),
        shootout=_points(scores.get("pen")),
        status=status,
        status_word=word,
        decided_by=_decided_by(scores) if status is Status.FINISHED else None,
        minute=minute,
        added_minute=added,
        period=period if minute is not None else None,
        is_document=fixture.at > 0,
    )


def _listing(state: Update, fixture: Fixture, moments: list[Incident]) -> Update:
    """Documents only. Cards count as listed only where there is one: MA3 may have been asked for a few event types."""
    if not fixture.at:
        return state
    lists_cards = any(moment.type in CARDS for moment in moments)
    return with_listing(state, {moment.id: (moment.type, moment.team) for moment in moments}, lists_cards=lists_cards)


def _status(details: Json) -> tuple[Status | None, str | None]:
    """The status, or None and the provider's own word where it is unknown. `Playing` is refined by the period."""
    word, period = text(details.get("matchStatus"), 64), whole(details.get("periodId"), 20)
    if word is None or word == "Playing":
        return PERIODS.get(period or 0, Status.LIVE if word else None), None
    status = status_of(word)
    return status, None if status else word


def _score(scores: Json) -> Score | None:
    """The score without shoot-out kicks, which `total` includes."""
    total = None if _points(scores.get("pen")) else _points(scores.get("total"))
    return total or _points(scores.get("et")) or _points(scores.get("ft"))


def _points(value: Any) -> Score | None:
    home, away = whole(thing(value).get("home")), whole(thing(value).get("away"))
    return Score(home, away) if home is not None and away is not None else None


def _decided_by(scores: Json) -> str | None:
    return "penalties" if _points(scores.get("pen")) else "extra_time" if _points(scores.get("et")) else None


def _sides(info: Json) -> dict[str, Side]:
    contestants = (
        (ident(contestant.get("id")), contestant.get("position")) for contestant in things(info.get("contestant"))
    )
    return {id_: Side(position) for id_, position in contestants if id_ and position in ("home", "away")}


def _info(info: Json, live: Json) -> MatchInfo:
    teams = {
        contestant.get("position"): contestant
        for contestant in things(info.get("contestant"))
        if isinstance(contestant.get("position"), str)
    }
    home, away = (_named(teams.get(side), "officialName", "name") for side in ("home", "away"))
    competition = _named(info.get("competition"), "name")
    venue = thing(info.get("venue"))
    return MatchInfo(
        home=Team(*home) if home else None,
        away=Team(*away) if away else None,
        competition=Competition(*competition) if competition else None,
        venue=text(venue.get("longName")) or text(venue.get("shortName")),
        start_time=_start(info),
        sport="football",
        stage=text(thing(info.get("stage")).get("name")),
        round=text(thing(info.get("series")).get("name")) or label(info.get("week")),
        leg=whole(thing(live.get("matchDetails")).get("leg") or info.get("leg"), 9) or None,
    )


def _named(value: Any, *keys: str) -> tuple[str, str] | None:
    fields = thing(value)
    id_, label = ident(fields.get("id")), next((label for key in keys if (label := text(fields.get(key)))), None)
    return (id_, label) if id_ and label else None


def _start(info: Json) -> int | None:
    """`2021-09-11Z` and `18:30:00Z`; None for a date without a time."""
    day, time = text(info.get("date"), 20), text(info.get("time"), 20)
    return ms(f"{day.rstrip('Z')}T{time.rstrip('Z')}Z") if day and time else None
