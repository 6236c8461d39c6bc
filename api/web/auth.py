"""Who asks: an anonymous account's bearer token, or a JWT of the deployment's own issuer (RFC 6750, RFC 7519)."""

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

# Signatures a JWT may bear: those whose checking key is public, never `none` or a shared secret (RFC 8725, 3.1).
ALGORITHMS = ("ES256", "ES384", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "EdDSA")
# A token of ours has 43 characters, a JWT some hundred.
TOKEN_MOST = 4_096
# An app sets up a fan's follows in one go, then changes one now and then.
WRITES = Rate("writes", burst=120, every_s=1)
# It reads its account at each start; one that asks in a loop is broken, and each answer is three questions to SQL.
READS = Rate("reads", burst=60, every_s=1)
# One address may be a whole carrier's: some hundreds in its first hour, then one every ten seconds.
SIGN_UPS = Rate("sign_ups", burst=100, every_s=10)


def account() -> Account:
    """The account the request is for. Raises Refused `unauthorized`, whatever it is that is wrong with the token."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not 0 < len(token) <= TOKEN_MOST or not token.isascii():
        raise Refused("Authorization: Bearer and the account's token are needed.", "unauthorized")
    found = _foreign(token) if token.count(".") == 2 else here().accounts.by_token(token, now_ms=now_ms())
    if found is None:
        raise Refused("This token is not, or no longer, one of an account.", "unauthorized")
    return found


def writer() -> Account:
    """As `account`, for a change: raises Refused `too_fast` where there were too many."""
    found = account()
    _spend(WRITES, found.id)
    return found


def reader() -> Account:
    """As `writer`, for a look at it."""
    found = account()
    _spend(READS, found.id)
    return found


def sign_up() -> None:
    _spend(SIGN_UPS, address())


def address() -> str:
    """Whom to count a sign-up for: the peer, or who the router in front says it was; of IPv6 the /64 one home has.

    Only the last entry of the header is the router's own; those before it are the sender's to invent.
    """
    header = here().settings.client_address_header
    said = request.headers.get(header, "").rpartition(",")[2].strip() if header else ""
    try:
        found = ipaddress.ip_address(said or request.remote_addr or "0.0.0.0")  # noqa: S104 - no address is bound
    except ValueError:
        return "unknown"
    if found.version == 4:
        return str(found)
    return str(ipaddress.ip_network((int(found) >> 64 << 64, 64)))


def _spend(rate: Rate, who: str) -> None:
    wait_s = here().limits.take(rate, who, now_ms=now_ms())
    if wait_s:
        raise Refused("Too fast; see Retry-After.", "too_fast", retry_after_s=wait_s)


def _foreign(token: str) -> Account | None:
    """The account of a user the configured issuer vouches for; None for a token that does not hold."""
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
        raise Unavailable("the issuer's keys are out of reach") from None
    except jwt.PyJWTError as error:
        logger.info("token_refused reason=%s", type(error).__name__)
        return None
    return here().accounts.by_subject(str(claims["iss"]), str(claims["sub"]), now_ms=now_ms())
