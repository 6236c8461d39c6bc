"""Refused payloads on a real Redis."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from db.live import refusals
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


def test_bodies_that_do_not_pack_are_bounded_by_their_bytes(live: LiveStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "BYTES_MAX", 1_000_000)
    for n in range(40):
        live.refusals.keep(replace(payload(n), body=os.urandom(100_000)))
    kept = [refusal for _, refusal in live.refusals.entries(100) if refusal]
    assert kept[-1].id == "id39"
    assert 4 <= len(kept) < 10
