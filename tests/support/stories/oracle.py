"""Whether a match that was told ends as it truly did."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass

from db.domain import Match
from tests.support.stories.ends import NIL
from tests.support.stories.play import Message, line, standing
from tests.support.stories.teller import Style, tell
from tests.support.stories.truth import Moment, Truth, amended, recorded


@dataclass(frozen=True)
class Case:
    """messages in their order of arrival."""

    truth: Truth
    style: Style
    messages: list[Message]
    seed: int


def case(style: Style, seed: int) -> Case:
    """A recorded match with corrections by chance, told in a style; the same for the same seed."""
    rng = random.Random(f"{style} {seed}")
    truth = amended(rng.choice(recorded()), rng, apart_s=style.apart_s, moves=style.moves, renames=style.renames)
    return Case(truth, style, tell(truth, style, rng), seed)


def wrongs(match: Match, case: Case) -> list[str]:
    """What is not as it truly was at the end."""
    truth, faults = case.truth, []
    home, away = truth.score_at(float("inf"))
    # Where no score is ever told, none is known until a goal falls.
    right = NIL if case.style.scores == "none" and not home + away else (f"{home}-{away}",)
    if line(match.score) not in right:
        faults.append(f"score {line(match.score)} for {right[-1]}")
    kicks = f"{truth.shootout[0]}-{truth.shootout[1]}" if truth.shootout else None
    if line(match.shootout) != kicks:
        faults.append(f"shootout {line(match.shootout)} for {kicks}")
    if match.status.value != "finished":
        faults.append(f"status {match.status.value}")
    if match.decided_by != truth.decided:
        faults.append(f"decided by {match.decided_by} for {truth.decided}")
    if goals := _goals(match, case):
        faults.append(goals)
    return faults


def _goals(match: Match, case: Case) -> str:
    """Which goals stand: by id, or by side and minute where there are no ids."""
    here = Counter(
        event.id if case.style.has_ids else f"{event.team} {event.minute}+{event.added_minute}"
        for event in standing(match)
    )
    there = Counter(_name(goal, case.style) for goal in case.truth.goals if goal.stands_at(float("inf")))
    more, missing = sorted((here - there).elements()), sorted((there - here).elements())
    return f"goals: {more} too many, {missing} missing" if more or missing else ""


def _name(goal: Moment, style: Style) -> str:
    return goal.id if style.has_ids else f"{goal.side_at(float('inf'))} {goal.minute}+{goal.added}"


def words(case: Case) -> str:
    """What bears on the score, in the order in which it was told."""
    kinds = ("goal", "own_goal", "penalty_goal", "goal_cancelled", "score")
    heard = {id(message): message for message in case.messages if message.fields.get("event_type") in kinds}
    lines = [
        str(message) for message in sorted(heard.values(), key=lambda message: (message.at or 0, message.received))
    ]
    return "\n".join(dict.fromkeys(lines))
