"""`reduce`: a match and what is told of it → the match that follows, and the facts that are new."""

from __future__ import annotations

from dataclasses import replace

from db.domain.derive import derive
from db.domain.facts import clock_of, facts_between
from db.domain.ledger import Ledger, entered
from db.domain.match import Fact, Match
from db.domain.sources import Precedence, chosen
from db.domain.update import Update

BY_FIRST_WORD = Precedence()


def reduce(
    match: Match | None, *updates: Update, precedence: Precedence = BY_FIRST_WORD
) -> tuple[Match, tuple[Fact, ...]]:
    """Pure and total: any update is accepted. (match, ()) comes back where nothing new was told.

    match: with its ledgers, and with those of its other events that the updates name. The order of the updates does not
    matter, nor how often one is among them, save where one bears no time, and between sources.
    """
    before = match or Match(updates[0].match_id)
    if match is None and all(update.is_tick for update in updates):
        return before, ()
    told = before
    for update in updates:
        told = told if update.is_tick else _told(told, update)
    now_ms = max(update.received_at for update in updates)
    told = chosen(told, derive, now_ms=now_ms, precedence=precedence)
    if match is not None and told == before:
        return match, ()
    after = derive(told)
    if clock_of(after) != clock_of(before):
        after = replace(after, minute_at=updates[-1].received_at)
    return after, facts_between(match, after)


def _told(match: Match, update: Update) -> Match:
    source = update.stamp.source
    if not match.ledgers:
        match = replace(match, source=source, first=source)
    is_in_force = source == match.source
    records = match.events if is_in_force else match.elsewhere.get(source, {})
    ledger, touched = entered(match.ledgers.get(source, Ledger()), update, records)
    ledgers = {**match.ledgers, source: ledger}
    if not touched:
        return replace(match, ledgers=ledgers)
    events = {**records, **touched}
    if is_in_force:
        return replace(match, ledgers=ledgers, events=events)
    return replace(match, ledgers=ledgers, elsewhere={**match.elsewhere, source: events})
