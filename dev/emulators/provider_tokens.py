"""The provider tokens one connection has shown (Apple, "Establishing a token-based connection to APNs")."""

from __future__ import annotations

from typing import Any

import jwt

TOKEN_S, TOKEN_MIN_S = 3600, 1200


class InvalidToken(Exception):
    """The push is refused: raised and caught in the emulated APNs alone."""

    def __init__(self, status: int, reason: str, timestamp: int | None = None) -> None:
        super().__init__(reason)
        self.status, self.reason, self.timestamp = status, reason, timestamp


class ProviderTokens:
    """keys: id → (team, public key PEM)."""

    def __init__(self, keys: dict[str, tuple[str, str]]) -> None:
        self.keys = keys
        self.known: dict[str, tuple[int, float]] = {}
        self.owner: tuple[str, str] | None = None
        self.wedged = False

    def check(self, authorization: str | None, now: float) -> None:
        """Raises Wrong. A connection that has seen an expired token answers nothing else from then on."""
        if self.wedged:
            raise InvalidToken(403, "ExpiredProviderToken")
        header = authorization or ""
        if not header.lower().startswith("bearer "):
            raise InvalidToken(403, "MissingProviderToken")
        token = header[7:]
        if token not in self.known:
            self._admit(token, now)
        if now - self.known[token][0] > TOKEN_S:
            self.wedged = True
            raise InvalidToken(403, "ExpiredProviderToken")

    def _admit(self, token: str, now: float) -> None:
        """One not yet seen here: signature, key, team, time, and that it does not come too soon after the last."""
        owner, issued_at = self._read(token)
        if issued_at > now + 60:
            raise InvalidToken(403, "InvalidProviderToken")
        if self.owner not in (None, owner):
            raise InvalidToken(403, "UnrelatedKeyIdInToken")
        newest = max((seen_at for _, seen_at in self.known.values()), default=None)
        if newest is not None and now - newest < TOKEN_MIN_S:
            raise InvalidToken(429, "TooManyProviderTokenUpdates")
        self.owner = owner
        self.known[token] = (issued_at, now)

    def _read(self, token: str) -> tuple[tuple[str, str], int]:
        try:
            kid = jwt.get_unverified_header(token)["kid"]
            team, public = self.keys[kid]
            options: Any = {"verify_iat": False, "require": ["iss", "iat"]}
            claims = jwt.decode(token, public, algorithms=["ES256"], options=options)
        except (jwt.InvalidTokenError, KeyError):
            raise InvalidToken(403, "InvalidProviderToken") from None
        if claims["iss"] != team or type(claims["iat"]) is not int:
            raise InvalidToken(403, "InvalidProviderToken")
        return (team, kid), claims["iat"]
