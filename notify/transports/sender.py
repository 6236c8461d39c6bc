"""Sends requests over connections that are kept between calls; each call is a Dispatch."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from notify.transports.base import Envelope
from notify.transports.dispatch import Dispatch, Judge, Silence
from notify.transports.exchange import ANSWER_S, STREAMS_MAX, KnownOutcome, Request
from notify.transports.hosts import Hosts
from notify.transports.outcome import Delivered, Outcome

# A check may need a second connection after one that answers nothing.
CHECK_S = 3 * ANSWER_S


class Sender:
    """Not thread-safe; one send() at a time. For the arguments see Hosts."""

    def __init__(
        self,
        url: str | None = None,
        *,
        opening: int = 100,
        streams: int = STREAMS_MAX,
        answer_s: float = ANSWER_S,
        ca: str | None = None,
    ) -> None:
        self.hosts = Hosts(url, opening=opening, streams=streams, answer_s=answer_s, ca=ca)
        self.sending = False

    def send(
        self, requests: Iterable[Request | KnownOutcome], judge: Judge, silence: Silence
    ) -> Iterator[tuple[Envelope, Outcome]]:
        """Each request's envelope with its outcome. Closing the iterator abandons what is in flight."""
        if self.sending:
            raise RuntimeError("one send() at a time: the other's iterator is neither exhausted nor closed")
        self.sending = True
        try:
            yield from Dispatch(self.hosts, iter(requests), judge, silence).outcomes()
        finally:
            self.sending = False
            self.hosts.abandon()

    def check(self, url: str, headers: list[str], body: bytes) -> bool:
        """Whether the service answers a request that reaches no phone, whatever the answer."""
        request = Request(None, url, headers, body, time.time() + CHECK_S)
        answers = self.send([request], lambda _request, _reply: Delivered(), lambda _request: None)
        return all(isinstance(outcome, Delivered) for _, outcome in answers)

    def pause(self, for_s: float) -> None:
        """The service asked everybody to wait."""
        if self.hosts.only is not None:
            self.hosts.only.breaker.open(time.monotonic(), for_s)

    def close(self) -> None:
        self.hosts.close()
