"""From a chunk to phones: claim it, send it, count the outcomes, delete dead addresses."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Event as Flag
from threading import Thread

from db.bugs import set_aside_on_bug
from db.domain import mask_of
from db.domain.errors import Unavailable
from db.live.chunk import HANDED_OVER, POSSIBLY_SENT, SETTLED, Chunk, ClaimedChunk
from db.live.chunks import Chunks
from db.sql.audience import Audience, DeadAddress, Recipient
from notify.content.alert import decode_alert
from notify.transports.base import Envelope
from workers.push.delivery import AGAIN_MS, ChunkDelivery
from workers.push.lanes import Lane, Trip, side_by_side
from workers.push.quiet_hours import QuietHours
from workers.push.renderer import EXPIRY_MS, MessageRenderer
from workers.push.starts import Starts
from workers.push.transports import Transports

logger = logging.getLogger(__name__)

# Claims are renewed this often, by a thread, for as long as the process lives; they hold for 8 s (CLAIM_MS).
RENEW_S = 2.0
# Nothing of a chunk is handed over after this long; the rest is a chunk of its own at once. What is in flight then is
# answered or given up within 30 s more, so the chunk ends before its job does (workers.queues.TIMEOUT_S).
BUDGET_S = 20.0


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
            delivery.abandon()
            self.chunks.done(started, delivery.result())

        with set_aside_on_bug("chunk_parked alert=%s chunk=%s", chunk.alert_id, chunk.number, aside=park):
            self._send(delivery)

    def _send(self, delivery: ChunkDelivery) -> None:
        started = delivery.started
        if delivery.began_ms - started.opened_at > EXPIRY_MS:
            delivery.miss(delivery.open, "failed", "expired")
            self.chunks.done(started, delivery.result())
            return
        with self._claimed(delivery):
            lanes = self._lanes(delivery, self._recipients(delivery))
            for event in side_by_side(lanes, self._trip(delivery)) if lanes else ():
                delivery.record(event)
            self._forget(delivery)
            is_ours = self.chunks.done(started, delivery.result())
        if is_ours:
            self._report(started.chunk, delivery)
        else:
            logger.warning("chunk_lost alert=%s chunk=%s", started.chunk.alert_id, started.chunk.number)

    def _recipients(self, delivery: ChunkDelivery) -> list[Recipient]:
        started = delivery.started
        try:
            wanted = self._not_overtaken(started)
            recipients = self.audience.devices(wanted)
        except Unavailable:
            self.chunks.release(started, at_ms=delivery.began_ms + AGAIN_MS)
            raise
        delivery.count(started.devices.keys() - wanted.keys(), "overtaken")
        delivery.miss(wanted.keys() - {recipient.id for recipient in recipients}, "vanished")
        return recipients

    def _trip(self, delivery: ChunkDelivery) -> Trip:
        """Progress is noted before each block: who is handed over now, and who was settled before."""
        noted: set[int] = set()

        def hand_over(devices: Sequence[int]) -> bool:
            settled = (delivery.handed_over - delivery.open - noted).difference(delivery.due)
            entries = [(device, HANDED_OVER) for device in devices] + [(device, SETTLED) for device in settled]
            with suppress(Unavailable):
                if not self.chunks.note_progress(delivery.started, entries):
                    return False
            noted.update(settled)
            delivery.handed_over.update(devices)
            return True

        return Trip(time.monotonic() + BUDGET_S, delivery.started.refused_by, hand_over)

    def _lanes(self, delivery: ChunkDelivery, recipients: list[Recipient]) -> list[Lane]:
        """Each service with what it is to send. A message makes no sound in somebody's quiet hours (the end of a goal
        from before them, or a retry), and none where an earlier request may have arrived."""
        started, alert = delivery.started, decode_alert(delivery.started.alert)
        quiet_hours, renderer = QuietHours(delivery.began_ms), MessageRenderer(alert)
        starts = self.starts.of(alert, started.devices, recipients, renderer)
        lanes: dict[int, Lane] = {}
        for recipient in recipients:
            kinds = started.devices[recipient.id]
            silent = bool(kinds & POSSIBLY_SENT) or quiet_hours.is_active(
                recipient.time_zone, recipient.quiet_since, recipient.quiet_until
            )
            message = renderer.to(
                kinds,
                recipient.locale,
                spoiler_free=recipient.spoiler_free,
                silent=silent,
                payload=recipient.device.payload,
            )
            transport = self.transports.of(recipient.device)
            if transport is None:
                delivery.miss([recipient.id], "failed", "no_transport")
                continue
            if message is None:
                delivery.count([recipient.id], "unwanted")
                continue
            if silent:
                delivery.silent.add(recipient.id)
            lane = lanes.setdefault(id(transport), Lane(transport))
            envelope = Envelope(recipient.device, message, recipient.id)
            if recipient.id in starts:
                starter, start = starts[recipient.id]
                lane.starter = starter
                lane.starts.append((start, envelope))
            else:
                lane.alerts.append(envelope)
        return list(lanes.values())

    def _not_overtaken(self, started: ClaimedChunk) -> dict[int, int]:
        """A retry leaves out who has got newer news since: an old score would take its place on the phone."""
        if not started.tries:
            return started.devices
        match = decode_alert(started.alert).match
        newer = mask_of(kind for kind, version in self.chunks.newest(match.id).items() if version > match.version)
        return {device: kinds for device, kinds in started.devices.items() if not kinds & newer}

    @contextmanager
    def _claimed(self, delivery: ChunkDelivery) -> Iterator[None]:
        """Keep the claim, however long SQL or a service takes to answer."""
        over = Flag()

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
        """Without SQL they are deleted the next time they are found dead: what was sent must not be sent again."""
        dead = [address for service in delivery.outcomes for address in self._believed(delivery, service)]
        with suppress(Unavailable):
            delivery.counts["removed"] += self.audience.forget(dead) if dead else 0

    def _believed(self, delivery: ChunkDelivery, service: str) -> list[DeadAddress]:
        """More deaths without a time than deliveries mean a wrong bundle, project or host of ours: nothing is deleted.
        Judged over chunks, for a small one proves nothing."""
        outcomes, reported = delivery.outcomes[service], delivery.dead.get(service, [])
        if self.chunks.health(service, outcomes["delivered"], outcomes["dead"]):
            return reported
        timed = [address for address in reported if address.since_ms is not None]
        kept = len(reported) - len(timed)
        if kept:
            logger.error("addresses_kept alert=%s service=%s count=%d", delivery.started.chunk.alert_id, service, kept)
        delivery.counts["kept"] += kept
        return timed

    def _report(self, chunk: Chunk, delivery: ChunkDelivery) -> None:
        counts = " ".join(f"{name}={count}" for name, count in sorted(delivery.counts.items()) if count)
        again = len(delivery.due)
        logger.info("chunk_sent alert=%s chunk=%s again=%d %s", chunk.alert_id, chunk.number, again, counts)
        for service, reason in delivery.refused.items():
            logger.error("alert_stopped alert=%s transport=%s reason=%s", chunk.alert_id, service, reason)
