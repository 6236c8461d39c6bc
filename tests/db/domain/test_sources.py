"""Two sources tell one match: never a mixture, no score that falls, and another takes over when one falls silent."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from db.domain import Event, Fact, FactKind, Match, Precedence, Score, Side, Stamp, Status, Update, reduce
from db.domain.sources import SILENCE_MS
from notify.content.news import news_of
from tests.support.stories.count import some

BASE = 1_795_600_000_000
SECOND = 1_000
TICK_S = 5


def update(source: str, second: float, **fields: object) -> Update:
    at = BASE + int(second * SECOND)
    return Update("m", Stamp(at, source=source), at, **fields)  # type: ignore[arg-type]


def goal(source: str, second: float, event_id: str, side: Side = Side.HOME, board: Score | None = None) -> Update:
    stamp = Stamp(BASE + int(second * SECOND), source=source)
    event = Event(event_id, "goal", stamp, since=stamp, team=side, minute=int(second // 60) + 1, created_at=stamp.at)
    return update(source, second, event=event, score=board)


def tick(second: float) -> Update:
    return Update("m", Stamp(0), BASE + int(second * SECOND))


class MatchRecord:
    """A match and all that came of it, message by message."""

    def __init__(self, precedence: Precedence | None = None) -> None:
        self.match: Match | None = None
        self.scores: list[Score] = []
        self.news: list[str] = []
        self.precedence = precedence or Precedence()

    def hear(self, *updates: Update) -> tuple[Fact, ...]:
        facts: tuple[Fact, ...] = ()
        for update in updates:
            self.match, facts = reduce(self.match, update, precedence=self.precedence)
            self.news += [str(item.kind) for item in news_of(self.match, facts)]
            if self.match.score is not None:
                self.scores.append(self.match.score)
        return facts

    @property
    def shown(self) -> Match:
        assert self.match is not None
        return self.match


def test_the_second_source_of_a_goal_adds_nothing_to_the_first() -> None:
    record = MatchRecord()
    record.hear(goal("a", 60, "g", board=Score(1, 0)), goal("b", 90, "other", board=Score(1, 0)))
    assert (record.shown.score, [event.id for event in record.shown.timeline]) == (Score(1, 0), ["g"])
    assert record.news.count("goal") == 1


def test_the_same_id_at_two_sources_is_two_events() -> None:
    record = MatchRecord()
    record.hear(goal("a", 60, "1"), goal("b", 61, "1", Side.AWAY), goal("a", 62, "1"))
    assert (record.shown.score, record.shown.events["1"].team) == (Score(1, 0), Side.HOME)


def test_a_source_that_is_ahead_takes_over_when_the_other_stays_silent() -> None:
    record = MatchRecord()
    record.hear(goal("a", 60, "g", board=Score(1, 0)), goal("b", 61, "x", board=Score(1, 0)))
    record.hear(goal("b", 600, "y", board=Score(2, 0)), tick(600 + SILENCE_MS / SECOND - 1))
    assert (record.shown.source, record.shown.score) == ("a", Score(1, 0))
    facts = record.hear(tick(600 + SILENCE_MS / SECOND))
    assert (record.shown.source, record.shown.score) == ("b", Score(2, 0))
    assert {event.id for event in record.shown.timeline} == {"x", "y"}
    assert FactKind.ADDED not in {fact.kind for fact in facts}
    assert record.news.count("goal") == 2


def test_a_source_that_speaks_keeps_the_match() -> None:
    record = MatchRecord()
    record.hear(goal("a", 60, "g", board=Score(1, 0)), goal("b", 61, "x", board=Score(1, 0)))
    record.hear(goal("b", 600, "y", board=Score(2, 0)))
    record.hear(
        *(spoken for n in range(10) for spoken in (update("a", 610 + n * 20, minute=10 + n), tick(620 + n * 20)))
    )
    assert (record.shown.source, record.shown.score) == ("a", Score(1, 0))


def test_silence_alone_is_no_reason_to_change() -> None:
    record = MatchRecord()
    record.hear(goal("a", 60, "g", board=Score(1, 0)), goal("b", 61, "x", board=Score(1, 0)), tick(4_000))
    assert record.shown.source == "a"


def test_one_that_lacks_a_goal_does_not_take_over() -> None:
    record = MatchRecord()
    record.hear(goal("a", 60, "g", board=Score(1, 0)), goal("b", 600, "y", Side.AWAY, board=Score(0, 1)), tick(4_000))
    assert (record.shown.source, record.shown.score) == ("a", Score(1, 0))


def test_a_source_cut_off_before_a_goal_was_taken_back_does_not_keep_the_match_from_ending() -> None:
    record = MatchRecord()
    record.hear(goal("a", 1200, "g", board=Score(1, 0)), goal("b", 1201, "x", board=Score(1, 0)))
    record.hear(update("b", 1260, voids="x", score=Score(0, 0)))
    record.hear(update("b", 1400, status=Status.HALF_TIME, score=Score(0, 0)), tick(1499))
    assert record.shown.score == Score(1, 0)
    record.hear(tick(1501))
    assert (record.shown.score, record.shown.status) == (Score(0, 0), Status.HALF_TIME)


def test_one_that_is_behind_brings_no_goal_back_that_was_just_taken() -> None:
    """It tells everything a minute later, and the one in force has nothing to say in between."""
    record = MatchRecord()
    record.hear(goal("a", 1200, "g", board=Score(1, 0)), update("a", 1230, voids="g", score=Score(0, 0)))
    record.hear(update("b", 1200, score=Score(0, 0)), goal("b", 1250, "x", board=Score(1, 0)))
    record.hear(tick(1296), tick(1305), update("b", 1310, voids="x", score=Score(0, 0)))
    record.hear(goal("b", 1600, "y", board=Score(1, 0)), tick(1646))
    assert record.scores == [Score(1, 0), *[Score(0, 0)] * 7, Score(1, 0)]


def test_a_goal_like_one_that_was_taken_back_counts_after_five_minutes_of_silence() -> None:
    record = MatchRecord()
    record.hear(goal("a", 1200, "g", board=Score(1, 0)), update("a", 1230, voids="g", score=Score(0, 0)))
    record.hear(update("b", 1231, score=Score(0, 0)), goal("b", 1250, "x", board=Score(1, 0)), tick(1529))
    assert record.shown.score == Score(0, 0)
    record.hear(tick(1531))
    assert record.shown.score == Score(1, 0)


def test_one_that_tells_no_score_of_no_goals_ends_the_match_all_the_same() -> None:
    record = MatchRecord()
    record.hear(update("a", 5, status=Status.FIRST_HALF, score=Score(0, 0)), update("b", 6, status=Status.FIRST_HALF))
    record.hear(update("b", 3000, status=Status.HALF_TIME), tick(3100))
    assert record.shown.status is Status.HALF_TIME


def test_the_end_told_by_another_takes_over() -> None:
    record = MatchRecord()
    record.hear(goal("a", 60, "g", board=Score(1, 0)))
    record.hear(update("b", 5_400, score=Score(1, 0), status=Status.FINISHED), tick(5_446))
    assert (record.shown.status, record.shown.score) == (Status.FINISHED, Score(1, 0))


def test_the_source_that_goes_before_others_tells_as_soon_as_it_is_not_behind() -> None:
    record = MatchRecord(Precedence(("b",)))
    record.hear(goal("a", 60, "g", board=Score(1, 0)), update("b", 61, score=Score(0, 0)))
    assert record.shown.source == "a"
    record.hear(update("b", 62, score=Score(1, 0), status=Status.FIRST_HALF))
    assert (record.shown.source, record.shown.score) == ("b", Score(1, 0))
    record.hear(goal("a", 600, "g2", board=Score(2, 0)))
    assert record.shown.score == Score(1, 0)


def test_what_is_known_besides_the_play_comes_from_both() -> None:
    from db.domain import MatchInfo, Team

    record = MatchRecord()
    record.hear(update("a", 1, info=MatchInfo(home=Team("h", "Home"))))
    record.hear(update("b", 2, info=MatchInfo(home=Team("x", "Other"), venue="Park")))
    assert (record.shown.home, record.shown.venue) == (Team("h", "Home"), "Park")


@pytest.mark.faults
@pytest.mark.parametrize("seed", some(range(200), 10))
def test_two_tellings_of_one_match_interleaved_of_which_one_is_cut_off(seed: int) -> None:
    rng = random.Random(seed)
    goals = sorted((rng.uniform(60, 5_000), rng.choice(list(Side))) for _ in range(rng.randint(1, 6)))
    cut_at = rng.uniform(60, 5_000)
    messages: list[tuple[float, Update]] = []
    for source in ("a", "b"):
        score = Score(0, 0)
        messages += [(n * 60.0, update(source, n * 60.0, minute=n + 1)) for n in range(1, 91)]
        for n, (second, side) in enumerate(goals):
            score, at = score.plus(side, 1), second + rng.uniform(0, 20)
            messages.append((at, goal(source, at, f"{source}{n}", side, score)))
        messages.append((5_460, update(source, 5_460, score=score, status=Status.FINISHED)))
    messages = [(at, item) for at, item in messages if item.stamp.source == "b" or at < cut_at]
    messages += [(float(at), tick(at)) for at in range(0, 5_600, TICK_S)]
    record, true = MatchRecord(), Score(0, 0)
    late: list[tuple[float, Score]] = []
    for at, item in sorted(messages, key=lambda message: message[0]):
        record.hear(item)
        if record.match and record.match.score:
            late.append((at, record.match.score))
    totals = [score.home + score.away for score in record.scores]
    assert totals == sorted(totals)
    for _, side in goals:
        true = true.plus(side, 1)
    assert (record.shown.score, record.shown.status) == (true, Status.FINISHED)
    assert record.news.count("goal") == len(goals)
    for second, _ in goals:
        due = second + 20 + SILENCE_MS / SECOND + 60 + 2 * TICK_S
        least = sum(1 for at, _ in goals if at <= second)
        shown = [score.home + score.away for at, score in late if at >= due]
        assert all(total >= least for total in shown)


def test_what_a_source_not_in_force_told_is_kept_and_given_back() -> None:
    record = MatchRecord()
    record.hear(goal("a", 60, "g"), goal("b", 61, "1"))
    assert set(record.shown.elsewhere) == {"b"}
    bare = replace(record.shown, elsewhere={})
    again, _ = reduce(bare, goal("b", 600, "2"))
    assert again.ledgers["b"].events.keys() == {"1", "2"}
