"""Bunny: purge by tag, one tag a call. docs.bunny.net: POST /pullzone/{id}/purgeCache {"CacheTag": …}, 204.

It takes seconds to reach all edges, so answers that live only seconds are left to expire.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from cdn.backends.base import Budget, Outcome
from cdn.backends.control_plane import ControlPlane

API = "https://api.bunny.net"


class Bunny:
    name = "bunny"
    max_keys = 1
    soft = False
    floor_s = 10
    # Each key is a call of its own, so only what would stay for long is purged twice.
    rebound_above_s = 15.0

    def __init__(self, pull_zone_id: str, api_key: str, api: str = API) -> None:
        self.url = f"{api}/pullzone/{quote(pull_zone_id)}/purgeCache"
        # Exact purges: 5 a second, 120 at once, per account. No figure is published for tags.
        self.budget = Budget(5, 120)
        self.control_plane = ControlPlane({"AccessKey": api_key})

    def purge(self, keys: Sequence[str], *, soft: bool) -> Outcome:  # noqa: ARG002 - it knows only one kind
        (key,) = keys
        return self.control_plane.send(
            "POST", self.url, lambda answer: answer.status == 204, document={"CacheTag": key}
        )
