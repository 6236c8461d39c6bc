"""What a follower is told of stories whose messages arrive late, or in which goals change places."""

from __future__ import annotations

from db.domain import Kind
from tests.support.stories.documents import Phone
from tests.support.stories.ends import board, cancelled, goal
from tests.support.stories.play import BASE_MS, Message, event, steps

GOALS = (Kind.GOAL, Kind.SCORER, Kind.GOAL_CANCELLED)


def told(*story: Message, of: tuple[Kind, ...] = GOALS) -> list[list[Kind]]:
    """After each message, in the order given, and half a minute later."""
    phone, kinds, heard = Phone(), [], 0
    for message, (match, facts) in zip(story, steps(story), strict=True):
        now_ms = BASE_MS + round(message.received * 1000)
        phone.hear(match, facts, now_ms)
        phone.wait(now_ms + 30_000)
        kinds.append([kind for kind in phone.kinds[heard:] if kind in of])
        heard = len(phone.kinds)
    return kinds


def test_a_goal_that_was_thought_to_be_the_cancelled_one_is_announced_again() -> None:
    """The cancelled one arrives after its cancellation."""
    late = goal("g2", 4473, "home", "2-0", minute=58)
    assert told(
        goal("g1", 600, "home", "1-0", minute=10),
        cancelled(4493, team="home", minute=59),
        Message(late.fields, late.at, 4516),
    ) == [[Kind.GOAL], [Kind.GOAL_CANCELLED], [Kind.GOAL]]


def test_every_rise_after_a_silent_fall_is_announced() -> None:
    assert told(
        goal("g1", 600, "home", "1-0", minute=10, player="Ann"),
        board(700, "0-0", minute=11),
        board(1800, "1-0", minute=30),
        goal("g2", 1840, "home", "1-0", minute=30, player="Bea"),
        board(3000, "2-0", minute=50),
        goal("g3", 3040, "home", "2-0", minute=50, player="Cleo"),
    ) == [[Kind.GOAL], [Kind.GOAL_CANCELLED], [Kind.GOAL], [Kind.SCORER], [Kind.GOAL], [Kind.SCORER]]


def test_a_scorer_is_named_where_the_score_seemed_to_bring_another_goal_back() -> None:
    assert told(
        goal("g1", 600, "home", "1-0", minute=10, player="Ann"),
        board(700, "0-0", minute=11),
        board(820, "1-0", minute=13),
        goal("g2", 860, "home", "1-0", minute=13, player="Bea"),
        board(960, "2-0", minute=15),
        goal("g3", 1000, "home", "2-0", minute=15, player="Cleo"),
    ) == [[Kind.GOAL], [Kind.GOAL_CANCELLED], [Kind.GOAL], [Kind.SCORER], [Kind.GOAL], [Kind.SCORER]]


def test_a_goal_entered_anew_is_known_by_its_new_id() -> None:
    assert told(
        goal("g", 600, "home", "1-0", minute=10, player="Ann"),
        goal("other", 640, "home", "1-0", minute=10, player="Ann"),
        event("entered_twice", 700, event_id="e", voids="g", minute=11),
        goal("other", 900, "home", "1-0", minute=10, player="Ann", assist="Bea"),
        cancelled(960, voids="other", minute=15),
    ) == [[Kind.GOAL], [], [], [], [Kind.GOAL_CANCELLED]]


def test_a_goal_retold_as_cancelled_leaves_no_score_behind() -> None:
    assert told(
        board(600, "1-0", minute=10),
        goal("g", 603, "home", minute=10),
        event("goal_cancelled", 660, event_id="g", team="home", minute=10),
        Message(board(615, "1-0", minute=10).fields, 615, 670),
    ) == [[Kind.GOAL], [], [Kind.GOAL_CANCELLED], []]


def test_a_kick_without_an_id_is_announced_once_though_its_first_message_comes_last() -> None:
    def kick(at: float, player: str | None = None, home: int = 1) -> Message:
        return event(
            "shootout_goal", at, team="home", minute=120, period=5, player=player, shootout={"home": home, "away": 0}
        )

    assert told(kick(7310, "Ann"), kick(7300), kick(7380, home=2), of=(Kind.SHOOTOUT_KICK,)) == [
        [Kind.SHOOTOUT_KICK],
        [],
        [Kind.SHOOTOUT_KICK],
    ]


def test_two_goals_that_one_scoreboard_takes_are_both_cancelled() -> None:
    assert told(board(600, "1-0"), board(900, "2-0"), board(1200, "0-0")) == [
        [Kind.GOAL],
        [Kind.GOAL],
        [Kind.GOAL_CANCELLED] * 2,
    ]


def test_a_goal_retold_as_cancelled_is_the_one_that_is_cancelled() -> None:
    assert told(
        goal("g1", 60, "home", "1-0", minute=1),
        goal("g2", 160, "home", minute=3),
        event("goal_cancelled", 170, event_id="g1", team="home", minute=1),
        cancelled(174, team="home"),
    ) == [[Kind.GOAL], [Kind.GOAL], [Kind.GOAL_CANCELLED], [Kind.GOAL_CANCELLED]]


def test_a_goal_that_waits_under_the_id_of_another_is_announced() -> None:
    """The score first seemed to bring the other back."""
    story = [
        goal("g1", 290, "home", "1-0", minute=5),
        goal("g2", 298, "home", "2-0", minute=5),
        board(305, "1-0"),
        board(306, "2-0"),
        goal("g3", 307, "home", minute=6),
    ]
    phone = Phone()
    for message, (match, facts) in zip(story, steps(story), strict=True):
        phone.hear(match, facts, BASE_MS + round(message.received * 1000))
    phone.wait(BASE_MS + 400_000)
    assert phone.kinds.count(Kind.GOAL) == 2
