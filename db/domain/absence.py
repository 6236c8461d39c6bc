"""What whole documents leave out: an event that is missing from them for long enough has been taken back."""

from __future__ import annotations

from collections.abc import Mapping

from db.domain.event import Event, tellings_of
from db.domain.lag import ABSENT_MS, BOARD_LAG_MS, DOCUMENT_LAG_MS, SETTLED_MS
from db.domain.ledger import Ledger
from db.domain.stamp import Mark
from db.domain.vocabulary import LISTED_TYPES


def absences(ledger: Ledger, events: Mapping[str, Event]) -> dict[str, Mark]:
    """Events that the documents of the last ABSENT_MS lack, with the mark since which nobody has told of them.

    Only documents that list events of its type speak of an event. Presence in one of them ends an absence.
    """
    if not ledger.snapshots:
        return {}
    speaking = {type_: [report for report in ledger.snapshots if type_ in report.lists] for type_ in LISTED_TYPES}
    missing: dict[str, Mark] = {}
    for event in events.values():
        snapshots = speaking.get(event.type)
        if not snapshots or event.voided or event.id in snapshots[-1].ids:
            continue
        told_at = max(mark.at for telling in tellings_of(event) for mark in telling.marks)
        if _is_absent(ledger, event, told_at, [report.mark.at for report in snapshots]):
            # Stable while documents go on to lack it, so that nothing else is taken in its place.
            missing[event.id] = Mark(max(told_at, ledger.present.get(event.id, 0)) + 1)
    return missing


def _is_absent(ledger: Ledger, event: Event, told_at: int, documents: list[int]) -> bool:
    """A document that never listed it may not know it yet; one that did knows what it leaves out.

    told_at: when it was last told to be. documents: when those that speak of it were told, the last of which lacks it.
    """
    newest, present_at = documents[-1], ledger.present.get(event.id, 0)
    if newest - max(told_at, present_at) >= SETTLED_MS:
        return True
    earlier = max((at for at in documents if newest - at >= ABSENT_MS), default=0)
    is_listed = ledger.listed.get(event.id, earlier) < earlier
    return present_at < earlier > told_at + (BOARD_LAG_MS if is_listed else DOCUMENT_LAG_MS)
