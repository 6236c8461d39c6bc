"""One warm HTTP connection to a control plane, and what its answers mean for a purge."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import requests
import urllib3.exceptions

from cdn.backend import CONNECT_S, DONE, TOTAL_S, Outcome, later, no_answer, refused, within

# The vendors' answers are a few hundred bytes, that of Fastly to 256 keys of 64 characters some 25 KB; what is longer
# is not one of theirs.
ANSWER_MOST = 64 * 1024
# What asks for a longer pause has lost its mind: the longest window that a vendor counts in is an hour (Fastly, "API
# rate limiting").
RETRY_AFTER_MOST_S = 3_600.0


@dataclass(frozen=True, slots=True)
class Answer:
    """Of a status below 300. headers: found whatever their case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)


Confirms = Callable[[Answer], bool]


class Wire:
    """No redirect is followed: credentials go to the host they were meant for."""

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
        """confirms: whether an answer says, in the words of this vendor, that the purge was done. A yes from anybody
        else, a proxy or a page of somebody's hotel, is none."""
        session, asked = self.session, self.headers | dict(headers or {})
        return within(TOTAL_S, lambda: _send(session, method, url, asked, document, confirms), self._too_late)

    def _too_late(self) -> Outcome:
        """The old session stays with the call that was given up."""
        self.session = _session()
        return no_answer()


def _session() -> requests.Session:
    """Without what the environment says of proxies and credentials: a .netrc would replace ours."""
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
            return _judged(Answer(answer.status_code, answer.headers, _read(answer)), confirms)
    except (requests.ReadTimeout, urllib3.exceptions.ReadTimeoutError):
        return no_answer()
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        return later(f"unreachable: {type(error).__name__}")


def _read(answer: requests.Response) -> bytes:
    """At most ANSWER_MOST. Raises requests.ReadTimeout where it drips for longer than anybody waits."""
    body, deadline = b"", time.monotonic() + TOTAL_S
    while len(body) < ANSWER_MOST and (part := answer.raw.read1(ANSWER_MOST, decode_content=True)):
        body += part
        if time.monotonic() > deadline:
            raise requests.ReadTimeout
    return body


def _judged(answer: Answer, confirms: Confirms) -> Outcome:
    if answer.status >= 300:
        return _failure(answer.status, seconds(answer.headers.get("Retry-After")))
    try:
        understood = confirms(answer)
    except (ValueError, TypeError, AttributeError, KeyError, IndexError):
        understood = False
    return DONE if understood else later(f"its answer ({answer.status}) does not say that the purge was done")


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
    """Of a Retry-After; its other form, a date, is not used by these vendors."""
    return min(float(retry_after), RETRY_AFTER_MOST_S) if retry_after and retry_after.isdecimal() else None
