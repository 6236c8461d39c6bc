"""Sportradar's US sports beside basketball: runs and innings, the breaks of each sport, sports never heard of."""

from __future__ import annotations

from typing import Any

import pytest

from db.domain import Match, Score, Status, Team, reduce
from feeds.sportradar.parse import parse
from tests.support import paths
from tests.support.feeds import RECEIVED, match_after, sportradar_updates

DATA = paths.DATA / "sportradar"


def played(*messages: Any) -> Match:
    return match_after(sportradar_updates(*messages))


def at(second: int) -> str:
    return f"2024-05-21T18:{second // 60:02}:{second % 60:02}+00:00"


def ms_at(second: int) -> int:
    return 1_716_314_400_000 + second * 1000


def game(league: str | None, event: dict[str, Any], home: dict[str, Any], away: dict[str, Any], **head: Any) -> Any:
    sides = {
        "home": {"id": "h", "name": "Royals", "market": "Kansas City", **home},
        "away": {"id": "a", "name": "Astros", "market": "Houston", **away},
    }
    payload = {"game": {"id": "g", "status": "inprogress", **sides, **head}, "event": event}
    return {"payload": payload, "metadata": {"league": league, "match": "sd:match:g", "operation": "update"}}


def pitch(second: int, inning: Any = 3, half: Any = "T", **fields: Any) -> dict[str, Any]:
    times = {"created_at": at(second), "updated_at": at(second)}
    moment = {"type": "pitch", "inning": inning, "inning_half": half, "sequence": ms_at(second)}
    return {"id": f"p{second}", **moment, **times, **fields}


def baseball(home: int, away: int, event: dict[str, Any], **head: Any) -> Any:
    return game("MLB", event, {"runs": home}, {"runs": away}, **head)


# Baseball.


def test_runs_are_the_score() -> None:
    match = played(baseball(1, 5, pitch(10)))
    assert (match.sport, match.score, match.status) == ("baseball", Score(1, 5), Status.LIVE)
    assert (match.home, match.away) == (Team("sd:team:h", "Kansas City Royals"), Team("sd:team:a", "Houston Astros"))


def test_points_are_the_score_of_baseball_where_there_are_no_runs() -> None:
    assert played(game("MLB", pitch(10), {"points": 2}, {"points": 0})).score == Score(2, 0)


@pytest.mark.parametrize(
    ("inning", "half", "clock"),
    [(3, "T", "Top 3"), (3, "B", "Bottom 3"), (14, "B", "Bottom 14")],
)
def test_the_inning_and_its_half_are_the_clock(inning: int, half: str, clock: str) -> None:
    match = played(baseball(0, 0, pitch(10, inning, half)))
    assert (match.period, match.clock, match.minute) == (inning, clock, None)


@pytest.mark.parametrize(("inning", "half"), [(0, "T"), (None, "T"), (3, None), (3, "M"), ("?", "B"), (3, ["T"])])
def test_half_an_inning_that_is_not_told_whole_is_no_clock(inning: Any, half: Any) -> None:
    match = played(baseball(0, 0, pitch(10, inning, half)))
    assert (match.period, match.clock) == (None, None)


def test_a_start_of_a_half_is_dated_by_its_sequence() -> None:
    start = {"id": "s", "type": "half_start", "inning": 4, "inning_half": "T", "sequence": ms_at(30)}
    messages = [baseball(1, 0, pitch(10, 3, "B")), baseball(1, 0, start)]
    assert played(*messages).clock == played(*messages[::-1]).clock == "Top 4"


def test_runs_told_late_lower_no_newer_score() -> None:
    assert played(baseball(2, 0, pitch(20)), baseball(1, 0, pitch(10))).score == Score(2, 0)


def test_an_old_pitch_told_again_moves_neither_inning_nor_score_back() -> None:
    edited = pitch(10, 3, "T", updated_at=at(40))
    match = played(baseball(0, 0, pitch(10, 3, "T")), baseball(1, 0, pitch(30, 4, "B")), baseball(1, 0, edited))
    assert (match.score, match.period, match.clock) == (Score(1, 0), 4, "Bottom 4")


