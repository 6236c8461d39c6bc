"""What is told again and again, a score or a status, thinned to what can still matter.

A track holds, for each five minutes of stamps and each value told in them, the first and the last marks. Between two
equal tellings so near each other a third says nothing that the first did not. So a match told touch by touch costs
what a match told goal by goal does, and which marks are kept does not depend on the order in which they arrived.
"""

from __future__ import annotations

from collections.abc import Iterator

from db.domain.stamp import Mark, by_sequence, by_time

# One minute made 375 marks of a match told touch by touch, and a fold of a millisecond; five make 80.
SPAN_MS = 300_000
# Marks kept at each end. Two, so that the second is still there when an edit turns out to have been told before its
# event and takes its mark back.
ENDS = 2

Track = dict[int, dict[str, tuple[Mark, ...]]]


def added(track: Track, value: str, mark: Mark) -> Track:
    """The track with one telling more; the very same track where it says nothing new."""
    span = mark.at // SPAN_MS
    values = track.get(span, {})
    marks = values.get(value, ())
    kept = thinned((*marks, mark))
    if kept == marks:
        return track
    return {**track, span: {**values, value: kept}}


def removed(track: Track, value: str, mark: Mark) -> Track:
    """The track without one telling; where it was thinned out there is nothing to take back."""
    span = mark.at // SPAN_MS
    values = track.get(span, {})
    marks = list(values.get(value, ()))
    if mark not in marks:
        return track
    marks.remove(mark)
    rest = {**values, value: tuple(marks)} if marks else {key: kept for key, kept in values.items() if key != value}
    return {**track, span: rest} if rest else {key: kept for key, kept in track.items() if key != span}


def thinned(marks: tuple[Mark, ...]) -> tuple[Mark, ...]:
    """The first and the last, by time and by number: which of the two orders a source depends on all of its messages.

    A mark told twice counts once.
    """
    unique = set(marks)
    if len(unique) < 2:
        return tuple(unique)
    ordered = sorted(unique, key=_whole)
    if len(ordered) <= 2 * ENDS:
        return tuple(ordered)
    kept = {*ordered[:ENDS], *ordered[-ENDS:]}
    if any(mark.sequence is not None for mark in ordered):
        numbered = sorted(ordered, key=by_sequence)
        kept |= {*numbered[:ENDS], *numbered[-ENDS:]}
    return tuple(sorted(kept, key=_whole))


def _whole(mark: Mark) -> tuple[object, ...]:
    return (*by_time(mark), mark.minute, mark.origin)


def newest(track: Track) -> Track:
    """The last two spans: where no goals are told, what older boards say no longer matters."""
    return {span: track[span] for span in sorted(track)[-2:]}


def tellings(track: Track) -> Iterator[tuple[str, Mark]]:
    for values in track.values():
        for value, marks in values.items():
            for mark in marks:
                yield value, mark
