"""Fastly: purge by surrogate key. fastly.com/documentation/reference/api/purging: POST /service/{id}/purge.

A purge reaches all POPs in about 150 ms. By key only: a URL purge needs no credentials there unless one demands them.
"""

from __future__ import annotations

from collections.abc import Sequence

from cdn.backends.base import Budget, Outcome
from cdn.backends.control_plane import ControlPlane

API = "https://api.fastly.com"


class Fastly:
    name = "fastly"
    # More than 256 keys are a 400 and the purge is lost (fastly/fastly-magento2#104).
    max_keys = 256
    soft = True
    floor_s = 0
    rebound_above_s = 0.0

    def __init__(self, service_id: str, token: str, api: str = API) -> None:
        self.url = f"{api}/service/{service_id}/purge"
        # 100,000 purges an hour (Fastly's published API profile) are 27 a second.
        self.budget = Budget(27, 100)
        self.control_plane = ControlPlane({"Fastly-Key": token, "Accept": "application/json"})

    def purge(self, keys: Sequence[str], *, soft: bool) -> Outcome:
        headers = {"Fastly-Soft-Purge": "1"} if soft else {}
        document = {"surrogate_keys": list(keys)}
        # The answer maps each key to the id of its purge.
        return self.control_plane.send(
            "POST", self.url, lambda answer: set(keys) <= answer.document.keys(), headers, document
        )
