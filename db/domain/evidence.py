"""What an event bears beside itself: scores, words and the minute, each as of the moment it speaks of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from db.domain.event import Event, Telling, tellings_of
from db.domain.score import Score
from db.domain.stamp import Mark, by_time, mark_of

T = TypeVar("T")

# Events of 250 matches that are live at once, ten to forty of each.
RECENT = 8_192
# By identity, with the event itself, so that the identity holds.
_recent: dict[int, tuple[Event, Evidence]] = {}


@dataclass(frozen=True, slots=True)
class ClockReading:
    """The minute as one message tells it.

    mark: of its event's first telling: an edit moves no clock.
    clock: of a sport whose clock is no minute.
    event_id: the event that bears it, "" for none.
    """

    mark: Mark
    minute: int | None = None
    added_minute: int | None = None
    period: int | None = None
    clock: str | None = None
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class ScoreRevision:
    """A score that an event is told anew with. first: of the event, the moment that its score may speak of."""

    mark: Mark
    first: Mark
    score: Score


def beside_of(event: Event) -> Evidence:
    """Worked out once for each event: the ones that bear on the score are asked at every message."""
    entry = _recent.get(id(event))
    if entry is None or entry[0] is not event:
        if len(_recent) >= RECENT:
            _recent.clear()
        entry = _recent[id(event)] = (event, Evidence(event))
    return entry[1]


class Evidence:
    """What an event bears beside itself: scores, words and the minute.

    Its first score, status and minute are of its first moment, even if they were filled in later. The same again says
    nothing. Another score is one of the moment it is told in (`changes`: unless it still speaks of the event's own).
    """

    def __init__(self, event: Event) -> None:
        # What is worked out of the event elsewhere, by what else it depends on.
        self.memo: dict[tuple[object, ...], Any] = {}
        standing = [telling for telling in tellings_of(event) if not telling.void]
        marks = [mark for telling in standing for mark in telling.marks]
        self.event, self.standing = event, standing
        self.first = min(marks, key=by_time, default=Mark(0))._replace(origin=0)
        self.boards: list[tuple[Score, Mark]] = []
        self.changes: list[ScoreRevision] = []
        self.shootouts = list(self._values([(telling.shootout, self._mark(telling)) for telling in standing]))
        self.words = [
            (status.value, mark)
            for status, mark in self._values([(telling.status, self._mark(telling)) for telling in standing])
        ]
        # Without a time nobody knows what the board counts already.
        values = [(telling.board, self._mark(telling)) for telling in standing if not telling.stamp.undated]
        if event.type == "score":
            # A reading of the scoreboard, whatever else it tells: each is of its own moment.
            self.boards = [(score, mark) for score, mark in values if score is not None]
        else:
            for n, (score, mark) in enumerate(self._values(values)):
                if n:
                    self.changes.append(ScoreRevision(mark, self.first, score))
                else:
                    self.boards.append((score, mark))
        self.clock = self._clock() if event.minute is not None else None

    def _mark(self, telling: Telling) -> Mark:
        return mark_of(telling.stamp, self.event.minute, self.event.added_minute, self.event.id)

    def _values(self, values: Iterable[tuple[T | None, Mark]]) -> Iterator[tuple[T, Mark]]:
        last: T | None = None
        for value, mark in values:
            if value is None or value == last:
                continue
            yield value, (self._at_first(mark) if last is None else mark)
            last = value

    def _at_first(self, mark: Mark) -> Mark:
        return self.first._replace(minute=mark.minute, origin=mark.origin)

    def _clock(self) -> ClockReading:
        event = self.event
        mark = self._at_first(mark_of(event.stamp, event.minute, event.added_minute, event.id))
        return ClockReading(mark, event.minute, event.added_minute, event.period, None, event.id)
