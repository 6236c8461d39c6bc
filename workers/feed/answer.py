"""An answer of a provider: its bytes as they come, and the numbers in its headers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC
from email.utils import parsedate_to_datetime

import requests
from urllib3.exceptions import HTTPError

BODY_BYTES_MAX = 32 * 1024 * 1024
PART_BYTES = 64 * 1024
# s. The longest that a provider may keep us away; one that says a day has made a mistake, or we have.
RETRY_AFTER_MAX_S = 600


def parts_of(answer: requests.Response) -> Iterator[bytes]:
    """The body as it arrives, whether or not it is chunked. Raises requests.ConnectionError."""
    try:
        while part := answer.raw.read1(PART_BYTES, decode_content=True):
            yield part
    except HTTPError as error:
        raise requests.ConnectionError(type(error).__name__) from None


def body_of(answer: requests.Response, within_s: float) -> bytes:
    """The whole body. Raises requests.RequestException where it is too long or takes too long."""
    end_s = time.monotonic() + within_s
    parts: list[bytes] = []
    size = 0
    for part in parts_of(answer):
        parts.append(part)
        size += len(part)
        if size > BODY_BYTES_MAX:
            answer.close()
            raise requests.exceptions.ContentDecodingError("too large")
        # A byte a second never runs into the time-out of a read.
        if time.monotonic() > end_s:
            answer.close()
            raise requests.ReadTimeout("too slow")
    return b"".join(parts)


def number_in(answer: requests.Response, header: str) -> int | None:
    """None where it is missing, or is no number of up to nine digits."""
    value = answer.headers.get(header, "")
    return int(value) if value.isdecimal() and len(value) <= 9 else None


def retry_after_s(answer: requests.Response, now_s: float) -> float:
    """Seconds until the provider wants to be asked again, from 0 to RETRY_AFTER_MAX_S; it says seconds or a date."""
    value = answer.headers.get("Retry-After", "")
    if value.isdecimal():
        return float(min(int(value[:9]), RETRY_AFTER_MAX_S))
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return 0.0
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(0.0, aware.timestamp() - now_s), RETRY_AFTER_MAX_S)
