"""The public keys of another token issuer (JWKS, RFC 7517), refreshed beside the requests that need them."""

from __future__ import annotations

import logging
import threading
import time

import jwt
import requests

from db.domain.errors import Unavailable

logger = logging.getLogger(__name__)

# s. Issuers publish a new key hours before they use it; this long a withdrawn key is still accepted.
FRESH_S = 600
# s between two attempts, so that tokens with unknown keys cannot hammer the issuer.
RETRY_S = 30
# s. Only the first request ever waits for a fetch.
TIMEOUT_S = 5
# Bytes. A set of twenty RSA keys has 8 KB.
SET_MAX = 256 * 1024


class IssuerKeys:
    """Serves the last good set while a newer one is fetched, and for as long as the issuer is away."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.keys: dict[str, jwt.PyJWK] | None = None
        self.tried_at = float("-inf")
        self.good_at = float("-inf")
        self.fetching = threading.Lock()

    def key(self, key_id: str) -> jwt.PyJWK | None:
        """None for an unknown key. Raises Unavailable where no set was ever fetched."""
        keys = self.keys
        is_due = keys is None or key_id not in keys or time.monotonic() - self.good_at > FRESH_S
        if is_due and time.monotonic() - self.tried_at > RETRY_S:
            self._refresh(wait=keys is None)
        if self.keys is None:
            raise Unavailable("the issuer's keys cannot be fetched")
        return self.keys.get(key_id)

    def _refresh(self, *, wait: bool) -> None:
        """wait: for the answer; else the set in hand serves until the new one is there."""
        if not self.fetching.acquire(blocking=wait, timeout=TIMEOUT_S if wait else -1):
            return
        if time.monotonic() - self.tried_at <= RETRY_S:
            self.fetching.release()
            return
        self.tried_at = time.monotonic()
        thread = threading.Thread(target=self._fetch, name="issuer-keys", daemon=True)
        thread.start()
        if wait:
            thread.join(TIMEOUT_S)

    def _fetch(self) -> None:
        try:
            with requests.get(self.url, timeout=TIMEOUT_S, stream=True) as answer:
                answer.raise_for_status()
                text = answer.raw.read(SET_MAX, decode_content=True).decode()
            self.keys = {key.key_id: key for key in jwt.PyJWKSet.from_json(text).keys if key.key_id}
            self.good_at = time.monotonic()
        except (requests.RequestException, jwt.PyJWTError, ValueError, TypeError, AttributeError) as error:
            # An issuer may answer anything, HTML included.
            logger.warning("issuer_keys_unfetched reason=%s", type(error).__name__)
        finally:
            self.fetching.release()
