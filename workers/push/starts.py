"""Which phones start a Live Activity: at kick-off, in place of the alert."""

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

    def of(
        self, alert: Alert, wanted: Mapping[int, int], recipients: Sequence[Recipient], renderer: MessageRenderer
    ) -> dict[int, tuple[Transport, Envelope]]:
        """The start of each device that gets one, with its transport.

        wanted: kinds by device id. Without a broadcast channel there is no start: an activity that nothing updates is
        worse than none.
        """
        able: list[Recipient] = []
        if _kicks_off(alert):
            able = [recipient for recipient in recipients if _wants(recipient, wanted[recipient.id])]
        channels = self.audience.channels([alert.match.id]) if able else []
        channel_ids = {channel.environment: channel.id for channel in channels}
        starts: dict[int, tuple[Transport, Envelope]] = {}
        for recipient in able:
            environment = recipient.device.environment
            channel_id, transport = channel_ids.get(environment), self.transports.starts(environment)
            message = renderer.to(wanted[recipient.id], recipient.locale, spoiler_free=False)
            if channel_id and transport and message:
                address = ActivityStart(recipient.device.live_activity_token or "", channel_id)
                starts[recipient.id] = (transport, Envelope(address, message, recipient.id))
        return starts


def _kicks_off(alert: Alert) -> bool:
    """False if the kick-off is announced together with the end."""
    playing = alert.match.phase in (Phase.LIVE, Phase.BREAK)
    return playing and any(news.kind is Kind.KICKOFF for news in alert.news)


def _wants(recipient: Recipient, kinds: int) -> bool:
    """An activity shows the score to everybody who looks at the phone, so spoiler-free followers get none."""
    has_token = recipient.device.live_activity_token is not None
    return has_token and not recipient.spoiler_free and bool(kinds & BITS[Kind.KICKOFF])
