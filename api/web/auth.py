"""Authentication: the token of an anonymous account, or a JWT of the deployment's issuer (RFC 6750, RFC 7519)."""

from __future__ import annotations

import ipaddress
import logging
import re
import time

import jwt
from flask import request

from api.services import here, now_ms
from db.domain import Account
from db.domain.errors import Refused
from db.live.limits import Rate
from db.sql.accounts import digest_of

logger = logging.getLogger(__name__)

# Algorithms with a public verification key: never `none` or a shared secret (RFC 8725, 3.1).
ALGORITHMS = ("ES256", "ES384", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "EdDSA")
# Our own tokens have 43 characters, a JWT some hundreds.
TOKEN_MAX = 4_096
# An app sets up a fan's follows in one go, then changes one now and then.
WRITES = Rate("writes", burst=120, every_s=1)
# A token as `Accounts.create` makes it: 256 random bits, base64url.
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
# Wrong tokens of one address, which may be a carrier's: a hundred apps with deleted accounts, then one a second. After
# that the address is barred for BARRED_S, but for tokens that this process has seen to be right.
WRONG_TOKENS, BARRED_S = Rate("wrong_tokens", burst=100, every_s=1), 10
# An app reads its account at each start. Each answer costs three SQL queries, so a broken loop must be bounded.
READS = Rate("reads", burst=60, every_s=1)
# A carrier may share one address: hundreds of sign-ups in a first hour, then one every ten seconds.
SIGN_UPS = Rate("sign_ups", burst=100, every_s=10)

# All that no address can be made of share one bucket.
UNKNOWN = "unknown"


def account() -> Account:
    """The account of the request. Raises Refused `unauthorized` for any fault of the token, without saying which."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not 0 < len(token) <= TOKEN_MAX or not token.isascii():
        raise Refused("An Authorization header with the account's bearer token is required.", "unauthorized")
    bearer = _by_issuer(token) if token.count(".") == 2 else _by_token(token)
    if bearer is None:
        raise Refused("No account has this token.", "unauthorized")
    return bearer


def _by_token(token: str) -> Account | None:
    """Wrong tokens of one address are bounded, because each costs a query; those that were right lately are not."""
    if not TOKEN.fullmatch(token):
        return None
    digest, sender = digest_of(token), address()
    good = here().good_tokens
    if digest not in good and time.monotonic() < here().barred.get(sender, 0.0):
        raise Refused("Too many wrong tokens; see Retry-After.", "too_fast", retry_after_s=BARRED_S)
    bearer = here().accounts.by_token(token, now_ms=now_ms())
    if bearer is not None:
        good.add(digest)
    elif here().limits.take(WRONG_TOKENS, sender, now_ms=now_ms()):
        here().barred.put(sender, time.monotonic() + BARRED_S)
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

    Each trusted hop (a router, a CDN) appends the address that it was called from. So the client's is as many entries
    from the end as there are trusted hops; the sender can invent those before it.
    """
    settings = here().settings
    if not settings.client_address_header:
        return address_of(request.remote_addr or "")
    entries = [entry for line in request.headers.getlist(settings.client_address_header) for entry in line.split(",")]
    hops = settings.client_address_hops
    return address_of(entries[-hops]) if len(entries) >= hops else UNKNOWN


def address_of(text: str) -> str:
    """An address as routers write it: bare, with a port, in brackets, IPv4 mapped into IPv6 (RFC 7239, 6; RFC 4291)."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        client = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return UNKNOWN
    if isinstance(client, ipaddress.IPv6Address) and client.ipv4_mapped:
        client = client.ipv4_mapped
    if client.version == 4:
        return str(client)
    return str(ipaddress.ip_network((int(client) >> 64 << 64, 64)))


def _spend(rate: Rate, who: str) -> None:
    wait_s = here().limits.take(rate, who, now_ms=now_ms())
    if wait_s:
        raise Refused("Too fast; see Retry-After.", "too_fast", retry_after_s=wait_s)


def _by_issuer(token: str) -> Account | None:
    """The account of a user of the configured issuer; None if the token is invalid."""
    settings, keys = here().settings, here().issuer_keys
    if keys is None:
        return None
    try:
        key = keys.key(str(jwt.get_unverified_header(token).get("kid", "")))
        if key is None:
            return None
        claims = jwt.decode(
            token,
            key,
            algorithms=ALGORITHMS,
            issuer=settings.auth_issuer,
            audience=settings.auth_audience,
            leeway=30,
            options={"require": ["exp", "sub", "iss", "aud"]},
        )
    except jwt.PyJWTError as error:
        logger.info("token_refused reason=%s", type(error).__name__)
        return None
    return here().accounts.by_subject(str(claims["iss"]), str(claims["sub"]), now_ms=now_ms())
