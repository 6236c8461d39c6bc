"""Cache keys: those that an answer carries, and those that a change purges. One grammar, one table.

match-{id}          score, metadata, timeline, line-ups, statistics, and the 404 of a match that does not exist yet
live                the board of live matches
day-{yyyy-mm-dd}    lists that show matches starting on that day (UTC)
competition-{id}    lists of one competition
table-{id}          table and scorers of one competition
team-{id}           a team's results and fixtures
meeting-{digest}    what two teams have played against each other

A key is lower case `[a-z0-9-]`, 64 characters at most, which every CDN accepts: Cloudflare ignores the case of tags,
others separate keys by comma or space, and CloudFront marks a tag with `#`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from cdn import headers
from db.domain import Fact, FactKind, Match, Phase

LIVE = "live"
CANARY = "canary"
# Has the lifetime of the canary and is never purged: if it goes, a purge was not the reason.
CONTROL = "canary-control"
# A list over more days carries no keys and is left to expire: Bunny's CDN-Tag holds 1024 bytes.
DAYS_MAX = 4
DAY_MS = 24 * 60 * 60 * 1000

_PLAIN = re.compile(r"(?!x-)[a-z0-9-]{1,48}")


def match(match_id: str) -> str:
    """Of one match."""
    return f"match-{_safe(match_id)}"


def competition(competition_id: str) -> str:
    return f"competition-{_safe(competition_id)}"


def table(competition_id: str) -> str:
    return f"table-{_safe(competition_id)}"


def team(team_id: str) -> str:
    return f"team-{_safe(team_id)}"


def meeting(team_id: str, other_id: str) -> str:
    """Of two teams, whichever is at home. No id has the space between them."""
    return f"meeting-{_digest(' '.join(sorted((team_id, other_id))))}"


def day(at_ms: int) -> str:
    return f"day-{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d}"


def days(since_ms: int | None, until_ms: int | None) -> tuple[str, ...]:
    """Keys of the days between two instants; none for an open or a long range."""
    if since_ms is None or until_ms is None or not 0 < until_ms - since_ms <= DAYS_MAX * DAY_MS:
        return ()
    return tuple(dict.fromkeys([*map(day, range(since_ms, until_ms, DAY_MS)), day(until_ms - 1)]))


def _safe(id_: str) -> str:
    """The id itself where it is a valid key; else a digest with a mark that no plain id can have."""
    return id_ if _PLAIN.fullmatch(id_) else f"x-{_digest(id_)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:40]


@dataclass(frozen=True, slots=True)
class Purge:
    """One key to purge.

    key: the cache key.
    lifetime_s: how long the oldest answer under this key can still be served if the purge is lost.
    """

    key: str
    lifetime_s: int


def is_soft(key: str) -> bool:
    """Lists may be served stale once more while they are fetched; a score may not."""
    return key.startswith(("day-", "competition-", "table-", "team-", "meeting-"))


def _match(match_: Match) -> Iterable[Purge]:
    policies = headers.for_phase(match_.phase), headers.for_detail(match_.phase)
    yield Purge(match(match_.id), max(policy.lifetime_s for policy in policies))


def _board(match_: Match) -> Iterable[Purge]:
    if match_.phase in (Phase.LIVE, Phase.BREAK):
        yield Purge(LIVE, headers.SURGE.lifetime_s)


def _day(match_: Match) -> Iterable[Purge]:
    if match_.start_time is not None:
        yield Purge(day(match_.start_time), headers.LIST.lifetime_s)


def _competition(match_: Match) -> Iterable[Purge]:
    if match_.competition is not None:
        yield Purge(competition(match_.competition.id), headers.LIST.lifetime_s)
        yield Purge(table(match_.competition.id), headers.LIST.lifetime_s)


def _teams(match_: Match) -> Iterable[Purge]:
    team_ids = [side.id for side in (match_.home, match_.away) if side]
    for team_id in team_ids:
        yield Purge(team(team_id), headers.LIST.lifetime_s)
    if len(team_ids) == 2:
        yield Purge(meeting(*team_ids), headers.LIST.lifetime_s)


_SCORE, _LISTS = (_match, _board), (_match, _board, _day, _competition, _teams)

# What a change purges. Every change shows on the match and on the board; lists are purged only for what readers look
# for in them, and show a red card, or a name that came after its goal, by expiry (5 s). The clock purges nothing: its
# minutes, 246 a minute on a Saturday, would spend the budget that goals need (Cloudflare Free: five calls a minute),
# and expiry shows them in 2 s.
PURGES: dict[FactKind | None, tuple[Callable[[Match], Iterable[Purge]], ...]] = {
    None: (),  # nothing but the clock
    FactKind.ADDED: _SCORE,
    FactKind.EDITED: _SCORE,
    FactKind.VOIDED: _SCORE,
    FactKind.RESTORED: _SCORE,
    FactKind.SCORE: _LISTS,
    FactKind.STATUS: _LISTS,
    FactKind.INFO: _LISTS,
}


def purges(before: Match | None, after: Match, facts: Iterable[Fact]) -> tuple[Purge, ...]:
    """The keys of the answers that show `before`, and of those that lack `after`."""
    kinds: set[FactKind | None] = {fact.kind for fact in facts}
    kinds = kinds or {None}
    rules = dict.fromkeys(rule for kind, own_rules in PURGES.items() if kind in kinds for rule in own_rules)
    by_key: dict[str, Purge] = {}
    # What caches hold shows `before` (the 404 of a match that was not known), so its lifetimes count.
    for version in (before or Match(after.id), after):
        for purge in (purge for rule in rules for purge in rule(version)):
            by_key.setdefault(purge.key, purge)
    return tuple(by_key.values())
