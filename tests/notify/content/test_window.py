"""When what is told: both edges of a window, repeats, history, and goals taken back before or after they are run."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest

from db.domain import Event, Fact, FactKind, Kind, Match, Score, Side, Stamp, Status, Team
from notify.content.alert import Alert, amend, decode_alert, encode_alert
from notify.content.news import News
from notify.content.opener import WINDOW_MS
from notify.content.window import CORRECTIONS, STALE_MS, apply, close, concerns
from notify.content.window_record import Window, decode, encode

START = 1_700_000_000_000


def at(seconds: float) -> int:
    return START + round(seconds * 1000)


def goal(name: str, seconds: float = 0, side: Side = Side.HOME, board: str | None = None) -> News:
    return News(Kind.GOAL, name, at(seconds), side, name, board or f"{side.value}-{name}")


def back(name: str, seconds: float = 0, board: str | None = None) -> News:
    return News(Kind.GOAL_CANCELLED, name, at(seconds), Side.HOME, name, board or f"home-{name}")


def other(kind: Kind, seconds: float = 0) -> News:
    return News(kind, kind.value, at(seconds))


class WindowRun:
    """A match's window over time; every step goes through the form in which it is kept."""

    def __init__(self) -> None:
        self.kept = encode(Window())
        self.alerts: list[Alert] = []
        self.void: set[str] = set()
        self.version = 0
        self.match = Match("final")

    def hear(self, seconds: float, *news: News, score: Score | None = None, voided: Iterable[str] = ()) -> list[Kind]:
        self.version += 1
        stamp = Stamp(at(seconds))
        names = {item.event_id for item in news if item.event_id}
        events = {
            name: Event(name, "goal", stamp, stamp, void_at=Stamp(at(seconds) + 1) if name in voided else None)
            for name in names | set(voided)
        }
        self.match = Match("final", self.version, at(seconds), home=Team("a", "A"), score=score, events=events)
        heard = apply(decode(self.kept), self.match, news, now_ms=at(seconds))
        return self._take(heard.window, heard.alerts, heard.void)

    def status(self, seconds: float, status: Status, *news: News) -> list[Kind]:
        self.version += 1
        self.match = Match("final", self.version, at(seconds), home=Team("a", "A"), status=status)
        result = apply(decode(self.kept), self.match, news, now_ms=at(seconds))
        return self._take(result.window, result.alerts, result.void)

    def close(self, seconds: float) -> list[Kind]:
        heard = close(decode(self.kept), now_ms=at(seconds))
        return self._take(heard.window, heard.alerts, heard.void)

    @property
    def due(self) -> int | None:
        return decode(self.kept).due

    def _take(self, window: Window, alerts: tuple[Alert, ...], void: frozenset[str]) -> list[Kind]:
        self.kept = encode(window)
        self.alerts += [decode_alert(encode_alert(alert)) for alert in alerts]
        self.void |= void
        return [news.kind for alert in alerts for news in alert.news]


def test_the_first_goal_is_told_at_once_and_what_follows_at_the_windows_end() -> None:
    run = WindowRun()
    assert run.hear(0, goal("1")) == [Kind.GOAL]
    assert run.due is None
    assert run.hear(10, goal("2", 10)) == []
    assert run.hear(20, goal("3", 20), score=Score(3, 0)) == []
    assert run.due == at(0) + WINDOW_MS
    assert run.close(29) == []
    assert run.close(30) == [Kind.GOAL, Kind.GOAL]
    merged = run.alerts[-1]
    assert merged.match.score == Score(3, 0)
    assert set(merged.match.events) == {"2", "3"}
    assert run.due is None


def test_never_two_alerts_of_a_class_within_a_window() -> None:
    """What follows the trailing edge waits, too."""
    run = WindowRun()
    run.hear(0, goal("1"))
    run.hear(20, goal("2", 20))
    run.close(30)
    assert run.hear(35, goal("3", 35)) == []
    assert run.due == at(60)
    assert run.close(60) == [Kind.GOAL]


def test_goals_97_seconds_apart_are_two_alerts() -> None:
    run = WindowRun()
    assert run.hear(0, goal("80")) == [Kind.GOAL]
    assert run.hear(97, goal("81", 97)) == [Kind.GOAL]


