"""A goal cancelled by nothing but a falling scoreboard: it is told once the fall has stood, and not if it is back."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest

from db.domain import Event, Kind, Match, Score, Side, Stamp, Team
from notify.content.alert import Alert, amend, decode_alert, encode_alert
from notify.content.news import News
from notify.content.opener import WINDOW_MS
from notify.content.window import UNNAMED_HOLD_MS, WindowResult, apply, close
from notify.content.window_record import Window, decode, encode

START = 1_700_000_000_000
HOLD_S = UNNAMED_HOLD_MS / 1000


def at(seconds: float) -> int:
    return START + round(seconds * 1000)


def goal(name: str, seconds: float, board: str, side: Side = Side.HOME) -> News:
    return News(Kind.GOAL, name, at(seconds), side, name, board)


def board_goal(number: str, seconds: float, side: Side = Side.HOME) -> News:
    return News(Kind.GOAL, number, at(seconds), side, board=number)


def fall(name: str, seconds: float, board: str, side: Side = Side.HOME) -> News:
    """A goal that no longer counts, and no message said so."""
    event_id = None if name == board else name
    return News(Kind.GOAL_CANCELLED, name, at(seconds), side, event_id, board, derived=True)


def named(name: str, seconds: float, board: str, side: Side = Side.HOME) -> News:
    return News(Kind.GOAL_CANCELLED, name, at(seconds), side, name, board)


def confirmation(name: str, seconds: float, side: Side | None = Side.HOME) -> News:
    return News(Kind.GOAL_CANCELLED, name, at(seconds), side, confirms=True)


class Story:
    """A match's window over time; every step goes through the form in which it is kept. Versions are times, as the
    store gives them."""

    def __init__(self) -> None:
        self.kept = encode(Window())
        self.alerts: list[Alert] = []
        self.void: list[str] = []
        self.match = Match("final")

    def hear(self, seconds: float, *news: News, score: Score | None = None, voided: Iterable[str] = ()) -> list[Kind]:
        stamp = Stamp(at(seconds))
        names = {item.event_id for item in news if item.event_id} | set(voided)
        events = {
            name: Event(name, "goal", stamp, stamp, void_at=Stamp(at(seconds) + 1) if name in voided else None)
            for name in names
        }
        self.match = Match("final", at(seconds), at(seconds), home=Team("a", "A"), score=score, events=events)
        return self._take(apply(decode(self.kept), self.match, news, now_ms=at(seconds)))

    def close(self, seconds: float) -> list[Kind]:
        return self._take(close(decode(self.kept), now_ms=at(seconds)))

    @property
    def due(self) -> int | None:
        return decode(self.kept).due

    def _take(self, heard: WindowResult) -> list[Kind]:
        self.kept = encode(heard.window)
        self.alerts += [decode_alert(encode_alert(alert)) for alert in heard.alerts]
        self.void += heard.void
        return [news.kind for alert in heard.alerts for news in alert.news]


def two_up() -> Story:
    """Home leads by two goals that were told."""
    story = Story()
    story.hear(0, goal("g1", 0, "home-1"), score=Score(1, 0))
    story.hear(60, goal("g2", 60, "home-2"), score=Score(2, 0))
    return story


def test_a_fall_is_told_only_once_it_has_stood() -> None:
    story = two_up()
    assert story.hear(100, fall("g2", 100, "home-2"), score=Score(1, 0), voided=["g2"]) == []
    assert story.void == []
    assert story.due == at(100 + HOLD_S)
    assert story.close(100 + HOLD_S - 1) == []
    assert story.close(100 + HOLD_S) == [Kind.GOAL_CANCELLED]
    assert story.void == ["g2"]
    assert story.due is None
    assert story.close(100 + HOLD_S + 1) == []


def test_it_is_then_told_to_those_who_heard_of_the_goal_with_the_goals_own_words() -> None:
    story = two_up()
    story.hear(100, fall("g2", 100, "home-2"), score=Score(1, 0), voided=["g2"])
    story.close(100 + HOLD_S)
    cancelled = story.alerts[-1]
    assert cancelled.corrects == (story.alerts[1].id,)
    assert set(cancelled.match.events) == {"g2"}
    assert cancelled.match.score == Score(1, 0)


def test_what_was_begun_while_it_waited_is_told_of_the_end_and_what_is_begun_afterwards_is_not() -> None:
    """Another goal of the same message is cancelled by name meanwhile: it is amended at that version already."""
    story = Story()
    story.hear(0, goal("g1", 0, "home-1"), score=Score(1, 0))
    story.hear(5, goal("g2", 5, "home-2"), score=Score(2, 0))
    story.hear(6, goal("g3", 6, "home-3"), score=Score(3, 0))
    story.close(30)
    merged = story.alerts[-1]
    story.hear(100, fall("g3", 100, "home-3"), score=Score(2, 0), voided=["g3"])
    story.hear(103, named("g2", 103, "home-2"), score=Score(1, 0), voided=["g2"])
    amended = amend(merged, story.void, story.match)
    assert amended
    assert [news.key for news in amended.news] == ["g3"]
    story.close(100 + HOLD_S)
    assert amended.match.version < story.alerts[-1].before
    kept = decode(story.kept).match
    assert kept
    assert kept.version == story.alerts[-1].before


def test_a_goal_that_counts_again_in_time_rings_for_nobody() -> None:
    story = two_up()
    story.hear(100, fall("g2", 100, "home-2"), score=Score(1, 0), voided=["g2"])
    assert story.hear(109, goal("g2", 109, "home-2"), score=Score(2, 0)) == []
    assert story.due is None
    assert story.close(200) == []
    assert story.void == []


def test_a_goal_of_the_board_alone_is_back_with_its_number() -> None:
    story = Story()
    story.hear(0, board_goal("home-1", 0), score=Score(1, 0))
    story.hear(100, fall("home-1", 100, "home-1"), score=Score(0, 0))
    assert story.hear(105, board_goal("home-1", 105), score=Score(1, 0)) == []
    assert story.close(200) == []


@pytest.mark.parametrize("later", [board_goal("home-2", 105), goal("g9", 105, "home-2")], ids=["board", "event"])
def test_the_number_brings_back_what_either_of_the_two_did_not_name(later: News) -> None:
    story = Story()
    story.hear(0, goal("g1", 0, "home-1"), score=Score(1, 0))
    first = goal("g2", 60, "home-2") if later.event_id is None else board_goal("home-2", 60)
    story.hear(60, first, score=Score(2, 0))
    story.hear(100, fall(first.key, 100, "home-2"), score=Score(1, 0))
    assert story.hear(105, later, score=Score(2, 0)) == []
    assert story.close(200) == []


def test_both_goals_of_a_fall_come_back_one_after_the_other() -> None:
    story = two_up()
    story.hear(100, fall("g2", 100, "home-2"), fall("g1", 100, "home-1"), score=Score(0, 0), voided=["g1", "g2"])
    assert story.hear(103, board_goal("home-1", 103), score=Score(1, 0)) == []
    assert story.hear(104, board_goal("home-2", 104), score=Score(2, 0)) == []
    assert story.close(200) == []


def test_of_two_fallen_goals_one_is_back_and_the_other_is_cancelled() -> None:
    story = two_up()
    story.hear(100, fall("g2", 100, "home-2"), fall("g1", 100, "home-1"), score=Score(0, 0), voided=["g1", "g2"])
    story.hear(103, goal("g2", 103, "home-1"), score=Score(1, 0), voided=["g1"])
    assert story.close(100 + HOLD_S) == [Kind.GOAL_CANCELLED]
    assert story.void == ["g1"]
    # The one that is left is the first of its side now.
    assert story.hear(200, named("home-1", 200, "home-1"), score=Score(0, 0)) == [Kind.GOAL_CANCELLED]
    assert story.void == ["g1", "g2"]


def test_a_score_that_flaps_tells_nothing_however_often_it_does() -> None:
    story = two_up()
    for second in range(100, 400, 8):
        assert story.hear(second, fall("g2", second, "home-2"), score=Score(1, 0), voided=["g2"]) == []
        assert story.close(second + 3) == []
        assert story.hear(second + 4, goal("g2", second + 4, "home-2"), score=Score(2, 0)) == []
    assert len(story.alerts) == 2
    assert len(decode(story.kept).ledger) == 2


def test_a_fall_told_again_does_not_wait_anew() -> None:
    story = two_up()
    story.hear(100, fall("g2", 100, "home-2"), voided=["g2"])
    story.hear(107, fall("g2", 107, "home-2"), voided=["g2"])
    assert story.close(100 + HOLD_S) == [Kind.GOAL_CANCELLED]


@pytest.mark.parametrize(
    "word",
    [confirmation("g2", 104), confirmation("", 104), confirmation("", 104, None), named("g2", 104, "home-2")],
    ids=["by id", "of the side", "of either side", "moving the score"],
)
def test_a_cancellation_that_is_named_while_it_waits_is_told_at_once_and_once(word: News) -> None:
    story = two_up()
    story.hear(100, fall("g2", 100, "home-2"), score=Score(1, 0), voided=["g2"])
    assert story.hear(104, word, score=Score(1, 0)) == [Kind.GOAL_CANCELLED]
    assert (story.alerts[-1].corrects, story.void) == ((story.alerts[1].id,), ["g2"])
    assert set(story.alerts[-1].match.events) == {"g2"}
    assert story.hear(105, confirmation("g2", 105), score=Score(1, 0)) == []
    assert story.close(200) == []


def test_a_word_on_another_goal_names_nothing_that_waits() -> None:
    story = two_up()
    story.hear(100, fall("g2", 100, "home-2"), score=Score(1, 0), voided=["g2"])
    assert story.hear(104, confirmation("g1", 104), score=Score(1, 0)) == []
    assert story.hear(104, confirmation("", 104, Side.AWAY), score=Score(1, 0)) == []
    assert story.void == []


def test_a_word_strikes_no_goal_that_counts() -> None:
    story = two_up()
    assert story.hear(104, confirmation("g2", 104), score=Score(2, 0)) == []
    assert story.void == []


def test_another_goal_of_the_side_ends_the_wait_and_is_told_as_new() -> None:
    story = two_up()
    story.hear(100, fall("g2", 100, "home-2"), score=Score(1, 0), voided=["g2"])
    assert story.hear(105, goal("g3", 105, "home-2"), score=Score(2, 0)) == [Kind.GOAL_CANCELLED, Kind.GOAL]
    assert story.void == ["g2"]
    # Its number is the second, and under that it may be cancelled.
    assert story.hear(200, named("home-2", 200, "home-2"), score=Score(1, 0)) == [Kind.GOAL_CANCELLED]
    assert story.void == ["g2", "g3"]


def test_a_goal_of_the_other_side_ends_no_wait() -> None:
    story = two_up()
    story.hear(100, fall("g2", 100, "home-2"), score=Score(1, 0), voided=["g2"])
    assert story.hear(105, goal("g3", 105, "away-1", Side.AWAY), score=Score(1, 1)) == [Kind.GOAL]
    assert story.void == []
    assert story.close(100 + HOLD_S) == [Kind.GOAL_CANCELLED]


def test_a_rise_and_a_new_goal_in_one_change_are_the_goal_back_and_the_new_one() -> None:
    story = two_up()
    story.hear(100, fall("g2", 100, "home-2"), score=Score(1, 0), voided=["g2"])
    news = (goal("g3", 105, "home-3"), board_goal("home-3", 105))
    assert story.hear(105, *news, score=Score(3, 0)) == [Kind.GOAL]
    assert story.alerts[-1].news[0].key == "g3"
    assert story.void == []


def test_nothing_waits_past_the_end() -> None:
    story = two_up()
    story.hear(100, fall("g2", 100, "home-2"), score=Score(1, 0), voided=["g2"])
    whistle = News(Kind.FULL_TIME, "full_time", at(104))
    assert story.hear(104, whistle, score=Score(1, 0)) == [Kind.GOAL_CANCELLED, Kind.FULL_TIME]
    assert story.void == ["g2"]
    assert story.due is None


def test_a_goal_that_the_final_whistle_brings_back_is_not_cancelled() -> None:
    story = two_up()
    story.hear(100, fall("g2", 100, "home-2"), score=Score(1, 0), voided=["g2"])
    whistle = News(Kind.FULL_TIME, "full_time", at(104))
    assert story.hear(104, goal("g2", 104, "home-2"), whistle, score=Score(2, 0)) == [Kind.FULL_TIME]
    assert story.void == []


def waiting() -> Story:
    """The second goal waits for the end of the window, and the scoreboard falls."""
    story = Story()
    story.hear(0, goal("g1", 0, "home-1"), score=Score(1, 0))
    story.hear(5, goal("g2", 5, "home-2"), score=Score(2, 0))
    story.hear(25, fall("g2", 25, "home-2"), score=Score(1, 0), voided=["g2"])
    return story


def test_a_goal_that_waits_is_not_told_while_its_fall_does() -> None:
    story = waiting()
    assert story.due == at(25 + HOLD_S)
    assert story.close(30) == []
    assert story.close(25 + HOLD_S) == []
    assert story.due is None
    assert [alert.news[0].key for alert in story.alerts] == ["g1"]
    assert story.void == ["g2"]


@pytest.mark.parametrize("again", [goal("g2", 32, "home-2"), board_goal("home-2", 32)], ids=["event", "board"])
@pytest.mark.parametrize("seconds", [28, 32], ids=["before the window's end", "after it"])
def test_a_goal_that_waits_is_told_once_it_is_restored(again: News, seconds: int) -> None:
    story = waiting()
    kinds = [] if seconds < 30 else story.close(30)
    kinds += story.hear(seconds, again, score=Score(2, 0))
    due = story.due
    assert due == START + WINDOW_MS
    kinds += story.close(max(30, seconds))
    assert kinds == [Kind.GOAL]
    assert (story.alerts[-1].news[0].key, story.alerts[-1].match.score) == ("g2", Score(2, 0))
    assert story.close(60) == []


def test_what_waits_beside_a_fallen_goal_is_told_in_its_time() -> None:
    story = waiting()
    story.hear(26, goal("g3", 26, "away-1", Side.AWAY), score=Score(1, 1))
    assert story.due == at(30)
    assert story.close(30) == [Kind.GOAL]
    assert story.alerts[-1].news[0].key == "g3"


def test_full_time_takes_no_fallen_goal_along() -> None:
    story = waiting()
    whistle = News(Kind.FULL_TIME, "full_time", at(27))
    assert story.hear(27, whistle, score=Score(1, 0)) == [Kind.FULL_TIME]
    assert story.due is None


def test_two_waits_that_end_one_after_the_other_are_two_alerts() -> None:
    story = two_up()
    story.hear(100, fall("g2", 100, "home-2"), score=Score(1, 0), voided=["g2"])
    story.hear(103, fall("g1", 103, "home-1"), score=Score(0, 0), voided=["g1"])
    assert story.close(100 + HOLD_S) == [Kind.GOAL_CANCELLED]
    assert story.close(103 + HOLD_S) == [Kind.GOAL_CANCELLED]
    assert len({alert.id for alert in story.alerts}) == len(story.alerts)
    assert [alert.corrects for alert in story.alerts[2:]] == [(story.alerts[1].id,), (story.alerts[0].id,)]
    assert story.alerts[2].before < story.alerts[3].before


def test_numbers_of_a_side_are_right_while_one_of_its_goals_is_fallen() -> None:
    """The first is missing, so the second is the side's only goal: a scoreboard that falls again means that one."""
    story = two_up()
    story.hear(100, fall("g1", 100, "home-2"), score=Score(1, 0), voided=["g1"])
    assert story.hear(102, named("home-1", 102, "home-1"), score=Score(0, 0)) == [Kind.GOAL_CANCELLED]
    assert story.void == ["g2"]
    assert story.hear(104, goal("g1", 104, "home-1"), score=Score(1, 0)) == []
    assert story.hear(200, named("home-1", 200, "home-1"), score=Score(0, 0)) == [Kind.GOAL_CANCELLED]
    assert story.void == ["g2", "g1"]


