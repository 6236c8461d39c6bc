"""One call of Sender.send: requests from an iterator, over hosts, to outcomes. Nothing taken is ever lost.

A request is with the caller's iterator, waiting for room, in flight, waiting to be repeated, or answered. What the
service surely did not process is repeated as it was. A request of unknown fate is repeated passively, so that no phone
rings twice, or not at all where it stands for many phones.
"""

from __future__ import annotations

import heapq
import logging
import time
from collections.abc import Callable, Iterator
from itertools import count

from notify.transports.base import Envelope
from notify.transports.exchange import STREAMS_MAX, KnownOutcome, Reply, Request
from notify.transports.host import Host
from notify.transports.hosts import Hosts
from notify.transports.outcome import Delivered, Dropped, Gone, Later, Outcome, Unknown
from notify.transports.retry import RetryLater, pause_s, unanswered

logger = logging.getLogger(__name__)

# A wait without news: long enough to cost nothing, short enough for the clocks kept here.
TICK_S = 0.2
# Requests taken that wait for a host with no room, so that a slow host holds up its own alone.
LOOKAHEAD = 1000

# An answer's outcome, by a transport's table of reasons.
Judge = Callable[[Request, Reply], Outcome | RetryLater]
# Makes a request passive before it is repeated.
Silence = Callable[[Request], None]


class Dispatch:
    def __init__(
        self, hosts: Hosts, requests: Iterator[Request | KnownOutcome], judge: Judge, silence: Silence
    ) -> None:
        self.hosts, self.requests, self.judge, self.silence = hosts, requests, judge, silence
        self.exhausted = False
        # Repeats by the time they are due.
        self.waiting: list[tuple[float, int, Host, Request]] = []
        self.order = count()
        self.settled: list[tuple[Envelope, Outcome]] = []

    def outcomes(self) -> Iterator[tuple[Envelope, Outcome]]:
        while True:
            self._release(time.monotonic())
            self._fill(time.monotonic())
            settled = self._take()
            yield from settled
            busy = any(host.busy for host in self.hosts)
            if not busy and self.exhausted and not self.waiting:
                return
            self._turn(0.0 if settled and not busy else TICK_S)
            yield from self._take()

    def _take(self) -> list[tuple[Envelope, Outcome]]:
        taken, self.settled = self.settled, []
        return taken

    def _release(self, now: float) -> None:
        """Repeats that are due go before what is new."""
        while self.waiting and self.waiting[0][0] <= now:
            _, _, host, request = heapq.heappop(self.waiting)
            host.backlog.appendleft(request)

    def _fill(self, now: float) -> None:
        for host in self.hosts:
            self._start(host, now)
        while not self.exhausted and self._takes_more(now):
            request = next(self.requests, None)
            if request is None:
                self.exhausted = True
            elif isinstance(request, KnownOutcome):
                self.settled.append((request.envelope, request.outcome))
            else:
                host = self.hosts.of(request.url)
                host.backlog.append(request)
                self._start(host, now)

    def _takes_more(self, now: float) -> bool:
        if len(self.settled) >= STREAMS_MAX:
            return False
        only = self.hosts.only
        if only is not None:
            return not only.backlog and (only.has_room(now) or only.breaker.is_open(now))
        return sum(len(host.backlog) for host in self.hosts) < LOOKAHEAD

    def _start(self, host: Host, now: float) -> None:
        """Answer or start what waits for the host, as far as it has room."""
        while host.backlog:
            refusal = host.refusal(host.backlog[0], now)
            if refusal is not None:
                self._settle(host.backlog.popleft(), refusal)
            elif host.has_room(now):
                host.connection.start(host.backlog.popleft(), now)
            else:
                return

    def _turn(self, wait_s: float) -> None:
        due_in_s = self.waiting[0][0] - time.monotonic() if self.waiting else wait_s
        self.hosts.turn(max(0.0, min(wait_s, due_in_s)))
        for host in self.hosts:
            self._collect(host)

    def _collect(self, host: Host) -> None:
        connection = host.connection
        for request, reply in connection.done(time.monotonic()):
            self._finish(host, request, reply)
        if connection.stalled or (connection.retiring and not connection.busy):
            abandoned = connection.abandon()
            if abandoned:
                logger.info("push_connection_left host=%s unanswered=%d", host.name, len(abandoned))
            for request, reply in abandoned:
                self._finish(host, request, reply)

    def _finish(self, host: Host, request: Request, reply: Reply) -> None:
        if reply.status:
            verdict = self.judge(request, reply)
        else:
            verdict = Gone(reply.error) if reply.error == "bad_url" else unanswered(request, reply)
        if isinstance(verdict, RetryLater):
            self._retry(host, request, verdict)
            return
        if reply.status:
            host.answered(request, reply, verdict)
        self._settle(request, verdict)

    def _retry(self, host: Host, request: Request, retry: RetryLater) -> None:
        host.connection.retiring |= retry.leave
        if retry.fault:
            host.failed(retry.reason)
        if retry.unknown_fate and not request.repeatable:
            self._settle(request, Unknown(retry.reason))
            return
        if retry.unknown_fate and not request.possibly_sent:
            request.possibly_sent = True
            self.silence(request)
        now = time.monotonic()
        pause = pause_s(request, retry, now=now)
        if pause is None:
            self._settle(request, Later(retry.reason, retry.after_s, request.possibly_sent))
        else:
            heapq.heappush(self.waiting, (now + pause, next(self.order), host, request))

    def _settle(self, request: Request, outcome: Outcome) -> None:
        if request.possibly_sent and isinstance(outcome, Delivered):
            outcome = Delivered("repeated")
        if request.possibly_sent and isinstance(outcome, Dropped):
            outcome = Unknown(outcome.reason)
        self.settled.append((request.envelope, outcome))
