"""The services of one chunk side by side: a slow one delays its own devices only.

A lane is one connection: what goes over it goes in order, starts of Live Activities before alerts. Lanes run in threads
of their own, and hand over what becomes of each device to the one thread that records it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Thread

from notify.transports.base import Envelope, Transport
from notify.transports.outcome import Gone, OurFault, Outcome

# Devices whose hand-over is noted at once: one round trip to Redis each, and if the worker is killed at most so many,
# and those in flight, are sent to a second time.
BLOCK = 100
# A lane that was given up ends with its answers, of which Google takes ten seconds.
JOIN_S = 15.0


@dataclass(frozen=True, slots=True)
class Unsent:
    """Was not handed to the service. is_refused: because the service finds this alert malformed; else time was up, or
    the chunk is another worker's."""

    is_refused: bool = False


@dataclass(frozen=True, slots=True)
class LaneEvent:
    """What became of one device.

    service: name of the transport.
    is_start: it was to start a Live Activity. If that fails the alert follows, so it is not the last word.
    """

    service: str
    envelope: Envelope
    outcome: Outcome | Unsent
    is_start: bool = False


@dataclass
class Lane:
    """
    transport: of alerts.
    alerts: to send to, in order.
    starter: the transport of starts, over the same connection.
    starts: to send first, with the alert that follows where the start fails.
    """

    transport: Transport
    alerts: list[Envelope] = field(default_factory=list)
    starter: Transport | None = None
    starts: list[tuple[Envelope, Envelope]] = field(default_factory=list)

    def events(self, trip: Trip) -> Iterator[LaneEvent]:
        alerts = list(self.alerts)
        if self.starter:
            fallback = {str(start.tag): alert for start, alert in self.starts}
            for event in _sent(self.starter, [start for start, _ in self.starts], trip, is_start=True):
                if is_start_failed(event):
                    alerts.append(fallback[str(event.envelope.tag)])
                yield event
        yield from _sent(self.transport, alerts, trip)


@dataclass(frozen=True, slots=True)
class Trip:
    """
    deadline: on the monotonic clock; nothing is handed over after it.
    refused_by: services that find the alert malformed.
    hand_over: called with device ids before they are handed over; False if they are another worker's now.
    """

    deadline: float
    refused_by: Collection[str]
    hand_over: Callable[[Sequence[int]], bool]


def is_start_failed(event: LaneEvent) -> bool:
    """Whether the phone gets the alert in place of a Live Activity."""
    refused = isinstance(event.outcome, Unsent) and event.outcome.is_refused
    return event.is_start and (refused or isinstance(event.outcome, Gone | OurFault))


def side_by_side(lanes: Sequence[Lane], trip: Trip) -> Iterator[LaneEvent]:
    """Events of all lanes as they come. What one raises is raised here once the others have ended."""
    if len(lanes) == 1:
        yield from lanes[0].events(trip)
        return
    queue: SimpleQueue[LaneEvent | BaseException | None] = SimpleQueue()

    def run(lane: Lane) -> None:
        try:
            for event in lane.events(trip):
                queue.put(event)
        except BaseException as error:
            queue.put(error)
        finally:
            queue.put(None)

    threads = [Thread(target=run, args=(lane,), name=f"lane-{lane.transport.name}", daemon=True) for lane in lanes]
    for thread in threads:
        thread.start()
    running, errors = len(lanes), list[BaseException]()
    try:
        while running:
            item = queue.get()
            if item is None:
                running -= 1
            elif isinstance(item, BaseException):
                errors.append(item)
            else:
                yield item
    finally:
        # A connection carries one call at a time, so none may be left for the next chunk.
        for thread in threads:
            thread.join(JOIN_S)
    if errors:
        raise errors[0]


def _sent(
    transport: Transport, envelopes: Sequence[Envelope], trip: Trip, *, is_start: bool = False
) -> Iterator[LaneEvent]:
    """One event for each envelope. After our own fault nobody else gets the alert by this service."""
    pending = {device_id(envelope): envelope for envelope in envelopes}
    is_refused = transport.name in trip.refused_by
    if pending and not is_refused:
        outcomes = transport.send(_fed(envelopes, trip))
        for envelope, outcome in outcomes:
            del pending[device_id(envelope)]
            yield LaneEvent(transport.name, envelope, outcome, is_start)
            if isinstance(outcome, OurFault):
                is_refused = True
                break
        if is_refused:
            _close(outcomes)
    for envelope in pending.values():
        yield LaneEvent(transport.name, envelope, Unsent(is_refused), is_start)


def _fed(envelopes: Sequence[Envelope], trip: Trip) -> Iterator[Envelope]:
    for start in range(0, len(envelopes), BLOCK):
        if time.monotonic() > trip.deadline:
            return
        block = envelopes[start : start + BLOCK]
        if not trip.hand_over([device_id(envelope) for envelope in block]):
            return
        for envelope in block:
            if time.monotonic() > trip.deadline:
                return
            yield envelope


def _close(outcomes: Iterator[tuple[Envelope, Outcome]]) -> None:
    close = getattr(outcomes, "close", None)
    if close:
        close()


def device_id(envelope: Envelope) -> int:
    return int(str(envelope.tag))
