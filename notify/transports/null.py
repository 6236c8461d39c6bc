"""The transport that sends nothing and says so: for development without keys, and for the dry run."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

from notify.transports.base import Envelope
from notify.transports.outcome import Delivered, Outcome

logger = logging.getLogger(__name__)


class NullTransport:
    name = "null"

    def send(self, envelopes: Iterable[Envelope]) -> Iterator[tuple[Envelope, Outcome]]:
        for envelope in envelopes:
            message = envelope.message
            logger.debug("push_unsent match=%s version=%d kind=%s", message.match_id, message.version, message.kind)
            yield envelope, Delivered("unsent")

    def close(self) -> None:
        pass
