"""Which facts are news: facts → News. Pure; the ledger of the window knows what was announced before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from db.domain import KICKS, RED_CARDS, SCORING, Event, Fact, FactKind, Kind, Match, Phase, Score, Side, Status

_BY_STATUS = {
    Status.HALF_TIME: Kind.HALF_TIME,
    Status.SECOND_HALF: Kind.SECOND_HALF,
    Status.ET_FIRST: Kind.EXTRA_TIME,
    Status.SHOOTOUT: Kind.SHOOTOUT,
    Status.ENDED: Kind.FULL_TIME,
    Status.FINISHED: Kind.FULL_TIME,
    Status.AWARDED: Kind.FULL_TIME,
    Status.WALKOVER: Kind.FULL_TIME,
    Status.INTERRUPTED: Kind.INTERRUPTED,
    Status.SUSPENDED: Kind.INTERRUPTED,
    Status.POSTPONED: Kind.POSTPONED,
    Status.CANCELLED: Kind.POSTPONED,
    Status.ABANDONED: Kind.POSTPONED,
    Status.DELAYED: Kind.POSTPONED,
    Status.REMOVED: Kind.POSTPONED,
}
# Sports whose score counts what is told one by one. Two hundred baskets a game are no news.
SPORTS_WITH_GOALS = frozenset({"football", "ice_hockey"})
# A kick-off moved by less is no news; television moves many by a quarter of an hour.
MOVED_MS = 30 * 60 * 1000
# Nor is one of a match that is not near: a league sets the kick-offs of a month at once.
NEAR_MS = 7 * 24 * 60 * 60 * 1000


# Events that are news as they are.
_BY_TYPE = {
    "penalty_awarded": Kind.PENALTY,
    "var_review": Kind.VAR_CHECK,
    **dict.fromkeys(KICKS, Kind.SHOOTOUT_KICK),
}


@dataclass(frozen=True, slots=True)
class News:
    """One thing to announce about a match.

    kind: what followers subscribe to.
    key: identifies it among news of its kind and match; the same each time the same thing is reported.
    at: when it became true by the sender's clock (ms since the epoch), 0 if unknown. Old news is not sent.
    team: whose goal, card or penalty it is.
    event_id: its entry in the timeline.
    board: of a goal, its number on the scoreboard (`home-2`: the second of that side). A goal may be announced by the
        scoreboard and cancelled by its event, so a cancellation looks for `key` and for `board`. Of a red card, its
        number in its side.
    minutes: of a reminder, minutes until kick-off.
    derived: of a cancellation, no message named it.
    confirms: a message names a cancellation and the score does not move: it confirms one that was derived before.
        key is then the goal's id, "" if the message gives none.
    """

    kind: Kind
    key: str
    at: int = 0
    team: Side | None = None
    event_id: str | None = None
    board: str | None = None
    minutes: int | None = None
    derived: bool = False
    confirms: bool = False


def news_of(match: Match, facts: Iterable[Fact]) -> tuple[News, ...]:
    """News of the facts that led to `match`, in the order of the story. Most facts are no news."""
    facts = tuple(facts)
    events = [item for fact in facts if (item := _of_event(match, fact))]
    goals = tuple(_with_names(match, facts, _goals(match, facts))) if _has_goals(match) else ()
    scorers = _scorers(match, facts, goals) if _has_goals(match) else ()
    return (*goals, *scorers, *events, *_of_status(match, facts), *_of_start(match, facts))


def _has_goals(match: Match) -> bool:
    """A basket is no goal, and a result that authority has set was not scored."""
    return match.sport in SPORTS_WITH_GOALS and match.status not in (Status.AWARDED, Status.WALKOVER)


def _of_event(match: Match, fact: Fact) -> News | None:
    event = match.events.get(fact.event_id) if fact.event_id else None
    if event is None or event.voided or fact.kind not in (FactKind.ADDED, FactKind.RESTORED, FactKind.EDITED):
        return None
    edited = fact.kind is FactKind.EDITED
    if event.type in RED_CARDS and not (edited and fact.was in RED_CARDS):
        return News(Kind.RED_CARD, event.id, event.since.at, event.team, event.id, _card_number(match, event))
    if event.type == "penalty_missed" and not (edited and fact.was == event.type):
        return News(Kind.PENALTY_MISSED, event.id, event.since.at, event.team, event.id)
    if edited:
        return None
    if event.type in ("lineups", "lineup"):
        return News(Kind.LINEUPS, "lineups", event.since.at, event_id=event.id)
    kind = _BY_TYPE.get(event.type)
    return News(kind, event.id, event.since.at, event.team, event.id) if kind else None


def _card_number(match: Match, card: Event) -> str | None:
    """Which red card of its side it is, which two sources of one match say alike."""
    moment = (card.minute or 0, card.added_minute or 0)
    cards = [(other.minute or 0, other.added_minute or 0) for other in match.cards or () if other.team is card.team]
    until_then = sum(1 for other in cards if other <= moment)
    return f"{card.team.value}-{until_then}" if card.team and until_then else None


def _goals(match: Match, facts: tuple[Fact, ...]) -> tuple[News, ...]:
    """Goals and cancellations, by how the score moved: only a goal that moved it is news, and every move is.

    A provider may report a goal twice, by its scoreboard and by its event, in either order.
    """
    was, now = _score_before(match, facts), match.score or Score(0, 0)
    news: list[News] = []
    for side in Side:
        scored = _distinct(e for fact in facts if (e := _now_counting(match, fact)) and e.team is side)
        struck = _distinct(e for fact in facts if (e := _no_longer_counting(match, fact)) and e.team is side)
        unexplained = now.of(side) - was.of(side) - len(scored) + len(struck)
        if unexplained > 0:
            unexplained, struck = unexplained - min(unexplained, len(struck)), struck[unexplained:]
        elif unexplained < 0:
            unexplained, scored = unexplained + min(-unexplained, len(scored)), scored[-unexplained:]
        news += [_cancelled(e, side, was.of(side) - n) for n, e in enumerate(reversed(struck))]
        news += [_goal(e, side, now.of(side) - n) for n, e in enumerate(reversed(scored))][::-1]
        news += _by_board(match, side, now.of(side), unexplained)
    return tuple(news)


def _scorers(match: Match, facts: tuple[Fact, ...], goals: tuple[News, ...]) -> list[News]:
    """Scorers of goals from before this change. Which are known already, the ledger tells."""
    ids = [fact.event_id for fact in facts if fact.kind in (FactKind.ADDED, FactKind.EDITED) and fact.event_id]
    events = _distinct(event for event_id in ids if (event := match.events.get(event_id)) and event.counts)
    new = {item.event_id for item in goals}
    return [
        News(Kind.SCORER, key, event.since.at, event.team, event.id)
        for event in events
        if event.id not in new and (key := scorer_key(event))
    ]


def scorer_key(event: Event | None) -> str:
    """Of the news that names the scorer of a goal; "" where nobody is named."""
    return f"{event.id}:{event.player.id or event.player.name}" if event and event.player else ""


def _distinct(events: Iterable[Event]) -> list[Event]:
    return list({event.id: event for event in events}.values())


def _goal(event: Event, side: Side, number: int) -> News:
    return News(Kind.GOAL, event.id, event.since.at, side, event.id, f"{side.value}-{number}")


def _cancelled(event: Event, side: Side, number: int) -> News:
    return News(Kind.GOAL_CANCELLED, event.id, _void_since(event), side, event.id, f"{side.value}-{number}")


def _void_since(event: Event) -> int:
    return event.void_at.at if event.void_at else event.stamp.at


def _by_board(match: Match, side: Side, now: int, moved: int) -> list[News]:
    """News of a scoreboard that moved without an event. It takes the last goal first: each moves later ones down."""
    at = match.told_at.at if match.told_at else 0
    kind = Kind.GOAL if moved > 0 else Kind.GOAL_CANCELLED
    numbers = range(now - moved + 1, now + 1) if moved > 0 else range(now - moved, now, -1)
    return [News(kind, f"{side.value}-{n}", at, side, board=f"{side.value}-{n}") for n in numbers]


def _with_names(match: Match, facts: tuple[Fact, ...], news: Iterable[News]) -> Iterator[News]:
    """The same news, with cancellations that no message named marked as derived; then confirmations of earlier ones."""
    news = tuple(news)
    lost = [item for item in news if item.kind is Kind.GOAL_CANCELLED]
    by_event = [(event, _named_by(event, lost)) for event in _cancelling(match, facts)]
    named = {item.key for _, items in by_event for item in items}
    unnamed = _derived(facts)
    for item in news:
        silent = item.event_id is None or item.event_id in unnamed
        yield replace(item, derived=item.kind is Kind.GOAL_CANCELLED and silent and item.key not in named)
    confirmed = [event for event in _voided_by_name(match, facts) if event.id not in {item.key for item in lost}]
    for event in (event for event, items in by_event if not items):
        if not any(event.team in (None, goal.team) for goal in confirmed):
            yield News(Kind.GOAL_CANCELLED, event.voids or "", event.since.at, event.team, confirms=True)
    for goal in confirmed:
        yield News(Kind.GOAL_CANCELLED, goal.id, _void_since(goal), goal.team, confirms=True)


def _cancelling(match: Match, facts: Iterable[Fact]) -> list[Event]:
    """New events of the timeline that say that a goal does not count."""
    added = [match.events.get(fact.event_id) for fact in facts if fact.kind is FactKind.ADDED and fact.event_id]
    return _distinct(event for event in added if event and event.type == "goal_cancelled" and not event.voided)


def _named_by(event: Event, lost: Iterable[News]) -> list[News]:
    """Which cancellations the event names: the goal whose id it gives, else those of its side without another id."""
    of_side = [item for item in lost if event.team in (None, item.team)]
    by_id = [item for item in of_side if item.key == event.voids]
    return by_id or [item for item in of_side if event.voids is None or item.event_id is None]


def _derived(facts: Iterable[Fact]) -> set[str | None]:
    """Void events that no message named."""
    voided = [fact for fact in facts if fact.kind is FactKind.VOIDED]
    return {fact.event_id for fact in voided if fact.derived} - {fact.event_id for fact in voided if not fact.derived}


def _voided_by_name(match: Match, facts: tuple[Fact, ...]) -> list[Event]:
    """Goals from before this change that a message named as void."""
    new = {fact.event_id for fact in facts if fact.kind in (FactKind.ADDED, FactKind.RESTORED)}
    named = [fact.event_id for fact in facts if fact.kind is FactKind.VOIDED and not fact.derived]
    events = [match.events.get(event_id) for event_id in named if event_id and event_id not in new]
    return _distinct(event for event in events if event and event.voided and event.type in SCORING)


def _score_before(match: Match, facts: tuple[Fact, ...]) -> Score:
    """The score before the first fact that moved it. An unknown score counts as 0–0, but not in a shoot-out: its kicks
    are score facts too."""
    for fact in facts:
        if fact.kind is FactKind.SCORE and fact.was:
            home, away = fact.was.split("-")
            return Score(int(home), int(away))
    became_known = any(fact.kind is FactKind.SCORE for fact in facts) and match.shootout is None
    return Score(0, 0) if became_known else match.score or Score(0, 0)


def _now_counting(match: Match, fact: Fact) -> Event | None:
    event = match.events.get(fact.event_id) if fact.event_id else None
    if event is None or not event.counts or fact.kind is FactKind.VOIDED:
        return None
    return None if fact.kind is FactKind.EDITED and fact.was in SCORING else event


def _no_longer_counting(match: Match, fact: Fact) -> Event | None:
    event = match.events.get(fact.event_id) if fact.event_id else None
    if event is None or event.counts:
        return None
    if fact.kind is FactKind.VOIDED and (fact.was or event.type) in SCORING:
        return event
    return event if fact.kind is FactKind.EDITED and fact.was in SCORING and event.type not in SCORING else None


def _of_status(match: Match, facts: tuple[Fact, ...]) -> tuple[News, ...]:
    """Only the last status: those it passed through are no longer true."""
    changes = [fact for fact in facts if fact.kind is FactKind.STATUS]
    if not changes:
        return ()
    at, status = match.status_at.at if match.status_at else 0, match.status
    kind = Kind.KICKOFF if _kicked_off(match, changes[0]) else _BY_STATUS.get(status)
    return (News(kind, _status_key(match, kind), at),) if kind else ()


def _of_start(match: Match, facts: tuple[Fact, ...]) -> tuple[News, ...]:
    """Another kick-off of a match that is near. Once for each time that it is moved to."""
    starts = [int(fact.was) for fact in facts if fact.kind is FactKind.INFO and fact.was]
    was, start = starts[0] if starts else None, match.start_time
    if was is None or start is None or match.phase is not Phase.SCHEDULED or abs(start - was) < MOVED_MS:
        return ()
    is_near = min(was, start) - match.updated_at < NEAR_MS
    return (News(Kind.POSTPONED, f"start:{start}"),) if is_near else ()


def _kicked_off(match: Match, first: Fact) -> bool:
    before = first.was or Status.SCHEDULED
    waiting = (Status.SCHEDULED, Status.TIME_TBD, Status.DELAYED)
    return match.phase is Phase.LIVE and before in waiting and match.status in (Status.LIVE, Status.FIRST_HALF)


def _status_key(match: Match, kind: Kind) -> str:
    """Full time once, whether `ended` or `finished`; a result awarded off the pitch is another. A postponement is one
    for each date it cancels."""
    if kind is Kind.FULL_TIME:
        return match.status.value if match.status in (Status.AWARDED, Status.WALKOVER) else kind.value
    if kind is Kind.POSTPONED:
        return f"{match.status}:{match.start_time or 0}"
    if kind is Kind.INTERRUPTED:
        return f"{match.status}:{match.status_at.at if match.status_at else 0}"
    return kind.value
