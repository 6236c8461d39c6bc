"""When to announce news: the first at once, what follows within half a minute together at its end. Pure.

A window is kept per match and class of news. Beside it the ledger records what was announced, by which alert, so that
nothing is announced twice and a cancelled goal is corrected for exactly those who got it. A cancellation that no
message names waits: a falling scoreboard is often right again in a moment, and a notification cannot be recalled.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from db.domain import KICKS, NEW_KINDS, RED_CARDS, SCORING, Fact, FactKind, Kind, Match
from notify.content import announcements
from notify.content.alert import Alert, goal_of, with_events_of
from notify.content.announcements import Announcement, PendingCancellation, has_goal_of, naming
from notify.content.news import News, news_of
from notify.content.opener import announce_apart, class_names, correction, names_of
from notify.content.window_record import Window, class_of

# News older than this when first received is history: a replay, a feed that comes back, a worker that was away.
STALE_MS = 5 * 60_000
# A cancellation that no message names is announced after this: a scoreboard that flaps, or lags behind its events, is
# right again within a few seconds.
UNNAMED_HOLD_MS = 10_000

# A kick-off or a result that a match contradicts is announced again if it comes back later than this: a status that
# flaps is back within seconds, extra time takes half an hour.
FLAP_MS = 60_000
# Corrections kept in the ledger: that many may still be sent when another goal is cancelled, and a feed that takes its
# score back again and again must not grow the ledger.
CORRECTIONS = 8

# Events whose news may wait in a window.
_WAITING = SCORING | RED_CARDS | KICKS | {"penalty_missed", "penalty_awarded", "var_review"}


@dataclass(frozen=True, slots=True)
class WindowResult:
    """What follows from news.

    window: the window after it.
    alerts: to be sent now.
    void: keys of goals that no longer count; alerts that are being sent have to be amended.
    stale: news that was too old to send when first received.
    """

    window: Window
    alerts: tuple[Alert, ...] = ()
    void: frozenset[str] = frozenset()
    stale: tuple[News, ...] = ()


# The news of a cancellation, and the ledger line of its goal.
Cancelled = tuple[News, Announcement]


def concerns(match: Match, facts: Iterable[Fact]) -> bool:
    """Whether the window has to see a change: it moves score or status, is news, or touches a goal or card that may be
    waiting. In a match covered touch by touch, few changes do."""
    facts = tuple(facts)
    if any(fact.kind in (FactKind.SCORE, FactKind.STATUS) for fact in facts):
        return True
    # Whether another start is news depends on how near it is, which is known once the change has its time.
    if any(fact.kind is FactKind.INFO and fact.was for fact in facts):
        return True
    touched = (match.events.get(fact.event_id) for fact in facts if fact.event_id)
    return any(event and event.type in _WAITING for event in touched) or bool(news_of(match, facts))


def apply(window: Window, match: Match, news: Iterable[News], *, now_ms: int) -> WindowResult:
    """Take in one change. match: after the change, with the events it touched."""
    ledger = announcements.retract(window.ledger, match, now_ms)
    window = replace(window, match=_with_events(match, window), ledger=ledger)
    news = announcements.without_renamed(ledger, announcements.without_swaps(ledger, news), match)
    explained = announcements.with_explained(ledger, news, match)
    waits = announcements.under_new_ids(ledger, explained, window.waiting)
    window = replace(window, ledger=explained, waiting=waits)
    window, news = _with_kicks_under_first_ids(window, news)
    window, news = _with_returns(window, news)
    old = (item for item in news if _is_stale(item, now_ms) and item.kind is not Kind.SCORER)
    stale = tuple(item for item in old if not _is_announced(window, item, now_ms))
    lead: list[News] = []
    cancelled: list[Cancelled] = []
    for item in news:
        if item.kind is Kind.SCORER and (_is_stale(item, now_ms) or not has_goal_of(window.ledger, item)):
            continue
        if item.kind is not Kind.GOAL_CANCELLED:
            window, lost = _add(window, item, lead, now_ms)
        elif item.derived:
            window, lost = _with_fall(window, item, now_ms), []
        else:
            window, lost = _cancel(window, item)
        cancelled += lost
    if any(item.kind is Kind.FULL_TIME for item in lead):
        # Nothing waits past the end of the match: it goes out with the result.
        window, lost = _without_falls(window, announcements.fallen_of(window.ledger))
        cancelled += lost
        # What is over with it, such as a penalty or a check, is no news any more.
        waiting = [item for item in window.waiting if item.kind not in NEW_KINDS]
        lead = [*(item for item in waiting if not _is_void(window, item)), *lead]
        window = replace(window, waiting=())
    window, corrections = _correct(window, cancelled, "back", now_ms)
    window, alerts = announce_apart(window, lead, names_of, now_ms)
    return WindowResult(_pruned(window), (*corrections, *alerts), _keys(cancelled), stale)


def close(window: Window, *, now_ms: int) -> WindowResult:
    """Announce what has waited to the end of its window, and begin a new one; and cancellations that have stood."""
    stood = [line for line in window.ledger if line.fall and line.fall.due <= now_ms]
    window, cancelled = _without_falls(window, stood)
    window, corrections = _correct(_after(window, cancelled), cancelled, "stood", now_ms)
    due = [news for news in window.waiting if window.until[class_of(news)] <= now_ms and not window.is_fallen(news)]
    rest = tuple(news for news in window.waiting if news not in due)
    valid = [news for news in due if not _is_void(window, news)]
    window, alerts = announce_apart(replace(window, waiting=rest), valid, class_names, now_ms)
    return WindowResult(_pruned(window), (*corrections, *alerts), _keys(cancelled))


def _with_kicks_under_first_ids(window: Window, news: Iterable[News]) -> tuple[Window, list[News]]:
    """Kicks sent without ids, of which an earlier message arrived only now: each has been announced under the id that
    the later message made. Returns the other news."""
    others: list[News] = []
    for item in news:
        line = announcements.of_hidden_kick(window.ledger, item, window.match)
        if line is None:
            others.append(item)
            continue
        ledger = tuple(replace(other, key=item.key) if other is line else other for other in window.ledger)
        waiting = tuple(item if (old.kind, old.key) == (line.kind, line.key) else old for old in window.waiting)
        window = replace(window, ledger=ledger, waiting=waiting)
    return window, others


def _with_returns(window: Window, news: Iterable[News]) -> tuple[Window, list[News]]:
    """Goals that count again before their cancellation was announced: neither is news. Returns the other news."""
    others: list[News] = []
    for item in news:
        line = announcements.of_return(window.ledger, item) if item.kind is Kind.GOAL else None
        if line is None:
            others.append(item)
            continue
        waiting = (replace(news, event_id=item.event_id) if _is_goal(news, line) else news for news in window.waiting)
        window = replace(window, ledger=announcements.without_fall(window.ledger, line), waiting=tuple(waiting))
    return window, others


def _add(window: Window, item: News, lead: list[News], now_ms: int) -> tuple[Window, list[Cancelled]]:
    """Another goal of a side ends the wait of its fallen ones: the followers have to know that those do not count."""
    if _is_announced(window, item, now_ms):
        return _with_line_back(window, item), []
    lost: list[Cancelled] = []
    if item.kind is Kind.GOAL:
        fallen = announcements.fallen_of(window.ledger)
        window, lost = _without_falls(
            window, [line for line in fallen if line.fall and line.fall.news.team is item.team]
        )
    return _queue(window, item, lead, now_ms), lost


def _queue(window: Window, item: News, lead: list[News], now_ms: int) -> Window:
    """Old news is only noted; other news is sent now, or waits if its class has an open window."""
    source = window.match.source if window.match and item.kind is Kind.RED_CARD else None
    line = Announcement(item.kind, item.key, item.board, source=source)
    earlier = tuple(old for old in window.ledger if not (old.retracted is not None and _is_line_of(old, item)))
    if _is_stale(item, now_ms):
        return replace(window, ledger=(*earlier, replace(line, alert="")))
    window = replace(window, ledger=(*earlier, line))
    if item.kind is Kind.FULL_TIME or window.until.get(class_of(item), 0) <= now_ms:
        lead.append(item)
        return window
    return replace(window, waiting=(*window.waiting, item))


def _with_fall(window: Window, item: News, now_ms: int) -> Window:
    """The goal no longer counts; the next seconds show whether that is announced."""
    line = announcements.of_cancellation(window.ledger, item)
    if line is None or line.fall:
        return window
    return replace(
        window,
        ledger=announcements.with_fall(window.ledger, line, PendingCancellation(item, now_ms + UNNAMED_HOLD_MS)),
    )


def _cancel(window: Window, item: News) -> tuple[Window, list[Cancelled]]:
    """A cancellation that a message names is announced at once, whether it is new or confirms one that waits."""
    find = announcements.of_confirmation if item.confirms else announcements.of_cancellation
    line = find(window.ledger, item)
    if line is None:
        return window, []
    return _without(window, line), [(line.fall.news if line.fall and item.confirms else item, line)]


def _without_falls(window: Window, lines: Iterable[Announcement]) -> tuple[Window, list[Cancelled]]:
    """Cancellations that wait are announced."""
    cancelled = [(line.fall.news, line) for line in lines if line.fall]
    for _, line in cancelled:
        window = _without(window, line)
    return window, cancelled


def _without(window: Window, line: Announcement) -> Window:
    waiting = tuple(news for news in window.waiting if goal_of(news) != line.key)
    return replace(window, ledger=announcements.without(window.ledger, line), waiting=waiting)


def _is_goal(news: News, line: Announcement) -> bool:
    return news.kind is Kind.GOAL and news.key == line.key


def _keys(cancelled: Iterable[Cancelled]) -> frozenset[str]:
    return frozenset(line.key for _, line in cancelled)


def _after(window: Window, cancelled: Iterable[Cancelled]) -> Window:
    """The match at a version of its own: only the version separates who got an alert before the cancellation from who
    gets it after. The store's next version is not lower, because versions are milliseconds and the fall has stood for
    more than one."""
    if window.match is None or not any(line.alert for _, line in cancelled):
        return window
    return replace(window, match=replace(window.match, version=window.match.version + 1))


def _correct(window: Window, cancelled: Iterable[Cancelled], name: str, now_ms: int) -> tuple[Window, list[Alert]]:
    """Correct goals for those who got them."""
    if window.match is None:
        return window, []
    announced = [(item, line) for item, line in cancelled if line.alert]
    corrections = [
        correction(
            window.match,
            item,
            [line.alert or "", *naming(window.ledger, line, item.event_id)],
            f"{name}{n}",
            now_ms,
        )
        for n, (item, line) in enumerate(announced)
    ]
    return _with_corrections(window, corrections), corrections


def _with_corrections(window: Window, corrections: Iterable[Alert]) -> Window:
    """With corrections in the ledger: another goal may be cancelled while they are being sent."""
    lines = [line for line in window.ledger if line.kind is Kind.GOAL_CANCELLED]
    lines += [Announcement(Kind.GOAL_CANCELLED, alert.news[0].key, alert=alert.id) for alert in corrections]
    others = (line for line in window.ledger if line.kind is not Kind.GOAL_CANCELLED)
    return replace(window, ledger=(*others, *lines[-CORRECTIONS:]))


def _is_stale(item: News, now_ms: int) -> bool:
    return item.kind is not Kind.GOAL_CANCELLED and bool(item.at) and now_ms - item.at > STALE_MS


def _is_announced(window: Window, item: News, now_ms: int) -> bool:
    """Whether followers know it, and no longer than a moment ago something else was said."""
    lines = [line for line in window.ledger if _is_line_of(line, item)]
    if any(line.retracted is None or now_ms - line.retracted <= FLAP_MS for line in lines):
        return True
    return announcements.has_card_of_other_source(window.ledger, item, window.match)


def _is_line_of(line: Announcement, item: News) -> bool:
    return line.kind is item.kind and line.is_of(item)


def _with_line_back(window: Window, item: News) -> Window:
    """With what was announced standing again, where the match had contradicted it for a moment."""
    ledger = tuple(
        replace(line, retracted=None) if line.retracted is not None and _is_line_of(line, item) else line
        for line in window.ledger
    )
    return replace(window, ledger=ledger)


def _is_void(window: Window, news: News) -> bool:
    event = window.match.events.get(news.event_id) if window.match and news.event_id else None
    return event is not None and event.voided


def _with_events(match: Match, window: Window) -> Match:
    """The match with the events of waiting news, as last received."""
    earlier = window.match.events if window.match else {}
    return replace(match, events={**earlier, **match.events})


def _pruned(window: Window) -> Window:
    """Without events that no waiting news needs."""
    if window.match is None:
        return window
    waiting = [*window.waiting, *(line.fall.news for line in window.ledger if line.fall)]
    return replace(window, match=with_events_of(window.match, waiting))
