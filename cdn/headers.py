"""Every lifetime we send, in one table, and how each CDN is told of it.

The numbers and their reasons: docs/architecture.md, "At the edge".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from db.domain import Phase
from db.domain.errors import Refused

NO_STORE = {"Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True)
class Policy:
    """Seconds: browser is max-age, edge s-maxage; swr and sie the stale allowances (RFC 5861), 0 for none."""

    browser: int
    edge: int
    swr: int = 0
    sie: int = 0

    def headers(self) -> dict[str, str]:
        """For any shared cache: `s-maxage` is for them alone (RFC 9111, 5.2.2.10)."""
        parts = ["public", f"max-age={self.browser}", f"s-maxage={self.edge}"]
        return {"Cache-Control": ", ".join(parts + self._stale())}

    def targeted(self, name: str) -> dict[str, str]:
        """Cache-Control for browsers, and a field of that name that only the CDN reads and overrides it with."""
        edge = ", ".join([f"max-age={self.edge}", *self._stale()])
        return {"Cache-Control": f"public, max-age={self.browser}", name: edge}

    def _stale(self) -> list[str]:
        parts = [f"stale-while-revalidate={self.swr}"] if self.swr else []
        return parts + ([f"stale-if-error={self.sie}"] if self.sie else [])

    @property
    def lifetime_s(self) -> int:
        """How old an answer may be when a reader gets it from an edge whose origin is well."""
        return self.edge + self.swr


# A live score: two seconds bound a lost purge, one more is served while the edge fetches, a minute through an outage.
LIVE = Policy(browser=1, edge=2, swr=1, sie=60)
# Before kick-off: nothing is about to change, and what does is purged.
RESTING = Policy(browser=5, edge=30, swr=30, sie=600)
# After the final whistle only a correction comes, and it is purged for as long as an old copy can live.
FINAL = Policy(browser=30, edge=600, swr=60, sie=86_400)
# Lists, search, and what else is told of a match while it is played.
LIST = Policy(browser=2, edge=5, swr=5, sie=300)
# An unknown match: long enough to be collapsed, short enough to appear soon after it is created.
MISSING = Policy(browser=2, edge=5)
# A held answer speaks of one cursor for ever: kept as long as a hold, so that all who come with it share it; without
# any stale allowance, for a stale "no change" would make its readers spin. Browsers never keep it.
WAIT = Policy(browser=0, edge=20)
# What could not be held was answered at once: a second is enough for a crowd to share one such answer.
AT_ONCE = Policy(browser=0, edge=1)
# The page itself changes with a release, its assets are named by their content and never do.
PAGE = Policy(browser=0, edge=60, swr=60, sie=600)
ASSET = {"Cache-Control": "public, max-age=31536000, immutable"}
DOCUMENT = Policy(browser=60, edge=300, swr=300, sie=3600)
# What `flask edge check` looks for: long, so that while it looks only a purge can make it change.
CANARY = Policy(browser=0, edge=3600)

_SCORE = {Phase.LIVE: LIVE, Phase.BREAK: LIVE, Phase.FINISHED: FINAL}
_DETAIL = {Phase.LIVE: LIST, Phase.BREAK: LIST, Phase.FINISHED: FINAL}


def for_phase(phase: Phase) -> Policy:
    """Of the score itself."""
    return _SCORE.get(phase, RESTING)


def for_detail(phase: Phase) -> Policy:
    """Of a match's metadata and timeline, which nobody polls for a goal."""
    return _DETAIL.get(phase, RESTING)


# Without a CDN that we can purge, a correction must be seen by expiry alone.
UNPURGED_S = 30

Lifetimes = Callable[[Policy], dict[str, str]]


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one CDN reads lifetimes and keys. key_field "" means that it knows no keys."""

    lifetimes: Lifetimes
    key_field: str = ""
    separator: str = ","

    def headers(self, policy: Policy, tags: Sequence[str] = ()) -> dict[str, str]:
        told = self.lifetimes(policy)
        return told | {self.key_field: self.separator.join(tags)} if tags and self.key_field else told


def _unpurged(policy: Policy) -> dict[str, str]:
    return replace(policy, edge=min(policy.edge, UNPURGED_S), swr=min(policy.swr, UNPURGED_S)).headers()


def _surrogate_control(policy: Policy) -> dict[str, str]:
    return policy.targeted("Surrogate-Control")


def _cdn_cache_control(policy: Policy) -> dict[str, str]:
    """RFC 9213. Cloudflare would let `s-maxage` in Cache-Control switch stale-while-revalidate off."""
    return policy.targeted("CDN-Cache-Control")


# fastly.com/documentation, "Surrogate-Key": separated by spaces. Cloudflare's Cache-Tag, CloudFront's (CacheTagConfig
# names the field) and Bunny's CDN-Tag: by commas.
DIALECTS = {
    "null": Dialect(_unpurged),
    "varnish": Dialect(_surrogate_control, "Surrogate-Key", " "),
    "fastly": Dialect(_surrogate_control, "Surrogate-Key", " "),
    "cloudflare": Dialect(_cdn_cache_control, "Cache-Tag"),
    "cloudfront": Dialect(Policy.headers, "Cache-Tag"),
    "bunny": Dialect(Policy.headers, "CDN-Tag"),
}


def dialect(cdn: str) -> Dialect:
    """Raises Refused for a name that is none of ours."""
    if cdn not in DIALECTS:
        raise Refused(f"CDN={cdn!r} is not known; there are {', '.join(DIALECTS)}.")
    return DIALECTS[cdn]
