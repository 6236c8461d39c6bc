"""When to tell: the first news at once, what follows within half a minute together at its end. Pure.

A window is kept per match and class of news. The ledger beside it remembers what was told, by which alert, so that
nothing is told twice and a cancelled goal is taken back before exactly those who heard of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from pydantic import TypeAdapter

from db.domain import SCORING, Event, Fact, FactKind, Kind, Match
from notify.news import RED_CARDS, News, news_of

# Between two alerts of one class. Goals within it are one message; 97 s apart, as once in a final, they are two.
WINDOW_MS = 30_000
# News older than this when first heard is history: a replay, a feed that comes back, a worker that was away.
STALE_MS = 5 * 60_000

# Corrections that the ledger remembers: so many may be on their way when one more goal is cancelled, and a feed that
# takes its score back again and again must not make the ledger long.
CORRECTIONS = 8

# News of one class waits for its own kind only: a red card does not wait because a goal has just been told.
_CLASSES = {Kind.GOAL: "goals", Kind.PENALTY_MISSED: "goals", Kind.RED_CARD: "cards"}
# Events whose news may wait in a window.
_WAITING = SCORING | RED_CARDS | {"penalty_missed"}


@dataclass(frozen=True, slots=True)
class Told:
    """One line of the ledger. alert: by which it was told; "" where it was heard and told to nobody, None while it
    waits."""

    kind: Kind
    key: str
    board: str | None = None
    alert: str | None = None

    def is_of(self, news: News) -> bool:
        """Whether it is what told of the same thing. A goal that only the board tells is known by its number, and that
        may have changed."""
        return self.key == news.key and (news.key != news.board or self.board == news.board)


@dataclass(frozen=True, slots=True)
class Alert:
    """News told in one message. match: as it then stands, with the events of the news. told_at: ms. of: for a
    cancelled goal, the alerts that told it; its audience is who got them at a version below `before`. id: the same for
    the same news, whoever works it out."""

    id: str
    match: Match
    news: tuple[News, ...]
    told_at: int
    of: tuple[str, ...] = ()
    before: int = 0


@dataclass(frozen=True, slots=True)
class Window:
    """What is kept between two tellings. match: as last heard, with the events of waiting news; until: by class, when
    its window ends (ms)."""

    match: Match | None = None
    told: tuple[Told, ...] = ()
    until: Mapping[str, int] = field(default_factory=dict)
    waiting: tuple[News, ...] = ()

    @property
    def due(self) -> int | None:
        """When waiting news is to be told (ms)."""
        return min((self.until[class_of(news)] for news in self.waiting), default=None)

    @property
    def alerts(self) -> list[str]:
        """Those of the ledger."""
        return list(dict.fromkeys(line.alert for line in self.told if line.alert))


@dataclass(frozen=True, slots=True)
class Heard:
    """What follows from news: the window then, alerts to tell now, and keys of goals that are void now: what was told
    before is to be mended where it is still on its way."""

    window: Window
    alerts: tuple[Alert, ...] = ()
    void: frozenset[str] = frozenset()


_windows = TypeAdapter(Window)
_alerts = TypeAdapter(Alert)


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


def hear(window: Window, match: Match, news: Iterable[News], *, now_ms: int) -> Heard:
    """Take in one change of the match. match: after it, with the events it touched."""
    window = replace(window, match=_with_events(match, window))
    lead: list[News] = []
    back: list[tuple[News, Told]] = []
    for item in news:
        if item.kind is Kind.GOAL_CANCELLED:
            window, line = _take_back(window, item)
            back += [(item, line)] if line else []
        elif not _known(window, item):
            window = _enter(window, item, lead, now_ms)
    if any(item.kind is Kind.FULL_TIME for item in lead):
        # Nothing waits past the end: what would be told after it is told with it.
        lead = [*(item for item in window.waiting if not _void(window, item)), *lead]
        window = replace(window, waiting=())
    window, alerts = _tell(window, lead, _name(lead), now_ms)
    told = [(item, line) for item, line in back if line.alert]
    corrections = [_correction(match, item, line, n, now_ms) for n, (item, line) in enumerate(told)]
    window = _settled(_noted(window, corrections))
    return Heard(window, (*corrections, *alerts), frozenset(line.key for _, line in back))


def close(window: Window, *, now_ms: int) -> Heard:
    """Tell what has waited to the end of its window; a new one begins."""
    due = [news for news in window.waiting if window.until[class_of(news)] <= now_ms]
    left = tuple(news for news in window.waiting if news not in due)
    told = [news for news in due if not _void(window, news)]
    name = "-" + "-".join(sorted({class_of(news) for news in due}))
    window, alerts = _tell(replace(window, waiting=left), told, name, now_ms)
    return Heard(_settled(window), alerts)


def mend(alert: Alert, void: Collection[str], match: Match) -> Alert | None:
    """An alert that is on its way when goals become void: without them, with the score as it is now. None if nothing of
    it is left."""
    news = tuple(item for item in alert.news if item.kind is not Kind.GOAL or item.key not in void)
    now = replace(match, events={**alert.match.events, **match.events})
    return replace(alert, match=_only(now, news), news=news) if news else None


def _enter(window: Window, item: News, lead: list[News], now_ms: int) -> Window:
    """Old news is only noted; other news leads, or waits where its class has just been told."""
    line = Told(item.kind, item.key, item.board)
    if item.at and now_ms - item.at > STALE_MS:
        return replace(window, told=(*window.told, replace(line, alert="")))
    window = replace(window, told=(*window.told, line))
    if item.kind is Kind.FULL_TIME or window.until.get(class_of(item), 0) <= now_ms:
        lead.append(item)
        return window
    return replace(window, waiting=(*window.waiting, item))


def _take_back(window: Window, item: News) -> tuple[Window, Told | None]:
    """Strike a goal from the ledger; returns its line. Its own name finds it before its number does, for that is the
    last one's whichever is struck."""
    goals = [line for line in reversed(window.told) if line.kind is Kind.GOAL]
    named = [line for line in goals if line.is_of(item)]
    numbered = [line for line in goals if line.board is not None and line.board == item.board]
    if not (named or numbered):
        return window, None
    line = (named or numbered)[0]
    told = tuple(_renumbered(one, line) for one in window.told if one is not line)
    waiting = tuple(one for one in window.waiting if one.kind is not Kind.GOAL or one.key != line.key)
    return replace(window, told=told, waiting=waiting), line


