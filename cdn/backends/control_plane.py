"""One warm HTTP connection to a control plane, and what its answers mean for a purge."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import requests
import urllib3.exceptions

from cdn.backends.base import CONNECT_S, DONE, TOTAL_S, Outcome, later, no_answer, refused, within

# Bytes. Vendors answer in a few hundred; Fastly's answer to 256 keys of 64 characters is 25 KB. Longer is not theirs.
ANSWER_MAX_BYTES = 64 * 1024
# The longest window that a vendor counts in is an hour (Fastly, "API rate limiting").
RETRY_AFTER_MAX_S = 3_600.0


@dataclass(frozen=True, slots=True)
class ControlPlaneAnswer:
    """An answer with a status below 300.

    status: the HTTP status.
    headers: looked up in any case.
    body: at most ANSWER_MAX_BYTES of it.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)


Confirms = Callable[[ControlPlaneAnswer], bool]


class ControlPlane:
    """Follows no redirect: credentials go only to the host they were meant for."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self.headers = dict(headers)
        self.session = _session()

    def send(
        self,
        method: str,
        url: str,
        confirms: Confirms,
        headers: Mapping[str, str] | None = None,
        document: Any = None,
    ) -> Outcome:
        """confirms: whether an answer says, in this vendor's format, that the purge was done.

        A 200 from anybody else, such as a proxy or a captive portal, does not count.
        """
        session, all_headers = self.session, self.headers | dict(headers or {})
        return within(TOTAL_S, lambda: _send(session, method, url, all_headers, document, confirms), self._too_late)

    def _too_late(self) -> Outcome:
        """The old session stays with the call that was abandoned."""
        self.session = _session()
        return no_answer()


def _session() -> requests.Session:
    """Ignores proxies and credentials of the environment: a .netrc would replace ours."""
    session = requests.Session()
    session.trust_env = False
    return session


def _send(
    session: requests.Session, method: str, url: str, headers: dict[str, str], document: Any, confirms: Confirms
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
            return _judged(ControlPlaneAnswer(answer.status_code, answer.headers, _read(answer)), confirms)
    except (requests.ReadTimeout, urllib3.exceptions.ReadTimeoutError):
        return no_answer()
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        return later(f"unreachable: {type(error).__name__}")


def _read(answer: requests.Response) -> bytes:
    """At most ANSWER_MAX_BYTES. Raises requests.ReadTimeout where it takes longer than TOTAL_S."""
    body, deadline = b"", time.monotonic() + TOTAL_S
    while len(body) < ANSWER_MAX_BYTES and (part := answer.raw.read1(ANSWER_MAX_BYTES, decode_content=True)):
        body += part
        if time.monotonic() > deadline:
            raise requests.ReadTimeout
    return body


def _judged(answer: ControlPlaneAnswer, confirms: Confirms) -> Outcome:
    if answer.status >= 300:
        return _failure(answer.status, seconds(answer.headers.get("Retry-After")))
    try:
        is_confirmed = confirms(answer)
    except (ValueError, TypeError, AttributeError, KeyError, IndexError):
        is_confirmed = False
    return DONE if is_confirmed else later(f"its answer ({answer.status}) does not say that the purge was done")


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


def seconds(retry_after: str | None) -> float | None:
    """Seconds of a Retry-After; these vendors do not use its other form, a date."""
    return min(float(retry_after), RETRY_AFTER_MAX_S) if retry_after and retry_after.isdecimal() else None
