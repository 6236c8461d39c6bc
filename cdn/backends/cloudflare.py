"""Cloudflare: purge by tag. developers.cloudflare.com/cache/how-to/purge-cache: POST /zones/{zone}/purge_cache.

Tags on every plan since 2025-04-01, below 150 ms; `invalidate_cache`, the soft form, since 2026-09-28.
"""

from __future__ import annotations

from collections.abc import Sequence

from cdn.backends.base import Budget, Outcome
from cdn.backends.control_plane import ControlPlane
from db.domain.errors import Refused

API = "https://api.cloudflare.com/client/v4"
# Calls a second and burst, per account and plan (same page, "Availability and limits").
PLANS = {"free": (5 / 60, 25), "pro": (5, 25), "business": (10, 50), "enterprise": (50, 500)}


class Cloudflare:
    name = "cloudflare"
    max_keys = 100
    floor_s = 0

    def __init__(self, zone_id: str, token: str, plan: str = "free", api: str = API) -> None:
        """Raises Refused for an unknown plan."""
        if plan not in PLANS:
            raise Refused(f"CLOUDFLARE_PLAN={plan!r} is not known; there are {', '.join(PLANS)}.")
        self.url = f"{api}/zones/{zone_id}"
        self.budget = Budget(*PLANS[plan])
        # Five calls a minute are too few to split a change into a hard and a soft call, or to repeat it.
        self.soft = plan != "free"
        self.rebound_above_s = 15.0 if plan == "free" else 0.0
        self.control_plane = ControlPlane({"Authorization": f"Bearer {token}"})

    def purge(self, keys: Sequence[str], *, soft: bool) -> Outcome:
        verb = "invalidate_cache" if soft else "purge_cache"
        return self.control_plane.send(
            "POST",
            f"{self.url}/{verb}",
            lambda answer: answer.document["success"] is True,
            document={"tags": list(keys)},
        )
