"""The provider token of APNs, signed once for all connections.

Apple, "Establishing a token-based connection to APNs".
"""

from __future__ import annotations

from dataclasses import dataclass, field

import jwt

# A token lives an hour, and a new one may follow no sooner than 20 minutes after the last on one connection.
TOKEN_S, TOKEN_MIN_S = 50 * 60, 20 * 60


@dataclass(frozen=True, slots=True)
class Key:
    """An APNs authentication key: team and key id of ten characters, and the PEM of the .p8 file."""

    team: str
    id: str
    pem: str = field(repr=False)


class Signature:
    """The provider token, signed once for TOKEN_S.

    Its `iat` is the last multiple of TOKEN_S, so processes change it together and a restart does not change it. One
    from the future was signed before the clock was set back, and Apple takes none of those.
    """

    def __init__(self, key: Key) -> None:
        self.key = key
        self.issued_at = 0
        self.text = ""

    def token(self, now: float) -> str:
        if not self.text or not 0 <= now - self.issued_at < TOKEN_S:
            self._sign(int(now // TOKEN_S * TOKEN_S))
        return self.text

    def expired(self, now: float) -> bool:
        """Apple calls it too old. Sign anew, unless that was just done: then our clock is wrong, and False says so."""
        if now - self.issued_at < TOKEN_MIN_S:
            return False
        self._sign(int(now))
        return True

    def _sign(self, issued_at: int) -> None:
        claims = {"iss": self.key.team, "iat": issued_at}
        self.text = jwt.encode(claims, self.key.pem, algorithm="ES256", headers={"kid": self.key.id, "typ": None})
        self.issued_at = issued_at