@pytest.mark.parametrize(
    ("word", "inning", "status"),
    [
        ("wdelay", None, Status.DELAYED),
        ("wdelay", 3, Status.INTERRUPTED),
        ("fdelay", 3, Status.INTERRUPTED),
        ("odelay", None, Status.DELAYED),
        ("if-necessary", None, Status.SCHEDULED),
        ("suspended", 3, Status.SUSPENDED),
        ("complete", 9, Status.ENDED),
        ("closed", 9, Status.FINISHED),
    ],
)
def test_the_status_words_of_a_baseball_game(word: str, inning: int | None, status: Status) -> None:
    assert played(baseball(0, 0, pitch(10, inning), status=word)).status is status


def test_the_recorded_push_of_two_baseball_games() -> None:
    path = DATA / "push-stream-mlb-2024-05-21.jsonl"
    if not path.exists():
        pytest.skip("recorded Sportradar data is not beside the repository")
    matches: dict[str, Match] = {}
    for update in parse(path.read_bytes(), received_at=RECEIVED):
        matches[update.match_id], _ = reduce(matches.get(update.match_id), update)
    ends = {
        (match.home and match.home.name, match.away and match.away.name, match.score, match.status, match.clock)
        for match in matches.values()
    }
    assert ends == {
        ("Kansas City Royals", "Houston Astros", Score(1, 5), Status.LIVE, "Top 4"),
        ("Cleveland Indians", "Minnesota Twins", Score(3, 2), Status.LIVE, "Top 4"),
    }


# The breaks.


def period_end(number: int, second: int = 10, **fields: Any) -> dict[str, Any]:
    times = {"created": at(second), "updated": at(second)}
    return {"id": f"e{number}", "event_type": "endperiod", "period": {"number": number}, **times, **fields}


def after(league: str | None, number: int) -> Status:
    return played(game(league, period_end(number), {"points": 1}, {"points": 0})).status


@pytest.mark.parametrize(
    ("league", "half_time_after"),
    [("NBA", 2), ("WNBA", 2), ("NCAAWB", 2), ("NCAAMB", 1), ("NFL", 2), ("NCAAFB", 2), ("NHL", None), ("KHL", None)],
)
def test_half_time_is_the_break_after_the_first_half_of_a_sport_that_has_halves(
    league: str, half_time_after: int | None
) -> None:
    for number in (1, 2, 3):
        expected = Status.HALF_TIME if number == half_time_after else Status.PAUSE
        assert after(league, number) is expected, number


def test_an_intermission_is_a_pause() -> None:
    message = game("NHL", pitch(10), {"points": 1}, {"points": 0}, status="intermission")
    assert played(message).status is Status.PAUSE


def test_the_end_of_a_period_edited_later_does_not_stop_the_game_again() -> None:
    moment = {"created": at(30), "updated": at(30), "period": {"number": 3}, "clock": "9:12"}
    basket = {"id": "b", "event_type": "twopointmade", **moment}
    edited = period_end(2, updated=at(40))
    sides = {"points": 50}, {"points": 48}
    match = played(
        game("NBA", period_end(2), *sides),
        game("NBA", basket, *sides),
        game("NBA", edited, *sides, status="inprogress"),
    )
    assert (match.status, match.period, match.clock) == (Status.LIVE, 3, "9:12")


def test_the_end_of_a_game_edited_after_its_confirmation_leaves_it_confirmed() -> None:
    over = {"id": "o", "event_type": "endgame", "created": at(10), "updated": at(10)}
    sides = {"points": 50}, {"points": 48}
    closed = {"id": "c", "event_type": "review", "created": at(20), "updated": at(20)}
    match = played(
        game("NBA", over, *sides),
        game("NBA", closed, *sides, status="closed"),
        game("NBA", over | {"updated": at(30)}, *sides, status="closed"),
    )
    assert match.status is Status.FINISHED


