"""When to tell: the first news at once, what follows within half a minute together at its end. Pure.

A window is kept per match and class of news. The ledger beside it remembers what was told, by which alert, so that
nothing is told twice and a cancelled goal is taken back before exactly those who heard of it. A cancellation that no
message names waits: a scoreboard that falls is often back in a moment, and a notification cannot be taken back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from pydantic import TypeAdapter

from db.domain import SCORING, Fact, FactKind, Kind, Match
from notify.content import announcements
from notify.content.alert import Alert, only
from notify.content.announcements import Announcement, Ledger, PendingCancellation
from notify.content.news import RED_CARDS, News, news_of

# Between two alerts of one class. Goals within it are one message; 97 s apart, as once in a final, they are two.
WINDOW_MS = 30_000
# News older than this when first heard is history: a replay, a feed that comes back, a worker that was away.
STALE_MS = 5 * 60_000
# A cancellation that no message names is told once it has stood for so long: a scoreboard that flaps, or lags behind
# its events, is right again within a few seconds.
UNNAMED_HOLD_MS = 10_000

# Corrections that the ledger remembers: so many may be on their way when one more goal is cancelled, and a feed that
# takes its score back again and again must not make the ledger long.
CORRECTIONS = 8

# News of one class waits for its own kind only: a red card does not wait because a goal has just been told.
_CLASSES = {Kind.GOAL: "goals", Kind.PENALTY_MISSED: "goals", Kind.RED_CARD: "cards"}
# Events whose news may wait in a window.
_WAITING = SCORING | RED_CARDS | {"penalty_missed"}


@dataclass(frozen=True, slots=True)
class Window:
    """What is kept between two tellings. match: as last heard, with the events of waiting news; until: by class, when
    its window ends (ms)."""

    match: Match | None = None
    told: Ledger = ()
    until: Mapping[str, int] = field(default_factory=dict)
    waiting: tuple[News, ...] = ()

    @property
    def due(self) -> int | None:
        """When waiting news is to be told (ms), and when a cancellation that waits."""
        ends = [self.until[class_of(news)] for news in self.waiting if not self.is_fallen(news)]
        ends += [line.fall.due for line in self.told if line.fall]
        return min(ends, default=None)

    def is_fallen(self, news: News) -> bool:
        """Whether it is a goal that does not count, and may again in a moment."""
        return any(line.fall and (line.kind, line.key) == (news.kind, news.key) for line in self.told)

    @property
    def alerts(self) -> list[str]:
        """Those of the ledger."""
        return list(dict.fromkeys(line.alert for line in self.told if line.alert))


@dataclass(frozen=True, slots=True)
class WindowResult:
    """What follows from news: the window then, alerts to tell now, and keys of goals that are void now: what was told
    before is to be mended where it is still on its way."""

    window: Window
    alerts: tuple[Alert, ...] = ()
    void: frozenset[str] = frozenset()


# The news of a cancellation, and the line of its goal.
Cancelled = tuple[News, Announcement]

_windows = TypeAdapter(Window)


def concerns(match: Match, facts: Iterable[Fact]) -> bool:
    """Whether a change of the match has to be heard of: it moves the score or the status, is news, or touches a goal or
    a card that may be waiting. Of a match told touch by touch, that is few of its changes."""
    facts = tuple(facts)
    if any(fact.kind in (FactKind.SCORE, FactKind.STATUS) for fact in facts):
        return True
    touched = (match.events.get(fact.event_id) for fact in facts if fact.event_id)
    return any(event and event.type in _WAITING for event in touched) or bool(news_of(match, facts))


def class_of(news: News) -> str:
    return _CLASSES.get(news.kind, "match")


def hear(window: Window, match: Match, news: Iterable[News], *, now_ms: int) -> WindowResult:
    """Take in one change of the match. match: after it, with the events it touched."""
    news = announcements.without_swaps(window.told, news)
    window, news = _with_returns(replace(window, match=_with_events(match, window)), news)
    lead: list[News] = []
    back: list[Cancelled] = []
    for item in news:
        if item.kind is not Kind.GOAL_CANCELLED:
            window, lost = _meet(window, item, lead, now_ms)
        elif item.derived:
            window, lost = _with_fall(window, item, now_ms), []
        else:
            window, lost = _take_back(window, item)
        back += lost
    if any(item.kind is Kind.FULL_TIME for item in lead):
        # Nothing waits past the end: what would be told after it is told with it.
        window, lost = _without_falls(window, announcements.fallen_of(window.told))
        back += lost
        lead = [*(item for item in window.waiting if not _void(window, item)), *lead]
        window = replace(window, waiting=())
    window, corrections = _correct(window, back, "back", now_ms)
    window, alerts = _tell(window, lead, _name(lead), now_ms)
    return WindowResult(_settled(window), (*corrections, *alerts), _keys(back))


def close(window: Window, *, now_ms: int) -> WindowResult:
    """Tell what has waited to the end of its window, and a new one begins; and cancellations that have stood."""
    stood = [line for line in window.told if line.fall and line.fall.due <= now_ms]
    window, back = _without_falls(window, stood)
    window, corrections = _correct(_after(window, back), back, "stood", now_ms)
    due = [news for news in window.waiting if window.until[class_of(news)] <= now_ms and not window.is_fallen(news)]
    left = tuple(news for news in window.waiting if news not in due)
    told = [news for news in due if not _void(window, news)]
    name = "-" + "-".join(sorted({class_of(news) for news in due}))
    window, alerts = _tell(replace(window, waiting=left), told, name, now_ms)
    return WindowResult(_settled(window), (*corrections, *alerts), _keys(back))


def _with_returns(window: Window, news: Iterable[News]) -> tuple[Window, list[News]]:
    """Goals that count again before their end was told: nobody hears of either. Returns the other news."""
    left: list[News] = []
    for item in news:
        line = announcements.of_return(window.told, item) if item.kind is Kind.GOAL else None
        if line is None:
            left.append(item)
            continue
        waiting = (replace(one, event_id=item.event_id) if _is_goal(one, line) else one for one in window.waiting)
        window = replace(window, told=announcements.without_fall(window.told, line), waiting=tuple(waiting))
    return window, left


def _meet(window: Window, item: News, lead: list[News], now_ms: int) -> tuple[Window, list[Cancelled]]:
    """Whoever hears of another goal of the side has to know that the one before does not count."""
    if _known(window, item):
        return window, []
    lost: list[Cancelled] = []
    if item.kind is Kind.GOAL:
        fallen = announcements.fallen_of(window.told)
        window, lost = _without_falls(
            window, [line for line in fallen if line.fall and line.fall.news.team is item.team]
        )
    return _enter(window, item, lead, now_ms), lost


def _enter(window: Window, item: News, lead: list[News], now_ms: int) -> Window:
    """Old news is only noted; other news leads, or waits where its class has just been told."""
    line = Announcement(item.kind, item.key, item.board)
    if item.at and now_ms - item.at > STALE_MS:
        return replace(window, told=(*window.told, replace(line, alert="")))
    window = replace(window, told=(*window.told, line))
    if item.kind is Kind.FULL_TIME or window.until.get(class_of(item), 0) <= now_ms:
        lead.append(item)
        return window
    return replace(window, waiting=(*window.waiting, item))


def _with_fall(window: Window, item: News, now_ms: int) -> Window:
    """The goal no longer counts; whether that is told, the next seconds show."""
    line = announcements.of_cancellation(window.told, item)
    if line is None or line.fall:
        return window
    return replace(
        window, told=announcements.with_fall(window.told, line, PendingCancellation(item, now_ms + UNNAMED_HOLD_MS))
    )


def _take_back(window: Window, item: News) -> tuple[Window, list[Cancelled]]:
    """What a message names is cancelled at once, be it only now or already."""
    find = announcements.of_confirmation if item.confirms else announcements.of_cancellation
    line = find(window.told, item)
    if line is None:
        return window, []
    return _without(window, line), [(line.fall.news if line.fall and item.confirms else item, line)]


def _without_falls(window: Window, lines: Iterable[Announcement]) -> tuple[Window, list[Cancelled]]:
    """What waits as fallen is cancelled."""
    back = [(line.fall.news, line) for line in lines if line.fall]
    for _, line in back:
        window = _without(window, line)
    return window, back


def _without(window: Window, line: Announcement) -> Window:
    waiting = tuple(one for one in window.waiting if not _is_goal(one, line))
    return replace(window, told=announcements.without(window.told, line), waiting=waiting)


def _is_goal(news: News, line: Announcement) -> bool:
    return news.kind is Kind.GOAL and news.key == line.key


def _keys(back: Iterable[Cancelled]) -> frozenset[str]:
    return frozenset(line.key for _, line in back)


def _after(window: Window, back: Iterable[Cancelled]) -> Window:
    """The match at a version of its own. What goes out bears the one last heard, and who gets it before the goal is
    cancelled is told apart from who gets it after by the version alone. The store's next is no lower: it gives
    milliseconds, and a fall has stood for more than one."""
    if window.match is None or not any(line.alert for _, line in back):
        return window
    return replace(window, match=replace(window.match, version=window.match.version + 1))


def _correct(window: Window, back: Iterable[Cancelled], name: str, now_ms: int) -> tuple[Window, list[Alert]]:
    """Take goals back from those who were told of them."""
    if window.match is None:
        return window, []
    announced = [(item, line) for item, line in back if line.alert]
    corrections = [_correction(window.match, *one, f"{name}{n}", now_ms) for n, one in enumerate(announced)]
    return _noted(window, corrections), corrections


def _noted(window: Window, corrections: Iterable[Alert]) -> Window:
    """With corrections in the ledger, for another goal may be cancelled while they go out."""
    lines = [line for line in window.told if line.kind is Kind.GOAL_CANCELLED]
    lines += [Announcement(Kind.GOAL_CANCELLED, alert.news[0].key, alert=alert.id) for alert in corrections]
    others = (line for line in window.told if line.kind is not Kind.GOAL_CANCELLED)
    return replace(window, told=(*others, *lines[-CORRECTIONS:]))


def _known(window: Window, item: News) -> bool:
    return any(line.kind is item.kind and line.is_of(item) for line in window.told)


def _tell(window: Window, news: list[News], name: str, now_ms: int) -> tuple[Window, tuple[Alert, ...]]:
    """One alert of the news, noted in the ledger, and a window for each class it touched."""
    if not news or window.match is None:
        return window, ()
    match = window.match
    alert = Alert(f"{match.id}-{match.version}{name}", only(match, news), tuple(news), now_ms)
    keys = {(item.kind, item.key) for item in news}
    told = tuple(
        replace(line, alert=alert.id) if line.alert is None and (line.kind, line.key) in keys else line
        for line in window.told
    )
    until = {**window.until, **{class_of(item): now_ms + WINDOW_MS for item in news}}
    return replace(window, told=told, until=until), (alert,)


def _name(lead: Iterable[News]) -> str:
    """News that no change of the match brings, such as a reminder, finds the version that other news was told with."""
    return "-" + "-".join(
        sorted({f"{item.kind}-{item.key}" if item.kind is Kind.REMINDER else item.kind for item in lead})
    )


def _correction(match: Match, item: News, line: Announcement, name: str, now_ms: int) -> Alert:
    alert_id = f"{match.id}-{match.version}-{name}"
    return Alert(alert_id, only(match, [item]), (item,), now_ms, of=(line.alert or "",), before=match.version)


def _void(window: Window, news: News) -> bool:
    event = window.match.events.get(news.event_id) if window.match and news.event_id else None
    return event is not None and event.voided


def _with_events(match: Match, window: Window) -> Match:
    """The match with the events of what waits, as last told."""
    kept = window.match.events if window.match else {}
    return replace(match, events={**kept, **match.events})


def _settled(window: Window) -> Window:
    """Without the events nothing waits for."""
    if window.match is None:
        return window
    waiting = [*window.waiting, *(line.fall.news for line in window.told if line.fall)]
    return replace(window, match=only(window.match, waiting))


def encode(window: Window) -> bytes:
    return _windows.dump_json(window, exclude_defaults=True)


def decode(text: bytes | None) -> Window:
    return _windows.validate_json(text) if text else Window()
