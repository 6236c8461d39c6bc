"""Documents that list all events of some types: what is gone from them, what is back, and what they say nothing of."""

from __future__ import annotations

import json
import random
from itertools import permutations
from typing import Any

import pytest

from db.codec import decode_update, encode_update
from db.domain import KICKS, LISTED_TYPES, RED_CARDS, SCORING, FactKind, Match, Score, Update, reduce
from feeds import FEEDS
from tests.support.feeds import RECEIVED, match_after

TEAMS = [{"id": "h", "name": "Home", "position": "home"}, {"id": "a", "name": "Away", "position": "away"}]


def at(second: int) -> str:
    return f"2024-05-01T19:{second // 60:02}:{second % 60:02}Z"


def updates(*messages: Any) -> list[Update]:
    """Of Sportradar or Stats Perform, by their looks."""
    sent = [("statsperform" if "matchInfo" in item or "content" in item else "sportradar", item) for item in messages]
    return [
        update
        for provider, item in sent
        for update in FEEDS[provider](json.dumps(item).encode(), received_at=RECEIVED).updates
    ]


def played(*messages: Any) -> Match:
    return match_after(updates(*messages))


def void(match: Match) -> set[str]:
    return {event.id for event in match.timeline if event.voided}


# Stats Perform.


def ma1(updated: int, goals: tuple[dict[str, Any], ...] = (), pen: Any = None, **live: Any) -> dict[str, Any]:
    home = sum(item["contestantId"] == "h" for item in goals)
    total = {"home": home, "away": len(goals) - home}
    scores = {"total": total} if pen is None else {"ft": total, "pen": {"home": pen[0], "away": pen[1]}}
    details = {"matchStatus": "Playing", "periodId": 5 if pen else 1, "scores": scores}
    info = {"id": "m1", "contestant": TEAMS, "lastUpdated": at(updated)}
    return {"matchInfo": info, "liveData": {"matchDetails": details, "goal": list(goals), **live}}


def one_of(id_: str, second: int, kind: str = "G", **more: Any) -> dict[str, Any]:
    """A goal or a card of MA1."""
    times = {"timestamp": at(second), "lastUpdated": at(second + 5), "periodId": 1, "timeMin": 11}
    return {"optaEventId": id_, "contestantId": "h", "type": kind, "scorerId": f"p{id_}", **times, **more}


def kick(id_: str, second: int, outcome: str = "scored") -> dict[str, Any]:
    return one_of(id_, second, periodId=5, outcome=outcome)


def push(type_: int, modified: int, has_head: bool) -> dict[str, Any]:
    """One event of MA3, entered or deleted."""
    event = {"id": 7, "eventId": 7, "typeId": type_, "periodId": 1, "timeMin": 10, "contestantId": "h"}
    live = {"event": [{**event, "timeStamp": at(100), "lastModified": at(modified)}]}
    head = {"matchInfo": {"id": "m1", "contestant": TEAMS}} if has_head else {}
    return {"content": {"fixtureUuid": "m1", "liveData": live, **head}}


GOAL = one_of("7", 100)


@pytest.mark.parametrize("order", list(permutations([ma1(200, (GOAL,)), ma1(300), ma1(400, (GOAL,))])))
def test_a_goal_that_is_back_in_the_newest_document_stands(order: tuple[Any, ...]) -> None:
    match = played(*order)
    assert (match.score, void(match)) == (Score(1, 0), set())


@pytest.mark.parametrize("order", list(permutations([ma1(200, (GOAL,)), ma1(300), ma1(310)])))
def test_a_goal_that_two_documents_lack_is_taken_back(order: tuple[Any, ...]) -> None:
    match = played(*order)
    assert (match.score, void(match)) == (Score(0, 0), {"7"})


@pytest.mark.parametrize("seconds", [(300,), (300, 309), (200, 205)])
def test_one_document_or_two_of_one_moment_take_nothing_back(seconds: tuple[int, ...]) -> None:
    match = played(ma1(200, (GOAL,)), *(ma1(second) for second in seconds))
    assert (match.score, void(match)) == (Score(1, 0), set())