# A sport never heard of.


@pytest.mark.parametrize(
    ("home", "away", "score"),
    [
        ({"points": 3}, {"points": 1}, Score(3, 1)),
        ({"runs": 3}, {"runs": 1}, Score(3, 1)),
        ({"points": 3, "runs": 30}, {"points": 1, "runs": 10}, None),
        ({"points": 3}, {"runs": 1}, None),
        ({"goals": 3}, {"goals": 1}, None),
        ({}, {}, None),
    ],
)
def test_its_score_is_read_only_where_one_field_can_be_it(
    home: dict[str, int], away: dict[str, int], score: Score | None
) -> None:
    match = played(game("XYZ", {"id": "e", "updated": at(10)}, home, away))
    assert (match.sport, match.status, match.score) == ("other", Status.LIVE, score)


def test_runs_are_no_score_of_a_sport_that_counts_points() -> None:
    assert played(game("NBA", {"id": "e", "updated": at(10)}, {"runs": 9}, {"runs": 4})).score is None


# Games from their first to their last message.


def whole_game(league: str, *plays: tuple[str, int, int, str], field: str = "points") -> Match:
    """plays: type of the event, both scores after it, and the game's status then."""
    messages = []
    for n, (kind, home, away, status) in enumerate(plays):
        sides = {"home": {"id": "h", "name": "H", field: home}, "away": {"id": "a", "name": "A", field: away}}
        event = {"id": f"e{n}", "event_type": kind, "period": {"number": 1 + n // 2}, "clock": "10:00"}
        moments = dict.fromkeys(("created", "updated"), f"2026-01-01T20:{n:02}:00Z")
        payload = {"game": {"id": "g", "status": status, **sides}, "event": event | moments}
        messages.append({"payload": payload, "metadata": {"league": league, "match": "sd:match:g"}})
    return match_after(sportradar_updates(*messages))


HOCKEY = [
    ("faceoff", 0, 0, "inprogress"),
    ("goal", 1, 0, "inprogress"),
    ("endperiod", 1, 0, "inprogress"),
    ("goal", 1, 1, "inprogress"),
    ("endperiod", 1, 1, "inprogress"),
    # A shoot-out adds one goal to the winner.
    ("shootoutgoal", 2, 1, "inprogress"),
    ("endgame", 2, 1, "complete"),
    ("endgame", 2, 1, "closed"),
]
FOOTBALL = [
    ("kickoff", 0, 0, "inprogress"),
    ("touchdown", 6, 0, "inprogress"),
    ("extrapoint", 7, 0, "inprogress"),
    ("fieldgoal", 7, 3, "inprogress"),
    ("endgame", 7, 3, "complete"),
    ("endgame", 7, 3, "closed"),
]


@pytest.mark.parametrize(
    ("league", "plays", "score", "sport"),
    [("NHL", HOCKEY, (2, 1), "ice_hockey"), ("NFL", FOOTBALL, (7, 3), "american_football")],
)
def test_a_game_ends_with_its_score(league: str, plays: Any, score: tuple[int, int], sport: str) -> None:
    match = whole_game(league, *plays)
    assert (match.score, match.status, match.sport) == (Score(*score), Status.FINISHED, sport)
    assert match.shootout is None


@pytest.mark.parametrize("field", ["sets", "goals", "overs"])
def test_a_sport_that_we_do_not_know_shows_its_status_and_no_number(field: str) -> None:
    plays = [("serve", 3, 1, "inprogress"), ("point", 4, 1, "inprogress")]
    match = whole_game("CURLING", *plays, field=field)
    assert (match.score, match.status, match.sport) == (None, Status.LIVE, "other")
    assert whole_game("CURLING", *plays, ("end", 4, 1, "closed"), field=field).status is Status.FINISHED
