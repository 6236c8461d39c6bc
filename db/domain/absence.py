"""What whole documents leave out: an event that is missing from them for long enough has been taken back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from db.domain.event import Event, tellings_of
from db.domain.ledger import Ledger, Snapshot
from db.domain.stamp import Mark
from db.domain.tally import BOARD_LAG_MS, DOCUMENT_LAG_MS
from db.domain.words import SCORING

# Two documents that lack it have to lie this far apart by their own stamps: one alone may be behind the push stream.
ABSENT_MS = 10_000


def absences(ledger: Ledger, events: Mapping[str, Event]) -> Iterator[tuple[str, Mark]]:
    """Goals that the newest document lacks, and one a while before it, with the mark since which they are absent.

    Presence in the newest document ends an absence.
    """
    if len(ledger.snapshots) < 2:
        return
    newest = ledger.snapshots[-1]
    earlier = [one for one in ledger.snapshots if newest.mark.at - one.mark.at >= ABSENT_MS]
    if not earlier:
        return
    for event in events.values():
        if event.type in SCORING and not event.voided and _is_absent(ledger, event, earlier[-1], newest):
            yield event.id, newest.mark


def _is_absent(ledger: Ledger, event: Event, earlier: Snapshot, newest: Snapshot) -> bool:
    """A document that never listed it may not know it yet; one that did knows what it leaves out."""
    if event.id in newest.ids or event.id in earlier.ids:
        return False
    last = max(mark.at for telling in tellings_of(event) for mark in telling.marks)
    is_listed = ledger.listed.get(event.id, earlier.mark.at) < earlier.mark.at
    return earlier.mark.at > last + (BOARD_LAG_MS if is_listed else DOCUMENT_LAG_MS)
