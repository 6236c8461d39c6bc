"""An alert in the words one reader gets: of their kinds, in their language, with or without the score."""

from __future__ import annotations

from db.domain import BITS, SPOILER_FREE
from notify.content.alert import Alert
from notify.content.message import Message, compose

# After this long no alert is worth sending; a message may say so earlier (notify.content.message.EXPIRY_S).
EXPIRY_MS = 10 * 60 * 1000


def written(alert: Alert, kinds: int, variant: str, *, silent: bool = False) -> Message:
    """variant: as of topics, a language and whether without the score."""
    language, calm, _ = variant.partition(SPOILER_FREE)
    news = [item for item in alert.news if BITS[item.kind] & kinds]
    return compose(alert.match, news, language, now=alert.told_at / 1000, spoiler_free=bool(calm), silent=silent)


class MessageRenderer:
    """The messages of one alert, each written once."""

    def __init__(self, alert: Alert) -> None:
        self.alert = alert
        self.mask = 0
        for item in alert.news:
            self.mask |= BITS[item.kind]
        self.known: dict[tuple[int, str, bool], Message] = {}

    def to(self, kinds: int, locale: str, *, spoiler_free: bool, silent: bool = False) -> Message | None:
        """None where nothing of it is wanted."""
        wanted = kinds & self.mask
        if not wanted:
            return None
        variant = locale + (SPOILER_FREE if spoiler_free else "")
        key = (wanted, variant, silent)
        if key not in self.known:
            self.known[key] = written(self.alert, wanted, variant, silent=silent)
        return self.known[key]
