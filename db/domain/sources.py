"""Which source tells a match. Sources do not mix: one is in force, and another takes over whole.

Stamps compare within one source only, so between two of them arrival is the only order there is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from db.domain.event import Event
from db.domain.ledger import Ledger
from db.domain.match import Match
from db.domain.record import replace
from db.domain.score import Score
from db.domain.status import RANK
from db.domain.vocabulary import SCORING, Phase, Side

# What the source in force may be silent for while another is ahead of it. Of two real tellings each is ahead of the
# other for seconds at every event; taken over at once, 70 matches changed hands 632 times, with this 18 times.
SILENCE_MS = 45_000
# What it may be silent for beyond that while one that lacks a goal of it has come further. One that was cut off before
# a goal was taken back would keep the match from ever ending; one that is alive says something within five minutes.
CUT_OFF_MS = 255_000
# A goal taken back so long before the source in force fell silent: a source that is a minute behind still shows it. Of
# 450 matches told by two sources, in 11 a goal was announced too often without this wait, in 3 with it.
LATELY_MS = 120_000


@dataclass(frozen=True, slots=True)
class Precedence:
    """sources: those that go before others, the first before all; the rest in the order of their first word.
    silence_ms: as SILENCE_MS.
    """

    sources: Sequence[str] = ()
    silence_ms: int = SILENCE_MS

    def goes_before(self, source: str, other: str) -> bool:
        places = {source: place for place, source in enumerate(self.sources)}
        return places.get(source, len(places)) < places.get(other, len(places))


def chosen(match: Match, derive: Callable[[Match], Match], *, now_ms: int, precedence: Precedence) -> Match:
    """The match with the source that tells it from now on, and since when others have been ahead of that one.

    now_ms: our own time. No score falls because another source takes over: one that is behind waits, until the one in
    force must have been cut off.
    """
    if len(match.ledgers) < 2:
        return match
    shown = derive(match)
    ledgers = dict(match.ledgers)
    preferred: str | None = None
    for source, ledger in match.ledgers.items():
        if source == match.source:
            continue
        other = derive(_told_by(match, source))
        ledgers[source] = replace(ledger, ahead_at=_ahead_since(match, ledger, other, shown, now_ms))
        if preferred is None and precedence.goes_before(source, match.source) and not is_behind(other, shown):
            preferred = source
    match = replace(match, ledgers=ledgers)
    due = due_ms(match, precedence)
    if preferred is None and due is not None and due <= now_ms:
        preferred = max(_ahead(match), key=lambda source: (ledgers[source].heard_at, source))
    return _taken_over(match, preferred) if preferred else match


def due_ms(match: Match, precedence: Precedence) -> int | None:
    """When another source takes over, if the one in force stays silent until then (ms); None where none is ahead."""
    silent_since = match.ledgers[match.source].heard_at if match.ledgers else 0
    ahead = [max(match.ledgers[source].ahead_at, silent_since) for source in _ahead(match)]
    return min(ahead) + precedence.silence_ms if ahead else None


def is_ahead(match: Match, other: Match) -> bool:
    """Whether one knows of a goal or a status that the other has not come to, and lacks none of its goals."""
    if is_behind(match, other):
        return False
    return _goals(match) > _goals(other) or _course(match) > _course(other)


def is_behind(match: Match, other: Match) -> bool:
    """Whether it lacks a goal that the other knows, or has not come so far."""
    scores = match.score, other.score
    if scores[1] is not None and (scores[0] is None or any(scores[0].of(side) < scores[1].of(side) for side in Side)):
        return True
    return _course(match) < _course(other)


def _goals(match: Match) -> int:
    return match.score.home + match.score.away if match.score else -1


def _course(match: Match) -> int:
    """How far it has come. What was called off is no further than what has not begun."""
    return 0 if match.phase is Phase.OFF else RANK.get(match.status, 0)


def _ahead(match: Match) -> list[str]:
    return [source for source, ledger in match.ledgers.items() if source != match.source and ledger.ahead_at]


def _ahead_since(match: Match, ledger: Ledger, other: Match, shown: Match, now_ms: int) -> int:
    """Of one that lacks a goal, or counts one that was just taken back, or tells no score where none has fallen, when
    it will count as ahead if the source in force stays silent (ms)."""
    in_force = match.ledgers[match.source]
    if is_ahead(other, shown):
        since = min(ledger.ahead_at or now_ms, now_ms)
        is_doubtful = _is_taken_back(shown, other, in_force.heard_at)
        return max(since, in_force.heard_at + CUT_OFF_MS) if is_doubtful else since
    if (other.score is not None or _goals(shown) <= 0) and _course(other) > _course(shown):
        return in_force.heard_at + CUT_OFF_MS
    return 0


def _is_taken_back(shown: Match, other: Match, heard_at: int) -> bool:
    """Whether the other is ahead only by goals that the source in force took back shortly before it fell silent: most
    often the other is behind, and takes them back, too."""
    if _course(other) > _course(shown) or other.score is None:
        return False
    lost = [event for event in shown.events.values() if event.type in SCORING and _is_void_since(event, heard_at)]
    counted = shown.score or Score(0, 0)
    return all(other.score.of(side) <= counted.of(side) + sum(event.team is side for event in lost) for side in Side)


def _is_void_since(event: Event, heard_at: int) -> bool:
    return event.voided and event.void_at is not None and event.void_at.at >= heard_at - LATELY_MS


def _told_by(match: Match, source: str) -> Match:
    return replace(match, source=source, events=match.elsewhere.get(source, {}))


def _taken_over(match: Match, source: str) -> Match:
    """Its events take the place of those shown until now."""
    elsewhere = {**match.elsewhere, match.source: match.events}
    events = elsewhere.pop(source, {})
    ledgers = {name: replace(ledger, ahead_at=0) for name, ledger in match.ledgers.items()}
    return replace(match, source=source, events=events, elsewhere=elsewhere, ledgers=ledgers)
