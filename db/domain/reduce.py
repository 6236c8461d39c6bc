"""`reduce`: a match and what is told of it → the match that follows, and the facts that are new."""

from __future__ import annotations

from db.domain.derive import derive
from db.domain.facts import clock_of, facts_between
from db.domain.ledger import Ledger, entered
from db.domain.match import Fact, Match
from db.domain.record import replace
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
    news = [update for update in updates if not update.is_tick]
    if match is None and not news:
        return before, ()
    now_ms = max(update.received_at for update in updates)
    selected = chosen(_told(before, news), derive, now_ms=now_ms, precedence=precedence)
    if match is not None and selected == before:
        return match, ()
    after = derive(selected)
    if clock_of(after) != clock_of(before):
        after = replace(after, minute_at=updates[-1].received_at)
    return after, facts_between(match, after)


def _told(match: Match, updates: list[Update]) -> Match:
    """The match with what the updates tell in its ledgers, copied once for all of them."""
    if not updates:
        return match
    first = match.first if match.ledgers else updates[0].stamp.source
    source = match.source if match.ledgers else first
    ledgers, events = dict(match.ledgers), {**match.elsewhere, source: match.events}
    for update in updates:
        name = update.stamp.source
        before, records = ledgers.get(name, Ledger()), events.get(name, {})
        ledger, touched = entered(before, update, records)
        ledgers[name] = ledger
        events[name] = {**records, **touched} if touched else records
    for name, ledger in ledgers.items():
        heard = [update.received_at for update in updates if update.stamp.source == name]
        if heard and ledger is not match.ledgers.get(name):
            ledgers[name] = replace(ledger, heard_at=max(ledger.heard_at, *heard))
    own = events.pop(source)
    elsewhere = {name: some for name, some in events.items() if some}
    return replace(match, source=source, first=first, ledgers=ledgers, events=own, elsewhere=elsewhere)
