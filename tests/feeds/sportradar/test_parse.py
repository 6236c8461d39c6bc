"""The Sportradar feed: framing, soccer messages and documents, corrections, and the push of its US sports."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.domain import Match, Person, Score, Side, Status, Team, Update, reduce
from db.domain.errors import Refused
from feeds.sportradar.parse import parse
from tests.support import paths

DATA = paths.DATA / "sportradar"
RECEIVED = 1_800_000_000_000
BEAT = {"heartbeat": {"from": 1, "to": 2, "interval": 5, "type": "events", "package": "soccer-v4"}}


def play(*messages: Any) -> list[Update]:
    return parse("".join(json.dumps(message) for message in messages).encode(), received_at=RECEIVED)


def played(*messages: Any) -> Match:
    match = None
    for update in play(*messages):
        match, _ = reduce(match, update)
    assert match
    return match


def at(second: int) -> str:
    return f"2024-05-01T19:{second // 60:02}:{second % 60:02}+00:00"


def goal(id_: int, second: int, score: tuple[int, int], side: str = "home", **fields: Any) -> dict[str, Any]:
    shown = {"home_score": score[0], "away_score": score[1]}
    moment = {"match_time": 10, "match_clock": "09:30", "period": 1, "period_type": "regular_period"}
    return {"id": id_, "type": "score_change", "time": at(second), "competitor": side, **moment, **shown, **fields}


def push(event: dict[str, Any] | None, status: dict[str, Any] | None = None, match: str = "sport_event_id:9") -> Any:
    payload = ({"event": event} if event else {}) | ({"sport_event_status": status} if status else {})
    return {"payload": payload, "metadata": {"sport_event_id": f"sr:{match}"}}


def standing(home: int, away: int, **fields: Any) -> dict[str, Any]:
    return {"status": "live", "match_status": "1st_half", "home_score": home, "away_score": away, **fields}


def timeline(second: int | None, events: list[Any], status: dict[str, Any], **sport_event: Any) -> dict[str, Any]:
    whole = {"sport_event": {"id": "sr:sport_event:9", **sport_event}, "sport_event_status": status, "timeline": events}
    return whole | ({"generated_at": at(second)} if second is not None else {})


# Framing.


@pytest.mark.parametrize("glue", ["", "\n", "\r\n", " \n\t "])
def test_messages_may_stand_back_to_back_over_lines(glue: str) -> None:
    messages = [push(goal(1, 10, (1, 0)), standing(1, 0)), BEAT, push(goal(2, 20, (2, 0)), standing(2, 0))]
    body = glue.join(json.dumps(message, indent=2) for message in messages)
    updates = parse(body.encode(), received_at=RECEIVED)
    assert [update.event.id for update in updates if update.event] == ["1", "2"]


def test_heartbeats_say_nothing_whatever_their_unit() -> None:
    assert play(BEAT, {"heartbeat": {"interval": 5000}}) == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "not_json"),
        (b"   ", "not_json"),
        (b'{"heartbeat": {}', "not_json"),
        (b'{"heartbeat": {}} x', "not_json"),
        (b"\xff", "not_json"),
        (b"{}", "invalid"),
        (b"7", "invalid"),
        (b'{"payload": 7, "metadata": 7}', "invalid"),
        (b'{"payload": {"event": {"id": 1}}, "metadata": {"sport_event_id": "sr:season:1"}}', "invalid"),
        (b'{"sport_event": {"id": "nine"}}', "invalid"),
    ],
)
def test_what_is_no_message_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(Refused) as refused:
        parse(body, received_at=RECEIVED)
    assert refused.value.code == code


def test_the_message_at_fault_is_named() -> None:
    with pytest.raises(Refused) as refused:
        play(BEAT, {"nothing": 1})
    [fault] = refused.value.faults
    assert (fault.field, fault.index) == ("[1]", 1)


def test_a_list_without_matches_is_no_fault() -> None:
    assert play({"generated_at": at(1), "summaries": []}) == []


@pytest.mark.parametrize("name", ["sport_event:9", "sport_event_id:9", "match:9"])
def test_one_match_has_one_id_in_all_products(name: str) -> None:
    assert {update.match_id for update in play(push(goal(1, 10, (1, 0)), match=name))} == {"sr:sport_event:9"}


# Soccer, pushed.


def test_a_goal_in_full() -> None:
    players = [
        {"id": "sr:player:1", "name": "X, Y", "type": "scorer"},
        {"id": "sr:player:2", "name": "Z", "type": "assist"},
    ]
    clock = {"played": "09:30"}
    match = played(push(goal(1, 10, (0, 1), "away", method="header", players=players), standing(0, 1, clock=clock)))
    event = match.events["1"]
    assert (event.type, event.team, event.minute, event.detail) == ("goal", Side.AWAY, 10, "header")
    assert (event.player, event.assist) == (Person("X, Y", "sr:player:1"), Person("Z", "sr:player:2"))
    assert (match.score, match.status, match.minute) == (Score(0, 1), Status.FIRST_HALF, 10)


@pytest.mark.parametrize(
    ("fields", "type_"),
    [
        ({}, "goal"),
        ({"method": "penalty"}, "penalty_goal"),
        ({"method": "own_goal"}, "own_goal"),
        ({"goal_scorer": {"method": "own_goal", "name": "A"}}, "own_goal"),
        ({"period_type": "penalties"}, "shootout_goal"),
    ],
)
def test_the_kind_of_a_goal(fields: dict[str, Any], type_: str) -> None:
    assert played(push(goal(1, 10, (1, 0), **fields))).events["1"].type == type_


def test_an_own_goal_counts_for_the_competitor_named() -> None:
    match = played(push(goal(1, 10, (0, 1), "away", method="own_goal")))
    assert (match.score, match.events["1"].team) == (Score(0, 1), Side.AWAY)


def test_the_status_beside_an_old_goal_told_again_is_believed() -> None:
    first = push(goal(1, 10, (0, 1), "away"), standing(0, 1))
    second = push(goal(2, 20, (0, 2), "away"), standing(0, 2))
    again = push(
        goal(1, 10, (0, 1), "away", updated=True, updated_time=at(30), players=[{"name": "New", "type": "scorer"}]),
        standing(0, 2),
    )
    match = played(first, second, again)
    assert (match.score, match.events["1"].player) == (Score(0, 2), Person("New"))


def test_resends_with_changed_content_edit_and_repeats_do_nothing() -> None:
    first = push(goal(1, 10, (1, 0)), standing(1, 0))
    edited = push(goal(1, 10, (1, 0), match_time=11, updated=True, updated_time=at(20)), standing(1, 0))
    match = played(first, edited)
    assert match.events["1"].minute == 11
    for update in play(first, edited, first):
        match, facts = reduce(match, update)
        assert facts == ()


def test_a_goal_edited_into_a_shot_is_taken_back() -> None:
    shot = {"id": 1, "type": "shot_saved", "time": at(10), "updated": True, "updated_time": at(30)}
    match = played(push(goal(1, 10, (1, 0)), standing(1, 0)), push(shot, standing(0, 0)))
    assert (match.score, match.events["1"].voided) == (Score(0, 0), True)


def test_a_possible_goal_is_no_goal() -> None:
    match = played(push({"id": 1, "type": "possible_goal", "time": at(10), "competitor": "home"}, standing(0, 0)))
    assert (match.score, match.timeline) == (Score(0, 0), [])


def test_an_event_type_never_heard_of_is_kept() -> None:
    match = played(push({"id": 1, "type": "drone_over_pitch", "time": at(10)}, standing(0, 0)))
    assert [event.type for event in match.timeline] == ["drone_over_pitch"]


@pytest.mark.parametrize(
    ("status", "fine", "read"),
    [
        ("not_started", "not_started", Status.SCHEDULED),
        ("live", "1st_half", Status.FIRST_HALF),
        ("live", "halftime", Status.HALF_TIME),
        ("live", "2nd_half", Status.SECOND_HALF),
        ("live", "awaiting_extra_time", Status.BREAK_BEFORE_ET),
        ("live", "1st_extra", Status.ET_FIRST),
        ("live", "overtime", Status.ET_FIRST),
        ("live", "extra_time_halftime", Status.ET_HALF_TIME),
        ("live", "2nd_extra", Status.ET_SECOND),
        ("live", "awaiting_penalties", Status.BREAK_BEFORE_PENS),
        ("live", "penalties", Status.SHOOTOUT),
        ("interrupted", "interrupted", Status.INTERRUPTED),
        ("suspended", None, Status.SUSPENDED),
        ("postponed", "postponed", Status.POSTPONED),
        ("delayed", "start_delayed", Status.DELAYED),
        ("cancelled", "cancelled", Status.CANCELLED),
        ("abandoned", "abandoned", Status.ABANDONED),
        ("ended", "ended", Status.ENDED),
        ("closed", "ended", Status.FINISHED),
        ("closed", "aet", Status.FINISHED),
        ("live", "brand_new", Status.LIVE),
    ],
)
def test_the_status_words(status: str, fine: str | None, read: Status) -> None:
    words = {"status": status} | ({"match_status": fine} if fine else {})
    assert played(timeline(10, [], words)).status is read


def test_how_a_match_was_decided() -> None:
    assert played(timeline(10, [], {"status": "closed", "match_status": "aet"})).decided_by == "extra_time"
    kicks = {"status": "closed", "match_status": "ap", "shootout_home_score": 4, "shootout_away_score": 2}
    match = played(timeline(10, [], kicks | {"home_score": 3, "away_score": 3}))
    assert (match.decided_by, match.shootout, match.score) == ("penalties", Score(4, 2), Score(3, 3))


def test_stoppage_time_stands_beside_the_minute() -> None:
    match = played(push(goal(1, 10, (1, 0), match_time=45, stoppage_time=3)))
    assert (match.events["1"].minute, match.events["1"].added_minute) == (45, 3)
    status = standing(0, 0, clock={"played": "45:00", "stoppage_time_played": "02:10"})
    assert (played(push(None, status)).minute, played(push(None, status)).added_minute) == (45, 3)


# Soccer, documents.


def test_the_head_of_a_document() -> None:
    match = played(
        timeline(
            10,
            [],
            standing(0, 0),
            start_time="2024-05-01T19:00:00+00:00",
            competitors=[
                {"id": "sr:c:2", "name": "B", "qualifier": "away"},
                {"id": "sr:c:1", "name": "A", "qualifier": "home"},
            ],
            venue={"name": "Park"},
            sport_event_context={"competition": {"id": "sr:competition:17", "name": "League"}},
            coverage={"sport_event_properties": {"scores": "live"}},
            replaced_by="sr:sport_event:10",
        )
    )
    assert (match.home, match.away) == (Team("sr:c:1", "A"), Team("sr:c:2", "B"))
    assert match.competition
    assert (match.venue, match.competition.name, match.coverage) == ("Park", "League", "live")
    assert match.replaced_by == "sr:sport_event:10"


def test_a_goal_missing_from_an_older_timeline_or_an_excerpt_stands() -> None:
    both = [goal(1, 10, (1, 0)), goal(2, 50, (2, 0))]
    now = timeline(60, both, standing(2, 0))
    older = timeline(30, both[:1], standing(1, 0))
    excerpt = {"generated_at": at(70), "sport_event_timelines_delta": [timeline(None, [], standing(2, 0))]}
    match = played(now, older, excerpt)
    assert (match.score, match.events["2"].voided) == (Score(2, 0), False)


def test_a_taken_back_goal_told_again_later_is_restored() -> None:
    entry = goal(1, 10, (1, 0))
    back = goal(1, 90, (1, 0), updated=True, updated_time=at(90))
    match = played(
        timeline(30, [entry], standing(1, 0)), timeline(60, [], standing(0, 0)), timeline(100, [back], standing(1, 0))
    )
    assert (match.score, match.events["1"].voided) == (Score(1, 0), False)


def test_a_summary_without_a_time_moves_no_score() -> None:
    match = played(push(goal(1, 10, (1, 0)), standing(1, 0)), timeline(None, [], standing(0, 0)))
    assert match.score == Score(1, 0)


def test_one_delivery_may_tell_of_many_matches() -> None:
    parts = [{"sport_event": {"id": f"sr:sport_event:{n}"}, "sport_event_status": standing(n, 0)} for n in range(3)]
    updates = play({"generated_at": at(1), "summaries": parts})
    assert [(update.match_id[-1], update.score) for update in updates] == [(str(n), Score(n, 0)) for n in range(3)]


def test_a_message_from_the_future_does_not_outrank_those_that_follow() -> None:
    """Deleted entries are known to bear dates of the year 9999; one of 2098 passes for a year."""
    absurd = goal(7, 10, (9, 9)) | {"time": "2098-01-01T00:00:00+00:00"}
    match = played(push(absurd), push(goal(1, 10, (1, 0))), push(goal(2, 20, (2, 0))))
    assert match.score == Score(2, 0)
    kept = played(push(absurd, standing(9, 9)), push(goal(1, 10, (1, 0)), standing(1, 0)))
    assert (kept.score, "7" in kept.events) == (Score(1, 0), True)


# The US sports.


def us(
    event: dict[str, Any], points: tuple[int, int], operation: str = "update", league: str = "NBA", **game: Any
) -> Any:
    sides = {
        "home": {"id": "h", "name": "Heat", "market": "Miami", "points": points[0]},
        "away": {"id": "a", "name": "Nets", "market": "Brooklyn", "points": points[1]},
    }
    head = {"id": "game-1", "status": "inprogress", "coverage": "full", **sides, **game}
    metadata = {"league": league, "match": "sd:match:game-1", "operation": operation}
    return {"payload": {"game": head, "event": event}, "metadata": metadata}


def basket(id_: str, second: int, **fields: Any) -> dict[str, Any]:
    maker = {"type": "fieldgoal", "made": True, "points": 2, "player": {"id": "p1", "full_name": "Jimmy B"}}
    play = {"id": id_, "event_type": "twopointmade", "clock": "8:21", "created": at(second), "updated": at(second)}
    shown = {"period": {"number": 2}, "attribution": {"id": "a"}, "statistics": [maker], "description": "Layup"}
    return play | shown | fields


def test_a_basket_in_full() -> None:
    match = played(us(basket("e1", 10), (20, 22)))
    assert (match.id, match.sport, match.home) == ("sd:match:game-1", "basketball", Team("sd:team:h", "Miami Heat"))
    assert (match.score, match.status, match.clock, match.period) == (Score(20, 22), Status.LIVE, "8:21", 2)
    event = match.events["e1"]
    assert (event.team, event.player, event.detail) == (Side.AWAY, Person("Jimmy B", "p1"), "Layup")


def test_the_game_s_points_are_the_score_and_no_sum_of_baskets() -> None:
    match = played(us(basket("e1", 10), (20, 22)), us(basket("e2", 20, event_type="threepointmade"), (23, 22)))
    assert (match.score, len(match.timeline)) == (Score(23, 22), 2)


def test_a_deleted_basket_is_voided() -> None:
    gone = {"id": "e1", "event_type": "twopointmade", "deleted": at(30)}
    match = played(us(basket("e1", 10), (20, 22)), us(gone, (20, 20), "delete"))
    assert (match.score, match.events["e1"].voided) == (Score(20, 20), True)


def test_a_basket_edited_into_a_miss_is_voided() -> None:
    miss = basket("e1", 10, event_type="twopointmiss", updated=at(30))
    match = played(us(basket("e1", 10), (20, 22)), us(miss, (20, 20)))
    assert (match.score, match.events["e1"].voided) == (Score(20, 20), True)


def test_an_older_message_never_lowers_a_newer_score() -> None:
    assert played(us(basket("e2", 20), (22, 22)), us(basket("e1", 10), (20, 22))).score == Score(22, 22)


def test_periods_end_in_breaks_and_games_in_an_end() -> None:
    def after(type_: str, number: int) -> Status:
        return played(us(basket("e", 10, event_type=type_, period={"number": number}), (1, 1))).status

    assert [after("endperiod", n) for n in (1, 2, 3)] == [Status.PAUSE, Status.HALF_TIME, Status.PAUSE]
    assert after("endgame", 4) is Status.ENDED
    assert played(us(basket("e", 10), (1, 1), status="closed")).status is Status.FINISHED


def test_the_recorded_push_of_a_game_told_twice_and_backwards_ends_the_same() -> None:
    path = DATA / "push-stream-nba-2023-07-19-slice.jsonl"
    if not path.exists():
        pytest.skip("recorded Sportradar data is not beside the repository")
    lines = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    once, again = played(*lines), played(*lines, *lines[::-1])
    assert (again.score, again.status) == (once.score, once.status)
    assert {e.id: e.voided for e in again.timeline} == {e.id: e.voided for e in once.timeline}


# Odd values.

ODD = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.just([]) | st.just({})


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_odd_values_are_skipped_and_never_a_bug(data: st.DataObject) -> None:
    message = data.draw(
        st.sampled_from(
            [
                push(
                    goal(1, 10, (1, 0), players=[{"name": "A", "type": "scorer"}]),
                    standing(1, 0, clock={"played": "1:00"}),
                ),
                us(basket("e1", 10), (20, 22)),
                timeline(30, [goal(1, 10, (1, 0))], standing(1, 0), competitors=[{"id": "a", "name": "A"}], venue={}),
            ]
        )
    )
    whole = json.loads(json.dumps(message))
    place = whole
    while isinstance(place, dict) and place:
        key = data.draw(st.sampled_from(sorted(place)))
        if not isinstance(place[key], dict) or not place[key] or data.draw(st.booleans()):
            place[key] = data.draw(ODD)
            break
        place = place[key]
    match = None
    try:
        updates = play(whole)
    except Refused as refused:
        assert refused.code == "invalid"  # noqa: PT017 - either outcome is right
        return
    for update in updates:
        match, _ = reduce(match, update)
