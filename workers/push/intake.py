"""One reading of a match's push mailbox: from the window as it was to the window as it is, with alerts opened, mended
and stopped on the way. Nothing is so until it is committed."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence

from db.codec import decode_facts
from db.domain import FactKind, Match
from db.live.alerts import Alerts, Draft, Mailbox
from db.outbox_entry import OutboxEntry
from notify.content import window
from notify.content.alert import Alert, decode_alert, encode_alert, mend
from notify.content.news import News
from notify.content.window import WindowResult

logger = logging.getLogger(__name__)


class WindowTransaction:
    def __init__(self, alerts: Alerts, match_id: str, box: Mailbox) -> None:
        self.alerts = alerts
        self.match_id = match_id
        self.box = box
        self.window = window.decode(box.window)
        self.opened: dict[str, Alert] = {}
        self.mended: dict[str, Alert] = {}
        self.stopped: list[str] = []

    def hear(self, match: Match, news: Iterable[News], *, now_ms: int) -> None:
        self._take(window.hear(self.window, match, news, now_ms=now_ms), match)

    def close(self, *, now_ms: int) -> None:
        heard = window.close(self.window, now_ms=now_ms)
        self._take(heard, heard.window.match)

    def _take(self, heard: WindowResult, match: Match | None) -> None:
        if heard.void and match:
            self._mend(self.window.alerts, heard.void, match)
        self.window = heard.window
        self.opened |= {alert.id: alert for alert in heard.alerts}

    def _mend(self, told: Sequence[str], void: Collection[str], match: Match) -> None:
        """Whoever is reached from now on shall hear nothing of a void goal, and see no score with it, whichever of the
        match's alerts reaches them. The revision of the window guards these alerts, too: nothing else changes them."""
        known = self.opened | self.mended
        read = self.alerts.on_their_way([one for one in told if one not in known and one not in self.stopped])
        for alert in [*known.values(), *map(decode_alert, read)]:
            place = self.opened if alert.id in self.opened else self.mended
            if mended := mend(alert, void, match):
                place[alert.id] = mended
            else:
                place.pop(alert.id, None)
                self.stopped.append(alert.id)

    def commit(self, *, now_ms: int) -> None:
        """If another worker has committed since, it is all left as that one found it."""
        opened = self.opened.values()
        done = self.alerts.commit(
            self.match_id,
            self.box,
            window.encode(self.window),
            self.window.due,
            [_draft(alert) for alert in opened],
            mended=[_draft(alert) for alert in self.mended.values()],
            stopped=self.stopped,
            broadcast=any(map(_shows, self.box.changes)),
            newest={news.kind: alert.match.version for alert in opened for news in alert.news},
            now_ms=now_ms,
        )
        if done:
            self._report()

    def _report(self) -> None:
        for alert in self.opened.values():
            kinds = ",".join(news.kind for news in alert.news)
            logger.info("alert_opened alert=%s version=%d kinds=%s", alert.id, alert.match.version, kinds)
        for alert in self.mended.values():
            logger.info("alert_mended alert=%s version=%d", alert.id, alert.match.version)


def _draft(alert: Alert) -> Draft:
    return Draft(alert.id, encode_alert(alert), alert.match.version)


def _shows(change: OutboxEntry) -> bool:
    """Whether a Live Activity would look different."""
    return any(fact.kind in (FactKind.SCORE, FactKind.STATUS) for fact in decode_facts(change.facts))
