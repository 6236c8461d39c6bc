"""The bearer token of FCM: Google's token endpoint gives one for an hour to whoever signs with a service account.

firebase-admin reads the account, and its credentials sign. Rules: developers.google.com/identity/protocols/oauth2/
service-account.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC
from math import inf
from typing import Any

import certifi
from firebase_admin import credentials
from google.auth import exceptions

from notify.transports.call import call
from notify.transports.outcome import ConfigFault, Later, Outcome

logger = logging.getLogger(__name__)

# A token lives an hour; one requested this early is there when the old one ends.
EARLY_S = 300
# After an endpoint that is away, and after a refusal, which stays until a person has acted. As long as the old token
# lives, the longer one in both cases: each try may hold up pushes for ten seconds.
AWAY_AGAIN_S, REFUSED_AGAIN_S = 10.0, 60.0

# No space, no line break: it becomes a part of a header.
_TOKEN = re.compile(r"[\x21-\x7e]+")
_SECONDS = re.compile(r"[1-9][0-9]{0,6}")


@dataclass(frozen=True, slots=True)
class _Answer:
    """As google-auth reads it."""

    status: int
    headers: Mapping[str, str]
    data: bytes = field(repr=False)


class Bearer:
    """One token for all requests. Times are of the monotonic clock: a step of the other one ends no token.

    account: the service account's JSON. ca: a file of certificates to trust instead of the public ones.
    headers: of a request; one list as long as the token is the same.
    refusal: what stands in the way of a token; None while there is one.
    """

    def __init__(self, account: str, *, ca: str | None = None) -> None:
        certificate = credentials.Certificate(json.loads(account))
        self.project_id = certificate.project_id
        self.credential: Any = certificate.get_credential()
        self.ca = ca or certifi.where()
        self.headers: list[str] = []
        self.refusal: Outcome | None = None
        self.due_at = self.ends_at = 0.0
        self.replaced_at = -inf

    def renew_if_due(self, now: float) -> None:
        if now >= self.due_at:
            self._renew(now)

    def replace(self, headers: list[str], now: float) -> bool:
        """Google takes the token of these headers for ended; `headers` and `refusal` tell what follows. False if that
        token had only just taken the place of such a one: then it is not the token's age."""
        if headers is not self.headers:
            return True
        if now - self.replaced_at < REFUSED_AGAIN_S:
            return False
        self.replaced_at = self.ends_at = now
        self._renew(now)
        return True

    def _renew(self, now: float) -> None:
        """A new token. Without one the old one is used until its end."""
        try:
            self.credential.refresh(self._exchange)
        except (exceptions.RefreshError, exceptions.TransportError) as error:
            is_refused = isinstance(error, exceptions.RefreshError) and not error.retryable
            self._wait(now, is_refused=is_refused)
            return
        lasts_s = self.credential.expiry.replace(tzinfo=UTC).timestamp() - time.time()
        self.ends_at, self.due_at = now + lasts_s, now + max(1.0, lasts_s - EARLY_S)
        self.refusal = None
        self.headers = [f"authorization: Bearer {self.credential.token}", "content-type: application/json"]

    def _wait(self, now: float, *, is_refused: bool) -> None:
        has_token = now < self.ends_at
        pause_s = REFUSED_AGAIN_S if is_refused or has_token else AWAY_AGAIN_S
        self.due_at = min(now + pause_s, self.ends_at) if has_token else now + pause_s
        outcome: Outcome = ConfigFault("oauth_refused") if is_refused else Later("oauth_unavailable", pause_s)
        self.refusal = None if has_token else outcome
        if is_refused:
            logger.error("push_token_refused service=fcm pause_s=%.0f", pause_s)
        else:
            logger.warning("push_token_late service=fcm pause_s=%.0f", pause_s)

    def _exchange(self, url: str, method: str, headers: Mapping[str, str], body: bytes, **_options: object) -> _Answer:
        """google-auth would wait two minutes, and fails in many ways where an answer is none of Google's."""
        reply, fields = call(method, url, [f"{name}: {value}" for name, value in headers.items()], body, ca=self.ca)
        if not _is_understood(reply.status, reply.body):
            raise exceptions.TransportError(reply.error or "no token")  # type: ignore[no-untyped-call]
        return _Answer(reply.status, fields, reply.body)


def _is_understood(status: int, body: bytes) -> bool:
    """An error in JSON, or a token with its lifetime."""
    try:
        answer = json.loads(body)
    except ValueError:
        return False
    if not isinstance(answer, dict):
        return False
    token, seconds = answer.get("access_token"), answer.get("expires_in")
    is_token = isinstance(token, str) and _TOKEN.fullmatch(token) and _SECONDS.fullmatch(str(seconds))
    return status != 200 or bool(is_token)
