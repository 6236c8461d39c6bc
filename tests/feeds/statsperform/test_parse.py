"""The Stats Perform feed: recorded MA1 and MA3 documents of one match, push messages, corrections, odd values."""

from __future__ import annotations

import json
import random
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.domain import Event, Match, Person, Score, Side, Status, Team, Update, reduce
from db.domain.errors import Refused
from feeds.statsperform.parse import parse
from tests.support import paths
from tests.support.places import places

DATA = paths.DATA / "statsperform"
RECEIVED = 1_800_000_000_000
HOME, AWAY = "club-h", "club-a"


def recorded(name: str) -> bytes:
    path = DATA / f"{name}-2021-09-11-hsv-sandhausen.json"
    if not path.exists():
        pytest.skip("recorded Stats Perform data is not beside the repository")
    return path.read_bytes()


@cache
def updates_in(body: bytes) -> tuple[Update, ...]:
    """Read once: a message is told in many orders."""
    return tuple(parse(body, received_at=RECEIVED))


def updates_of(*messages: Any) -> list[Update]:
    return [item for message in messages for item in parse(json.dumps(message).encode(), received_at=RECEIVED)]


def played(updates: list[Update]) -> Match:
    match = None
    for update in updates:
        match, _ = reduce(match, update)
    assert match is not None
    return match


def shown(match: Match) -> list[tuple[Any, ...]]:
    return [
        (e.id, e.type, e.team, e.minute, e.added_minute, e.period, e.player, e.assist, e.detail, e.home_score)
        for e in match.timeline
        if not e.voided
    ]


def seen(match: Match) -> tuple[Any, ...]:
    clock = (match.minute, match.added_minute, match.period)
    return match.score, match.shootout, match.status, match.decided_by, clock, match.home, match.away, shown(match)


def at(second: int) -> str:
    return f"2024-05-01T19:{second // 60:02}:{second % 60:02}Z"


def event(id_: int, type_: int, second: int, modified: int = 0, **more: Any) -> dict[str, Any]:
    qualifiers = [{"qualifierId": q, "value": v} for q, v in more.pop("q", {}).items()]
    item = {"id": id_, "eventId": id_, "typeId": type_, "periodId": 1, "timeMin": 10, "contestantId": HOME}
    times = {"timeStamp": at(second), "lastModified": at(modified or second + 5)}
    return {**item, **times, "qualifier": qualifiers, **more}


TEAMS = [{"id": HOME, "name": "Home", "position": "home"}, {"id": AWAY, "name": "Away", "position": "away"}]


def bare_push(*events: dict[str, Any], **details: Any) -> dict[str, Any]:
    live = {"event": list(events)} | ({"matchDetails": details} if details else {})
    return {"content": {"fixtureUuid": "m1", "liveData": live}}


def push(*events: dict[str, Any], **details: Any) -> dict[str, Any]:
    """With the match's head, so that the sides are known."""
    message = bare_push(*events, **details)
    return {"content": {**message["content"], "matchInfo": {"id": "m1", "contestant": TEAMS}}}


def document(updated: int | None, total: tuple[int, int] | None = None, **live: Any) -> dict[str, Any]:
    info = {"id": "m1", "contestant": TEAMS} | ({"lastUpdated": at(updated)} if updated is not None else {})
    details = {"matchStatus": "Playing", "periodId": 1, **live.pop("details", {})}
    if total is not None:
        details.setdefault("scores", {})["total"] = {"home": total[0], "away": total[1]}
    return {"matchInfo": info, "liveData": {"matchDetails": details, **live}}


def one_event(**fields: Any) -> Event:
    match = played(updates_of(document(900, event=[event(7, **{"type_": 16, "second": 100, **fields})])))
    return match.events["7"]


@cache
def deltas(matchinfo: bool) -> list[bytes]:
    """Each event of the recorded match as a push message of its own."""
    whole = json.loads(recorded("ma3"))
    head = {"matchInfo": whole["matchInfo"]} if matchinfo else {}
    kept = [item for item in whole["liveData"]["event"] if item["typeId"] not in (1, 5, 49, 44, 61)]
    contents = [{"fixtureUuid": whole["matchInfo"]["id"], **head, "liveData": {"event": [item]}} for item in kept]
    return [json.dumps({"content": content}).encode() for content in contents]


