"""From inbox to present: drain a match's updates through `reduce` into one commit."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

from db.bugs import set_aside_on_bug
from db.domain import BY_FIRST_WORD, Match, Precedence, Update, due_ms, essential, is_visible, reduce
from db.live.live import CommitResult, EventName, InboxHead, LiveStore, StoredMatch
from db.live.metrics import SOURCES_TAKEN_OVER, STAMPS_CLAMPED
from notify.content.window import concerns
from workers import ring
from workers.boot import services
from workers.queues import Doorbells

logger = logging.getLogger(__name__)

# Updates taken in one commit. A burst is a few dozen per match; more only lengthens the Lua step, which holds
# all of Redis (100 commands are about 0.1 ms).
BATCH = 100
# An RQ job costs about 5 ms of its own, a drain 1 ms: so the job stays a while and looks again before it ends,
# unless other jobs wait. 5 ms between looks adds 2.5 ms to a goal on average. Measured: bench/ingest.py.
LINGER_S, LOOK_S = 0.25, 0.005
# A job ends after this long whatever there is to do: RQ then counts it, and the worker hears signals.
LIFE_S = 2.0
# Matches whose state this process wrote last, so that the next update need not read it back. Checked by revision.
REMEMBERED = 512


def drain_shard(shard: int) -> None:
    """The job behind an ingest bell: apply all that waits in one shard, then silence its bell.

    Raises Refused in a worker that started before the number of shards was changed: it would look in the wrong places.
    """
    services().shards.agree()
    drain_pending(_drain(), shard)


@lru_cache(maxsize=1)
def _drain() -> Drain:
    here = services()
    settings = here.settings
    return Drain(here.live, here.bells, purging=settings.cdn != "null", precedence=here.precedence)


def drain_pending(drain: Drain, shard: int) -> None:
    """Drain while there is work, then linger, then silence the bell; at the end of its life it rings for the next."""
    started = busy = time.monotonic()
    while time.monotonic() - started < LIFE_S:
        waiting = drain.live.pending(shard)
        for match_id in waiting:
            _drain_or_park(drain, match_id)
        if waiting:
            busy = time.monotonic()
        elif time.monotonic() - busy < LINGER_S and drain.bells.waiting() == 0:
            time.sleep(LOOK_S)
        elif drain.live.silence(shard):
            return
    drain.bells.ingest(shard)


def _drain_or_park(drain: Drain, match_id: str) -> None:
    """A match whose updates meet a bug of ours must not stop the others: it is set aside, loudly, and tried again."""

    def park() -> None:
        drain.live.park(match_id, now_ms=time.time_ns() // 1_000_000)

    with set_aside_on_bug("match_parked match=%s", match_id, aside=park):
        drain.match(match_id)


class Drain:
    """Applies inboxes. Any number of them may work on one match: the commit lets one through, the others look again.

    A goal waits for no database: a match that Redis does not know begins from nothing, is partial, and is merged with
    what SQL knows of it beside (workers.merge).
    """

    def __init__(
        self,
        live: LiveStore,
        bells: Doorbells,
        *,
        purging: bool = False,
        precedence: Precedence = BY_FIRST_WORD,
    ) -> None:
        self.live = live
        self.bells = bells
        self.purging = purging
        self.precedence = precedence
        self.remembered: OrderedDict[str, StoredMatch] = OrderedDict()

    def match(self, match_id: str) -> None:
        """Apply everything in the match's inbox, batch by batch."""
        left = 1
        while left:
            waiting = self.live.inbox(match_id, BATCH)
            left = self._apply(match_id, waiting) if waiting.ids else self.live.settle(match_id)

    def _apply(self, match_id: str, waiting: InboxHead) -> int:
        """One batch, one commit; returns how many entries the inbox still holds."""
        held = self._held(match_id, waiting)
        if held.rev != waiting.rev:
            # Somebody committed since the inbox was read: its head may be in the match already.
            return 1
        after, facts = reduce(held.match, *waiting.updates, precedence=self.precedence)
        visible = is_visible(held.match, after, facts)
        purges = ring.purge_entries(held.match, after, facts) if self.purging and visible else []
        tell = visible and concerns(after, facts)
        due = due_ms(after, self.precedence)
        committed = self.live.commit(
            held, after, facts, waiting.ids, visible=visible, purges=purges, tell=tell, due_ms=due
        )
        self.remembered.pop(match_id, None)
        if committed.done:
            _tell_of_sources(held.match, after)
            self._follow(after, committed, visible)
        return committed.left

    def _follow(self, after: Match, committed: CommitResult, visible: bool) -> None:
        self._remember(StoredMatch(after, committed.rev))
        if visible:
            score = f"{after.score.home}-{after.score.away}" if after.score else None
            said = (after.id, committed.version, after.status.value, score, after.minute)
            logger.info("match_applied match=%s version=%d status=%s score=%s minute=%s", *said)
        ring.ring(self.bells, committed)

    def _held(self, match_id: str, waiting: InboxHead) -> StoredMatch:
        """The match at its revision, with the events the updates name. Read where another process wrote it last."""
        names = _named(waiting.updates)
        known = self.remembered.get(match_id)
        if known and known.match and known.rev == waiting.rev:
            return replace(known, match=self.live.with_named(known.match, names))
        return self.live.hold(match_id, names)

    def _remember(self, held: StoredMatch) -> None:
        assert held.match is not None  # noqa: S101 - for the type checker
        self.remembered[held.match.id] = replace(held, match=essential(held.match))
        if len(self.remembered) > REMEMBERED:
            self.remembered.popitem(last=False)


def _tell_of_sources(before: Match | None, after: Match) -> None:
    """What an operator should hear of: another source tells the match, or a sender's clock is wrong."""
    if before is not None and before.source not in ("", after.source):
        logger.warning("source_taken_over match=%s from=%s to=%s", after.id, before.source, after.source)
        SOURCES_TAKEN_OVER.add()
    known = before.ledgers if before else {}
    for source, ledger in after.ledgers.items():
        clamped = ledger.clamped - (known[source].clamped if source in known else 0)
        if clamped > 0:
            logger.warning("stamps_clamped match=%s source=%s messages=%d", after.id, source, clamped)
            STAMPS_CLAMPED.add(clamped, source=source)


def _named(updates: Iterable[Update]) -> list[EventName]:
    """The events that updates tell of or take back."""
    names: dict[EventName, None] = {}
    for update in updates:
        for event_id in (update.event.id if update.event else None, update.voids):
            if event_id is not None:
                names[update.stamp.source, event_id] = None
    return list(names)