def test_a_red_card_does_not_wait_because_a_goal_was_told() -> None:
    run = WindowRun()
    run.hear(0, goal("1"))
    assert run.hear(5, News(Kind.RED_CARD, "r", at(5), Side.AWAY)) == [Kind.RED_CARD]
    assert run.hear(6, other(Kind.HALF_TIME, 6)) == [Kind.HALF_TIME]


def test_news_of_one_change_is_one_alert() -> None:
    run = WindowRun()
    run.hear(0, goal("1"), other(Kind.HALF_TIME))
    assert len(run.alerts) == 1


def test_full_time_waits_for_no_window_and_takes_along_what_does() -> None:
    run = WindowRun()
    run.hear(0, goal("1"), other(Kind.SHOOTOUT))
    run.hear(5, goal("2", 5))
    assert run.hear(10, other(Kind.FULL_TIME, 10)) == [Kind.GOAL, Kind.FULL_TIME]
    assert run.due is None


def test_nothing_is_told_twice() -> None:
    run = WindowRun()
    run.hear(0, goal("1"), other(Kind.KICKOFF))
    assert run.hear(60, goal("1"), other(Kind.KICKOFF)) == []
    run.hear(61, goal("2", 61))
    run.hear(62, goal("3", 62))
    assert run.hear(63, goal("3", 62)) == []
    assert run.close(91) == [Kind.GOAL]


def test_history_is_noted_and_not_told() -> None:
    run = WindowRun()
    assert run.hear(STALE_MS / 1000 + 1, goal("1", 0)) == []
    assert run.hear(STALE_MS / 1000 + 2, goal("1", STALE_MS / 1000)) == []
    assert run.hear(STALE_MS / 1000 + 3, back("1")) == []


def test_news_that_is_too_old_to_send_is_reported_once() -> None:
    late = STALE_MS / 1000 + 1
    match = Match("final", 1, at(late))
    first = apply(Window(), match, [goal("1", 0)], now_ms=at(late))
    assert [item.key for item in first.stale] == ["1"]
    assert apply(first.window, match, [goal("1", 0)], now_ms=at(late + 1)).stale == ()


@pytest.mark.parametrize("between", [Status.ET_FIRST, Status.SECOND_HALF])
def test_the_final_result_is_told_after_a_premature_end(between: Status) -> None:
    run = WindowRun()
    assert run.status(0, Status.ENDED, other(Kind.FULL_TIME, 0)) == [Kind.FULL_TIME]
    run.status(300, between)
    assert run.status(2_000, Status.FINISHED, other(Kind.FULL_TIME, 2_000)) == [Kind.FULL_TIME]
    assert run.status(2_100, Status.FINISHED, other(Kind.FULL_TIME, 2_000)) == []


def test_an_end_that_flaps_is_told_once() -> None:
    run = WindowRun()
    run.status(0, Status.ENDED, other(Kind.FULL_TIME, 0))
    for second in (10, 30, 50):
        run.status(second, Status.SECOND_HALF)
        assert run.status(second + 5, Status.ENDED, other(Kind.FULL_TIME, second)) == []


def test_a_kick_off_that_was_taken_back_is_told_when_it_comes() -> None:
    run = WindowRun()
    run.status(0, Status.FIRST_HALF, other(Kind.KICKOFF, 0))
    run.status(60, Status.DELAYED)
    assert run.status(1_800, Status.FIRST_HALF, other(Kind.KICKOFF, 1_800)) == [Kind.KICKOFF]


def test_news_of_kinds_the_release_before_does_not_know_is_kept_apart_and_sent_apart() -> None:
    run = WindowRun()
    run.hear(0, goal("1"), News(Kind.VAR_CHECK, "v1", at(0), event_id="v1"), News(Kind.PENALTY, "p1", at(0)))
    assert [[news.kind for news in alert.news] for alert in run.alerts] == [
        [Kind.GOAL],
        [Kind.VAR_CHECK, Kind.PENALTY],
    ]
    stored = json.loads(run.kept)
    assert {line["kind"] for line in stored["told"]} == {"goal"}
    assert {line["kind"] for line in stored["more"]["told"]} == {"var_check", "penalty"}
    assert run.hear(60, News(Kind.VAR_CHECK, "v1", at(60), event_id="v1")) == []