@pytest.mark.parametrize("name", ["ma1", "ma3"])
def test_recorded_match_ends_two_one_for_hamburg(name: str) -> None:
    match = played(parse(recorded(name), received_at=RECEIVED))
    assert match.id == "71pif9hi2vwzp6q0xzilyxst0"
    assert match.home == Team("75xi6hloabmnjn2kzgj1g8h1s", "Hamburger SV")
    assert match.away == Team("884uzyf1wosc7ykji6e18gifp", "SV Sandhausen")
    assert (match.score, match.status, match.decided_by) == (Score(2, 1), Status.FINISHED, "regular")
    assert (match.venue, match.start_time) == ("Volksparkstadion", 1_631_385_000_000)
    goals = [(e.type, e.team, e.minute, e.added_minute, e.home_score, e.away_score) for e in match.timeline if e.counts]
    assert goals == [
        ("penalty_goal", Side.HOME, 74, None, 1, 0),
        ("goal", Side.AWAY, 87, None, 1, 1),
        ("goal", Side.HOME, 90, 6, 2, 1),
    ]


def test_both_documents_tell_the_same_happenings() -> None:
    matches = [played(parse(recorded(name), received_at=RECEIVED)) for name in ("ma1", "ma3")]
    numbers, others = (
        [(e.id, e.type, e.team, e.minute, e.added_minute, e.period, e.assist) for e in match.timeline if not e.voided]
        for match in matches
    )
    assert numbers == others
    types = [row[1] for row in numbers]
    assert (types.count("substitution"), types.count("yellow_card"), types.count("second_yellow")) == (9, 4, 1)
    assert [kind for kind in types if kind in ("kickoff", "half_time", "second_half", "full_time")] == [
        "kickoff",
        "half_time",
        "second_half",
        "full_time",
    ]


