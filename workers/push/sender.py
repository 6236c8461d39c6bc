"""From a chunk to phones: claim it, send it, count the outcomes, delete dead addresses."""

from __future__ import annotations

import logging
import random
import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Event, Thread

from db.bugs import set_aside_on_bug
from db.domain import mask_of
from db.domain.errors import Unavailable
from db.live.chunks import Chunk, ChunkResult, Chunks, ClaimedChunk
from db.live.metrics import PUSH_SECONDS
from db.sql.audience import Audience, DeadAddress, Recipient
from notify.content.alert import decode_alert
from notify.transports.base import ActivityStart, Envelope, Transport
from notify.transports.outcome import ConfigFault, Delivered, Dropped, Gone, Later, OurFault, Outcome
from workers.push.quiet_hours import QuietHours
from workers.push.renderer import EXPIRY_MS, MessageRenderer
from workers.push.starts import Starts
from workers.push.transports import WORD, Transports, counted

logger = logging.getLogger(__name__)

# Claims are renewed this often, by a thread, for as long as the process lives; they hold for 8 s (CLAIM_MS).
RENEW_S = 2.0
# What is to be tried again waits at least this long: by then a service that stumbled stands.
AGAIN_MS = 5_000
# And at most about this long, doubled each time: an alert is good for ten minutes.
AGAIN_MAX_MS = 80_000
# Fewer addresses than this may all have died since they were last pushed to.
DOUBTFUL = 20
# Upper bounds (ms) of the latency histogram kept with each alert.
LATENCIES_MS = (250, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000)


class ChunkSender:
    def __init__(self, chunks: Chunks, audience: Audience, transports: Transports) -> None:
        self.chunks = chunks
        self.audience = audience
        self.transports = transports
        self.starts = Starts(audience, transports)

    def turn(self, *, now_ms: int) -> bool:
        """Send one chunk; False if none is ready."""
        chunk = self.chunks.claim(now_ms=now_ms)
        if chunk is None:
            return False
        started = self.chunks.start(chunk)
        if started:
            self._or_park(started, now_ms)
        return True

    def _or_park(self, started: ClaimedChunk, now_ms: int) -> None:
        """A bug of ours must not let the claim run out: the chunk would be sent again and again to those it reached."""
        delivery, chunk = ChunkDelivery(started, now_ms), started.chunk

        def park() -> None:
            delivery.count(delivery.open, "failed", "failed:bug")
            self.chunks.done(chunk, delivery.done())

        with set_aside_on_bug("chunk_parked alert=%s chunk=%s", chunk.alert_id, chunk.number, aside=park):
            self._send(delivery)

    def _send(self, delivery: ChunkDelivery) -> None:
        started = delivery.started
        if delivery.began_ms - started.opened_at > EXPIRY_MS:
            delivery.miss(delivery.open, "failed", "expired")
            self.chunks.done(started.chunk, delivery.done())
            return
        try:
            wanted = self._not_overtaken(started)
            reached = self.audience.devices(wanted)
        except Unavailable:
            self.chunks.release(started, at_ms=delivery.began_ms + AGAIN_MS)
            raise
        delivery.count(started.devices.keys() - wanted.keys(), "overtaken")
        delivery.miss(wanted.keys() - {recipient.id for recipient in reached}, "vanished")
        with self._claimed(delivery):
            for transport, envelopes in self._routes(started, reached, delivery):
                delivery.take(transport, envelopes)
            self._forget(delivery)
            self.chunks.done(started.chunk, delivery.done())
        self._report(started.chunk, delivery)

    def _not_overtaken(self, started: ClaimedChunk) -> dict[int, int]:
        """Who is tried again and has been told newer news by now: an old score would take its place on the phone."""
        if not started.chunk.repeats:
            return started.devices
        match = decode_alert(started.alert).match
        newer = mask_of(kind for kind, version in self.chunks.newest(match.id).items() if version > match.version)
        return {device: kinds for device, kinds in started.devices.items() if not kinds & newer}

    @contextmanager
    def _claimed(self, delivery: ChunkDelivery) -> Iterator[None]:
        """Keep the claim, however long a service takes to answer."""
        over = Event()

        def renew() -> None:
            while not over.wait(RENEW_S):
                with suppress(Unavailable):
                    self.chunks.renew_claim(delivery.started.chunk, now_ms=delivery.now_ms)

        renewer = Thread(target=renew, name="claim", daemon=True)
        renewer.start()
        try:
            yield
        finally:
            over.set()
            renewer.join()

    def _forget(self, delivery: ChunkDelivery) -> None:
        """Without SQL they are forgotten the next time they are found dead: what was sent must not be sent again."""
        dead = [
            address for name, reported in delivery.dead.items() for address in self._believed(delivery, name, reported)
        ]
        with suppress(Unavailable):
            delivery.counts["removed"] += self.audience.forget(dead) if dead else 0

    def _believed(self, delivery: ChunkDelivery, name: str, reported: list[DeadAddress]) -> list[DeadAddress]:
        """Half a chunk dead without a time of death is a wrong bundle, project or host of ours: it is not deleted."""
        timeless = sum(address.since_ms is None for address in reported)
        if timeless < DOUBTFUL or timeless * 2 <= delivery.outcomes[name]:
            return reported
        logger.error("addresses_kept alert=%s transport=%s count=%d", delivery.started.chunk.alert_id, name, timeless)
        delivery.counts["kept"] += timeless
        return [address for address in reported if address.since_ms is not None]

    def _routes(
        self, started: ClaimedChunk, reached: list[Recipient], delivery: ChunkDelivery
    ) -> Iterator[tuple[Transport, list[Envelope]]]:
        """A transport and what it is to carry. Live Activities first: where none can be begun, the alert is told. What
        comes in somebody's quiet hours comes without a sound: the end of a goal told before them, or another try."""
        alert, quiet_hours = decode_alert(started.alert), QuietHours(delivery.began_ms)
        renderer = MessageRenderer(alert)
        yield from self.starts.routes(alert, started.devices, reached, renderer).items()
        by_transport: dict[Transport, list[Envelope]] = {}
        for recipient in reached:
            if recipient.id not in delivery.open:
                continue
            silent = quiet_hours.is_active(recipient.time_zone, recipient.quiet_since, recipient.quiet_until)
            kinds = started.devices[recipient.id]
            message = renderer.to(kinds, recipient.locale, spoiler_free=recipient.spoiler_free, silent=silent)
            transport = self.transports.of(recipient.device)
            if transport is None:
                delivery.miss([recipient.id], "failed", "no_transport")
            elif message is None:
                delivery.count([recipient.id], "unwanted")
            else:
                by_transport.setdefault(transport, []).append(Envelope(recipient.device, message, recipient.id))
        yield from by_transport.items()

    def _report(self, chunk: Chunk, delivery: ChunkDelivery) -> None:
        counts = " ".join(f"{name}={count}" for name, count in sorted(delivery.counts.items()) if count)
        logger.info(
            "chunk_sent alert=%s chunk=%s again=%d %s", chunk.alert_id, chunk.number, len(delivery.again), counts
        )
        for transport, reason in delivery.refused.items():
            logger.error("alert_stopped alert=%s transport=%s reason=%s", chunk.alert_id, transport, reason)