def test_a_check_that_waits_is_no_news_after_the_final_whistle() -> None:
    run = WindowRun()
    run.hear(0, News(Kind.VAR_CHECK, "v1", at(0)))
    run.hear(5, News(Kind.VAR_CHECK, "v2", at(5)))
    assert run.hear(10, other(Kind.FULL_TIME, 10)) == [Kind.FULL_TIME]
    assert run.due is None


def test_a_rebound_goal_rings_at_once() -> None:
    run = WindowRun()
    assert run.hear(60, News(Kind.PENALTY_MISSED, "p", at(60), Side.HOME, "p")) == [Kind.PENALTY_MISSED]
    assert run.hear(63, goal("1", 63)) == [Kind.GOAL]


def test_news_without_a_time_is_news() -> None:
    run = WindowRun()
    assert run.hear(0, News(Kind.GOAL, "home-1", 0, Side.HOME, board="home-1")) == [Kind.GOAL]


def test_a_cancelled_goal_is_taken_back_at_once_from_those_who_were_told() -> None:
    run = WindowRun()
    run.hear(0, goal("1"))
    assert run.hear(10, back("1", 10), voided=["1"]) == [Kind.GOAL_CANCELLED]
    assert run.alerts[1].corrects == (run.alerts[0].id,)
    assert run.void == {"1"}
    assert amend(run.alerts[0], run.void, run.match) is None
    assert run.hear(11, back("1", 10), voided=["1"]) == []


def test_a_goal_cancelled_while_it_waits_is_never_told() -> None:
    run = WindowRun()
    run.hear(0, goal("1"))
    run.hear(5, goal("2", 5))
    assert run.hear(10, back("2", 10), voided=["2"]) == []
    assert run.close(30) == []
    assert run.due is None


def test_a_cancellation_of_something_nobody_was_told_of_is_told_to_nobody() -> None:
    assert WindowRun().hear(0, back("1")) == []


def test_a_goal_told_by_the_board_is_cancelled_by_its_event() -> None:
    run = WindowRun()
    run.hear(0, News(Kind.GOAL, "home-1", at(0), Side.HOME, board="home-1"))
    assert run.hear(90, back("e7", 90, board="home-1")) == [Kind.GOAL_CANCELLED]


def test_the_first_of_two_goals_is_cancelled_by_its_name_not_by_the_number_of_the_last() -> None:
    run = WindowRun()
    run.hear(0, goal("a", board="home-1"))
    run.hear(40, goal("b", 40, board="home-2"))
    assert run.hear(80, back("a", 80, board="home-2"), voided=["a"]) == [Kind.GOAL_CANCELLED]
    assert (run.alerts[-1].corrects, run.void) == ((run.alerts[0].id,), {"a"})
    # What is left is the side's first goal now, and may be cancelled as such by the board.
    assert run.hear(120, back("home-1", 120, board="home-1")) == [Kind.GOAL_CANCELLED]
    assert (run.alerts[-1].corrects, run.void) == ((run.alerts[1].id,), {"a", "b"})


def test_a_number_that_has_been_given_before_may_be_another_goals() -> None:
    run = WindowRun()
    run.hear(0, goal("a", board="home-1"))
    run.hear(40, News(Kind.GOAL, "home-2", at(40), Side.HOME, board="home-2"))
    run.hear(80, back("a", 80, board="home-2"), voided=["a"])
    second = News(Kind.GOAL, "home-2", at(120), Side.HOME, board="home-2")
    assert run.hear(120, second) == [Kind.GOAL]
    assert run.hear(121, second) == []


def test_a_score_that_is_taken_back_again_and_again_makes_no_long_ledger() -> None:
    run = WindowRun()
    for second in range(0, 1000, 40):
        run.hear(second, goal("a", second, board="home-1"))
        run.hear(second + 5, back("a", second + 5, board="home-1"))
    assert len(run.alerts) == 50
    assert len(decode(run.kept).ledger) == CORRECTIONS


def test_a_goal_that_is_restored_is_told_again() -> None:
    run = WindowRun()
    run.hear(0, goal("1"))
    run.hear(40, back("1", 40), voided=["1"])
    assert run.hear(80, goal("1", 80)) == [Kind.GOAL]


