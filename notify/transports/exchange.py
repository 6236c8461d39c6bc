"""One HTTP exchange with a push service: the request, and what came back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from notify.transports.outcome import Outcome

# What one answer may take. Google asks for at least 10 s ("Scale guide").
ANSWER_S = 10.0
CONNECT_S = 5.0
# Requests in flight on one connection. Apple allows 1,000; with 300 a round trip of 15 ms already carries 20,000 a
# second, and a lost connection leaves fewer in doubt. Measured with bench/push.py: 100 and 1,000 cost the same CPU.
STREAMS_MAX = 300
# An answer is a line of JSON; a longer one is not from a push service.
ANSWER_BYTES_MAX = 64 * 1024


@dataclass(slots=True)
class Request:
    """A POST.

    envelope: the caller's, handed back with the outcome.
    url: where to.
    headers: `name: value`, one list for all requests that share it.
    body: bytes of the payload.
    expires_at: s since the epoch; it is not sent later.
    scope: what the service must allow; a config fault of one scope stops no other.
    repeatable: False where a second one would ring on more than one phone.
    possibly_sent: the fate of an earlier try is unknown, so this one is passive.
    tries: how often it was started, refused streams not counted.
    refusals: how often its stream was refused.
    begun_at: of the first try, on the monotonic clock; 0 before it.
    started_at: of the last try.
    """

    envelope: Any
    url: str = field(repr=False)
    headers: list[str] = field(repr=False)
    body: bytes = field(repr=False)
    expires_at: float
    scope: str = ""
    repeatable: bool = True
    possibly_sent: bool = False
    tries: int = 0
    refusals: int = 0
    begun_at: float = 0.0
    started_at: float = 0.0


@dataclass(frozen=True, slots=True)
class KnownOutcome:
    """An envelope that needs no request, for its outcome is known."""

    envelope: Any
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Reply:
    """
    status: HTTP status; 0 where no answer came.
    body: of an answer, empty for most.
    error: why no answer came, see below.
    retry_after_s: the Retry-After header; 0 where there is none.
    """

    status: int
    body: bytes = b""
    error: str = ""
    retry_after_s: float = 0.0


# No connection was made. As certainly not processed is a request with `bad_url`, `not_sent` (the body never left) or
# `refused_stream` (RFC 9113, 8.7: REFUSED_STREAM, and streams above the last one of a GOAWAY).
NO_CONNECTION = frozenset({"no_address", "no_connection", "no_tls", "certificate_refused"})
# It was sent, and the service may have processed it.
UNKNOWN_FATE = frozenset({"connection_lost", "stream_reset", "no_answer"})
