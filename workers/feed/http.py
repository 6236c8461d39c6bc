"""Requests to providers: bounded, conditional, within the quota, and without keys in what is logged."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import requests

from db.domain.errors import Unavailable
from workers.feed.answer import body_of, number_in, retry_after_s
from workers.feed.quota import Quota
from workers.feed.session import FeedSession

# Connect and read. A provider that takes longer is as good as away for a goal.
TIMEOUT_S = (5.0, 15.0)
# A whole answer; the largest, a day's schedule, has some megabytes.
ANSWER_S = 60.0
# Of the key or of us, and not of one document.
OF_ALL = (401, 429)
USER_AGENT = "live-scores/0.1"
# ETags kept: one a URL. A season of all leagues is asked for by day, so its URLs come to an end.
ETAGS_MAX = 2_000


class FailedRequest(Unavailable):
    """The provider answers, but not this: it may answer what else is asked."""


def each(session: FeedSession, requests_made: Iterable[Callable[[], object]]) -> None:
    """Make requests that do not need each other: one that fails keeps nobody from the others.

    Raises Unavailable where nothing was heard, or the provider is away or refuses us as a whole.
    """
    failures: list[FailedRequest] = []
    heard_before = session.health.heard_at
    for request in requests_made:
        if session.halt.is_set():
            return
        try:
            request()
        except FailedRequest as error:
            failures.append(error)
    if failures and session.health.heard_at == heard_before:
        raise failures[0]
    for failure in failures:
        session.failed(failure.message)


class KeyedSession(requests.Session):
    """Keys go to the host that was asked alone: of itself `requests` holds back `Authorization` and no other header.

    keys: names of the headers that hold one.
    """

    def __init__(self, keys: Collection[str]) -> None:
        super().__init__()
        self.keys = keys

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        super().rebuild_auth(prepared_request, response)  # type: ignore[no-untyped-call]
        is_elsewhere = self.should_strip_auth(response.request.url, prepared_request.url)  # type: ignore[no-untyped-call]
        if is_elsewhere:
            for name in self.keys:
                prepared_request.headers.pop(name, None)


@dataclass(slots=True)
class HttpSource:
    """One provider's REST API.

    per_minute: requests allowed.
    retry_at_s: the provider wants to be asked nothing before (epoch).
    headers: of each request.
    secrets: texts that must not be logged; some providers want keys in the URL.
    """

    per_minute: int
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    http: requests.Session = field(init=False)
    etags: dict[str, str] = field(default_factory=dict)
    fresh_until_s: dict[str, float] = field(default_factory=dict)
    retry_at_s: float = 0.0
    quota: Quota = field(init=False)

    def __post_init__(self) -> None:
        self.http = KeyedSession(self.headers)
        self.quota = Quota(self.per_minute)

    def go_on(self, session: FeedSession) -> None:
        """Requests made before a restart count, and so does what the provider said then."""
        retry_at_s = session.position.get("retry_at_s", 0.0)
        if isinstance(retry_at_s, int | float):
            self.retry_at_s = max(self.retry_at_s, retry_at_s)
        times = session.position.get("times", [])
        if isinstance(times, list) and not self.quota.times:
            self.quota = Quota(self.per_minute, [float(at) for at in times if isinstance(at, int | float)])

    def get(
        self,
        session: FeedSession,
        url: str,
        *,
        quota_header: str = "",
        missing: bytes | None = None,
        missing_statuses: Collection[int] = (404,),
    ) -> bytes | None:
        """The body; None where it has not changed, or the session halted. Raises Unavailable.

        missing: what an answer of `missing_statuses` stands for; None where it is a failure as any other.
        """
        if time.time() < self.fresh_until_s.get(url, 0.0) or not self.take_turn(session):
            return None
        headers = {"User-Agent": USER_AGENT, "Accept": "application/json", **self.headers}
        if url in self.etags:
            headers["If-None-Match"] = self.etags[url]
        try:
            answer = self.http.get(url, headers=headers, timeout=TIMEOUT_S, stream=True)
            body = body_of(answer, ANSWER_S)
        # ValueError: a redirect to what is no address.
        except (requests.RequestException, ValueError) as error:
            raise Unavailable(f"{self.redacted(url)}: {type(error).__name__}") from None
        left = number_in(answer, quota_header)
        session.quota(left if left is not None else self.quota.left(time.time()))
        if answer.status_code in missing_statuses and missing is not None:
            session.heard()
            return missing
        return self._body(session, url, answer, body)

    def _body(self, session: FeedSession, url: str, answer: requests.Response, body: bytes) -> bytes | None:
        if answer.status_code == 304:
            session.heard()
            return None
        if answer.status_code != 200:
            self.hold_off(session, answer)
            kind = Unavailable if answer.status_code in OF_ALL else FailedRequest
            raise kind(f"{self.redacted(url)} answers {answer.status_code}")
        self._remember(url, answer)
        session.heard()
        return body

    def forget(self, url: str) -> None:
        """Ask in full again: the last answer could not be used."""
        self.etags.pop(url, None)
        self.fresh_until_s.pop(url, None)

    def redacted(self, url: str) -> str:
        """The address without its query and without secrets in its path."""
        parts = urlsplit(url)
        shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
        for secret in filter(None, self.secrets):
            shown = shown.replace(secret, "***")
        return shown

    def hold_off(self, session: FeedSession, answer: requests.Response) -> None:
        """Ask nothing more for as long as the provider says; a restart does not forget it."""
        now_s = time.time()
        wait_s = retry_after_s(answer, now_s)
        if wait_s:
            self.retry_at_s = now_s + wait_s
            session.keep(retry_at_s=self.retry_at_s)

    def wait_s(self, now_s: float) -> float:
        """Seconds until the next request is allowed; 0 if it is now."""
        return max(self.quota.wait_s(now_s), self.retry_at_s - now_s, 0.0)

    def take_turn(self, session: FeedSession) -> bool:
        """Wait until a request is allowed, and count it; False if the session halted before."""
        while (wait_s := self.wait_s(time.time())) > 0:
            if session.halt.wait(min(wait_s, 5.0)):
                return False
        self.quota.take(time.time())
        session.keep(times=self.quota.times)
        return not session.halt.is_set()

    def _remember(self, url: str, answer: requests.Response) -> None:
        if len(self.etags) >= ETAGS_MAX:
            self.etags.clear()
            self.fresh_until_s.clear()
        if etag := answer.headers.get("ETag"):
            self.etags[url] = etag
        max_age = re.search(r"max-age=(\d{1,6})", answer.headers.get("Cache-Control", ""))
        if max_age:
            self.fresh_until_s[url] = time.time() + int(max_age[1]) - (number_in(answer, "Age") or 0)
