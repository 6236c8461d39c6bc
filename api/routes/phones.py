"""The demo's phones on the page, as the emulators show them. There is no such route outside the embedded run's demo.

Nothing of a request reaches the emulators' control API: one fixed address is read, and no other can be.
"""

from __future__ import annotations

import requests
from flask import Blueprint, Response

from api.services import here
from cdn.headers import NO_STORE
from db.domain.errors import Unavailable

blueprint = Blueprint("phones", __name__)

# Six phones of twelve notifications and two Live Activities of 4 KB each, the most a push can hold.
ANSWER_MAX = 384 * 1024
# The emulators run on this machine; after this long they are not running.
TIMEOUT_S = 2


@blueprint.get("/api/demo/phones")
def phones() -> Response:
    """`{now, phones: [{name, platform, locale, about, silence, pushes,
    activities: [{id, at, ended, attributes, state}], screen: [{id, at, title, body, silent, replaced, shape}]}]}`."""
    return Response(_read(f"{here().settings.control_url}/phones"), headers=NO_STORE, content_type="application/json")


def _read(url: str) -> bytes:
    try:
        with requests.Session() as http:
            http.trust_env = False  # no proxy of the environment leads to this machine
            with http.get(url, timeout=TIMEOUT_S, stream=True, allow_redirects=False) as answer:
                answer.raise_for_status()
                body = next(answer.iter_content(ANSWER_MAX + 1), b"")
    except requests.RequestException:
        raise Unavailable("The phones cannot be reached.") from None
    if len(body) > ANSWER_MAX:
        raise Unavailable("The answer of the emulators is too large.")
    return bytes(body)
