"""The transport that sends nothing and says so: for development without keys, and for the dry run."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

from notify.transports.base import Envelope
from notify.transports.outcome import Delivered, Outcome

logger = logging.getLogger(__name__)


class NullTransport:
    name = "null"

    def send(self, parcels: Iterable[Envelope]) -> Iterator[tuple[Envelope, Outcome]]:
        for parcel in parcels:
            said = parcel.message
            logger.debug("push_unsent match=%s version=%d kind=%s", said.match_id, said.version, said.kind)
            yield parcel, Delivered(reason="unsent")

    def close(self) -> None:
        pass
