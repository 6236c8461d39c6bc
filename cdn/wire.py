"""One warm HTTP connection to a control plane, and what its status codes mean for a purge."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import requests
import urllib3.exceptions

from cdn.backend import CONNECT_S, DONE, TOTAL_S, Outcome, later, refused, within

# The vendors' answers are a few hundred bytes; what is longer is not one of theirs.
ANSWER_MOST = 64 * 1024

Understood = Callable[[Any], bool]


class Wire:
    """confirmed: whether the JSON of a 2xx says that the purge was done; None where the status is enough.

    No redirect is followed: credentials go to the host they were meant for.
    """

    def __init__(self, headers: Mapping[str, str], confirmed: Understood | None = None) -> None:
        self.headers = dict(headers)
        self.confirmed = confirmed
        self.session = _session()

    def send(self, method: str, url: str, headers: Mapping[str, str] | None = None, document: Any = None) -> Outcome:
        session, asked = self.session, self.headers | dict(headers or {})
        return within(TOTAL_S, lambda: self._send(session, method, url, asked, document), self._too_late)

    def _too_late(self) -> Outcome:
        """The old session stays with the call that was given up."""
        self.session = _session()
        return later(f"no answer in {TOTAL_S} s")

    def _send(
        self, session: requests.Session, method: str, url: str, headers: dict[str, str], document: Any
    ) -> Outcome:
        try:
            with session.request(
                method,
                url,
                headers=headers,
                json=document,
                timeout=(CONNECT_S, TOTAL_S),
                allow_redirects=False,
                stream=True,
            ) as answer:
                return self._judged(answer)
        except requests.Timeout:
            return later("timed out")
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            return later(f"unreachable: {type(error).__name__}")

    def _judged(self, answer: requests.Response) -> Outcome:
        status = answer.status_code
        body = _read(answer)
        if status >= 300:
            return _failure(status, _seconds(answer.headers.get("Retry-After")))
        if self.confirmed is not None and not self._confirms(body):
            return later(f"its answer was not understood ({status})")
        return DONE

    def _confirms(self, body: bytes) -> bool:
        try:
            return bool(self.confirmed and self.confirmed(json.loads(body)))
        except (ValueError, TypeError, AttributeError, KeyError, IndexError):
            return False


def _session() -> requests.Session:
    """Without what the environment says of proxies and credentials: a .netrc would replace ours."""
    session = requests.Session()
    session.trust_env = False
    return session


def _read(answer: requests.Response) -> bytes:
    """At most ANSWER_MOST. Raises requests.Timeout where it drips for longer than anybody waits."""
    body, deadline = b"", time.monotonic() + TOTAL_S
    while len(body) < ANSWER_MOST and (part := answer.raw.read1(ANSWER_MOST, decode_content=True)):
        body += part
        if time.monotonic() > deadline:
            raise requests.Timeout
    return body


def _failure(status: int, retry_after_s: float | None) -> Outcome:
    if status == 429:
        return later("over its limit (429)", retry_after_s)
    if status >= 500 or status == 408:
        return later(f"failed ({status})", retry_after_s)
    if status in (401, 403):
        return refused(f"the credentials are wrong or may not purge ({status})")
    if status == 404:
        return refused("it knows no such service or zone (404)")
    return refused(f"the request was refused ({status})")


def _seconds(text: str | None) -> float | None:
    """Retry-After in seconds; its other form, a date, is not used by these vendors."""
    return float(text) if text and text.isdecimal() else None
