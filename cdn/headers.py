"""Every lifetime we send, in one table, and each CDN's dialect for it.

The numbers and their reasons: docs/architecture.md, "At the edge".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from db.domain import Phase
from db.domain.errors import Refused

# `private` as well: some CDNs cache an answer that says no more than `no-store` (RFC 9111, 5.2.2.7).
NO_STORE = {"Cache-Control": "private, no-store"}


@dataclass(frozen=True, slots=True)
class Policy:
    """How long an answer may be kept, in seconds.

    browser: max-age.
    edge: s-maxage.
    swr: stale-while-revalidate (RFC 5861), 0 for none.
    sie: stale-if-error (RFC 5861), 0 for none.
    """

    browser: int
    edge: int
    swr: int = 0
    sie: int = 0

    def headers(self) -> dict[str, str]:
        """For any shared cache; only those read `s-maxage` (RFC 9111, 5.2.2.10)."""
        parts = ["public", f"max-age={self.browser}", f"s-maxage={self.edge}"]
        return {"Cache-Control": ", ".join(parts + self._stale())}

    def targeted(self, name: str) -> dict[str, str]:
        """Cache-Control for browsers, and the named field, which only the CDN reads and prefers."""
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
# Before kick-off: little changes, and what does is purged.
RESTING = Policy(browser=5, edge=30, swr=30, sie=600)
# After the final whistle only a correction comes, and it is purged for as long as an old copy can live.
FINAL = Policy(browser=30, edge=600, swr=60, sie=86_400)
# Lists, search, and everything about a match but its score while it is played.
LIST = Policy(browser=2, edge=5, swr=5, sie=300)
# An unknown match: long enough to be collapsed, short enough to appear soon after it is created.
MISSING = Policy(browser=2, edge=5)
# The answer to one cursor never changes: kept as long as a hold, so that all who come with the cursor share it. It has
# no stale allowance, for a stale "no change" would make its readers spin. Browsers never keep it.
WAIT = Policy(browser=0, edge=20)
# A wait that was answered at once instead of held, and the way to a picture: a second is enough for a crowd to share
# the answer.
AT_ONCE = Policy(browser=0, edge=1)
# In a surge every answer lives at least so long at the edge. As long in all as a list, so that a purge is repeated
# for as long as its oldest answer lives.
SURGE = Policy(browser=1, edge=8, swr=2, sie=60)
# Pages change with a release. Assets are named by their content and never change.
PAGE = Policy(browser=0, edge=60, swr=60, sie=600)
ASSET = {"Cache-Control": "public, max-age=31536000, immutable"}
# The picture of a match is named by what it shows and never changes. For as long as we have it (db.live.pictures), and
# not for ever: each goal makes another, and an edge has room for so many.
PICTURE = Policy(browser=86_400, edge=604_800)
DOCUMENT = Policy(browser=60, edge=300, swr=300, sie=3600)
# What `flask edge check` reads: long, so that during the check only a purge can change it.
CANARY = Policy(browser=0, edge=3600)

_SCORE = {Phase.LIVE: LIVE, Phase.BREAK: LIVE, Phase.FINISHED: FINAL}
_DETAIL = {Phase.LIVE: LIST, Phase.BREAK: LIST, Phase.FINISHED: FINAL}


def for_phase(phase: Phase) -> Policy:
    """The policy of the score itself."""
    return _SCORE.get(phase, RESTING)


def for_detail(phase: Phase) -> Policy:
    """The policy of a match's metadata and timeline, which nobody polls for a goal."""
    return _DETAIL.get(phase, RESTING)


def in_surge(policy: Policy) -> Policy:
    """Kept longer at the edge, never in the browser: what is there cannot be purged."""
    return replace(policy, edge=SURGE.edge, swr=SURGE.swr) if policy.edge < SURGE.edge else policy


# Seconds. Without a CDN that we can purge, corrections are seen by expiry alone.
UNPURGED_S = 30

Lifetimes = Callable[[Policy], dict[str, str]]


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one CDN reads lifetimes and keys.

    lifetimes: the header fields of a policy.
    key_field: the header field that carries keys; "" where the CDN has none.
    separator: between two keys.
    """

    lifetimes: Lifetimes
    key_field: str = ""
    separator: str = ","

    def headers(self, policy: Policy, tags: Sequence[str] = ()) -> dict[str, str]:
        fields = self.lifetimes(policy)
        return fields | {self.key_field: self.separator.join(tags)} if tags and self.key_field else fields

    @property
    def in_surge(self) -> Dialect:
        """The same, while the service surges."""
        return replace(self, lifetimes=lambda policy: self.lifetimes(in_surge(policy)))


def _unpurged(policy: Policy) -> dict[str, str]:
    return replace(policy, edge=min(policy.edge, UNPURGED_S), swr=min(policy.swr, UNPURGED_S)).headers()


def _surrogate_control(policy: Policy) -> dict[str, str]:
    return policy.targeted("Surrogate-Control")


def _cdn_cache_control(policy: Policy) -> dict[str, str]:
    """RFC 9213. Cloudflare would let `s-maxage` in Cache-Control switch stale-while-revalidate off."""
    return policy.targeted("CDN-Cache-Control")


# Keys are separated by spaces in Surrogate-Key (fastly.com/documentation), by commas in Cloudflare's Cache-Tag,
# CloudFront's field (CacheTagConfig names it) and Bunny's CDN-Tag.
DIALECTS = {
    "null": Dialect(_unpurged),
    "varnish": Dialect(_surrogate_control, "Surrogate-Key", " "),
    "fastly": Dialect(_surrogate_control, "Surrogate-Key", " "),
    "cloudflare": Dialect(_cdn_cache_control, "Cache-Tag"),
    "cloudfront": Dialect(Policy.headers, "Cache-Tag"),
    "bunny": Dialect(Policy.headers, "CDN-Tag"),
}


def dialect(cdn: str) -> Dialect:
    """Raises Refused for an unknown CDN."""
    if cdn not in DIALECTS:
        raise Refused(f"CDN={cdn!r} is not known; there are {', '.join(DIALECTS)}.")
    return DIALECTS[cdn]
