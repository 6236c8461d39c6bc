"""What became of each device of one chunk, and what follows from it."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Collection

from db.backoff import doubled
from db.live.chunk import POSSIBLY_SENT, ChunkResult, ClaimedChunk, RetryGroup
from db.live.metrics import PUSH_RINGS, PUSH_SECONDS
from db.sql.audience import DeadAddress
from notify.transports.base import ActivityStart
from notify.transports.outcome import ConfigFault, Delivered, Dropped, Gone, Later, OurFault, Unknown
from workers.push.lanes import LaneEvent, Unsent, device_id, is_start_failed
from workers.push.renderer import EXPIRY_MS
from workers.push.transports import WORD, counted, is_possibly_sent

# A retry waits at least this long: by then a service that stumbled has recovered.
AGAIN_MS = 5_000
# And at most about this long, doubled each time: an alert is good for ten minutes.
AGAIN_MAX_MS = 80_000
# Retries of one chunk that are due within this of each other go together: a Retry-After of one device must not delay
# the others, and a chunk each for a thousand devices would cost more than it saves.
GROUP_MS = 5_000
# Upper bounds (ms) of the latency histogram kept with each alert.
LATENCIES_MS = (250, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000)


class ChunkDelivery:
    """
    open: devices of which nothing is known yet.
    missed: devices that were not reached and will not be.
    handed_over: devices that were given to their service.
    silent: devices whose message makes no sound.
    possibly_sent: devices that an unanswered request may have reached, now or before.
    """

    def __init__(self, started: ClaimedChunk, now_ms: int) -> None:
        self.started = started
        self.began_ms, self.began = now_ms, time.monotonic()
        self.open = set(started.devices)
        self.missed: set[int] = set()
        self.handed_over: set[int] = set()
        self.silent: set[int] = set()
        self.counts = Counter[str]()
        self.due: dict[int, int] = {}
        self.possibly_sent = {device for device, kinds in started.devices.items() if kinds & POSSIBLY_SENT}
        self.dead: dict[str, list[DeadAddress]] = {}
        self.outcomes: dict[str, Counter[str]] = {}
        self.refused: dict[str, str] = {}

    @property
    def now_ms(self) -> int:
        return self.began_ms + round((time.monotonic() - self.began) * 1000)

    def count(self, devices: Collection[int], *counters: str) -> None:
        """The outcome of some devices is known."""
        for name in counters:
            self.counts[name] += len(devices)
        self.open -= set(devices)

    def miss(self, devices: Collection[int], *counters: str) -> None:
        self.missed |= set(devices)
        self.count(devices, *counters)

    def abandon(self) -> None:
        """After a bug of ours: devices that no service got are missed, the others may have been reached."""
        self.miss(self.open - self.handed_over, "failed", "failed:bug")
        self.count(set(self.open), "failed", "failed:bug")

    def record(self, event: LaneEvent) -> None:
        device = device_id(event.envelope)
        if isinstance(event.outcome, Unsent):
            self._note_unsent(event, device)
            return
        self.counts.update(counted(event.service, event.outcome))
        if not is_start_failed(event):
            self.open.discard(device)
            if isinstance(event.outcome, Gone | Dropped | OurFault):
                self.missed.add(device)
        self._note(event, device)

    def _note_unsent(self, event: LaneEvent, device: int) -> None:
        if is_start_failed(event):
            return
        self.open.discard(device)
        if isinstance(event.outcome, Unsent) and event.outcome.is_refused:
            self.miss([device], "failed", f"failed:{event.service}:stopped")
        else:
            self._try_again(device, self.now_ms)

    def _note(self, event: LaneEvent, device: int) -> None:
        name, outcomes = event.service, self.outcomes.setdefault(event.service, Counter())
        match event.outcome:
            case Delivered() as delivered:
                outcomes["delivered"] += 1
                after_ms = self.now_ms - self.started.opened_at
                self.counts[_latency(after_ms)] += 1
                PUSH_SECONDS.observe(after_ms / 1000, service=name)
                self._note_ring(name, is_silent=delivered.is_repeat or device in self.silent)
            case Gone(_, since_ms):
                outcomes["dead"] += since_ms is None
                address = event.envelope.address
                start = address.token if isinstance(address, ActivityStart) else None
                self.dead.setdefault(name, []).append(DeadAddress(device, since_ms, start))
            case Later(_, retry_after_s):
                if is_possibly_sent(event.outcome):
                    self.possibly_sent.add(device)
                self._try_again(device, self.now_ms + self._pause_ms(retry_after_s))
            case ConfigFault():
                self._try_again(device, self.now_ms + self._pause_ms(0.0))
            case OurFault(reason):
                self.refused[name] = reason if WORD.fullmatch(reason) else "other"
            case Unknown() | Dropped():
                pass

    def _note_ring(self, name: str, *, is_silent: bool) -> None:
        """A silent push updates what stands on the screen, or shows it without a sound."""
        effect = "update" if is_silent else "ring"
        self.counts[f"{effect}s"] += 1
        PUSH_RINGS.add(service=name, effect=effect)

    def _try_again(self, device: int, due_ms: int) -> None:
        """Nobody is sent an alert that is too old, so a device that has to wait longer is not waited for."""
        if due_ms - self.started.opened_at > EXPIRY_MS:
            self.miss([device], "failed", "expired")
        else:
            self.due[device] = due_ms

    def _pause_ms(self, retry_after_s: float) -> int:
        growing_ms = round(doubled(AGAIN_MS, self.started.tries, AGAIN_MAX_MS))
        return max(growing_ms, round(retry_after_s * 1000))

    def result(self) -> ChunkResult:
        return ChunkResult(+self.counts, self._groups(), self.refused, self.missed - self.possibly_sent)

    def _groups(self) -> list[RetryGroup]:
        """Retries by due time. Each group is jittered by half its wait: chunks that failed together would come back
        together (Google, "Scale")."""
        groups: dict[int, dict[int, int]] = {}
        for device, due_ms in self.due.items():
            wait_ms = -(-max(0, due_ms - self.began_ms) // GROUP_MS) * GROUP_MS
            flags = POSSIBLY_SENT if device in self.possibly_sent else 0
            groups.setdefault(wait_ms, {})[device] = self.started.devices[device] | flags
        return [
            RetryGroup(devices, self._jittered(max(self.due[device] for device in devices)))
            for _, devices in sorted(groups.items())
        ]

    def _jittered(self, due_ms: int) -> int:
        return due_ms + round(max(0, due_ms - self.now_ms) * random.uniform(0.0, 0.5))


def _latency(ms: int) -> str:
    bound = next((str(bound) for bound in LATENCIES_MS if ms <= bound), "more")
    return f"within_ms:{bound}"