def test_the_one_document_that_comes_long_after_all_others_is_believed() -> None:
    match = played(ma1(200, (GOAL,)), ma1(600))
    assert (match.score, void(match)) == (Score(0, 0), {"7"})


def test_documents_that_do_not_list_all_their_goals_take_none_back() -> None:
    torn = [ma1(second, (one_of("8", 150),)) for second in (300, 310)]
    for document in torn:
        document["liveData"]["matchDetails"]["scores"]["total"]["home"] = 2
    match = played(ma1(200, (GOAL, one_of("8", 150))), *torn)
    assert (match.score, void(match)) == (Score(2, 0), set())


def test_a_goal_between_two_absences_ends_the_first() -> None:
    match = played(ma1(200, (GOAL,)), ma1(300), ma1(306, (GOAL,)), ma1(312))
    assert (match.score, void(match)) == (Score(1, 0), set())


@pytest.mark.parametrize("deleted", [43, 84])
@pytest.mark.parametrize("has_head", [True, False])
def test_a_goal_entered_anew_after_its_deletion_stands_in_any_order(deleted: int, has_head: bool) -> None:
    entries = [push(16, 105, has_head), push(deleted, 130, has_head), push(16, 160, has_head)]
    for order in permutations([ma1(90), *entries]):
        match = played(*order)
        assert (void(match), match.timeline[-1].id) == (set(), "7")


@pytest.mark.parametrize("deleted", [43, 84])
def test_a_document_whose_goal_is_older_than_its_deletion_restores_nothing(deleted: int) -> None:
    for order in permutations([push(16, 105, True), push(deleted, 130, True), ma1(200, (GOAL,))]):
        assert void(played(*order)) == {"7"}


def test_an_event_is_told_once_a_document_and_not_anew_by_the_next() -> None:
    documents = [ma1(second, (GOAL,), card=[one_of("8", 120, "RC")]) for second in range(200, 260, 5)]
    counts = [sum(update.event is not None for update in updates(item)) for item in documents]
    assert set(counts) == {2}
    match = played(*documents)
    assert [len(event.tellings) for event in match.ledgers["statsperform"].events.values()] == [1, 1]


def test_a_red_card_that_documents_lack_is_taken_back_where_they_list_cards() -> None:
    yellow, red = one_of("8", 110, "YC"), one_of("9", 120, "RC")
    before = ma1(200, card=[yellow, red])
    assert void(played(before, *(ma1(second, card=[yellow]) for second in (300, 310)))) == {"9"}
    assert void(played(before, ma1(300), ma1(310))) == set()
    assert void(played(before, ma1(300, card=[yellow]), ma1(310, card=[yellow, red]))) == set()


def test_a_kick_that_documents_lack_is_taken_back_where_they_list_all_of_them() -> None:
    both, item = [kick("8", 110), kick("9", 120)], [kick("8", 110)]
    before = ma1(200, pen=(2, 0), penaltyShot=both)
    gone = played(before, *(ma1(second, pen=(1, 0), penaltyShot=item) for second in (300, 310)))
    assert (gone.shootout, void(gone)) == (Score(1, 0), {"9"})
    torn = played(before, *(ma1(second, pen=(2, 0), penaltyShot=item) for second in (300, 310)))
    assert (torn.shootout, void(torn)) == (Score(2, 0), set())


def test_a_missed_kick_that_documents_lack_is_taken_back() -> None:
    missed = kick("9", 120, "missed")
    before = ma1(200, pen=(1, 0), penaltyShot=[kick("8", 110), missed])
    match = played(before, *(ma1(second, pen=(1, 0), penaltyShot=[kick("8", 110)]) for second in (300, 310)))
    assert (match.shootout, void(match)) == (Score(1, 0), {"9"})


# Sportradar.


