"""Who scored and who was sent off follows from all that was told: in any order, and whatever is taken back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.codec import decode_match, encode_match
from db.domain import Event, Match, MatchInfo, Person, ScorelineEntry, Side, Stamp, Update, is_listed_alike, is_visible
from db.domain.scoreline import ENTRIES_MAX, NAME_CHARS, cards_of, scorers_of
from tests.support.updates import goal, play, shown, update_of

STAMP = Stamp(1, source="s")


def card(id_: str, second: float, type_: str = "red_card", **fields: object) -> Update:
    return update_of(type_, second, event_id=id_, **({"team": "away", "player": "B"} | fields))


def cancelled(second: float, voids: str, score: str) -> Update:
    home, away = map(int, score.split("-"))
    return update_of("goal_cancelled", second, event_id=f"c{second}", voids=voids, home_score=home, away_score=away)


def event(id_: str, type_: str = "goal", minute: int = 1, player: str | None = "A") -> Event:
    person = Person(player) if player else None
    return Event(id_, type_, STAMP, since=STAMP, team=Side.HOME, minute=minute, player=person)


STORY = (
    goal("g1", 600, "1-0", player="A", minute=10),
    goal("g2", 1_200, "1-1", team="away", player="B", minute=20),
    card("r1", 1_500, "second_yellow", minute=25),
    cancelled(1_320, "g2", "1-0"),
    update_of("own_goal", 2_700, event_id="g3", home_score=2, away_score=0, team="home", player="C", minute=45,
              added_minute=2),
    card("r2", 3_000, team="home", player=None, minute=50),
    update_of("var_review", 3_060, event_id="v1", voids="r2", minute=51),
)  # fmt: skip
SCORERS = (
    ScorelineEntry("goal", Side.HOME, "A", 10),
    ScorelineEntry("own_goal", Side.HOME, "C", 45, 2),
)
CARDS = (ScorelineEntry("second_yellow", Side.AWAY, "B", 25),)


@settings(max_examples=120, deadline=None)
@given(st.permutations(STORY), st.lists(st.sampled_from(STORY), max_size=4))
def test_what_stands_is_listed_in_any_order_of_arrival(story: list[Update], again: list[Update]) -> None:
    match, _ = play(*story, *again)
    assert (match.scorers, match.cards) == (SCORERS, CARDS)


@settings(max_examples=120, deadline=None)
@given(st.permutations(STORY))
def test_whoever_could_tell_the_difference_is_told(story: list[Update]) -> None:
    before, _ = play(story[0])
    for update in story[1:]:
        after, facts = play(update, match=before)
        same = (before.scorers, before.cards) == (after.scorers, after.cards)
        assert same or (is_visible(before, after, tuple(facts)) and not is_listed_alike(before, after))
        before = after


def test_a_card_that_became_a_yellow_one_is_gone() -> None:
    match, _ = play(card("r", 60), card("r", 120, "yellow_card"))
    assert match.cards == ()


def test_nobody_is_sent_off_twice() -> None:
    match, _ = play(card("y", 60, "second_yellow", minute=30), card("r", 61, minute=30), card("s", 90, player="C"))
    assert [(entry.event_type, entry.player) for entry in match.cards or ()] == [
        ("red_card", "C"),
        ("second_yellow", "B"),
    ]
    assert len(cards_of([event("1", "red_card", player=None), event("2", "red_card", player=None)])) == 2


def test_of_many_the_newest_are_kept_and_long_names_are_cut() -> None:
    entries = scorers_of(event(f"g{minute}", minute=minute, player="N" * 200) for minute in range(30, 0, -1))
    assert [entry.minute for entry in entries] == list(range(31 - ENTRIES_MAX, 31))
    assert {len(entry.player or "") for entry in entries} == {NAME_CHARS}


def test_two_goals_of_one_minute_that_change_places_are_a_new_version() -> None:
    first, second = ScorelineEntry("goal", Side.HOME, "A", 1), ScorelineEntry("goal", Side.HOME, "B", 1)
    before = Match("m", scorers=(first, second), cards=())
    assert is_visible(before, replace(before, scorers=(second, first)), ())


@pytest.mark.parametrize("sport", ["ice_hockey", "basketball"])
def test_other_sports_have_none(sport: str) -> None:
    info = update_of("kickoff", 0, event_id="k")
    match, _ = play(replace(info, info=MatchInfo(sport=sport)), goal("g", 60, "1-0"))
    assert (match.scorers, match.cards) == (None, None)


def test_shoot_out_kicks_are_no_goals() -> None:
    match, _ = play(update_of("goal", 60, event_id="k", team="home", period=5, shootout={"home": 1, "away": 0}))
    assert match.scorers == ()


def test_it_is_stored_and_read() -> None:
    match, _ = play(*STORY)
    read = decode_match(encode_match(match), 1, 1)
    assert (read.scorers, read.cards) == (SCORERS, CARDS)


def test_what_the_release_before_stored_lists_nothing_until_the_next_message() -> None:
    match, _ = play(*STORY)
    stored = replace(match, scorers=None, cards=None)
    assert '"scorers"' not in encode_match(stored)
    read = replace(decode_match(encode_match(stored), 1, 1), events=match.events, ledgers=match.ledgers)
    assert (read.scorers, read.cards) == (None, None)
    after, facts = play(card("r3", 4_000, "yellow_card"), match=read)
    assert shown(after)[2:4] == (SCORERS, CARDS)
    assert is_visible(read, after, tuple(facts))
    assert not is_listed_alike(read, after)


def test_a_field_that_this_release_does_not_know_is_left_out() -> None:
    """As the release before reads what is stored now: its match has no such fields."""
    assert decode_match('{"id": "m", "of_a_later_release": [{"team": "home"}]}', 1, 1) == Match("m", 1, 1)
