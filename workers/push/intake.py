"""One reading of a match's push mailbox: computes the new window and the alerts to open, amend and stop. Nothing takes
effect until commit()."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence

from db.codec import decode_facts
from db.domain import NEW_KINDS, FactKind, Match
from db.live.alerts import Alerts, Draft, Mailbox
from db.live.metrics import PUSH_STALE
from db.outbox_entry import OutboxEntry
from notify.content import window, window_record
from notify.content.alert import Alert, amend, decode_alert, encode_alert
from notify.content.news import News
from notify.content.window import WindowResult

logger = logging.getLogger(__name__)


class WindowTransaction:
    def __init__(self, alerts: Alerts, match_id: str, box: Mailbox) -> None:
        self.alerts = alerts
        self.match_id = match_id
        self.box = box
        self.window = window_record.decode(box.window)
        self.opened: dict[str, Alert] = {}
        self.amended: dict[str, Alert] = {}
        self.stopped: list[str] = []
        self.stale: list[News] = []

    def apply(self, match: Match, news: Iterable[News], *, now_ms: int) -> None:
        result = window.apply(self.window, match, news, now_ms=now_ms)
        self.stale += result.stale
        self._take(result, match)

    def close(self, *, now_ms: int) -> None:
        result = window.close(self.window, now_ms=now_ms)
        self._take(result, result.window.match)

    def _take(self, result: WindowResult, match: Match | None) -> None:
        if result.void and match:
            self._amend(self.window.alerts, result.void, match)
        self.window = result.window
        self.opened |= {alert.id: alert for alert in result.alerts}

    def _amend(self, alert_ids: Sequence[str], void: Collection[str], match: Match) -> None:
        """Whoever is reached from now on gets no news of a void goal and no score with it, by any alert of the match.
        The revision of the window guards these alerts too: nothing else changes them."""
        at_hand = self.opened | self.amended
        unread = [alert_id for alert_id in alert_ids if alert_id not in at_hand and alert_id not in self.stopped]
        for alert in [*at_hand.values(), *map(decode_alert, self.alerts.active(unread))]:
            group = self.opened if alert.id in self.opened else self.amended
            if amended := amend(alert, void, match):
                group[alert.id] = amended
            else:
                group.pop(alert.id, None)
                self.stopped.append(alert.id)

    def commit(self, *, now_ms: int) -> None:
        """No effect if another worker has committed since."""
        opened = self.opened.values()
        committed = self.alerts.commit(
            self.match_id,
            self.box,
            window_record.encode(self.window),
            self.window.due,
            [_draft(alert) for alert in opened],
            amended=[_draft(alert) for alert in self.amended.values()],
            stopped=self.stopped,
            broadcast=any(map(_shows, self.box.changes)),
            newest={
                news.kind: alert.match.version for alert in opened for news in alert.news if news.kind not in NEW_KINDS
            },
            now_ms=now_ms,
        )
        if committed:
            self._report(now_ms)

    def _report(self, now_ms: int) -> None:
        for news in self.stale:
            PUSH_STALE.add(kind=news.kind)
        if self.stale:
            age_s = (now_ms - min(news.at for news in self.stale)) / 1000
            kinds = ",".join(sorted({news.kind for news in self.stale}))
            logger.warning("news_stale match=%s kinds=%s oldest_s=%.0f", self.match_id, kinds, age_s)
        for alert in self.opened.values():
            kinds = ",".join(news.kind for news in alert.news)
            logger.info("alert_opened alert=%s version=%d kinds=%s", alert.id, alert.match.version, kinds)
        for alert in self.amended.values():
            logger.info("alert_amended alert=%s version=%d", alert.id, alert.match.version)


def _draft(alert: Alert) -> Draft:
    return Draft(alert.id, encode_alert(alert), alert.match.version)


def _shows(change: OutboxEntry) -> bool:
    """Whether a Live Activity would look different."""
    return any(fact.kind in (FactKind.SCORE, FactKind.STATUS) for fact in decode_facts(change.facts))
