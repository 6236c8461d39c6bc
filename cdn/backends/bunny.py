"""Bunny: purge by tag, one a call. docs.bunny.net: POST /pullzone/{id}/purgeCache {"CacheTag": …}, 204.

It takes seconds to reach all edges, so what lives as briefly is left to expire.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from cdn.backends.base import Budget, Outcome
from cdn.backends.control_plane import ControlPlane

API = "https://api.bunny.net"


class Bunny:
    name = "bunny"
    most = 1
    soft = False
    floor_s = 10
    rebound = False

    def __init__(self, pull_zone_id: str, api_key: str, api: str = API) -> None:
        self.url = f"{api}/pullzone/{quote(pull_zone_id)}/purgeCache"
        # Exact purges: 5 a second, 120 at once, per account; for tags no other figure is published.
        self.budget = Budget(5, 120)
        self.wire = ControlPlane({"AccessKey": api_key})

    def purge(self, keys: Sequence[str], *, soft: bool) -> Outcome:  # noqa: ARG002 - it knows only one kind
        (key,) = keys
        return self.wire.send("POST", self.url, lambda said: said.status == 204, document={"CacheTag": key})