def timeline(second: int, *entries: dict[str, Any], **state: Any) -> dict[str, Any]:
    home = sum(item["type"] == "score_change" and item.get("period_type") != "penalties" for item in entries)
    status = {"status": "live", "match_status": "1st_half", "home_score": home, "away_score": 0, **state}
    head = {"generated_at": at(second), "sport_event": {"id": "sr:sport_event:9"}}
    return {**head, "sport_event_status": status, "timeline": list(entries)}


def entry(id_: int, kind: str, second: int, **fields: Any) -> dict[str, Any]:
    return {"id": id_, "type": kind, "time": at(second), "competitor": "home", **fields}


START = entry(1, "match_started", 5)
CARD = entry(2, "red_card", 100)


def test_a_red_card_gone_is_gone() -> None:
    match = played(timeline(200, START, CARD), timeline(300, START), timeline(310, START))
    assert void(match) == {"2"}
    assert void(played(timeline(200, START, CARD), timeline(300), timeline(310))) == set()


def test_a_red_card_that_became_a_yellow_one_is_not_taken_back() -> None:
    edited = entry(2, "yellow_card", 100, updated=True, updated_time=at(250))
    match = played(timeline(200, START, CARD), timeline(300, START, edited), timeline(310, START, edited))
    assert [(event.type, event.voided) for event in match.timeline if event.id == "2"] == [("yellow_card", False)]


def test_what_no_message_named_is_told_as_derived() -> None:
    match = played(timeline(200, START, entry(2, "score_change", 100)), timeline(300, START))
    facts = []
    for update in updates(timeline(310, START)):
        match, new = reduce(match, update)
        facts += new
    assert {fact.kind: fact.derived for fact in facts} == {FactKind.VOIDED: True, FactKind.SCORE: True}


def test_a_snapshot_holds_no_more_than_what_may_be_taken_back() -> None:
    touches = [entry(n, "throw_in", n) for n in range(10, 140)]
    goal, kicked = entry(3, "score_change", 100), entry(4, "penalty_shootout", 120, status="scored")
    state = updates(timeline(200, START, CARD, goal, kicked, *touches))[-1]
    assert (state.present, state.lists) == ({"2", "3"}, SCORING | RED_CARDS)
    state = updates(timeline(200, START, CARD, goal, kicked, shootout_home_score=1, shootout_away_score=0))[-1]
    assert (state.present, state.lists) == ({"2", "3", "4"}, LISTED_TYPES)


@pytest.mark.parametrize("seed", range(6))
def test_documents_and_what_is_pushed_end_the_same_in_any_order(seed: int) -> None:
    rng = random.Random(seed)
    goals = [entry(n, "score_change", 40 * n) for n in range(2, 6)]
    gone = rng.choice([3, 4])
    documents = [
        timeline(
            second,
            START,
            *(item for item in goals if item["time"] <= at(second) and (second < 250 or item["id"] != gone)),
        )
        for second in range(60, 300, rng.choice([3, 7, 20]))
    ]
    match = played(*documents)
    assert (match.score, void(match)) == (Score(3, 0), {str(gone)})
    sent = rng.sample(documents * 2, len(documents) * 2)
    other = played(*sent)
    assert (other.score, other.timeline) == (match.score, match.timeline)


# What waits in an inbox.


def test_an_update_of_the_release_before_is_read_as_it_was_meant() -> None:
    body = '{"match_id":"m","stamp":{"at":1,"source":"sportradar"},"score":{"home":1,"away":0},"present":["1","2"]}'
    update = decode_update(body)
    assert (update.present, update.lists, update.is_document) == ({"1", "2"}, SCORING, False)
    match, _ = reduce(None, update)
    assert [snapshot.lists for snapshot in match.ledgers["sportradar"].snapshots] == [SCORING]


def test_an_update_is_read_as_it_was_written() -> None:
    for update in updates(timeline(200, START, CARD), ma1(200, (GOAL,), pen=(0, 0))):
        assert decode_update(encode_update(update)) == update
    assert updates(ma1(200, (GOAL,), pen=(0, 0)))[-1].lists >= KICKS
