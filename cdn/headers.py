"""Every Cache-Control we send, in one table. The generic dialect: `s-maxage` for shared caches (RFC 9111, 5.2.2.10).

The numbers and their reasons: docs/architecture.md, "At the edge".
"""

from __future__ import annotations

from dataclasses import dataclass

from db.domain import Phase

NO_STORE = {"Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True)
class Policy:
    """Seconds: browser is max-age, edge s-maxage; swr and sie the stale allowances (RFC 5861), 0 for none."""

    browser: int
    edge: int
    swr: int = 0
    sie: int = 0

    def headers(self) -> dict[str, str]:
        parts = ["public", f"max-age={self.browser}", f"s-maxage={self.edge}"]
        parts += [f"stale-while-revalidate={self.swr}"] if self.swr else []
        parts += [f"stale-if-error={self.sie}"] if self.sie else []
        return {"Cache-Control": ", ".join(parts)}


# A live score: two seconds bound a lost purge, five more are served while the edge fetches, a minute through an outage.
LIVE = Policy(browser=1, edge=2, swr=5, sie=60)
# Before and after: nothing is about to change, and what does is purged.
RESTING = Policy(browser=5, edge=30, swr=30, sie=600)
# Lists, timelines, metadata and search.
LIST = Policy(browser=2, edge=5, swr=10, sie=300)
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


def for_phase(phase: Phase) -> Policy:
    return LIVE if phase in (Phase.LIVE, Phase.BREAK) else RESTING
