"""An alert as one follower gets it: of their kinds, in their language, with or without spoilers."""

from __future__ import annotations

from db.domain import BITS, SPOILER_FREE
from notify.content.alert import Alert
from notify.content.message import Message, compose

# No alert is sent after this; a message may expire earlier (notify.content.message.EXPIRY_S).
EXPIRY_MS = 10 * 60 * 1000


def written(alert: Alert, kinds: int, variant: str, *, silent: bool = False) -> Message:
    """variant: as in topic names, a language and the spoiler-free suffix."""
    language, calm, _ = variant.partition(SPOILER_FREE)
    news = [item for item in alert.news if BITS[item.kind] & kinds]
    return compose(alert.match, news, language, now=alert.opened_at / 1000, spoiler_free=bool(calm), silent=silent)


class MessageRenderer:
    """The messages of one alert, each composed once."""

    def __init__(self, alert: Alert) -> None:
        self.alert = alert
        self.mask = 0
        for item in alert.news:
            self.mask |= BITS[item.kind]
        self.messages: dict[tuple[int, str, bool], Message] = {}

    def to(self, kinds: int, locale: str, *, spoiler_free: bool, silent: bool = False) -> Message | None:
        """None if the follower wants nothing of it."""
        wanted = kinds & self.mask
        if not wanted:
            return None
        variant = locale + (SPOILER_FREE if spoiler_free else "")
        key = (wanted, variant, silent)
        if key not in self.messages:
            self.messages[key] = written(self.alert, wanted, variant, silent=silent)
        return self.messages[key]
