"""A chunk of a plan, and what became of it."""

from __future__ import annotations

import struct
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

# A device and the kinds its user wants: 12 bytes, so a million followers are 12 MB for two hours.
_ENTRY = struct.Struct("<QI")
# Beside the kinds of a device to try again: a request to it may have arrived, so the next must not ring. Kinds are
# tested bit by bit everywhere, so the release before ignores it.
POSSIBLY_SENT = 1 << 31
# In a worker's progress: the device was handed to its service; what became of it is settled.
HANDED_OVER, SETTLED = 0, 1


@dataclass(frozen=True, slots=True)
class Chunk:
    """name: `{alert id} {number}`. The release before gives retries the number of their chunk and `.1`, `.2` …"""

    name: str

    @property
    def alert_id(self) -> str:
        return self.name.partition(" ")[0]

    @property
    def number(self) -> str:
        return self.name.partition(" ")[2]


@dataclass(frozen=True, slots=True)
class ClaimedChunk:
    """A claimed chunk.

    alert: encoded.
    opened_at: when the alert was opened (ms).
    devices: kinds wanted (a mask, with POSSIBLY_SENT) by device id, without those that are settled.
    refused_by: transports for which the alert is malformed.
    first: no worker has started it before.
    tries: how often its devices were sent to before.
    begun: how often workers have begun it, this one included. Who begins it later has it.
    """

    chunk: Chunk
    alert: bytes
    opened_at: int
    devices: dict[int, int]
    refused_by: frozenset[str] = frozenset()
    first: bool = True
    tries: int = 0
    begun: int = 1


@dataclass(frozen=True, slots=True)
class RetryGroup:
    """Devices of a chunk that are tried again at one time.

    devices: with their kinds, and POSSIBLY_SENT.
    due: not sooner than then (ms).
    """

    devices: Mapping[int, int]
    due: int


@dataclass(frozen=True, slots=True)
class ChunkResult:
    """What became of a chunk.

    counts: by counter.
    groups: devices to try again, by time.
    refused: transports that must not send the alert any more, with the reason.
    missed: devices that were certainly not reached and will not be.
    """

    counts: Mapping[str, int]
    groups: Sequence[RetryGroup] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    missed: Collection[int] = ()


def pack(devices: Collection[tuple[int, int]]) -> bytes:
    return struct.pack("<" + "QI" * len(devices), *chain.from_iterable(devices))


def unpack(packed: bytes) -> dict[int, int]:
    return dict(_ENTRY.iter_unpack(packed))
