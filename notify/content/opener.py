"""Opens alerts: of news, with the windows that they begin, and of corrections. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from db.domain import NEW_KINDS, Kind, Match
from notify.content.alert import Alert, with_events_of
from notify.content.announcements import Announcement
from notify.content.news import News, scorer_key
from notify.content.window_record import Window, class_of

# Between two alerts of one class. Goals within it are one message; 97 s apart, as in the 2022 final, they are two.
WINDOW_MS = 30_000


def announce_apart(
    window: Window, news: list[News], name: Callable[[list[News]], str], now_ms: int
) -> tuple[Window, tuple[Alert, ...]]:
    """News of kinds that the release before does not know goes in an alert of its own: a worker of it that takes the
    alert parks it, and nothing else."""
    alerts: tuple[Alert, ...] = ()
    for is_new in (False, True):
        some = [item for item in news if (item.kind in NEW_KINDS) is is_new]
        window, opened = _announce(window, some, name(some), now_ms)
        alerts += opened
    return window, alerts


def class_names(news: list[News]) -> str:
    return "-" + "-".join(sorted({class_of(item) for item in news}))


def _announce(window: Window, news: list[News], name: str, now_ms: int) -> tuple[Window, tuple[Alert, ...]]:
    """One alert of the news, noted in the ledger, and a window for each class it touched."""
    if not news or window.match is None:
        return window, ()
    match = window.match
    alert = Alert(f"{match.id}-{match.version}{name}", with_events_of(match, news), tuple(news), now_ms)
    keys = {(item.kind, item.key) for item in news}
    ledger = tuple(
        replace(line, alert=alert.id) if line.alert is None and (line.kind, line.key) in keys else line
        for line in window.ledger
    )
    # Who scored is known with these goals.
    scorers = (scorer_key(match.events.get(item.event_id or "")) for item in news if item.kind is Kind.GOAL)
    ledger += tuple(Announcement(Kind.SCORER, key, alert="") for key in scorers if key)
    # The release before looks up missed penalties under the goals, which therefore have an entry.
    until = {"goals": 0, **window.until, **{class_of(item): now_ms + WINDOW_MS for item in news}}
    return replace(window, ledger=ledger, until=until), (alert,)


def names_of(lead: Iterable[News]) -> str:
    """A reminder comes without a change of the match, so other news may have been announced at the same version."""
    return "-" + "-".join(
        sorted({f"{item.kind}-{item.key}" if item.kind is Kind.REMINDER else item.kind for item in lead})
    )


def correction(match: Match, item: News, alert_ids: Iterable[str], name: str, now_ms: int) -> Alert:
    """alert_ids: what told of the goal, the alert of the goal first."""
    alert_id = f"{match.id}-{match.version}-{name}"
    corrects = tuple(alert_ids)
    return Alert(alert_id, with_events_of(match, [item]), (item,), now_ms, corrects=corrects, before=match.version)
