"""How providers tell of a match: again and again, details filled in, late, twice, by events or by scoreboards alone.

Left out is what no reader of the messages could know:
- without ids, that a goal of one side is now a goal of the other, or that a goal taken back is back; that a goal is
  another one, within a few minutes of one that was taken back; without scores either, that the scorer was another;
- with ids, which of two goals within two minutes a cancellation means that does not say; which goal is back where only
  the score fell;
- on the way, in the order of arrival: that a card's repeat is of an older moment, before the card itself is heard of;
  that a cancellation with neither name nor score means a goal not yet heard of.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Any

from tests.support.stories.play import Message, entry, event
from tests.support.stories.truth import Moment, Truth

Fields = dict[str, Any]

# How often a moment is told: 2.9 times, as in a recorded push stream.
TIMES, WEIGHTS = (1, 2, 3, 4, 5), (15, 25, 28, 19, 13)
# Of the same stream: what came after something newer, and by how much at most; what came twice.
LATE, LATE_S = 0.14, 60
DOUBLED, DOUBLED_WITHIN_S = 0.10, 30
# A scoreboard is this far behind the goal at most.
BOARD_LAG_S = 5
# An event is mostly told at once; one in ten waits for somebody to enter it.
ENTRY_S, SLOW, SLOW_S = 3, 0.1, 40
# The scoreboard is told at least so often.
BOARD_EVERY_S = 240

NAMED, SIDE, SIDE_SCORE, SCORE, NEITHER, BOARD, SILENCE = (
    "by name",
    "by side",
    "by side and score",
    "by score",
    "by nothing",
    "by a falling board",
    "by silence",
)


@dataclass(frozen=True)
class Style:
    """identity: `stamps` (ids; stamped when told), `sequence` (ids, a counter; stamped when it happened) or `no ids`.

    scores: on `every` event, on `boards` only, or on `none`. cancels: how a goal may be taken back.
    """

    identity: str
    scores: str
    cancels: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.identity}, scores on {self.scores}"

    @property
    def has_ids(self) -> bool:
        return self.identity != "no ids"

    @property
    def moves(self) -> bool:
        """Without an id nothing says that a goal of the other side is the same goal, or that a goal is back."""
        return self.has_ids

    @property
    def renames(self) -> bool:
        """Without id and score another scorer is another goal."""
        return self.has_ids or self.scores == "every"

    @property
    def apart_s(self) -> float:
        """Without ids a goal that makes the same score within five minutes is the same goal; and a cancellation
        without a name means the last one."""
        return 150 if self.has_ids else 400


# A silent fall needs a score, a name an id.
STYLES = (
    Style("stamps", "every", (NAMED, SIDE, SIDE_SCORE, SCORE, NEITHER, BOARD, SILENCE)),
    Style("stamps", "boards", (NAMED, SIDE, NEITHER, BOARD)),
    Style("stamps", "none", (NAMED, SIDE, NEITHER)),
    Style("sequence", "every", (NAMED, SIDE, SIDE_SCORE, SCORE, NEITHER, BOARD, SILENCE)),
    Style("sequence", "boards", (NAMED, SIDE, NEITHER, BOARD)),
    Style("sequence", "none", (NAMED, SIDE, NEITHER)),
    Style("no ids", "every", (SIDE, SIDE_SCORE, SCORE, NEITHER, BOARD, SILENCE)),
    Style("no ids", "boards", (SIDE, NEITHER, BOARD)),
    Style("no ids", "none", (SIDE, NEITHER)),
)


@dataclass(frozen=True)
class Telling:
    """at: when it is told; happened: what it speaks of; prompt: never delivered late."""

    at: float
    happened: float
    kind: str
    fields: Fields
    prompt: bool = False


def tell(truth: Truth, style: Style, rng: random.Random) -> list[Message]:
    """The messages in their order of arrival."""
    tellings = _Teller(truth, style, rng).tellings()
    messages = [_sent(telling, number, style) for number, telling in enumerate(tellings, 1)]
    messages = [_delivered(message, telling, rng) for message, telling in zip(messages, tellings, strict=True)]
    doubled = [message for message in messages if rng.random() < DOUBLED]
    messages += [replace(copy, received=copy.received + rng.uniform(0.1, DOUBLED_WITHIN_S)) for copy in doubled]
    start = entry(-600, home_team="Home", away_team="Away", sport="football", status="scheduled")
    return [start, *sorted(messages, key=lambda message: message.received)]


def _sent(telling: Telling, number: int, style: Style) -> Message:
    if style.identity == "sequence":
        return event(telling.kind, telling.happened, **telling.fields, sequence=number)
    return event(telling.kind, telling.at, **telling.fields)


def _delivered(message: Message, telling: Telling, rng: random.Random) -> Message:
    late = rng.uniform(0, LATE_S) if rng.random() < LATE and not telling.prompt else 0
    return replace(message, received=telling.at + rng.uniform(0.05, 0.5) + late)


class _Teller:
    def __init__(self, truth: Truth, style: Style, rng: random.Random) -> None:
        self.truth, self.style, self.rng = truth, style, rng
        # When the scoreboard shows what happened at each turn of the score.
        self.lags = {t: rng.uniform(0, BOARD_LAG_S) for t in truth.turns()}
        self.kick_lag = rng.uniform(0, BOARD_LAG_S)
        self.ways = {goal.id: self.way(goal) for goal in truth.goals if goal.gone_at is not None}

    def tellings(self) -> list[Telling]:
        tellings = [telling for moment in self.truth.moments for telling in self.of_moment(moment)]
        tellings += [telling for goal in self.truth.goals if goal.gone_at for telling in self.cancellation(goal)]
        if self.style.scores == "boards":
            tellings += self.boards()
        return sorted(tellings, key=lambda telling: telling.at)

    # Events.

    def of_moment(self, moment: Moment) -> list[Telling]:
        if moment.type == "score":
            fields = self.with_score(moment, self.shown_at(moment.at), {"status": moment.status})
            return [Telling(moment.at, moment.at, "score", fields)]
        times = self.times(moment)
        return [self.telling(moment, n, at, times[0]) for n, at in enumerate(times)]

    def times(self, moment: Moment) -> list[float]:
        """Not while it is taken back; and once at each of its changes."""
        plain = moment.team is None
        at = moment.at if plain else moment.at + self.entered()
        times = [at]
        for _ in range(self.rng.choices(TIMES, WEIGHTS)[0] - 1):
            # A whistle without an id that is told again after the next one would be another whistle.
            times.append(times[-1] + self.rng.uniform(2, 12 if plain else 60))
        changes = [t for t in (moment.back_at, moment.moved_at, moment.renamed_at) if t is not None]
        times += [t + self.rng.uniform(0, ENTRY_S) for t in changes]
        standing = sorted(t for t in times if moment.stands_at(t))
        return standing or [moment.at]

    def entered(self) -> float:
        return self.rng.uniform(0, SLOW_S) if self.rng.random() < SLOW else self.rng.uniform(0, ENTRY_S)

    def telling(self, moment: Moment, n: int, at: float, first: float) -> Telling:
        clock = {"minute": moment.minute, "added_minute": moment.added, "period": moment.period}
        fields: Fields = {**clock, "team": moment.side_at(at), "status": moment.status}
        if n or "kick" in moment.id or not moment.is_goal:
            fields["player"] = moment.player_at(at)
            fields["assist"] = f"Passer of {moment.id}" if moment.is_goal else None
        if n > 1:
            fields["detail"] = "as seen on television"
        if self.style.has_ids:
            fields["event_id"] = moment.id
        board = self.truth.score_at(at, upto=moment.at) if moment.is_goal else self.shown_at(first)
        prompt = n == 0 and self.must_be_prompt(moment)
        return Telling(at, moment.at, moment.type, self.with_score(moment, board, fields), prompt)

    def must_be_prompt(self, moment: Moment) -> bool:
        """Nobody could know better where a card's repeat overtakes it, which bears an old score at a new time; or where
        a cancellation with neither name nor score overtakes its goal."""
        if moment.is_goal:
            return self.ways.get(moment.id) in (SIDE, NEITHER)
        return self.style.scores == "every"

    def with_score(self, moment: Moment, board: tuple[int, int], fields: Fields) -> Fields:
        """A goal's score is that of its own moment, as believed when it is told; another event's is the scoreboard's
        when it was first told. Neither moves when the event is told again."""
        if self.style.scores == "none" or (self.style.scores == "boards" and moment.type != "score"):
            return fields
        fields = {**fields, "home_score": board[0], "away_score": board[1]}
        if moment.period == 5 and moment.type.startswith("shootout_"):
            fields["shootout"] = dict(zip(("home", "away"), self.truth.kicks_at(moment.at), strict=True))
        return fields

    # Cancellations.

    def way(self, goal: Moment) -> str:
        """That a goal is back is told by its event again; where the score alone fell, a repeat says nothing."""
        ways = [way for way in self.style.cancels if goal.back_at is None or way not in (BOARD, SILENCE)]
        return self.rng.choice(ways)

    def cancellation(self, goal: Moment) -> list[Telling]:
        assert goal.gone_at is not None
        way = self.ways[goal.id]
        at = goal.gone_at + self.rng.uniform(0, ENTRY_S)
        if way == BOARD:
            at = goal.gone_at + self.lags[goal.gone_at] + 0.1
        fields = self.cancelling(goal, way)
        kind = {BOARD: "score", SILENCE: "corner"}.get(way, "goal_cancelled")
        if way == SILENCE:
            # The next thing that is told bears the lower score.
            at = goal.gone_at + self.rng.uniform(BOARD_LAG_S + 1, 20)
        if way in (BOARD, SILENCE) and self.style.scores == "boards":
            return []
        again = [at + self.rng.uniform(1, 20)] if self.rng.random() < 0.5 and self.style.has_ids else []
        return [Telling(t, at if way == SILENCE else goal.gone_at, kind, fields) for t in (at, *again)]

    def cancelling(self, goal: Moment, way: str) -> Fields:
        assert goal.gone_at is not None
        clock = self.truth.clock_at(goal.gone_at)
        fields: Fields = {**clock, "event_id": f"cancelled-{goal.id}" if self.style.has_ids else None}
        if way in (BOARD, SILENCE, SCORE, SIDE_SCORE) or (way == NAMED and self.style.scores == "every"):
            home, away = self.truth.score_at(goal.gone_at)
            fields |= {"home_score": home, "away_score": away}
        if way in (SIDE, SIDE_SCORE):
            fields["team"] = goal.side_at(goal.gone_at)
        if way == NAMED:
            fields["voids"] = goal.id
        return fields

    # Scoreboards.

    def shown_at(self, t: float) -> tuple[int, int]:
        """What the scoreboard shows: what was true at the last turn that it has caught up with."""
        seen = [turn for turn, lag in self.lags.items() if turn + lag <= t]
        return self.truth.score_at(max(seen, default=-1.0))

    def boards(self) -> list[Telling]:
        """After each turn of the score and of the kicks, and from time to time."""
        kicks = [moment.at for moment in self.truth.moments if moment.period == 5 and moment.team]
        times = [turn + lag + self.rng.uniform(0.1, 1) for turn, lag in self.lags.items()]
        times += [at + self.kick_lag + 0.5 for at in kicks]
        times += [n * BOARD_EVERY_S + self.rng.uniform(0, 60) for n in range(int(self.truth.end // BOARD_EVERY_S))]
        last = max([self.truth.end, *times]) + 10
        return [self.board(t) for t in (*times, last)]

    def board(self, t: float) -> Telling:
        home, away = self.shown_at(t)
        fields: Fields = {"home_score": home, "away_score": away, **self.truth.clock_at(t)}
        if self.truth.shootout and any(self.truth.kicks_at(t)):
            fields["shootout"] = dict(zip(("home", "away"), self.truth.kicks_at(t - self.kick_lag), strict=True))
        return Telling(t, t, "score", fields)
