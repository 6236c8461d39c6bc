"""What changed between two derived matches, in the order a story would tell it."""

from __future__ import annotations

from db.domain.event import Event
from db.domain.match import Fact, FactKind, Match
from db.domain.score import Score
from db.domain.vocabulary import Side


def facts_between(before: Match | None, after: Match) -> tuple[Fact, ...]:
    """Events first, then score, status, the rest."""
    is_taken_over = before is not None and before.source not in ("", after.source)
    earlier = before.events if before else {}
    # Another source tells the same goals under other names: what is new of them is what the score does.
    pairs = [] if is_taken_over else [(earlier.get(event.id), event) for event in after.events.values()]
    facts = [fact for old, event in pairs if (fact := _event_fact(old, event)) is not None]
    was = before.score if before else None
    if after.score != was:
        derived = _is_fall(was, after.score) and not any(_names_fall(fact, after) for fact in facts)
        facts.append(Fact(FactKind.SCORE, was=f"{was.home}-{was.away}" if was else None, derived=derived))
    if before is None or before.shootout != after.shootout:
        facts += [Fact(FactKind.SCORE)] if after.shootout else []
    if before is None or before.status != after.status:
        facts.append(Fact(FactKind.STATUS, was=before.status if before else None))
    if before is None or is_taken_over or _info(before) != _info(after):
        facts.append(Fact(FactKind.INFO, was=_earlier_start(before, after)))
    return tuple(dict.fromkeys(facts))


def is_visible(before: Match | None, after: Match, facts: tuple[Fact, ...]) -> bool:
    """Whether a reader could tell the two apart: then, and only then, the match gets a new version."""
    if before is None or facts:
        return True
    return _unnamed(before) != _unnamed(after)


def _unnamed(match: Match) -> tuple[object, ...]:
    """What can change without a fact: two goals of one minute change places when one turns out to be the earlier."""
    return (clock_of(match), match.decided_by, match.scorers, match.cards)


def is_listed_alike(before: Match | None, after: Match) -> bool:
    """Whether a list of matches, which of all events shows goals and red cards, shows the same of both, but for their
    versions and minutes."""
    return before is not None and _listed(before) == _listed(after)


def _listed(match: Match) -> tuple[object, ...]:
    named = (match.sport, match.home, match.away, match.competition, match.start_time)
    clock = (match.minute is None, match.period, match.clock)
    score = (match.score, match.shootout, match.scorers, match.cards)
    return (match.status, match.decided_by, *score, *named, *clock)


def clock_of(match: Match) -> tuple[int | None, int | None, int | None, str | None]:
    return match.minute, match.added_minute, match.period, match.clock


def _event_fact(before: Event | None, after: Event) -> Fact | None:
    if before is after or before == after or after.type == "":
        return None
    if before is None or before.type == "":
        return Fact(FactKind.VOIDED if after.voided else FactKind.ADDED, after.id, derived=_is_derived(after))
    if before.voided and after.voided and after.named_void and not before.named_void:
        # Known to be void already; now a message says so.
        return Fact(FactKind.VOIDED, after.id)
    if before.voided != after.voided and not _is_reexplained(before, after):
        kind = FactKind.VOIDED if after.voided else FactKind.RESTORED
        return Fact(kind, after.id, was=_earlier_type(before, after), derived=_is_derived(after))
    is_edited = before.voided != after.voided or _content(before) != _content(after)
    return Fact(FactKind.EDITED, after.id, was=before.type) if is_edited else None


def _earlier_type(before: Event, after: Event) -> str | None:
    """What it was, where it is something else now: a goal that is sent again as `goal_cancelled`."""
    return before.type if before.type != after.type else None


def _is_reexplained(before: Event, after: Event) -> bool:
    """A goal that the score had brought back, until another goal turned out to be what raised it: that is no voiding of
    now."""
    return _is_derived(after) and after.void_at is not None and before.since.newer(after.void_at)


def _is_derived(event: Event) -> bool:
    """Voided, and nobody said so: by a falling board, or by its absence."""
    return event.voided and not event.named_void


def _is_fall(was: Score | None, now: Score | None) -> bool:
    return was is not None and now is not None and any(now.of(side) < was.of(side) for side in Side)


def _names_fall(fact: Fact, match: Match) -> bool:
    event = match.events.get(fact.event_id) if fact.event_id else None
    if event is None or fact.derived:
        return False
    return fact.kind is FactKind.VOIDED or (fact.kind is FactKind.ADDED and event.type == "goal_cancelled")


def _content(event: Event) -> tuple[object, ...]:
    content = (event.type, event.team, event.minute, event.added_minute, event.period, event.player, event.assist)
    return (*content, event.detail, event.home_score, event.away_score)


def _info(match: Match) -> tuple[object, ...]:
    info = (match.sport, match.home, match.away, match.competition, match.venue, match.start_time)
    return (*info, match.coverage, match.replaced_by, match.stage, match.round, match.leg)


def _earlier_start(before: Match | None, after: Match) -> str | None:
    """The start as it was known before, where it is another one now."""
    was = before.start_time if before else None
    return str(was) if was is not None and was != after.start_time else None