def _renumbered(line: Told, struck: Told) -> Told:
    """Goals of that side after the one struck have one less before them."""
    if line.kind is not Kind.GOAL or not line.board or not struck.board:
        return line
    side, _, number = line.board.partition("-")
    its_side, _, its_number = struck.board.partition("-")
    if side != its_side or int(number) < int(its_number):
        return line
    return replace(line, board=f"{side}-{int(number) - 1}")


def _noted(window: Window, corrections: Iterable[Alert]) -> Window:
    """With corrections in the ledger, for another goal may be cancelled while they go out."""
    lines = [line for line in window.told if line.kind is Kind.GOAL_CANCELLED]
    lines += [Told(Kind.GOAL_CANCELLED, alert.news[0].key, alert=alert.id) for alert in corrections]
    others = (line for line in window.told if line.kind is not Kind.GOAL_CANCELLED)
    return replace(window, told=(*others, *lines[-CORRECTIONS:]))


def _known(window: Window, item: News) -> bool:
    return any(line.kind is item.kind and line.is_of(item) for line in window.told)


def _tell(window: Window, news: list[News], name: str, now_ms: int) -> tuple[Window, tuple[Alert, ...]]:
    """One alert of the news, noted in the ledger, and a window for each class it touched."""
    if not news or window.match is None:
        return window, ()
    match = window.match
    alert = Alert(f"{match.id}-{match.version}{name}", _only(match, news), tuple(news), now_ms)
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


def _correction(match: Match, item: News, line: Told, number: int, now_ms: int) -> Alert:
    name = f"{match.id}-{match.version}-back{number}"
    return Alert(name, _only(match, [item]), (item,), now_ms, of=(line.alert or "",), before=match.version)


def _void(window: Window, news: News) -> bool:
    event = window.match.events.get(news.event_id) if window.match and news.event_id else None
    return event is not None and event.voided


def _with_events(match: Match, window: Window) -> Match:
    """The match with the events of waiting news, as last told."""
    kept = window.match.events if window.match else {}
    return replace(match, events={**kept, **match.events})


def _settled(window: Window) -> Window:
    """Without the events nothing waits for."""
    return replace(window, match=_only(window.match, window.waiting)) if window.match else window


def _only(match: Match, news: Iterable[News]) -> Match:
    wanted = {item.event_id for item in news}
    events: dict[str, Event] = {key: event for key, event in match.events.items() if key in wanted}
    return replace(match, events=events)


def encode(window: Window) -> bytes:
    return _windows.dump_json(window, exclude_defaults=True)


def decode(text: bytes | None) -> Window:
    return _windows.validate_json(text) if text else Window()


def encode_alert(alert: Alert) -> bytes:
    return _alerts.dump_json(alert, exclude_defaults=True)


def decode_alert(text: bytes) -> Alert:
    return _alerts.validate_json(text)
