"""The one loop that moves requests: from an iterator, over some lanes, to outcomes. Nothing taken is ever lost.

A request is with the caller's iterator, in flight, waiting to be repeated, or answered. One that was in flight when its
connection broke may have arrived: it is repeated all the same, and the collapse id hides the second.
"""

from __future__ import annotations

import heapq
import logging
import random
import select
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import certifi

from notify.transports.breaker import Breaker
from notify.transports.connection import ANSWER_S, NO_SERVICE, STREAMS, PushConnection, Reply, Request
from notify.transports.curl import CurlConnection
from notify.transports.http2 import Http2Connection, trusting
from notify.transports.outcome import ConfigFault, Dropped, Later, Outcome

logger = logging.getLogger(__name__)

# Repeats of one request within one call. A request that fails its connection each time must not do so for ever.
TRIES = 5
# Before the first repeat, doubled each time and jittered (a cut connection sends hundreds at once).
REPEAT_S = 0.2
# Longer waits are not spent here, where they would hold up the call, but told to the caller.
REPEAT_MAX_S = 4.0
# A wrong key stays wrong until a person has acted; one request a minute notices when they have.
CONFIG_PAUSE_S = 60.0
# A wait without news: long enough to cost nothing, short enough for the clocks kept here.
TICK_S = 0.2


@dataclass(frozen=True, slots=True)
class RetryLater:
    """Worth repeating: at once if `soon`, after `after_s` where the service names a time, else after a growing pause.
    leave: not on this connection, which has come to a bad end. fault: the service, not this request, is in trouble; it
    counts towards the breaker."""

    reason: str
    after_s: float = 0.0
    soon: bool = False
    leave: bool = False
    fault: bool = False


@dataclass(frozen=True, slots=True)
class KnownOutcome:
    """A parcel that needs no request: what is to be said of it is known."""

    parcel: Any
    outcome: Outcome


Judge = Callable[[Request, Reply], Outcome | RetryLater]


class Sender:
    """Keeps its connections between calls. Not thread-safe; one send() at a time.

    url: of the one service all requests go to; without it their targets are URLs of any host, which costs three times
    the CPU. opening, streams: requests a connection carries at first and at most. answer_s: what one answer may take.
    ca: a file of certificates to trust instead of the public ones.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        connections: int = 1,
        opening: int = 100,
        streams: int = STREAMS,
        answer_s: float = ANSWER_S,
        ca: str | None = None,
    ) -> None:
        self.poll = select.epoll()
        self.by_fd: dict[int, PushConnection] = {}
        trusted, shape = ca or certifi.where(), (opening, streams, answer_s)
        self.lanes: list[PushConnection] = []
        if url is None:
            self.lanes = [CurlConnection(self.poll, self.by_fd, trusted, *shape) for _ in range(connections)]
        else:
            context = trusting(trusted)
            self.lanes = [Http2Connection(self.poll, self.by_fd, url, context, *shape) for _ in range(connections)]
        self.breaker = Breaker()
        self.sending = False
        # By scope: what is wrong there, and since when, or when it was last tried.
        self.misconfigured: dict[str, tuple[ConfigFault, float]] = {}

    def send(self, requests: Iterable[Request | KnownOutcome], judge: Judge) -> Iterator[tuple[Any, Outcome]]:
        """Each request's parcel with its outcome. Closing the iterator cuts what is in flight."""
        if self.sending:
            raise RuntimeError("one send() at a time: the other's iterator is neither exhausted nor closed")
        self.sending = True
        try:
            yield from _Run(self, iter(requests), judge).outcomes()
        finally:
            self.sending = False
            for lane in self.lanes:
                if lane.busy:
                    lane.renew()
                    lane.done(0.0)

    def pause(self, for_s: float) -> None:
        """The service asked everybody to wait."""
        self.breaker.open(time.monotonic(), for_s)

    def close(self) -> None:
        for lane in self.lanes:
            lane.close()
        self.poll.close()


