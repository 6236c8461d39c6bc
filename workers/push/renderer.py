"""An alert as one follower gets it: of their kinds, in their language, with or without spoilers."""

from __future__ import annotations

from db.domain import BITS, Payload, Variant, language_of
from notify.content.alert import Alert
from notify.content.message import Message, compose

# No alert is sent after this; a message may expire earlier (notify.content.message.EXPIRY_S).
EXPIRY_MS = 10 * 60 * 1000


def written(alert: Alert, kinds: int, variant: Variant, *, silent: bool = False) -> Message:
    """A correction takes the place of the alert that it corrects."""
    news = [item for item in alert.news if BITS[item.kind] & kinds]
    return compose(
        alert.match,
        news,
        variant,
        now=alert.opened_at / 1000,
        fact=alert.corrects[0] if alert.corrects else alert.id,
        silent=silent,
    )


class MessageRenderer:
    """The messages of one alert, each composed once."""

    def __init__(self, alert: Alert) -> None:
        self.alert = alert
        self.mask = 0
        for item in alert.news:
            self.mask |= BITS[item.kind]
        self.messages: dict[tuple[int, Variant, bool], Message] = {}
        self.variants: dict[tuple[str, bool, Payload], Variant] = {}

    def to(
        self,
        kinds: int,
        locale: str,
        *,
        spoiler_free: bool,
        silent: bool = False,
        payload: Payload = Payload.NOTIFICATION,
    ) -> Message | None:
        """None if the follower wants nothing of it."""
        wanted = kinds & self.mask
        if not wanted:
            return None
        form = (locale, spoiler_free, payload)
        variant = self.variants.get(form)
        if variant is None:
            variant = self.variants[form] = Variant(language_of(locale), spoiler_free, payload)
        key = (wanted, variant, silent)
        if key not in self.messages:
            self.messages[key] = written(self.alert, wanted, variant, silent=silent)
        return self.messages[key]
