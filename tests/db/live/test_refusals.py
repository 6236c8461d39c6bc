"""Refused payloads on a real Redis."""

from __future__ import annotations

from db.live.refusals import REFUSED_MAX
from db.live.store import LiveStore
from tests.support.live import payload


def test_a_refused_payload_waits_whole(live: LiveStore) -> None:
    live.refusals.keep(payload(1))
    [(entry, kept)] = live.refusals.entries(10)
    assert kept == payload(1)
    live.refusals.ack([entry])
    live.refusals.ack([])
    assert (live.refusals.entries(10), live.refusals.waiting()) == ([], 0)


def test_refused_payloads_are_bounded_and_the_newest_stay(live: LiveStore) -> None:
    for n in range(REFUSED_MAX + 5):
        live.refusals.keep(payload(n))
    kept = [refusal.id for _, refusal in live.refusals.entries(1_000)]
    assert (len(kept), kept[0], kept[-1]) == (REFUSED_MAX, "id5", f"id{REFUSED_MAX + 4}")
