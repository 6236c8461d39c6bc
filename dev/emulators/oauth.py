"""Google's token endpoint: a signed assertion for a short-lived bearer token (developers.google.com/identity/protocols/
oauth2/service-account)."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import jwt

from dev.emulators.exchange import EmulatorAnswer, EmulatorRequest, json_answer

SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTION_S = 3600
# google-auth names this audience whatever the endpoint's address.
GOOGLE = "https://oauth2.googleapis.com/token"


class OAuth:
    """
    account: the service account's e-mail address.
    public: PEM of its public key.
    audience: this endpoint's URL.
    bearer_s: lifetime of a bearer token.
    """

    def __init__(
        self, account: str, public: str, audience: str, clock: Callable[[], float], bearer_s: int = 3600
    ) -> None:
        self.account, self.public, self.audience = account, public, audience
        self.clock, self.bearer_s = clock, bearer_s
        self.bearers: dict[str, float] = {}

    def knows(self, authorization: str | None) -> bool:
        token = (authorization or "").removeprefix("Bearer ")
        return self.clock() < self.bearers.get(token, 0)

    def answer(self, request: EmulatorRequest) -> EmulatorAnswer:
        form = parse_qs(request.body.decode("utf-8", "replace"))
        if request.method != "POST" or form.get("grant_type") != [GRANT]:
            return json_answer(400, {"error": "unsupported_grant_type"})
        error = self._error(form.get("assertion", [""])[0])
        if error:
            return json_answer(400, {"error": "invalid_grant", "error_description": error})
        token = "ya29." + secrets.token_urlsafe(32)
        self.bearers[token] = self.clock() + self.bearer_s
        return json_answer(200, {"access_token": token, "expires_in": self.bearer_s, "token_type": "Bearer"})

    def _error(self, assertion: str) -> str | None:
        try:
            options: Any = {"verify_exp": False, "verify_iat": False, "require": ["iss", "scope", "aud", "exp", "iat"]}
            audience = [self.audience, GOOGLE]
            claims = jwt.decode(assertion, self.public, algorithms=["RS256"], audience=audience, options=options)
        except jwt.InvalidTokenError as error:
            return f"Invalid JWT: {error}"
        if claims["iss"] != self.account:
            return "Invalid issuer"
        if SCOPE not in claims["scope"].split() and "cloud-platform" not in claims["scope"]:
            return "Invalid scope"
        if not claims["iat"] - 300 <= self.clock() < claims["exp"] <= claims["iat"] + ASSERTION_S:
            return "Invalid JWT: it must be short-lived (60 minutes) and in a reasonable timeframe"
        return None