@pytest.mark.parametrize("matchinfo", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_push_messages_and_documents_converge_in_any_order(seed: int, matchinfo: bool) -> None:
    bodies = [recorded("ma1"), recorded("ma3")]
    reference = seen(played([item for body in bodies for item in updates_in(body)]))
    mixed = (deltas(matchinfo) + bodies) * 2
    random.Random(seed).shuffle(mixed)
    match = played([item for body in mixed for item in updates_in(body)])
    assert seen(match) == reference
    assert match.score == Score(2, 1)


@pytest.mark.parametrize("seed", range(4))
def test_push_messages_alone_make_the_score(seed: int) -> None:
    bodies = deltas(True) * 2
    random.Random(seed).shuffle(bodies)
    match = played([item for body in bodies for item in updates_in(body)])
    assert (match.score, match.status, match.minute, match.added_minute) == (Score(2, 1), Status.FINISHED, 90, 8)
    assert len([e for e in match.timeline if e.type == "substitution"]) == 9


@pytest.mark.parametrize(
    ("qualifiers", "period", "type_", "expected", "team"),
    [
        ({}, 1, 16, "goal", Side.HOME),
        ({28: None}, 1, 16, "own_goal", Side.AWAY),
        ({9: None}, 1, 16, "penalty_goal", Side.HOME),
        ({9: None}, 5, 16, "shootout_goal", Side.HOME),
        ({9: None}, 5, 15, "shootout_missed", Side.HOME),
        ({9: None}, 2, 13, "penalty_missed", Side.HOME),
        ({31: None}, 2, 17, "yellow_card", Side.HOME),
        ({32: None}, 2, 17, "second_yellow", Side.HOME),
        ({33: None}, 2, 17, "red_card", Side.HOME),
        ({}, 2, 65, "var_review", Side.HOME),
    ],
)
def test_type_follows_from_number_qualifier_and_period(
    qualifiers: dict[int, Any], period: int, type_: int, expected: str, team: Side
) -> None:
    result = one_event(type_=type_, q=qualifiers, periodId=period)
    assert (result.type, result.team) == (expected, team)


@pytest.mark.parametrize("type_", [1, 13, 15, 17, 38, 39, 78, 70])
def test_what_no_timeline_shows_is_not_kept(type_: int) -> None:
    assert played(updates_of(document(900, event=[event(7, type_, 100)]))).events == {}


@pytest.mark.parametrize(
    ("period", "elapsed", "expected"),
    [
        (1, 44, (45, None)),
        (1, 46, (45, 2)),
        (2, 45, (46, None)),
        (2, 95, (90, 6)),
        (4, 121, (120, 2)),
        (5, 120, (None, None)),
    ],
)
def test_elapsed_minute_is_shown_as_the_minute_being_played(
    period: int, elapsed: int, expected: tuple[int | None, int | None]
) -> None:
    result = one_event(periodId=period, timeMin=elapsed)
    assert (result.minute, result.added_minute, result.period) == (*expected, period)


def test_substitution_names_who_comes_on_and_who_goes_off() -> None:
    off = event(8, 18, 100, q={55: "9"}, playerId="p8", playerName="Off")
    on = event(9, 19, 100, q={55: "8"}, playerId="p9", playerName="On")
    match = played(updates_of(push(on), document(900, event=[off, on]), push(on), push(off)))
    assert [(e.id, e.player, e.detail) for e in match.timeline] == [("on-p9", Person("On", "p9"), "off: Off")]


@pytest.mark.parametrize("type_", [43, 84])
def test_deleted_goal_no_longer_counts(type_: int) -> None:
    goal = event(7, 16, 100)
    before = played(updates_of(document(90, (0, 0)), push(goal, scores={"total": {"home": 1, "away": 0}})))
    assert before.score == Score(1, 0)
    after = played(updates_of(document(90, (0, 0)), push(goal), push(event(7, type_, 100, 130))))
    assert (after.score, after.events["7"].voided) == (Score(0, 0), True)


def test_goal_deleted_before_it_is_told_never_counts() -> None:
    match = played(updates_of(document(90, (0, 0)), push(event(7, 43, 100, 130)), push(event(7, 16, 100, 105))))
    assert (match.score, match.events["7"].voided) == (Score(0, 0), True)


def test_deleted_passes_leave_no_trace() -> None:
    assert played(updates_of(push(event(7, 43, 100, q={144: "1"})))).events == {}


def test_deleted_substitution_is_taken_back() -> None:
    on = event(9, 19, 100, playerId="p9", playerName="On")
    match = played(updates_of(push(on), push(event(9, 43, 100, 130, q={144: "19"}, playerId="p9"))))
    assert match.events["on-p9"].voided


def test_rescinded_card_is_taken_back() -> None:
    card, rescinded = event(7, 17, 100, q={33: None}), event(8, 47, 100, 200, q={55: "7"})
    assert played(updates_of(push(card), push(card, rescinded))).events["7"].voided


def ma1_goal(id_: str, second: int, home: int, away: int, **more: Any) -> dict[str, Any]:
    times = {"timestamp": at(second), "lastUpdated": at(second + 5)}
    names = {"contestantId": HOME, "type": "G", "scorerId": "p1", "scorerName": "P", "optaEventId": id_}
    return {"periodId": 1, "timeMin": 11, "homeScore": home, "awayScore": away, **times, **names, **more}


def test_own_goal_of_a_match_document_names_the_side_that_gains() -> None:
    goal = ma1_goal("7", 100, 1, 0, type="OG")
    assert played(updates_of(document(200, (1, 0), goal=[goal]))).events["7"].team is Side.HOME


def test_goal_without_known_sides_goes_to_the_side_whose_score_rose() -> None:
    match = played(updates_of(bare_push(event(7, 16, 100), scores={"total": {"home": 0, "away": 1}})))
    assert (match.score, match.events["7"].team) == (Score(0, 1), Side.AWAY)


@pytest.mark.parametrize("updated", [100, 105])
def test_goal_told_again_without_sides_keeps_the_side_that_is_known(updated: int) -> None:
    older = document(200, (1, 0), goal=[ma1_goal("7", 100, 1, 0, lastUpdated=at(updated))])
    match = played(updates_of(older, bare_push(event(7, 16, 100, 300))))
    assert (match.score, match.events["7"].team) == (Score(1, 0), Side.HOME)


def test_missed_penalty_told_again_without_sides_keeps_its_side() -> None:
    missed = ma1_goal("7", 100, 0, 0, lastUpdated=at(100))
    match = played(updates_of(document(200, missedPen=[missed]), bare_push(event(7, 13, 100, 300, q={9: None}))))
    assert (match.events["7"].type, match.events["7"].team) == ("penalty_missed", Side.HOME)


def test_old_goal_told_again_does_not_move_the_clock() -> None:
    scores = {"total": {"home": 1, "away": 0}}
    later = event(8, 1, 400, timeMin=30)
    match = played(updates_of(bare_push(later, scores=scores), bare_push(event(7, 16, 100, 500), scores=scores)))
    assert (match.minute, match.score) == (31, Score(1, 0))


def test_goal_entered_and_deleted_within_one_second_stays_deleted() -> None:
    tellings = push(event(7, 16, 100, 105)), push(event(7, 43, 100, 105))
    for messages in (tellings, tellings[::-1]):
        assert played(updates_of(*messages)).events["7"].voided


def test_message_counts_the_goal_it_tells_once() -> None:
    goal = event(7, 16, 100, 100)
    match = played(updates_of(document(90, (0, 0)), push(goal, scores={"total": {"home": 1, "away": 0}})))
    assert match.score == Score(1, 0)


def test_kicks_of_the_shootout_stand_beside_the_score() -> None:
    scores = {"ft": {"home": 1, "away": 1}, "et": {"home": 2, "away": 2}, "pen": {"home": 4, "away": 3}}
    details = {"matchStatus": "Played", "periodId": 14, "scores": scores}
    match = played(updates_of(document(900, (6, 5), details=details)))
    assert (match.score, match.shootout, match.decided_by) == (Score(2, 2), Score(4, 3), "penalties")


def test_period_end_is_full_time_only_where_the_game_ends() -> None:
    end = event(7, 30, 100, periodId=2, timeMin=93)
    assert played(updates_of(push(end))).events == {}
    match = played(updates_of(push({**end, "qualifier": [{"qualifierId": 209}]}, {**end, "id": 8})))
    assert [(e.id, e.type, e.minute, e.added_minute) for e in match.timeline] == [("period-2-end", "full_time", 90, 4)]


@pytest.mark.parametrize(
    ("word", "period", "status"),
    [
        ("Fixture", None, Status.SCHEDULED),
        ("Playing", 1, Status.FIRST_HALF),
        ("Playing", 10, Status.HALF_TIME),
        ("Playing", 11, Status.BREAK_BEFORE_ET),
        ("Playing", 13, Status.BREAK_BEFORE_PENS),
        ("Playing", 5, Status.SHOOTOUT),
        ("Playing", 14, Status.ENDED),
        ("Playing", None, Status.LIVE),
        ("Played", 14, Status.FINISHED),
        ("Postponed", None, Status.POSTPONED),
        ("Suspended", 2, Status.SUSPENDED),
        ("Cancelled", None, Status.CANCELLED),
        ("Abandoned", 2, Status.ABANDONED),
        ("Awarded", None, Status.AWARDED),
    ],
)
def test_status_is_the_word_refined_by_the_period(word: str, period: int | None, status: Status) -> None:
    assert played(updates_of(document(900, details={"matchStatus": word, "periodId": period}))).status is status


def test_unknown_status_word_is_handed_on() -> None:
    state = updates_of(document(900, details={"matchStatus": "Levitating"}))[-1]
    assert (state.status, state.status_word) == (None, "Levitating")


def test_stale_document_is_not_applied() -> None:
    match = played(updates_of(document(300, (2, 0)), document(200, (1, 0))))
    assert match.score == Score(2, 0)


def test_document_without_times_is_undated() -> None:
    assert updates_of(document(None))[-1].stamp.undated


@pytest.mark.parametrize("message", [{"outlet": {"msg": "is_authorised"}}, {"content": {"msg": "is_subscribed"}}])
def test_handshake_says_nothing(message: Any) -> None:
    assert updates_of(message) == []


def test_list_of_documents_tells_of_each() -> None:
    two = document(100)
    two["matchInfo"]["id"] = "m2"
    for body in ([document(100), two], {"match": [document(100), two]}):
        assert {item.match_id for item in updates_of(body)} == {"m1", "m2"}


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b"1" * 5_000])
def test_body_that_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(Refused) as refused:
        parse(body, received_at=RECEIVED)
    assert refused.value.code == "not_json"


