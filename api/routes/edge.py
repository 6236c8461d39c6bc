"""What `flask edge check` reads: answers that are never the same twice unless a cache repeats them."""

from __future__ import annotations

import secrets

from flask import Blueprint, Response

from api.web import responses, schemas
from api.web.openapi import documented
from cdn import headers, keys
from cdn.check import CANARY_PATH, CONTROL_PATH

blueprint = Blueprint("edge", __name__)


@blueprint.get(CANARY_PATH)
@documented("What the check of the edge looks for", schemas.Canary, tag="operations", errors=())
def canary() -> Response:
    """A new `nonce` for each request to the origin: the same nonce twice came from a cache."""
    return _nonce(keys.CANARY)


@blueprint.get(CONTROL_PATH)
@documented("What the check of the edge never purges", schemas.Canary, tag="operations", errors=())
def control() -> Response:
    """Like the canary, under another key. If both change after a purge, the purge was not by key."""
    return _nonce(keys.CONTROL)


def _nonce(key: str) -> Response:
    return responses.public({"nonce": secrets.token_hex(8)}, headers.CANARY, tags=(key,))
