"""Finished answers: a body, its header fields, and the bytes of both together."""

from __future__ import annotations

import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from wsgiref.handlers import format_date_time

from api.delivery.cross_origin import READABLE

# Variants of an answer's bytes, to be added up: the connection's last; compressed.
LAST, GZIP = 1, 2
# Bytes. What is shorter gains less than the header fields cost.
COMPRESS_MIN = 256
# Compressed by itself.
PICTURE = "image/png"
# Of zlib: 123 KB of board become 8.7 KB in 0.5 ms; higher levels take several times as long for a tenth less.
LEVEL, GZIP_WINDOW = 1, 31


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
    """body: bytes.
    cache: header fields of its lifetime and keys.
    etag: of a weak validator (RFC 9110, 8.8.1), without quotes.
    close: it is its connection's last.
    status: code and phrase.
    content_type: of the body.
    level: of zlib, to compress it with.
    """

    body: bytes
    cache: Mapping[str, str]
    etag: str | None = None
    close: bool = False
    status: str = "200 OK"
    content_type: str = "application/json"
    level: int = LEVEL
    _wires: dict[int, bytes] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def headers(self) -> dict[str, str]:
        """Of the answer as it is, not compressed."""
        fields = dict(self.cache) | ({"ETag": f'W/"{self.etag}"'} if self.etag else {})
        if not self.status.startswith("304"):
            fields |= {"Content-Type": self.content_type, "Content-Length": str(len(self.body))}
        varies = {"Vary": "Accept-Encoding"} if self.is_compressible else {}
        return fields | varies | READABLE

    @property
    def is_compressible(self) -> bool:
        return len(self.body) >= COMPRESS_MIN and self.content_type != PICTURE

    @cached_property
    def compressed(self) -> RenderedAnswer:
        """The same in gzip (RFC 1952), made once; itself where that is not worth it."""
        if not self.is_compressible:
            return self
        encoder = zlib.compressobj(self.level, zlib.DEFLATED, GZIP_WINDOW)
        body = encoder.compress(self.body) + encoder.flush()
        cache = dict(self.cache) | {"Content-Encoding": "gzip"}
        if len(body) < COMPRESS_MIN:
            cache["Vary"] = "Accept-Encoding"
        return RenderedAnswer(body, cache, self.etag, self.close, self.status, self.content_type)

    @cached_property
    def not_modified(self) -> RenderedAnswer:
        """To a client that has it already: the same fields but those of the body (RFC 9110, 15.4.5)."""
        fields = {name: value for name, value in self.headers.items() if not name.startswith("Content-")}
        return RenderedAnswer(b"", fields, close=self.close, status="304 Not Modified")

    def wire(self, variant: int) -> bytes:
        """As one HTTP/1.1 message, the same bytes for all who get this variant. Its Date is that of the first."""
        wire = self._wires.get(variant)
        if wire is None:
            answer = self.compressed if variant & GZIP else self
            wire = self._wires[variant] = answer._message(bool(variant & LAST))
        return wire

    def _message(self, last: bool) -> bytes:
        fields = {"Date": format_date_time(time.time()), "Connection": "close" if last else "keep-alive"}
        lines = [f"{name}: {value}\r\n" for name, value in (fields | self.headers).items()]
        return f"HTTP/1.1 {self.status}\r\n{''.join(lines)}\r\n".encode("latin-1") + self.body


def accepts_gzip(field: str) -> bool:
    """field: Accept-Encoding, "" where there is none (RFC 9110, 12.5.3)."""
    qualities = dict(_coding(part) for part in field.lower().split(","))
    return qualities.get("gzip", qualities.get("*", 0.0)) > 0


def _coding(part: str) -> tuple[str, float]:
    name, _, parameter = part.partition(";")
    key, _, value = parameter.strip().partition("=")
    try:
        return name.strip(), float(value) if key.strip() == "q" else 1.0
    except ValueError:
        return name.strip(), 0.0