def test_a_fall_of_something_nobody_was_told_of_waits_for_nothing() -> None:
    story = Story()
    assert story.hear(0, fall("g1", 0, "home-1")) == []
    assert story.due is None


def test_a_release_that_knows_no_waits_reads_the_window_and_takes_the_goal_for_told() -> None:
    story = two_up()
    before = json.loads(story.kept)
    story.hear(100, fall("g2", 100, "home-2"), score=Score(1, 0), voided=["g2"])
    kept = json.loads(story.kept)
    lines = [{name: value for name, value in line.items() if name != "fall"} for line in kept["told"]]
    assert lines == before["told"]
    # And what that release writes is a window without waits.
    kept["told"] = lines
    story.kept = json.dumps(kept).encode()
    assert story.due is None
    assert story.hear(104, goal("g2", 104, "home-2"), score=Score(2, 0)) == []


def test_another_goal_turns_out_to_be_the_one_that_fell_and_nobody_hears_of_a_second_fall() -> None:
    story = two_up()
    story.hear(100, fall("g2", 100, "home-2"), score=Score(1, 0), voided=["g2"])
    assert story.close(100 + HOLD_S) == [Kind.GOAL_CANCELLED]
    again = goal("g2", 115, "home-1")
    assert story.hear(115, fall("g1", 115, "home-1"), again, score=Score(1, 0), voided=["g1"]) == []
    assert story.due is None
    assert story.hear(200, goal("g3", 200, "home-2"), score=Score(2, 0)) == [Kind.GOAL]
