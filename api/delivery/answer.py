"""Finished answers: a body, its header fields, and the bytes of both together."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from wsgiref.handlers import format_date_time


class WaitOutcome(StrEnum):
    """Why a held request was answered: the same word in body, log and metric."""

    CHANGED = "changed"
    TIMEOUT = "timeout"
    BEHIND = "behind"
    AHEAD = "ahead"
    DRAINING = "draining"
    FULL = "full"
    GONE = "gone"


@dataclass(frozen=True)
class RenderedAnswer:
    """body: bytes of the JSON.
    cache: header fields of its lifetime and keys.
    etag: of a weak validator (RFC 9110, 8.8.1), without quotes.
    close: it is its connection's last.
    status: code and phrase.
    """

    body: bytes
    cache: Mapping[str, str]
    etag: str | None = None
    close: bool = False
    status: str = "200 OK"
    _wires: dict[int, bytes] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def headers(self) -> dict[str, str]:
        fields = dict(self.cache) | {
            "Content-Type": "application/json",
            "Content-Length": str(len(self.body)),
            "Access-Control-Allow-Origin": "*",
        }
        return fields | {"ETag": f'W/"{self.etag}"'} if self.etag else fields

    def wire(self, variant: int) -> bytes:
        """As one HTTP/1.1 message, the same bytes for all who get this variant. variant: 1 for the connection's last,
        else 0. Its Date is that of the first."""
        wire = self._wires.get(variant)
        if wire is None:
            wire = self._wires[variant] = self._built(bool(variant))
        return wire

    def _built(self, last: bool) -> bytes:
        fields = {"Date": format_date_time(time.time()), "Connection": "close" if last else "keep-alive"}
        lines = [f"{name}: {value}\r\n" for name, value in (fields | self.headers).items()]
        return f"HTTP/1.1 {self.status}\r\n{''.join(lines)}\r\n".encode("latin-1") + self.body
