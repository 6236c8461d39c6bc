"""Requests to providers: bounded, conditional, within the quota, and without keys in what is logged."""

from __future__ import annotations

import re
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import requests

from db.domain.errors import Unavailable
from workers.feed.quota import Quota
from workers.feed.session import FeedSession

# Connect and read. A provider that takes longer is as good as away for a goal.
TIMEOUT_S = (5.0, 15.0)
BODY_BYTES_MAX = 32 * 1024 * 1024
USER_AGENT = "live-scores/0.1"
# ETags kept: one a URL. A season of all leagues is asked for by day, so its URLs come to an end.
ETAGS_MAX = 2_000


@dataclass(slots=True)
class HttpSource:
    """One provider's REST API.

    per_minute: requests allowed.
    headers: of each request.
    secrets: texts that must not be logged; some providers want keys in the URL.
    """

    per_minute: int
    headers: dict[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    http: requests.Session = field(default_factory=requests.Session)
    etags: dict[str, str] = field(default_factory=dict)
    fresh_until_s: dict[str, float] = field(default_factory=dict)
    quota: Quota = field(init=False)

    def __post_init__(self) -> None:
        self.quota = Quota(self.per_minute)

    def go_on(self, session: FeedSession) -> None:
        """Requests made before a restart count."""
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
        """The body; None where it has not changed, or the session halted. Raises Unavailable, with Retry-After.

        missing: what an answer of `missing_statuses` stands for; None where it is a failure as any other.
        """
        if time.time() < self.fresh_until_s.get(url, 0.0) or not self._wait(session):
            return None
        headers = {"User-Agent": USER_AGENT, "Accept": "application/json", **self.headers}
        if url in self.etags:
            headers["If-None-Match"] = self.etags[url]
        try:
            answer = self.http.get(url, headers=headers, timeout=TIMEOUT_S, stream=True)
            body = _bounded(answer)
        except requests.RequestException as error:
            raise Unavailable(f"{self.redacted(url)}: {type(error).__name__}") from None
        left = answer.headers.get(quota_header, "") if quota_header else ""
        session.quota(int(left) if left.isdecimal() else self.quota.left(time.time()))
        if answer.status_code in missing_statuses and missing is not None:
            session.heard()
            return missing
        return self._body(session, url, answer, body)

    def _body(self, session: FeedSession, url: str, answer: requests.Response, body: bytes) -> bytes | None:
        if answer.status_code == 304:
            session.heard()
            return None
        if answer.status_code != 200:
            retry_after = answer.headers.get("Retry-After", "")
            wait_s = int(retry_after) if retry_after.isdecimal() else 2
            raise Unavailable(f"{self.redacted(url)} answers {answer.status_code}", min(wait_s, 600))
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

    def _wait(self, session: FeedSession) -> bool:
        """Until the quota allows a request; False if the session halted before."""
        while (wait_s := self.quota.wait_s(time.time())) > 0:
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
        age = answer.headers.get("Age", "0")
        if max_age:
            self.fresh_until_s[url] = time.time() + int(max_age[1]) - (int(age) if age.isdecimal() else 0)


def _bounded(answer: requests.Response) -> bytes:
    """The body; the connection is closed where it is too long."""
    parts: list[bytes] = []
    size = 0
    for part in answer.iter_content(64 * 1024):
        parts.append(part)
        size += len(part)
        if size > BODY_BYTES_MAX:
            answer.close()
            raise requests.exceptions.ContentDecodingError("too large")
    return b"".join(parts)
