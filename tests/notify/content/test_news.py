"""What is worth telling, by playing updates through `reduce` and asking what the facts say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from db.domain import Event, Fact, FactKind, Kind, Match, MatchInfo, Person, Score, Side, Stamp, Status, Update, reduce
from notify.content.news import News, news_of

HOME, AWAY = Side.HOME, Side.AWAY


class Play:
    """One match told update by update; `news` is what the last telling was worth."""

    def __init__(self) -> None:
        self.match: Match | None = None
        self.at = 0
        self.news: tuple[News, ...] = ()
        self.tell(status=Status.FIRST_HALF, score=Score(0, 0))

    def tell(self, *, at: int | None = None, **fields: object) -> tuple[News, ...]:
        return self.batch([self.update(at=at, **fields)])

    def update(self, *, at: int | None = None, **fields: object) -> Update:
        self.at = at or self.at + 10_000
        return Update("m", Stamp(self.at), self.at, **fields)  # type: ignore[arg-type]

    def event(self, event_id: str, kind: str, side: Side | None = None, score: Score | None = None) -> Update:
        update = self.update(score=score)
        stamp = update.stamp
        event = Event(event_id, kind, stamp, stamp, team=side, minute=10, player=Person("A"))
        return Update("m", stamp, self.at, event=event, score=score)

    def batch(self, updates: list[Update]) -> tuple[News, ...]:
        facts: tuple[Fact, ...] = ()
        for update in updates:
            self.match, new = reduce(self.match, update)
            facts += new
        assert self.match
        self.news = news_of(self.match, facts)
        return self.news


def kinds(news: tuple[News, ...]) -> list[tuple[Kind, str]]:
    return [(item.kind, item.key) for item in news]


def test_a_goal_by_its_event_is_told_once_with_its_side_and_time() -> None:
    play = Play()
    [goal] = play.batch([play.event("g1", "goal", HOME, Score(1, 0))])
    assert goal == News(Kind.GOAL, "g1", play.at, HOME, "g1", "home-1")


def test_the_scoreboard_alone_tells_a_goal() -> None:
    assert kinds(Play().tell(score=Score(0, 1))) == [(Kind.GOAL, "away-1")]


def test_the_event_of_a_goal_the_scoreboard_told_is_no_second_goal() -> None:
    play = Play()
    play.tell(score=Score(1, 0))
    early = Stamp(play.at - 500)
    event = Event("g1", "goal", early, early, team=HOME)
    assert play.batch([Update("m", early, play.at, event=event)]) == ()


def test_the_scoreboard_after_the_event_is_no_second_goal() -> None:
    play = Play()
    play.batch([play.event("g1", "goal", HOME)])
    assert play.tell(score=Score(1, 0)) == ()


def test_two_goals_in_one_batch_are_told_in_their_order() -> None:
    play = Play()
    first, second = play.event("g1", "goal", HOME, Score(1, 0)), play.event("g2", "goal", HOME, Score(2, 0))
    news = play.batch([first, second])
    assert [(item.key, item.board) for item in news] == [("g1", "home-1"), ("g2", "home-2")]


def test_a_voided_goal_is_cancelled_by_its_name_and_by_its_place_on_the_board() -> None:
    play = Play()
    play.batch([play.event("g1", "goal", HOME, Score(1, 0))])
    [cancelled] = play.tell(voids="g1")
    assert (cancelled.kind, cancelled.key, cancelled.board) == (Kind.GOAL_CANCELLED, "g1", "home-1")


def test_a_scoreboard_that_falls_cancels_the_goal_it_told() -> None:
    play = Play()
    play.tell(score=Score(1, 0))
    assert kinds(play.tell(score=Score(0, 0))) == [(Kind.GOAL_CANCELLED, "home-1")]


def test_a_goal_scored_and_voided_in_one_batch_is_no_news() -> None:
    play = Play()
    assert play.batch([play.event("g1", "goal", HOME, Score(1, 0)), play.update(voids="g1")]) == ()


def test_a_restored_goal_is_a_goal_again() -> None:
    play = Play()
    play.batch([play.event("g1", "goal", HOME)])
    play.tell(voids="g1")
    assert kinds(play.batch([play.event("g1", "goal", HOME)])) == [(Kind.GOAL, "g1")]


def test_a_late_scorer_is_news_of_its_own() -> None:
    play = Play()
    play.batch([play.event("g1", "goal", HOME, Score(1, 0))])
    later = play.update()
    event = Event("g1", "goal", later.stamp, later.stamp, team=HOME, minute=10, player=Person("B"))
    assert kinds(play.batch([Update("m", later.stamp, play.at, event=event)])) == [(Kind.SCORER, "g1:B")]


def test_one_batch_may_hold_a_goal_and_a_cancellation_of_the_other_side() -> None:
    play = Play()
    play.batch([play.event("g1", "goal", HOME, Score(1, 0))])
    news = play.batch([play.update(voids="g1"), play.event("g2", "goal", AWAY)])
    assert kinds(news) == [(Kind.GOAL_CANCELLED, "g1"), (Kind.GOAL, "g2")]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("red_card", Kind.RED_CARD),
        ("second_yellow", Kind.RED_CARD),
        ("penalty_missed", Kind.PENALTY_MISSED),
        ("yellow_card", None),
        ("substitution", None),
        ("var_review", Kind.VAR_CHECK),
        ("penalty_awarded", Kind.PENALTY),
        ("possible_goal", None),
        ("shootout_goal", Kind.SHOOTOUT_KICK),
        ("shootout_missed", Kind.SHOOTOUT_KICK),
    ],
)
def test_which_events_are_told(kind: str, expected: Kind | None) -> None:
    play = Play()
    assert [item.kind for item in play.batch([play.event("e1", kind, HOME)])] == ([expected] if expected else [])


def test_a_yellow_card_that_turns_red_is_told_then() -> None:
    play = Play()
    play.batch([play.event("c1", "yellow_card", HOME)])
    assert kinds(play.batch([play.event("c1", "red_card", HOME)])) == [(Kind.RED_CARD, "c1")]


@pytest.mark.parametrize(
    ("status", "key"),
    [
        (Status.HALF_TIME, "half_time"),
        (Status.ET_FIRST, "extra_time"),
        (Status.SHOOTOUT, "shootout"),
        (Status.ENDED, "full_time"),
        (Status.FINISHED, "full_time"),
        (Status.AWARDED, "awarded"),
        (Status.ABANDONED, "abandoned:0"),
        (Status.SECOND_HALF, "second_half"),
        (Status.BREAK_BEFORE_ET, None),
    ],
)
def test_which_statuses_are_told_and_under_what_name(status: Status, key: str | None) -> None:
    assert [item.key for item in Play().tell(status=status)] == ([key] if key else [])


def test_the_kick_off_is_told_when_play_begins_and_not_when_it_resumes() -> None:
    match, facts = reduce(None, Update("m", Stamp(1), 1, status=Status.SCHEDULED))
    assert news_of(match, facts) == ()
    match, facts = reduce(match, Update("m", Stamp(2), 2, status=Status.FIRST_HALF))
    assert kinds(news_of(match, facts)) == [(Kind.KICKOFF, "kickoff")]
    match, facts = reduce(match, Update("m", Stamp(3), 3, status=Status.INTERRUPTED))
    match, facts = reduce(match, Update("m", Stamp(4), 4, status=Status.FIRST_HALF))
    assert news_of(match, facts) == ()


def test_kicks_of_a_shoot_out_move_no_score() -> None:
    play = Play()
    play.tell(score=Score(3, 3), status=Status.SHOOTOUT)
    assert play.tell(shootout=Score(1, 0)) == ()


def derived_facts(facts: tuple[Fact, ...]) -> tuple[Fact, ...]:
    """As facts are of which no message spoke."""
    return tuple(
        replace(fact, derived=True) if fact.kind in (FactKind.VOIDED, FactKind.SCORE) else fact for fact in facts
    )


def fallen(*more: Update) -> tuple[News, ...]:
    """What it is worth that a goal is void by a falling scoreboard, and what else is told with it."""
    play = Play()
    play.batch([play.event("g1", "goal", HOME, Score(1, 0))])
    match, facts = reduce(play.match, play.update(score=Score(0, 0)))
    facts = derived_facts(facts)
    for update in more:
        match, new = reduce(match, replace(update, stamp=Stamp(play.at + 500)))
        facts += new
    return news_of(match, facts)


def event_told(kind: str, side: Side | None = HOME, **more: object) -> Update:
    stamp = Stamp(3_000)
    return Update("m", stamp, 3_000, event=Event("c1", kind, stamp, stamp, team=side, **more))  # type: ignore[arg-type]


def test_a_goal_void_by_a_falling_scoreboard_is_cancelled_without_being_named() -> None:
    assert [(item.kind, item.key, item.derived) for item in fallen()] == [(Kind.GOAL_CANCELLED, "g1", True)]


def test_a_cancellation_by_the_board_alone_is_derived_and_a_goal_by_it_is_not() -> None:
    play = Play()
    assert [item.derived for item in play.tell(score=Score(1, 0))] == [False]
    assert [item.derived for item in play.tell(score=Score(0, 0))] == [True]


def test_a_goal_voided_by_name_is_not_derived() -> None:
    play = Play()
    play.batch([play.event("g1", "goal", HOME, Score(1, 0))])
    assert [item.derived for item in play.tell(voids="g1")] == [False]


@pytest.mark.parametrize(
    ("cancellation", "derived"),
    [
        (event_told("goal_cancelled"), False),
        (event_told("goal_cancelled", None), False),
        (event_told("goal_cancelled", voids="g1"), False),
        (event_told("goal_cancelled", AWAY), True),
        (event_told("var_review"), True),
    ],
    ids=["its side", "no side", "its id", "the other side", "a review"],
)
def test_a_cancellation_told_as_an_event_in_the_same_batch_names_it(cancellation: Update, derived: bool) -> None:
    news = [item for item in fallen(cancellation) if item.kind is Kind.GOAL_CANCELLED and not item.confirms]
    assert [(item.kind, item.key, item.derived) for item in news] == [(Kind.GOAL_CANCELLED, "g1", derived)]


def test_the_same_names_what_only_the_board_tells() -> None:
    play = Play()
    play.tell(score=Score(1, 0))
    stamp = Stamp(play.at + 1000)
    event = Event("c1", "goal_cancelled", stamp, stamp, team=HOME)
    [cancelled] = play.batch([Update("m", stamp, play.at, event=event, score=Score(0, 0))])
    assert (cancelled.kind, cancelled.key, cancelled.derived) == (Kind.GOAL_CANCELLED, "home-1", False)


@pytest.mark.parametrize("voids", ["g1", None])
def test_a_cancellation_told_when_the_score_has_fallen_already_confirms_it(voids: str | None) -> None:
    play = Play()
    play.batch([play.event("g1", "goal", HOME, Score(1, 0))])
    play.tell(score=Score(0, 0))
    stamp = Stamp(play.at + 1000)
    event = Event("c1", "goal_cancelled", stamp, stamp, team=HOME, voids=voids)
    [word] = play.batch([Update("m", stamp, play.at, event=event, score=Score(0, 0))])
    assert word == News(Kind.GOAL_CANCELLED, "g1", stamp.at, HOME, confirms=True)


def test_a_goal_that_is_void_already_and_is_then_voided_by_name_is_confirmed() -> None:
    play = Play()
    play.batch([play.event("g1", "goal", HOME, Score(1, 0))])
    play.tell(score=Score(0, 0))
    assert play.match
    [word] = news_of(play.match, (Fact(FactKind.VOIDED, "g1"),))
    assert (word.key, word.confirms) == ("g1", True)


# Fixtures.

DAY = 24 * 60 * 60 * 1000
KICKOFF = 40 * DAY


def rescheduled(to: int, *, told_at: int, was: int = KICKOFF, status: Status = Status.SCHEDULED) -> tuple[News, ...]:
    match, _ = reduce(None, Update("m", Stamp(1), 1, status=Status.SCHEDULED, info=MatchInfo(start_time=was)))
    moved = Update("m", Stamp(2), 2, status=status, info=MatchInfo(start_time=to))
    match, facts = reduce(match, moved)
    return news_of(replace(match, updated_at=told_at), facts)


def test_a_kick_off_that_is_moved_is_told_once_for_each_time() -> None:
    assert kinds(rescheduled(KICKOFF + DAY, told_at=KICKOFF - DAY)) == [(Kind.POSTPONED, f"start:{KICKOFF + DAY}")]


def test_a_few_minutes_or_a_match_far_ahead_are_no_news() -> None:
    assert rescheduled(KICKOFF + 15 * 60_000, told_at=KICKOFF - DAY) == ()
    assert rescheduled(KICKOFF + DAY, told_at=KICKOFF - 20 * DAY) == ()


def test_a_postponement_with_another_date_is_one_piece_of_news() -> None:
    news = rescheduled(KICKOFF + DAY, told_at=KICKOFF - DAY, status=Status.POSTPONED)
    assert kinds(news) == [(Kind.POSTPONED, f"postponed:{KICKOFF + DAY}")]


def test_a_withdrawn_match_is_told() -> None:
    match, _ = reduce(None, Update("m", Stamp(1), 1, status=Status.SCHEDULED))
    match, facts = reduce(match, Update("m", Stamp(2), 2, status=Status.REMOVED))
    assert kinds(news_of(match, facts)) == [(Kind.POSTPONED, "removed:0")]
