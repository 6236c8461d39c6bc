"""The provider tokens one connection has shown (Apple, "Establishing a token-based connection to APNs")."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

import jwt

TOKEN_S, TOKEN_MIN_S = 3600, 1200


class Refusal(Exception):
    """The request is refused. Raised and caught within the emulated APNs."""

    def __init__(self, status: int, reason: str, timestamp: int | None = None) -> None:
        super().__init__(reason)
        self.status, self.reason, self.timestamp = status, reason, timestamp


class ProviderTokens:
    """Of one connection.

    keys: id → (team, public key PEM).
    keys_elsewhere: ids of keys restricted to the other environment.
    seen: token → (issued at, first seen at), in s since the epoch.
    owner: (team, key id) of the first token; a connection belongs to it.
    wedged: an expired token was seen.
    """

    def __init__(self, keys: dict[str, tuple[str, str]], keys_elsewhere: Container[str] = ()) -> None:
        self.keys, self.keys_elsewhere = keys, keys_elsewhere
        self.seen: dict[str, tuple[int, float]] = {}
        self.owner: tuple[str, str] | None = None
        self.wedged = False

    def check(self, authorization: str | None, now: float) -> None:
        """Raises Refusal. After an expired token a connection answers nothing else."""
        if self.wedged:
            raise Refusal(403, "ExpiredProviderToken")
        header = authorization or ""
        if not header.lower().startswith("bearer "):
            raise Refusal(403, "MissingProviderToken")
        token = header[7:]
        if token not in self.seen:
            self._admit(token, now)
        if now - self.seen[token][0] > TOKEN_S:
            self.wedged = True
            raise Refusal(403, "ExpiredProviderToken")

    def _admit(self, token: str, now: float) -> None:
        """A token new to this connection: its signature, key, team and time, and not too soon after the last."""
        owner, issued_at = self._read(token)
        if issued_at > now + 60:
            raise Refusal(403, "InvalidProviderToken")
        if owner[1] in self.keys_elsewhere:
            raise Refusal(403, "BadEnvironmentKeyIdInToken")
        if self.owner not in (None, owner):
            raise Refusal(403, "UnrelatedKeyIdInToken")
        newest = max((seen_at for _, seen_at in self.seen.values()), default=None)
        if newest is not None and now - newest < TOKEN_MIN_S:
            raise Refusal(429, "TooManyProviderTokenUpdates")
        self.owner = owner
        self.seen[token] = (issued_at, now)

    def _read(self, token: str) -> tuple[tuple[str, str], int]:
        try:
            kid = jwt.get_unverified_header(token)["kid"]
            team, public = self.keys[kid]
            options: Any = {"verify_iat": False, "require": ["iss", "iat"]}
            claims = jwt.decode(token, public, algorithms=["ES256"], options=options)
        except (jwt.InvalidTokenError, KeyError):
            raise Refusal(403, "InvalidProviderToken") from None
        if claims["iss"] != team or type(claims["iat"]) is not int:
            raise Refusal(403, "InvalidProviderToken")
        return (team, kid), claims["iat"]
