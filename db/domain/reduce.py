"""`reduce`: a match and what is told of it → the match that follows, and the facts that are new."""

from __future__ import annotations

from dataclasses import replace

from db.domain.derive import derive
from db.domain.facts import clock_of, facts_between
from db.domain.ledger import Ledger, entered
from db.domain.match import Fact, Match
from db.domain.update import Update


def reduce(match: Match | None, *updates: Update) -> tuple[Match, tuple[Fact, ...]]:
    """Pure and total: any update is accepted. (match, ()) comes back where nothing new was told.

    match: with its ledgers, and with those of its other events that the updates name. The order of the updates does not
    matter, nor how often one is among them, save where one bears no time.
    """
    before = match or Match(updates[0].match_id)
    told = before
    for update in updates:
        told = _told(told, update)
    if match is not None and told == before:
        return match, ()
    after = derive(told)
    if clock_of(after) != clock_of(before):
        after = replace(after, minute_at=updates[-1].received_at)
    return after, facts_between(match, after)


def _told(match: Match, update: Update) -> Match:
    source = update.stamp.source
    ledger, touched = entered(match.ledgers.get(source, Ledger()), update, match.events)
    return replace(
        match,
        source=match.source if match.ledgers else source,
        ledgers={**match.ledgers, source: ledger},
        events={**match.events, **touched} if touched else match.events,
    )