def test_an_alert_that_told_more_than_the_goal_tells_the_rest_with_the_score_as_it_is() -> None:
    run = WindowRun()
    run.hear(0, goal("0"))
    run.hear(5, goal("1", 5))
    run.hear(6, goal("2", 6), score=Score(3, 0))
    run.close(30)
    run.hear(40, back("1", 40), score=Score(2, 0), voided=["1"])
    merged, correction = run.alerts[1:]
    amended = amend(merged, run.void, run.match)
    assert amended
    assert [news.key for news in amended.news] == ["2"]
    assert set(amended.match.events) == {"2"}
    assert (amended.id, amended.opened_at, amended.match.score) == (merged.id, merged.opened_at, Score(2, 0))
    assert (correction.corrects, correction.before) == ((merged.id,), amended.match.version)
    assert merged.match.version < correction.before


def test_a_correction_on_its_way_is_an_alert_that_can_be_mended() -> None:
    run = WindowRun()
    run.hear(0, goal("1"))
    run.hear(40, goal("2", 40), score=Score(2, 0))
    run.hear(50, back("2", 50), score=Score(1, 0), voided=["2"])
    first = run.alerts[-1]
    run.hear(51, back("1", 51), score=Score(0, 0), voided=["1"])
    assert first.id in decode(run.kept).alerts
    amended = amend(first, ["1"], run.match)
    assert amended
    assert (amended.news, amended.before) == (first.news, first.before)
    assert amended.match.score == Score(0, 0)


def test_what_full_time_takes_along_is_not_void() -> None:
    run = WindowRun()
    run.hear(0, News(Kind.RED_CARD, "r1", at(0), Side.AWAY, "r1"))
    run.hear(5, News(Kind.RED_CARD, "r2", at(5), Side.AWAY, "r2"))
    assert run.hear(9, other(Kind.FULL_TIME, 9), voided=["r2"]) == [Kind.FULL_TIME]


def test_a_red_card_taken_back_while_it_waits_is_not_told() -> None:
    run = WindowRun()
    run.hear(0, News(Kind.RED_CARD, "r1", at(0), Side.AWAY, "r1"))
    run.hear(5, News(Kind.RED_CARD, "r2", at(5), Side.AWAY, "r2"))
    run.hear(9, voided=["r2"])
    assert run.close(30) == []


def test_a_window_hears_of_what_it_may_have_to_tell_or_to_mend_and_of_nothing_else() -> None:
    stamp = Stamp(at(0))
    types = ("goal", "red_card", "substitution", "yellow_card", "tackle")
    match = Match("final", 1, events={name: Event(name, name, stamp, stamp, team=Side.HOME) for name in types})
    heard = {
        (kind.value, name)
        for kind in (FactKind.ADDED, FactKind.EDITED, FactKind.VOIDED)
        for name in types
        if concerns(match, [Fact(kind, name, was=name)])
    }
    assert heard == {(kind, name) for kind in ("added", "edited", "voided") for name in ("goal", "red_card")}
    assert concerns(match, [Fact(FactKind.SCORE, was="0-0")])
    assert concerns(match, [Fact(FactKind.STATUS, was="scheduled")])
    assert not concerns(match, [Fact(FactKind.INFO)])


def test_ids_do_not_collide() -> None:
    run = WindowRun()
    run.hear(0, goal("1"), News(Kind.RED_CARD, "r1", at(0), Side.AWAY))
    run.hear(5, goal("2", 5), News(Kind.RED_CARD, "r2", at(5), Side.AWAY))
    run.hear(6, back("1", 6), other(Kind.INTERRUPTED, 6), voided=["1"])
    run.close(30)
    run.hear(31, goal("4", 31), News(Kind.RED_CARD, "r3", at(31), Side.AWAY))
    run.close(60)
    assert len({alert.id for alert in run.alerts}) == len(run.alerts)


def test_windows_and_alerts_are_stored_under_the_names_that_the_release_before_reads() -> None:
    run = WindowRun()
    run.hear(0, goal("1"))
    run.hear(10, back("1", 10), voided=["1"])
    run.hear(20, goal("2", 20))
    assert {"match", "told", "until"} <= json.loads(run.kept).keys() <= {"match", "told", "until", "waiting"}
    stored = json.loads(encode_alert(run.alerts[1]))
    assert stored.keys() == {"id", "match", "news", "told_at", "of", "before"}
