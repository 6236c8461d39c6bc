"""A Saturday's board: 246 matches in play, and what happens in them. Made up from a seed, with figures of recordings
(docs/architecture.md, "How much"): names and ids as long as real ones, a goal every eight seconds, some 150 events a
match, four whistles, and minutes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from db.domain import Competition, Event, MatchInfo, Score, Side, Stamp, Status, Team, Update
from db.domain.record import replace

MATCHES, LEAGUES = 246, 99
GOAL_EVERY_S = 8.0
# Of one match: cards, corners, shots and the like, over its two hours.
EVENTS_PER_S = 150 / 6_600
HALF_S, BREAK_S = 47 * 60, 15 * 60
WHOLE_S = 2 * HALF_S + BREAK_S
SOURCE = "bench"
SYLLABLES = "ba ber bor cas chi dor el fer gran ham hol kar la lin mar mon nor os per ra ros san sil tor ul var wes zen"


@dataclass(frozen=True, slots=True)
class Happening:
    """at_s: from the beginning."""

    at_s: float
    match: int
    kind: str


class Saturday:
    """What has been told, and what comes next."""

    def __init__(self, seed: int = 1) -> None:
        self.random = random.Random(seed)
        self.leagues = [Competition(f"sr:tournament:{100 + n}", self._name(2)) for n in range(LEAGUES)]
        # How long ago each began (s), so that some are at a break and some about to end.
        self.ages = [self.random.uniform(0, WHOLE_S) for _ in range(MATCHES)]
        self.goals = [self.random.choices((0, 1, 2), (5, 3, 1), k=2) for _ in range(MATCHES)]
        self.games = [0] * MATCHES
        self.starts: dict[str, int] = {}
        self.teams = [(self._team(), self._team()) for _ in range(MATCHES)]

    def _name(self, words: int) -> str:
        syllables = SYLLABLES.split()
        made = ("".join(self.random.choices(syllables, k=self.random.randint(2, 4))) for _ in range(words))
        return " ".join(word.capitalize() for word in made)

    def _team(self) -> Team:
        return Team(f"sr:competitor:{self.random.randint(1_000, 999_999)}", self._name(self.random.randint(1, 2)))

    def first(self, now_ms: int) -> Iterator[Update]:
        """Each match as it stands."""
        for match in range(MATCHES):
            yield self._stand(match, self.ages[match], now_ms)

    def happenings(self, seconds: float) -> list[Happening]:
        """In order."""
        chance = self.random
        planned = [Happening(at, chance.randrange(MATCHES), "goal") for at in self._times(1 / GOAL_EVERY_S, seconds)]
        planned += [
            Happening(at, chance.randrange(MATCHES), "event") for at in self._times(EVENTS_PER_S * MATCHES, seconds)
        ]
        for match, age in enumerate(self.ages):
            first = 60 - age % 60
            planned += [Happening(first + 60 * n, match, "minute") for n in range(int(seconds // 60) + 1)]
            whistles = (("end", 0), ("whistle", HALF_S), ("whistle", HALF_S + BREAK_S))
            planned += [Happening((mark - age) % WHOLE_S, match, kind) for kind, mark in whistles]
        return sorted((one for one in planned if one.at_s < seconds), key=lambda happening: happening.at_s)

    def _times(self, per_s: float, seconds: float) -> Iterator[float]:
        at = self.random.expovariate(per_s)
        while at < seconds:
            yield at
            at += self.random.expovariate(per_s)

    def told(self, happening: Happening, now_ms: int, number: int) -> list[Update]:
        """As a provider tells of it, in one message or two. number: of the event. A match that ends is followed by
        another, as on the real day."""
        match = happening.match
        age_s = (self.ages[match] + happening.at_s + 0.5) % WHOLE_S
        if happening.kind == "goal":
            self.goals[match][self.random.randrange(2)] += 1
        shot = None
        if happening.kind == "event":
            stamp = Stamp(now_ms, source=SOURCE)
            shot = Event(f"e{number}", "shot", stamp, since=stamp, team=Side.HOME, created_at=now_ms)
        if happening.kind != "end":
            return [self._stand(match, age_s, now_ms, shot)]
        last = replace(self._stand(match, WHOLE_S - 1, now_ms), status=Status.FINISHED)
        self.games[match] += 1
        self.goals[match] = [0, 0]
        self.teams[match] = (self._team(), self._team())
        return [last, self._stand(match, age_s, now_ms)]

    def _stand(self, match: int, age_s: float, now_ms: int, event: Event | None = None) -> Update:
        match_id = f"sr:match:{41_000_000 + 1_000 * self.games[match] + match}"
        home, away = self.teams[match]
        start_ms = (now_ms - round(age_s * 1_000)) // 300_000 * 300_000
        info = MatchInfo(
            home, away, self.leagues[match % LEAGUES], start_time=self.starts.setdefault(match_id, start_ms)
        )
        minute, added, status = _clock(age_s)
        return Update(
            match_id, Stamp(now_ms, source=SOURCE), now_ms, info, event=event, status=status,
            score=Score(*self.goals[match]), minute=minute, added_minute=added,
        )  # fmt: skip


def _clock(age_s: float) -> tuple[int, int | None, Status]:
    """Minute, added minute and status of a match of this age."""
    if HALF_S <= age_s < HALF_S + BREAK_S:
        return 45, None, Status.HALF_TIME
    first = age_s < HALF_S
    played = int(age_s // 60) + 1 if first else int((age_s - HALF_S - BREAK_S) // 60) + 46
    last = 45 if first else 90
    return min(played, last), max(0, played - last) or None, Status.FIRST_HALF if first else Status.SECOND_HALF
