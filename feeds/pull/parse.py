"""An answer of a polled provider → updates, by its mapping. Each match of it is a document: as of its last change."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from db.domain import (
    SCORING,
    Competition,
    Event,
    MatchInfo,
    Person,
    Phase,
    Score,
    Side,
    Stamp,
    Status,
    Team,
    Update,
    phase_of,
)
from db.domain.errors import Fault, Refused
from feeds.fields import Json, ident, label, ms, plausible, text, thing, things, whole
from feeds.generic.vocabulary import standing_of
from feeds.listing import with_listing
from feeds.pull.mapping import Expression, Mapping, NamedPath

# A match that began longer ago without an end is not taken for one in play: extra time, kicks and delays included.
IN_PLAY_MS = 4 * 60 * 60 * 1000
# A document changed within this is as of its poll: of two polls, what the later one lacks is gone. An older one is as
# of its change, so that a match which ended last week is no news when it is first seen.
FRESH_MS = 10 * 60 * 1000


@dataclass(frozen=True, slots=True)
class PulledMatch:
    """raw: the match as the provider has it, to see whether it has changed.

    updates: in order.
    start_time: ms, None where it is not known.
    phase: by its status.
    changed_at: ms, by the provider; of its arrival where the provider does not say.
    """

    match_id: str
    raw: str
    updates: list[Update]
    start_time: int | None
    phase: Phase | None
    changed_at: int


def parse(mapping: Mapping, body: bytes, *, received_at: int) -> list[PulledMatch]:
    """received_at: ms. Raises Refused `not_json`, or `invalid` without a list of matches, or for one without an id."""
    document = json_of(body)
    listed = mapping.match.list(document)
    entries = [listed] if isinstance(listed, dict) else listed
    if not isinstance(entries, list):
        raise Refused("The answer has no list of matches.", "invalid", (Fault("", "no list of matches"),))
    matches = [_match(mapping, thing(entry), received_at) for entry in entries]
    missing = [index for index, match in enumerate(matches) if match is None]
    if missing:
        faults = tuple(Fault(f"[{index}]", "has no match id", index) for index in missing)
        raise Refused("The answer has matches without an id; nothing of it was applied.", "invalid", faults)
    return [match for match in matches if match]


def parse_one(mapping: Mapping, body: bytes, *, received_at: int) -> PulledMatch | None:
    """The answer of `match_url`. None where it has no match: the provider has it no more. Raises Refused `not_json`."""
    listed = mapping.request.match_list(json_of(body)) if body.strip() else None
    entries = things(listed if isinstance(listed, list) else [listed])
    return _match(mapping, entries[0], received_at) if entries else None


def withdrawn(mapping: Mapping, match_id: str, received_at: int) -> Update:
    """The provider has the match no more."""
    stamp = Stamp(received_at, source=mapping.name)
    return Update(match_id, stamp, received_at, status=Status.REMOVED, is_document=True)


def json_of(body: bytes) -> Any:
    """Raises Refused `not_json`."""
    try:
        return json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise Refused("The answer is not JSON.", "not_json") from None


def _match(mapping: Mapping, entry: Json, received_at: int) -> PulledMatch | None:
    match_id = _id(mapping.match.id(entry), mapping.match.id_prefix)
    if match_id is None:
        return None
    info = _info(mapping, entry)
    changed_at = _time(mapping.match.updated_at(entry), mapping.match.zone) or received_at
    at = received_at if received_at - changed_at < FRESH_MS else changed_at
    bare = Update(match_id, Stamp(at, source=mapping.name), received_at, info=info, is_document=True)
    state = _state(mapping, entry, bare)
    goals = _goals(mapping, entry, replace(bare, stamp=Stamp(changed_at, source=mapping.name)))
    state = _listing(state, goals) if mapping.goals.list.expression != "`null`" else state
    updates = plausible(
        [*(replace(bare, stamp=goal.stamp, info=None, event=goal) for goal in goals), state], received_at
    )
    phase = phase_of(state.status) if state.status else None
    raw = json.dumps(entry, sort_keys=True)
    return PulledMatch(match_id, raw, updates, info.start_time, phase, changed_at)


def _state(mapping: Mapping, entry: Json, bare: Update) -> Update:
    """Score, status and clock. Before the start a provider's 0-0 is no score."""
    paths = mapping.state
    status, word, decided_by = _status(mapping, entry, bare)
    told = phase_of(status) is not Phase.SCHEDULED if status else word is not None
    minute = whole(paths.minute(entry), 999)
    decided = paths.decided_by(entry)
    return replace(
        bare,
        score=_score(entry, paths.home_score, paths.away_score) if told else None,
        shootout=_score(entry, paths.home_shootout, paths.away_shootout) if told else None,
        status=status,
        status_word=word,
        decided_by=decided if decided in ("extra_time", "penalties") else decided_by,
        minute=minute,
        added_minute=whole(paths.added_minute(entry), 99) or None if minute is not None else None,
    )