class ChunkDelivery:
    """One chunk on its way: what became of each device so far. open: of which it is not known; missed: which it did not
    and will not reach."""

    def __init__(self, started: ClaimedChunk, now_ms: int) -> None:
        self.started = started
        self.began_ms, self.began = now_ms, time.monotonic()
        self.open = set(started.devices)
        self.missed: set[int] = set()
        self.counts = Counter[str]()
        self.again: dict[int, int] = {}
        self.again_after_s = 0.0
        self.dead: dict[str, list[DeadAddress]] = {}
        self.outcomes = Counter[str]()
        self.refused: dict[str, str] = {}

    @property
    def now_ms(self) -> int:
        return self.began_ms + round((time.monotonic() - self.began) * 1000)

    def count(self, devices: Collection[int], *counters: str) -> None:
        """What became of some devices is known."""
        for name in counters:
            self.counts[name] += len(devices)
        self.open -= set(devices)

    def miss(self, devices: Collection[int], *counters: str) -> None:
        self.missed |= set(devices)
        self.count(devices, *counters)

    def take(self, transport: Transport, envelopes: Sequence[Envelope]) -> None:
        """Send, until our own fault shows: then nobody else is to get it by this transport. Another may be right."""
        unsent = {_device_id(envelope): envelope for envelope in envelopes}
        if transport.name not in self.started.refused_by and transport.name not in self.refused:
            for envelope, outcome in transport.send(envelopes):
                del unsent[_device_id(envelope)]
                self._note(transport.name, envelope, outcome)
                if transport.name in self.refused:
                    break
        self.counts.update({"failed": len(unsent), f"failed:{transport.name}:stopped": len(unsent)})
        # Where a start was not sent, the alert is told.
        self.miss([device for device, envelope in unsent.items() if not isinstance(envelope.address, ActivityStart)])

    def _note(self, name: str, envelope: Envelope, outcome: Outcome) -> None:
        device_id = _device_id(envelope)
        self.outcomes[name] += 1
        self.counts.update(counted(name, outcome))
        instead = isinstance(envelope.address, ActivityStart) and isinstance(outcome, Gone | OurFault)
        if not instead:  # of a start that failed so, the alert is told
            self.open.discard(device_id)
            if isinstance(outcome, Gone | Dropped | OurFault):
                self.missed.add(device_id)
        match outcome:
            case Delivered():
                after_ms = self.now_ms - self.started.opened_at
                self.counts[_latency(after_ms)] += 1
                PUSH_SECONDS.observe(after_ms / 1000, service=name)
            case Gone(_, since_ms):
                start = envelope.address.token if isinstance(envelope.address, ActivityStart) else None
                self.dead.setdefault(name, []).append(DeadAddress(device_id, since_ms, start))
            case Later(_, retry_after_s):
                self._try_again(device_id, retry_after_s)
            case ConfigFault():
                self._try_again(device_id, 0.0)
            case OurFault(reason):
                self.refused[name] = reason if WORD.fullmatch(reason) else "other"

    def _try_again(self, device_id: int, after_s: float) -> None:
        self.again[device_id] = self.started.devices[device_id]
        self.again_after_s = max(self.again_after_s, after_s)

    def done(self) -> ChunkResult:
        """What is tried again waits as long as the most patient of them was asked to, and longer each time; jittered,
        for chunks that failed together would come back together ("Scale")."""
        pause_ms = min(AGAIN_MS * 2**self.started.chunk.repeats, AGAIN_MAX_MS)
        at_ms = self.now_ms + round(max(pause_ms, self.again_after_s * 1000) * random.uniform(1.0, 1.5))
        return ChunkResult(+self.counts, self.again, at_ms, self.refused, self.missed)


def _device_id(envelope: Envelope) -> int:
    return int(str(envelope.tag))


def _latency(ms: int) -> str:
    bound = next((str(bound) for bound in LATENCIES_MS if ms <= bound), "more")
    return f"within_ms:{bound}"
