"""Writes outboxes to SQL, in batches over many matches. What SQL could not take stays in the outbox."""

from __future__ import annotations

import logging
import time
from itertools import accumulate, islice

from db.bugs import set_aside_on_bug
from db.domain.errors import Unavailable
from db.live.lineage import Lineage, Names
from db.live.partials import Partials
from db.live.store import LiveStore
from db.outbox_entry import OutboxEntry
from db.refusals import collect
from db.sql.history import History
from workers.boot import services
from workers.merge import Merger
from workers.queues import Doorbells
from workers.reconcile import reconcile

logger = logging.getLogger(__name__)

# Outboxes per transaction, and entries of each: about 50 ms on SQLite, so that other writers never wait long.
MATCHES, ENTRIES = 50, 50
# Events per transaction; what is above waits for the next. After an outage an entry has up to fifty of them: 50 matches
# that were told touch by touch for ten minutes have 13,000. 65,000 took 146 s on a busy machine (docs/scale.md), and
# the other jobs of the worker, alerts among them, wait while a transaction lasts.
EVENTS = 2_500
# As in workers.ingest, but slower: a tenth of a second between looks makes larger batches on a match day.
LIFE_S, LINGER_S, LOOK_S = 2.0, 0.3, 0.1


def drain() -> None:
    """The job behind the history doorbell."""
    resources = services()
    if resources.shards.is_frozen():
        return
    purging = resources.settings.cdn != "null"
    merger = Merger(
        resources.live, resources.history, resources.bells, purging=purging, precedence=resources.precedence
    )
    drain_pending(resources.live, resources.history, resources.bells, merger)


def drain_pending(live: LiveStore, history: History, bells: Doorbells, merger: Merger | None = None) -> None:
    """Write until all outboxes are empty. If SQL is away it stops; the clock rings again."""
    merger = merger or Merger(live, history, bells)
    started = busy = time.monotonic()
    try:
        while time.monotonic() - started < LIFE_S:
            if write_batch(live, history, merger):
                busy = time.monotonic()
            elif (time.monotonic() - busy > LINGER_S or bells.waiting()) and live.outbox.clear_bell():
                return
            time.sleep(LOOK_S)
    except Unavailable as error:
        logger.warning("history_waits reason=%r", error.message)
        live.outbox.mute_bell()
        return
    bells.history()


def write_batch(live: LiveStore, history: History, merger: Merger | None = None) -> int:
    """Merge partial matches, write one batch and remove it from the outboxes.

    Returns the number of matches merged and entries written. Safe to repeat.
    """
    names = reconcile(live, history, now_ms=_now_ms())
    collect(live, history, ENTRIES)
    write_documents(live, history)
    count = (merger or Merger(live, history)).batch()
    waiting = live.outbox.pending(MATCHES)
    with set_aside_on_bug("history_batch_failed matches=%d", len(waiting)):
        written = _write(live, history, waiting, names)
        if written is not None:
            return count + written
        logger.warning("history_batch_slow matches=%d", len(waiting))
    return count + sum(_write_or_park(live, history, match_id, names) for match_id in waiting)


def write_documents(live: LiveStore, history: History) -> None:
    """Line-ups and statistics of some matches into SQL. Safe to repeat."""
    waiting = live.documents.pending(MATCHES)
    if waiting:
        history.documents.write([document for entry in waiting for document in live.documents.read(entry.member)])
        live.documents.ack(waiting)


def _write(live: LiveStore, history: History, match_ids: list[str], names: Names) -> int | None:
    """How many entries were written; None if SQL is up and has not done it in its time.

    names: the Redis that was compared with SQL. Nothing is written for another one, nor for partial matches.
    """
    boxes = live.outbox.batch(match_ids, ENTRIES)
    ledgers = live.matches.ledgers(match_ids)
    if Lineage(live.sharded).read()[0] != names:
        return 0
    for match_id in Partials(live.sharded).among(match_ids):
        del boxes[match_id]
    boxes = _first(boxes)
    changes = [change for box in boxes.values() for change in box]
    if changes and not _is_written(history, changes, ledgers):
        return None
    live.outbox.ack({match_id: [change.id for change in box] for match_id, box in boxes.items()})
    return len(changes)


def _first(boxes: dict[str, list[OutboxEntry]]) -> dict[str, list[OutboxEntry]]:
    """Whole outboxes with EVENTS at most, one at least."""
    sizes = accumulate(sum(len(change.events) for change in box) for box in boxes.values())
    taken = sum(size <= EVENTS for size in sizes)
    return dict(islice(boxes.items(), max(1, taken)))


def _is_written(history: History, changes: list[OutboxEntry], ledgers: dict[str, str]) -> bool:
    """False where SQL is up: that a statement is not done in its time may be the fault of one match, of a row that
    another session keeps locked or of one that is too large, and all others would wait behind it for ever."""
    try:
        history.write(changes, ledgers)
    except Unavailable:
        history.ping()
        return False
    return True


def _write_or_park(live: LiveStore, history: History, match_id: str, names: Names) -> int:
    """An outbox that hits a bug, or is not written in time, is parked with an error and retried, so that it does not
    stop the others."""

    def park() -> None:
        live.outbox.park(match_id, now_ms=_now_ms())

    with set_aside_on_bug("history_parked match=%s", match_id, aside=park):
        written = _write(live, history, [match_id], names)
        if written is not None:
            return written
        logger.error("history_slow match=%s", match_id)
        park()
    return 0


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