class _Run:
    """One call of send()."""

    def __init__(self, sender: Sender, requests: Iterator[Request | KnownOutcome], judge: Judge) -> None:
        self.sender, self.requests, self.judge = sender, requests, judge
        self.again: deque[Request] = deque()
        self.waiting: list[tuple[float, int, Request]] = []
        self.ranks = count()
        self.ended = False
        self.settled: list[tuple[Any, Outcome]] = []

    def outcomes(self) -> Iterator[tuple[Any, Outcome]]:
        while True:
            self._ripen()
            self._fill()
            settled = self._taken()
            yield from settled
            idle = not any(lane.busy for lane in self._lanes)
            if idle and self.ended and not self.again and not self.waiting:
                return
            self._turn(0.0 if idle and settled else TICK_S)
            now = time.monotonic()
            for lane in self._lanes:
                self._collect(lane, now)
            yield from self._taken()

    @property
    def _lanes(self) -> list[PushConnection]:
        return self.sender.lanes

    def _taken(self) -> list[tuple[Any, Outcome]]:
        taken, self.settled = self.settled, []
        return taken

    def _ripen(self) -> None:
        now = time.monotonic()
        while self.waiting and self.waiting[0][0] <= now:
            self.again.append(heapq.heappop(self.waiting)[2])

    def _fill(self) -> None:
        """Give every lane what it has room for: repeats first, then new ones."""
        now, began = time.time(), time.monotonic()
        for lane in self._lanes:
            while self._has_room(lane, began) and (request := self._next()) is not None:
                if isinstance(request, KnownOutcome):
                    self.settled.append((request.parcel, request.outcome))
                elif request.deadline <= now:
                    self._settle(request, Dropped("expired"))
                elif (shut := self._shut(request.scope, began)) is not None:
                    self._settle(request, shut)
                else:
                    lane.start(request, began)

    def _has_room(self, lane: PushConnection, now: float) -> bool:
        """A service that may be back is tried with one request; the others wait for its answer."""
        breaker = self.sender.breaker
        if not breaker.closed and not breaker.is_open(now) and any(one.busy for one in self._lanes):
            return False
        return lane.room > 0 and len(self.settled) < STREAMS

    def _next(self) -> Request | KnownOutcome | None:
        if self.again:
            return self.again.popleft()
        request = None if self.ended else next(self.requests, None)
        self.ended = request is None
        return request

    def _shut(self, scope: str, now: float) -> Outcome | None:
        """What a request is answered with unsent: the service is away, or the scope is not set up, except for one
        request each CONFIG_PAUSE_S."""
        if self.sender.breaker.is_open(now):
            return Later("breaker_open", self.sender.breaker.wait_s(now))
        if scope not in self.sender.misconfigured:
            return None
        fault, tried_at = self.sender.misconfigured[scope]
        if now - tried_at < CONFIG_PAUSE_S:
            return fault
        self.sender.misconfigured[scope] = (fault, now)
        return None

    def _turn(self, wait_s: float) -> None:
        """Let the lanes work. What has come is heard first: the caller may have been away longer than an answer takes,
        and it would seem that none had come."""
        self._listen(0.0)
        now = time.monotonic()
        for lane in self._lanes:
            lane.tick(now)
        due = [at for lane in self._lanes if (at := lane.timer_at) is not None]
        due += [self.waiting[0][0]] if self.waiting else []
        self._listen(min([wait_s, *(max(0.0, at - now) for at in due)]))

    def _listen(self, for_s: float) -> None:
        for fd, events in self.sender.poll.poll(for_s):
            if fd in self.sender.by_fd:
                self.sender.by_fd[fd].act(fd, events)

    def _collect(self, lane: PushConnection, now: float) -> None:
        for request, reply in lane.done(now):
            verdict = self.judge(request, reply) if reply.status else _unanswered(reply)
            if isinstance(verdict, RetryLater):
                self._repeat(lane, request, verdict)
            else:
                self._answered(lane, request, reply, verdict)
        if lane.stalled or (lane.retiring and not lane.busy):
            left = lane.renew()
            if left:
                logger.info("push_connection_left unanswered=%d", len(left))
            for request in left:
                self._later_again(request, RetryLater("no_answer", soon=True))

    def _answered(self, lane: PushConnection, request: Request, reply: Reply, outcome: Outcome) -> None:
        if reply.status < 300:
            lane.widen()
        self.sender.breaker.succeeded(time.monotonic())
        self._note(request, outcome)
        self._settle(request, outcome)

    def _note(self, request: Request, outcome: Outcome) -> None:
        """Whether the scope is set up, as the service says; what was on its way when that changed is not heard."""
        known, scope = self.sender.misconfigured, request.scope
        if scope in known and request.began < known[scope][1]:
            return
        if not isinstance(outcome, ConfigFault):
            known.pop(scope, None)
            return
        logger.error("push_misconfigured scope=%s reason=%s pause_s=%.0f", scope, outcome.reason, CONFIG_PAUSE_S)
        known[scope] = (outcome, time.monotonic())

    def _repeat(self, lane: PushConnection, request: Request, verdict: RetryLater) -> None:
        lane.retiring = lane.retiring or verdict.leave
        if verdict.fault and self.sender.breaker.failed(time.monotonic()):
            pause_s = self.sender.breaker.wait_s(time.monotonic())
            logger.warning("push_breaker_open reason=%s pause_s=%.0f", verdict.reason, pause_s)
        self._later_again(request, verdict)

    def _later_again(self, request: Request, verdict: RetryLater) -> None:
        if request.tries >= TRIES or verdict.after_s > REPEAT_MAX_S:
            self._settle(request, Later(verdict.reason, verdict.after_s))
            return
        if verdict.soon:
            self.again.append(request)
            return
        pause_s = verdict.after_s or REPEAT_S * 2 ** (request.tries - 1)
        at = time.monotonic() + pause_s * random.uniform(0.5, 1.5)
        heapq.heappush(self.waiting, (at, next(self.ranks), request))

    def _settle(self, request: Request, outcome: Outcome) -> None:
        self.settled.append((request.parcel, outcome))


def _unanswered(reply: Reply) -> RetryLater:
    """No answer came. Where there was a connection, a new one may do at once."""
    return RetryLater(reply.error, soon=reply.error not in NO_SERVICE, fault=True)
