"""Authentication: the token of an anonymous account, or a JWT of the deployment's issuer (RFC 6750, RFC 7519)."""

from __future__ import annotations

import ipaddress
import logging

import jwt
from flask import request

from api.services import here, now_ms
from db.domain import Account
from db.domain.errors import Refused, Unavailable
from db.live.limits import Rate

logger = logging.getLogger(__name__)

# Algorithms with a public verification key: never `none` or a shared secret (RFC 8725, 3.1).
ALGORITHMS = ("ES256", "ES384", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "EdDSA")
# Our own tokens have 43 characters, a JWT some hundreds.
TOKEN_MAX = 4_096
# An app sets up a fan's follows in one go, then changes one now and then.
WRITES = Rate("writes", burst=120, every_s=1)
# An app reads its account at each start. Each answer costs three SQL queries, so a broken loop must be bounded.
READS = Rate("reads", burst=60, every_s=1)
# A carrier may share one address: hundreds of sign-ups in a first hour, then one every ten seconds.
SIGN_UPS = Rate("sign_ups", burst=100, every_s=10)


def account() -> Account:
    """The account of the request. Raises Refused `unauthorized` for any fault of the token, without saying which."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not 0 < len(token) <= TOKEN_MAX or not token.isascii():
        raise Refused("An Authorization header with the account's bearer token is required.", "unauthorized")
    bearer = _by_issuer(token) if token.count(".") == 2 else here().accounts.by_token(token, now_ms=now_ms())
    if bearer is None:
        raise Refused("No account has this token.", "unauthorized")
    return bearer


def writer() -> Account:
    """The account, for a change. Raises Refused `too_fast` over the rate WRITES."""
    writing = account()
    _spend(WRITES, writing.id)
    return writing


def reader() -> Account:
    """The account, for a read. Raises Refused `too_fast` over the rate READS."""
    reading = account()
    _spend(READS, reading.id)
    return reading


def sign_up() -> None:
    _spend(SIGN_UPS, address())


def address() -> str:
    """The client address that a sign-up counts for; of IPv6 the /64, which is one household.

    Only the last entry of the header is the router's own. The sender can invent those before it.
    """
    header = here().settings.client_address_header
    forwarded = request.headers.get(header, "").rpartition(",")[2].strip() if header else ""
    try:
        peer = ipaddress.ip_address(forwarded or request.remote_addr or "0.0.0.0")  # noqa: S104 - no address is bound
    except ValueError:
        return "unknown"
    if peer.version == 4:
        return str(peer)
    return str(ipaddress.ip_network((int(peer) >> 64 << 64, 64)))


def _spend(rate: Rate, who: str) -> None:
    wait_s = here().limits.take(rate, who, now_ms=now_ms())
    if wait_s:
        raise Refused("Too fast; see Retry-After.", "too_fast", retry_after_s=wait_s)


def _by_issuer(token: str) -> Account | None:
    """The account of a user of the configured issuer; None if the token is invalid."""
    settings, keys = here().settings, here().jwks
    if keys is None:
        return None
    try:
        claims = jwt.decode(
            token,
            keys.get_signing_key_from_jwt(token),
            algorithms=ALGORITHMS,
            issuer=settings.auth_issuer,
            audience=settings.auth_audience,
            leeway=30,
            options={"require": ["exp", "sub", "iss", "aud"]},
        )
    except jwt.PyJWKClientConnectionError:
        raise Unavailable("the issuer's keys cannot be fetched") from None
    except jwt.PyJWTError as error:
        logger.info("token_refused reason=%s", type(error).__name__)
        return None
    return here().accounts.by_subject(str(claims["iss"]), str(claims["sub"]), now_ms=now_ms())
