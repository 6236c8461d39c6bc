"""On which phones an alert begins a Live Activity: at kick-off, in place of the words it is told in elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from db.domain import BITS, Kind, Phase
from db.sql.audience import Audience, Recipient
from notify.content.alert import Alert
from notify.transports.base import ActivityStart, Envelope, Transport
from workers.push.renderer import MessageRenderer
from workers.push.transports import Transports


class Starts:
    def __init__(self, audience: Audience, transports: Transports) -> None:
        self.audience = audience
        self.transports = transports

    def routes(
        self, alert: Alert, wanted: Mapping[int, int], reached: Sequence[Recipient], letters: MessageRenderer
    ) -> dict[Transport, list[Envelope]]:
        """A transport and the starts it is to carry. wanted: device id → kinds. A phone whose match has no channel is
        left out: an activity that nothing brings up to date is worse than none."""
        able = [one for one in reached if _wants(one, wanted[one.id])] if _kicks_off(alert) else []
        channels = {one.environment: one.id for one in self.audience.channels([alert.match.id])} if able else {}
        found: dict[Transport, list[Envelope]] = {}
        for one in able:
            channel, transport = channels.get(one.device.environment), self.transports.starts(one.device.environment)
            message = letters.to(wanted[one.id], one.locale, spoiler_free=False)
            if channel and transport and message:
                address = ActivityStart(one.device.live_activity_token or "", channel)
                found.setdefault(transport, []).append(Envelope(address, message, one.id))
        return found


def _kicks_off(alert: Alert) -> bool:
    """Not where the kick-off is told together with the end."""
    playing = alert.match.phase in (Phase.LIVE, Phase.BREAK)
    return playing and any(news.kind is Kind.KICKOFF for news in alert.news)


def _wants(one: Recipient, kinds: int) -> bool:
    """An activity shows the score to whoever looks at the phone, so who is spoiler-free gets none."""
    asked = one.device.live_activity_token is not None
    return asked and not one.spoiler_free and bool(kinds & BITS[Kind.KICKOFF])
