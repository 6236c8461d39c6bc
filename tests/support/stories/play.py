"""The one place where stories meet the code: message → generic feed → `reduce`, one by one, and what is then shown."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from db.domain import SCORING, Event, Fact, Match, Phase, Score, ScorelineEntry, Update, reduce
from feeds.generic.parse import parse

MATCH_ID = "story"
# Second 0 of every story.
BASE_MS = 1_795_600_000_000
# What a message takes from its sender to us.
TRANSIT_S = 0.2


@dataclass(frozen=True)
class Message:
    """One message of a story: an event with its stamp, or an undated entry of `matches[]`.

    fields: as the generic format has them, without match id and timestamp. at: seconds into the story, None where
    undated. received: seconds into the story; it belongs to the message, so that an order of arrival changes no time.
    """

    fields: dict[str, Any]
    at: float | None
    received: float
    updates: list[Update] = field(default_factory=list, compare=False, repr=False)

    @property
    def body(self) -> bytes:
        if self.at is None:
            return json.dumps({"matches": [{"id": MATCH_ID, **self.fields}]}).encode()
        six = {
            "match_id": MATCH_ID,
            "home_score": None,
            "away_score": None,
            "minute": None,
            "timestamp": _moment(self.at),
        }
        return json.dumps({"events": [six | self.fields]}).encode()

    def __str__(self) -> str:
        if self.at is None:
            return f"  undated   {_words(self.fields)}"
        fields = dict(self.fields)
        scores = [fields.pop(name, None) for name in ("home_score", "away_score")]
        board = "-".join("?" if n is None else str(n) for n in scores) if scores != [None, None] else ""
        head = (fields.pop("event_type"), fields.pop("event_id", "no id"), fields.pop("team", ""), board)
        return f"  @{self.at:<9g}{' '.join(filter(None, head))} {_words(fields)}".rstrip()


def _words(fields: dict[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in fields.items() if value is not None)


def _moment(at: float) -> str:
    return datetime.fromtimestamp((BASE_MS + round(at * 1000)) / 1000, UTC).isoformat(timespec="milliseconds")


def event(kind: str, at: float, score: str | None = None, **fields: Any) -> Message:
    """score: `"1-0"`. Fields that are None are left out."""
    if score is not None:
        fields["home_score"], fields["away_score"] = map(int, score.split("-"))
    given = {name: value for name, value in fields.items() if value is not None}
    return Message({"event_type": kind, **given}, at, at + TRANSIT_S)


def entry(received: float, **fields: Any) -> Message:
    """An undated entry of `matches[]`, which arrives at `received`."""
    return Message(fields, None, received)


def updates_of(message: Message) -> list[Update]:
    """What the feed makes of it, read once: the feed knows nothing but the message."""
    if not message.updates:
        received_at = BASE_MS + round(message.received * 1000)
        message.updates.extend(parse(message.body, received_at=received_at))
    return message.updates


def steps(messages: Iterable[Message]) -> Iterator[tuple[Match, tuple[Fact, ...]]]:
    """The match after each message, and what was new in it."""
    match: Match | None = None
    for message in messages:
        facts: tuple[Fact, ...] = ()
        for update in updates_of(message):
            match, new = reduce(match, update)
            facts += new
        assert match is not None
        yield match, facts


def play(messages: Iterable[Message]) -> Match:
    match: Match | None = None
    for match, _ in steps(messages):  # noqa: B007 - the last one is the result
        pass
    assert match is not None
    return match


class Shown(NamedTuple):
    """All that a reader sees of the play, in words that print well."""

    score: str | None
    shootout: str | None
    scorers: tuple[ScorelineEntry, ...] | None
    cards: tuple[ScorelineEntry, ...] | None
    status: str
    decided_by: str | None
    clock: tuple[int | None, int | None, int | None]
    timeline: tuple[tuple[object, ...], ...]


def shown(match: Match) -> Shown:
    decided = match.decided_by if match.phase is Phase.FINISHED else None
    clock = (match.minute, match.added_minute, match.period)
    timeline = tuple(_row(event) for event in match.timeline)
    scores = (line(match.score), line(match.shootout), match.scorers, match.cards)
    return Shown(*scores, match.status.value, decided, clock, timeline)


def _row(event: Event) -> tuple[object, ...]:
    who = tuple(person.name if person else None for person in (event.player, event.assist))
    board = (event.home_score, event.away_score)
    team = event.team.value if event.team else None
    return (event.id, event.type, team, event.minute, event.added_minute, *who, event.detail, *board, event.voided)


def line(score: Score | None) -> str | None:
    return f"{score.home}-{score.away}" if score else None


def standing(match: Match) -> list[Event]:
    """The goals on the timeline that are neither voided nor of the shoot-out."""
    return [event for event in match.timeline if event.type in SCORING and not event.voided and event.period != 5]


def difference(left: Shown, right: Shown) -> str:
    """Where two ends differ, a line each."""
    lines = []
    for name, here, there in zip(Shown._fields, left, right, strict=True):
        if name != "timeline" and here != there:
            lines.append(f"  {name}: {here} / {there}")
    lines += [f"  - {row}" for row in left.timeline if row not in right.timeline]
    lines += [f"  + {row}" for row in right.timeline if row not in left.timeline]
    return "\n".join(lines or ["  only the order of the timeline"])
