"""How a match changes: one atomic step, one new version."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from db.codec import (
    encode_event,
    encode_facts,
    encode_ledgers,
    encode_match,
)
from db.domain import (
    Event,
    Fact,
    FactKind,
    Match,
    MergeResult,
    Phase,
    Score,
    event_field,
    is_listed_alike,
)
from db.live import keys, metrics
from db.live.client import BELL_S, guarded, text
from db.live.matches import StoredMatch
from db.live.sharding import Shard, ShardedRedis, ShardScript

# Of what readers of the board need not hear, instead of how urgent it is.
QUIET = "-"
# State stays a day after the end: readers of last night's result never reach SQL.
KEEP_S = 24 * 60 * 60


# One without a start that is not told of for a week is forgotten by its provider; SQL still has it.
UNDATED_S = 7 * KEEP_S
# Fixtures further ahead are left to SQL a day after they were told of, or a season of every league would stay in Redis:
# 2.4 KB each, measured over 2,000 with all their names on Redis 7, so 240 MB for a hundred thousand.
AHEAD_S = 8 * KEEP_S


@dataclass(frozen=True, slots=True)
class CommitResult:
    """done: everything is written; otherwise nothing is, for another drain was first. ring, ring_purge, ring_push,
    ring_pictures: history, the edge, followers, pictures want a job. left: inbox entries that remain. rev: the match's
    revision now."""

    done: bool
    version: int
    ring: bool
    left: int
    rev: str
    ring_purge: bool
    ring_push: bool
    ring_pictures: bool


class Commits:
    """Writes matches.

    message: what the outlet publishes of one, without its version; None where there is no outlet.
    """

    def __init__(self, sharded: ShardedRedis, message: Callable[[Match], str] | None = None) -> None:
        self.sharded, self.message = sharded, message
        self._commit = ShardScript(sharded, "board_advance", "match_commit")
        self._restore = ShardScript(sharded, "board_advance", "match_restore")

    @guarded
    def commit(
        self,
        held: StoredMatch,
        after: Match,
        facts: tuple[Fact, ...],
        ids: Sequence[str],
        *,
        visible: bool,
        purges: Sequence[str] = (),
        tell: bool = False,
        draws: bool = False,
        due_ms: int | None = None,
    ) -> CommitResult:
        """Make `after` the present, drop the inbox entries it came from, and tell history and listeners.

        All in one step, and only if nobody committed since `held` was read. visible: a reader can tell the
        difference, so it becomes a new version. purges: what then has to go from the edge (db.live.purges.entry). tell:
        followers may want to hear of it; of a partial match they do once it is merged. draws: its picture shows
        something else. due_ms: when it is to be worked out anew, whatever is told until then. Safe to repeat when the
        answer was lost: the repeat is stale.
        """
        before = held.match
        mode = "new" if visible else "drop" if before == after else "keep"
        changed = _changed(before, after) if mode != "drop" else {}
        urgent = QUIET if is_listed_alike(before, after) else _urgent(facts)
        return self._step(held, after, facts, mode, urgent, purges, tell and visible, draws, due_ms, "", ids, changed)

    @guarded
    def merge(
        self,
        held: StoredMatch,
        merged: MergeResult,
        entries: Sequence[str],
        *,
        purges: Sequence[str] = (),
        tell: bool = False,
        draws: bool = False,
        due_ms: int | None = None,
    ) -> CommitResult:
        """Make what Redis and history know of a match together the present; it is partial no more.

        As `commit`, with all events. entries: of its outbox, in place of which there will be one that is whole. Where
        history does not have the match, `merged` is `held` and only followers hear of it.
        """
        after, floor = merged.match, merged.stored_version
        mode = "new" if merged.visible else "keep" if merged.is_stored else "drop"
        events = _changed(None, after)
        urgent = _urgent(merged.shown)
        return self._step(held, after, merged.told, mode, urgent, purges, tell, draws, due_ms, floor, entries, events)

    def _step(
        self,
        held: StoredMatch,
        after: Match,
        facts: tuple[Fact, ...],
        mode: str,
        urgent: str,
        purges: Sequence[str],
        tell: bool,
        draws: bool,
        due_ms: int | None,
        floor: int | str,
        ids: Sequence[str],
        events: Mapping[str, Event],
    ) -> CommitResult:
        match_id = after.id
        pairs = [part for name, event in events.items() for part in (name, encode_event(event))]
        document: list[Any] = [*_fields(after), encode_facts(facts), *_standing(after)]
        due = due_ms if due_ms is not None else ""
        timeline = int(bool(events) or held.match is None or held.match.source != after.source)
        message = self.message(after) if self.message and mode == "new" else ""
        last: list[Any] = [encode_ledgers(after), due, floor, *_clock(after), timeline, message]
        last += [int(draws), len(ids), *ids, *pairs]
        shard = self.sharded.of(match_id)
        wake: list[Any] = [BELL_S, *self.sharded.channel(shard), urgent, ",".join(purges), int(tell)]
        args = [match_id, held.rev, mode, *document, *wake, *last]
        done, version, ring, left, rev, purge, push, dropped, draw = self._commit(shard, _names(match_id, shard), args)
        if dropped:
            metrics.OUTLET_DROPPED.add(int(dropped))
        rung = bool(ring), int(left), text(rev), bool(purge), bool(push), bool(draw)
        return CommitResult(done == b"done", int(version), *rung)

    @guarded
    def restore(self, match: Match) -> bool:
        """Put a match read from history back; False if Redis holds it already."""
        fields = _fields(match)
        pairs = [part for name, event in _changed(None, match).items() for part in (name, encode_event(event))]
        shard = self.sharded.of(match.id)
        names = [keys.state(match.id), keys.events(match.id), keys.MATCHES, keys.BOARD]
        names += [keys.BOARD_CHANGES, keys.BOARD_BOUNDS]
        args = [match.id, match.version, match.updated_at, *fields, *_standing(match), encode_ledgers(match), *pairs]
        return bool(self._restore(shard, names, args))


def _names(match_id: str, shard: Shard) -> list[str]:
    """Of the keys that a commit touches."""
    return [
        keys.state(match_id),
        keys.events(match_id),
        keys.inbox(match_id),
        keys.outbox(match_id),
        keys.pending(shard.number),
        keys.HISTORY_PENDING,
        keys.HISTORY_BELL,
        keys.MATCHES,
        keys.BOARD,
        keys.PURGE_PENDING,
        keys.PURGE_BELL,
        keys.WAITING,
        keys.push(match_id),
        keys.PUSH_PENDING,
        keys.PUSH_BELL,
        keys.DUE,
        keys.PARTIAL,
        keys.BOARD_CHANGES,
        keys.BOARD_BOUNDS,
        keys.outlet(match_id),
        keys.OUTLET_PENDING,
        keys.PICTURES_PENDING,
        keys.PICTURES_BELL,
    ]


def _changed(before: Match | None, after: Match) -> dict[str, Event]:
    """Events that are new or other than before, by the name they are stored under."""
    earlier = _by_source(before) if before else {}
    changed: dict[str, Event] = {}
    for source, events in _by_source(after).items():
        old = earlier.get(source, {})
        for event in events.values():
            # A repeat makes an equal event anew; the rest are the very same, which is quicker to see.
            if old.get(event.id) is not event and old.get(event.id) != event:
                changed[event_field(after.first, source, event.id)] = event
    return changed


def _by_source(match: Match) -> dict[str, dict[str, Event]]:
    return {**match.elsewhere, match.source: match.events}


def _fields(match: Match) -> list[str]:
    """The hash an operator reads at two in the morning: the document, then score, time and status in plain words."""
    score = _pair(match.score) + (f" ({_pair(match.shootout)} p)" if match.shootout else "")
    time = match.clock or (f"{match.minute}" if match.minute is not None else "")
    added = f"+{match.added_minute}" if match.added_minute else ""
    return [encode_match(match), score, time + added, match.status]


def _pair(score: Score | None) -> str:
    return f"{score.home}-{score.away}" if score else ""


def _standing(match: Match) -> list[str | int]:
    """Its place among the live matches ("" for none) and how long its state is kept (s, 0 for ever)."""
    if match.phase in (Phase.LIVE, Phase.BREAK):
        return [match.start_time or 0, 0]
    return ["", KEEP_S if match.phase in (Phase.FINISHED, Phase.OFF) else _ahead_s(match)]


def _ahead_s(match: Match) -> int:
    """How long a scheduled match is kept: a day beyond its start, and at least a day from now; a day if it is far."""
    if match.start_time is None:
        return UNDATED_S
    ahead_s = match.start_time // 1_000 - int(time.time())
    return KEEP_S if ahead_s > AHEAD_S else KEEP_S + max(0, ahead_s)


def _clock(match: Match) -> list[int | str]:
    """Minutes played, stoppage included, and when that was so (ms); "" where they are not known."""
    if match.minute is None or match.minute_at is None:
        return ["", ""]
    return [match.minute + (match.added_minute or 0), match.minute_at]


def _urgent(facts: tuple[Fact, ...]) -> str:
    """Readers of the board hear of scores and statuses at once, of names and the like with the next beat."""
    return "1" if any(fact.kind in (FactKind.SCORE, FactKind.STATUS) for fact in facts) else "0"
