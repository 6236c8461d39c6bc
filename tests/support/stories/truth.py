"""What truly happened in a match: recorded goals, whistles and kicks, and what the referee took back on the way."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from db.domain import SCORING
from dev.recordings import Expected, read
from dev.recordings.match_play import Scores, play
from dev.recordings.story import Story
from tests.support.paths import DATA

FILES = (
    "openfootball/worldcup-2022.json",
    "openfootball/worldcup-2018.json",
    "openfootball/euro-2024.json",
    "datafactory/datafactory-anonymised-final.json",
    "statsbomb/events-3788741-turkey-italy-2021-06-11.json.gz",
    "statsperform/ma1-2021-09-11-hsv-sandhausen.json",
    "sportradar/soccer-timeline-2020-05-16-frankfurt-moenchengladbach.json",
)
# Two goals recorded in one minute are at least this far apart: the ball goes back to the centre.
KICK_OFF_AGAIN_S = 40
# A referee looks at a goal this long before it is taken back; play rests meanwhile.
REVIEW_S = (30, 120)
# First displayed minute of what begins with each whistle, less one.
_BEGINS = {"kickoff": 0, "second_half": 45, "extra_time": 90, "extra_second_half": 105}
_ENDS_AT = {"kickoff": 45, "second_half": 90, "extra_time": 105, "extra_second_half": 120}


@dataclass(frozen=True)
class Moment:
    """One thing that happened. team, player: as first told.

    at: seconds since kick-off, as gone_at (taken back), back_at (restored after all), moved_at (found to be the other
    side's) and renamed_at (the scorer was another).
    """

    id: str
    type: str
    at: float
    minute: int | None = None
    added: int | None = None
    period: int | None = None
    status: str | None = None
    team: str | None = None
    player: str | None = None
    gone_at: float | None = None
    back_at: float | None = None
    moved_at: float | None = None
    renamed_at: float | None = None

    @property
    def is_goal(self) -> bool:
        return self.type in SCORING

    def side_at(self, t: float) -> str | None:
        if self.moved_at is None or t < self.moved_at:
            return self.team
        return "away" if self.team == "home" else "home"

    def player_at(self, t: float) -> str | None:
        return f"{self.player} II" if self.renamed_at is not None and t >= self.renamed_at else self.player

    def stands_at(self, t: float) -> bool:
        if self.back_at is not None and t >= self.back_at:
            return True
        return self.at <= t and (self.gone_at is None or t < self.gone_at)


@dataclass(frozen=True)
class Truth:
    """moments in the order in which they happened; the last is the final whistle."""

    name: str
    moments: list[Moment]
    shootout: tuple[int, int] | None
    decided: str

    @property
    def goals(self) -> list[Moment]:
        return [moment for moment in self.moments if moment.is_goal]

    @property
    def end(self) -> float:
        return self.moments[-1].at

    def score_at(self, t: float, upto: float | None = None) -> tuple[int, int]:
        """As of t; upto: counting only goals that fell by then."""
        sides = [g.side_at(t) for g in self.goals if g.stands_at(t) and (upto is None or g.at <= upto)]
        return sides.count("home"), sides.count("away")

    def kicks_at(self, t: float) -> tuple[int, int]:
        sides = [m.team for m in self.moments if m.type == "shootout_goal" and m.at <= t]
        return sides.count("home"), sides.count("away")

    def turns(self) -> list[float]:
        """When the score changed."""
        times = [t for g in self.goals for t in (g.at, g.gone_at, g.back_at, g.moved_at) if t is not None]
        return sorted(times)

    def values(self, side: int, since: float, until: float) -> list[int]:
        """What one side's score was in a while, in order, each value once per change."""
        scores = [self.score_at(since)[side]]
        for t in self.turns():
            if since < t <= until and self.score_at(t)[side] != scores[-1]:
                scores.append(self.score_at(t)[side])
        return scores

    def in_play(self, t: float) -> bool:
        """And for as long as a review takes."""
        whistles = [moment for moment in self.moments if not moment.is_goal]
        begun = [moment for moment in whistles if moment.at <= t]
        return begun[-1].type in _BEGINS and all(not t < whistle.at < t + REVIEW_S[1] for whistle in whistles)

    def clock_at(self, t: float) -> dict[str, int]:
        begun = [m for m in self.moments if m.type in _BEGINS and m.at <= t]
        if not begun:
            return {}
        played, last = int((t - begun[-1].at) // 60) + 1 + _BEGINS[begun[-1].type], _ENDS_AT[begun[-1].type]
        over = {"added_minute": min(played - last, 9)} if played > last else {}
        return {"minute": min(played, last), **over}


@cache
def recorded() -> list[Truth]:
    """Each recorded match that lists its goals, without anything taken back."""
    truths = []
    for file in FILES:
        expected = read(DATA / file).expected
        truths += [
            _truth(name, end) for name, end in expected.items() if end.goals is not None and end.home is not None
        ]
    return truths


def _truth(name: str, end: Expected) -> Truth:
    goals = end.goals or ()
    extra = end.shootout is not None or any(goal.minute > 90 for goal in goals)
    score: Scores = {"ft": [end.home or 0, end.away or 0]}
    score |= {"et": score["ft"]} if extra else {}
    score |= {"p": list(end.shootout)} if end.shootout else {}
    story = Story(name, 0)
    play(story, goals, score)
    moments = _apart([moment for message in story.messages for moment in _moments(message.body, message.at_ms)])
    decided = "penalties" if end.shootout else "extra_time" if extra else "regular"
    return Truth(name, moments, end.shootout, decided)


def _moments(body: bytes, at_ms: int) -> Iterator[Moment]:
    """A story's events but for the total of its kicks, which are kicks here."""
    for event in json.loads(body).get("events", []):
        if event["event_type"] == "score" and "shootout" in event:
            continue
        clock = (event["minute"], event.get("added_minute"), event.get("period"))
        more = {"status": event.get("status"), "team": event.get("team"), "player": event.get("player")}
        yield Moment(event["event_id"], event["event_type"], at_ms / 1000, *clock, **more)


def _apart(moments: list[Moment]) -> list[Moment]:
    result: list[Moment] = []
    for moment in moments:
        goals = [earlier.at for earlier in result if earlier.is_goal]
        near = moment.is_goal and goals and moment.at < goals[-1] + KICK_OFF_AGAIN_S
        result.append(replace(moment, at=goals[-1] + KICK_OFF_AGAIN_S) if near else moment)
    return sorted(result, key=lambda moment: moment.at)


def amended(truth: Truth, rng: random.Random, *, apart_s: float, moves: bool, renames: bool) -> Truth:
    """The same end, reached by way of goals taken back, restored, credited to the other side, to another player.

    apart_s: at least so far from a goal that is taken back is any other goal. moves, renames: whether there are any.
    """
    moments = [_changed(moment, rng, moves, renames) if moment.is_goal else moment for moment in truth.moments]
    moments += _phantoms(truth, rng, apart_s)
    moments += _others(truth, rng)
    moments += _kicks(truth, rng)
    return replace(truth, moments=sorted(moments, key=lambda moment: moment.at))


def _changed(goal: Moment, rng: random.Random, moves: bool, renames: bool) -> Moment:
    what = rng.random()
    if moves and what < 0.15:
        return replace(goal, team="away" if goal.team == "home" else "home", moved_at=goal.at + rng.uniform(20, 600))
    if what < 0.25:
        gone_at = goal.at + rng.uniform(*REVIEW_S)
        return replace(goal, gone_at=gone_at, back_at=gone_at + rng.uniform(*REVIEW_S)) if moves else goal
    if renames and what < 0.45:
        return replace(goal, renamed_at=goal.at + rng.uniform(60, 3000))
    return goal


def _phantoms(truth: Truth, rng: random.Random, apart_s: float) -> list[Moment]:
    """Goals that were taken back."""
    phantoms: list[Moment] = []
    for number in range(rng.choice((0, 1, 1, 2, 3))):
        at = rng.uniform(60, truth.end)
        clock = truth.clock_at(at)
        goal = Moment(f"phantom-{number}", "goal", at, clock.get("minute"), clock.get("added_minute"))
        who: dict[str, Any] = {"team": rng.choice(("home", "away")), "player": f"Player {number}"}
        if truth.in_play(at) and all(_are_apart(goal, other, apart_s) for other in (*truth.goals, *phantoms)):
            phantoms.append(replace(goal, **who, gone_at=at + rng.uniform(*REVIEW_S)))
    return phantoms


def _are_apart(goal: Moment, other: Moment, apart_s: float) -> bool:
    """In time, and on the match clock, which rests at half-time."""
    minutes = abs((goal.minute or 0) - (other.minute or 0))
    return abs(goal.at - other.at) >= apart_s and minutes * 60 >= apart_s - 60


def _others(truth: Truth, rng: random.Random) -> list[Moment]:
    """Cards, substitutions and corners, which move nothing but may bear the score."""
    moments = []
    for number in range(12):
        at = rng.uniform(30, truth.end - 60)
        clock = truth.clock_at(at)
        kind = rng.choice(("yellow_card", "substitution", "corner", "corner"))
        who: dict[str, Any] = {"team": rng.choice(("home", "away")), "player": f"Player {number}"}
        moments.append(Moment(f"{kind}-{number}", kind, at, clock.get("minute"), clock.get("added_minute"), **who))
    return moments


def _kicks(truth: Truth, rng: random.Random) -> list[Moment]:
    """Kicks in turn, of which as many score as are recorded."""
    if truth.shootout is None:
        return []
    start = next(kicks.at for kicks in truth.moments if kicks.type == "shootout_start")
    rounds = max(5, *truth.shootout)
    scored = [[True] * n + [False] * (rounds - n) for n in truth.shootout]
    for kicks in scored:
        rng.shuffle(kicks)
    moments = []
    for number in range(rounds * 2):
        kind = "shootout_goal" if scored[number % 2][number // 2] else "shootout_missed"
        team = ("home", "away")[number % 2]
        at = start + 30 + number * 540 / (rounds * 2)
        moments.append(Moment(f"kick-{number}", kind, at, 120, None, 5, team=team, player=f"Kicker {number}"))
    return moments