def _status(mapping: Mapping, entry: Json, bare: Update) -> tuple[Status | None, str | None, str | None]:
    """Status, the provider's word where it is unknown, and how the match was decided."""
    word = text(mapping.state.status(entry), 64)
    if word is not None:
        status, decided_by = standing_of(mapping.state.words.get(word, word))
        return status, None if status else word, decided_by
    start = bare.info.start_time if bare.info else None
    if not mapping.state.live_after_start or start is None:
        return None, None, None
    begun = 0 <= bare.received_at - start < IN_PLAY_MS
    return (Status.LIVE, None, None) if begun else (Status.SCHEDULED if start > bare.received_at else None, None, None)


def _goals(mapping: Mapping, entry: Json, state: Update) -> list[Event]:
    """Every goal of the match; its side is that whose score it raises."""
    paths, before, goals = mapping.goals, Score(0, 0), []
    scored = [(score, goal) for goal in things(paths.list(entry)) if (score := _goal_score(mapping, goal))]
    for score, goal in sorted(scored, key=lambda pair: pair[0].home + pair[0].away):
        team = Side.HOME if score.home > before.home else Side.AWAY if score.away > before.away else None
        goals.append(_goal(mapping, goal, score, team, state))
        before = score
    return goals


def _goal_score(mapping: Mapping, goal: Json) -> Score | None:
    return _score(goal, mapping.goals.home_score, mapping.goals.away_score)


def _goal(mapping: Mapping, goal: Json, score: Score, team: Side | None, state: Update) -> Event:
    paths = mapping.goals
    own, penalty, minute = paths.own_goal(goal), paths.penalty(goal), whole(paths.minute(goal), 999)
    return Event(
        # Without an id a goal is known by the score it makes.
        ident(paths.id(goal)) or f"goal-{score.home}-{score.away}",
        "own_goal" if own is True else "penalty_goal" if penalty is True else "goal",
        state.stamp,
        since=state.stamp,
        team=team,
        minute=minute,
        added_minute=whole(paths.added_minute(goal), 99) or None if minute is not None else None,
        player=_person(goal, paths.player),
        assist=_person(goal, paths.assist),
        home_score=score.home,
        away_score=score.away,
        created_at=state.received_at,
    )


def _listing(state: Update, goals: list[Event]) -> Update:
    listed = with_listing(state, {goal.id: (goal.type, goal.team) for goal in goals}, lists_cards=False)
    return replace(listed, lists=SCORING) if listed.present is not None else state


def _score(entry: Json, home: Expression, away: Expression) -> Score | None:
    points = whole(home(entry)), whole(away(entry))
    return Score(points[0], points[1]) if points[0] is not None and points[1] is not None else None


def _info(mapping: Mapping, entry: Json) -> MatchInfo:
    paths = mapping.match
    home, away, competition = (_named(entry, named) for named in (paths.home, paths.away, paths.competition))
    return MatchInfo(
        home=Team(*home) if home else None,
        away=Team(*away) if away else None,
        competition=Competition(*competition) if competition else None,
        venue=text(paths.venue(entry)),
        start_time=_time(paths.start_time(entry), paths.zone),
        sport=paths.sport or None,
        stage=label(paths.stage(entry)),
        round=label(paths.round(entry)),
        leg=whole(paths.leg(entry), 9) or None,
    )


def _named(entry: Json, paths: NamedPath) -> tuple[str, str] | None:
    id_, name = _id(paths.id(entry), paths.id_prefix), text(paths.name(entry))
    return (id_, name) if id_ and name else None


def _person(entry: Json, paths: NamedPath) -> Person | None:
    name = text(paths.name(entry))
    return Person(name, _id(paths.id(entry), paths.id_prefix)) if name else None


def _id(value: Any, prefix: str) -> str | None:
    plain = ident(value)
    return ident(prefix + plain) if plain else None


def _time(value: Any, zone: str) -> int | None:
    """ms. A time without a zone is of `zone`."""
    if not isinstance(value, str) or ms(value) is None:
        return None
    moment = datetime.fromisoformat(value)
    return ms((moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC).isoformat())