@pytest.mark.parametrize("body", [{}, 1, None, [{}], {"content": {"liveData": {}}}, {"matchInfo": {"id": "a b"}}])
def test_body_that_names_no_match_is_refused(body: Any) -> None:
    with pytest.raises(Refused) as refused:
        updates_of(body)
    assert refused.value.code == "invalid"
    assert refused.value.faults


ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from([10**400, at(1), 16]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_odd_values_are_skipped(data: st.DataObject) -> None:
    """Any field of any part may be anything: what comes out can be reduced, and is still of the match."""
    body = document(900, (1, 0), goal=[ma1_goal("7", 100, 1, 0)], event=[event(7, 16, 100, q={28: "1"})])
    body["liveData"]["card"] = [{"type": "YC", "playerId": "p", "optaEventId": "8"}]
    body["liveData"]["matchDetails"] |= {"matchTime": 12, "period": [{"id": 1, "start": at(0), "lengthMin": 45}]}
    body = json.loads(json.dumps(body))  # the teams are shared by all messages
    spots = list(places(body))
    for place in data.draw(st.lists(st.integers(0, len(spots) - 1), min_size=1, max_size=4)):
        holder, key = spots[place]
        holder[key] = data.draw(ODD)
    body["matchInfo"] = body["matchInfo"] if isinstance(body["matchInfo"], dict) else {}
    body["matchInfo"]["id"] = "m1"
    assert played(updates_of(body)).id == "m1"
