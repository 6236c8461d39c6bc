"""What a follower is told of a match that two sources tell, one after the other."""

from __future__ import annotations

from db.domain import Event, Kind, Match, Score, Side, Stamp, Status, Update, reduce
from tests.support.stories.documents import Phone
from tests.support.stories.play import BASE_MS


def update(source: str, second: int, **fields: object) -> Update:
    at = BASE_MS + second * 1000
    return Update("m", Stamp(at, source=source), at, **fields)  # type: ignore[arg-type]


def red_card(source: str, second: int, event_id: str, minute: int, side: Side = Side.HOME) -> Update:
    stamp = Stamp(BASE_MS + second * 1000, source=source)
    event = Event(event_id, "red_card", stamp, since=stamp, team=side, minute=minute, created_at=stamp.at)
    return update(source, second, event=event)


def tick(second: int) -> Update:
    return Update("m", Stamp(0), BASE_MS + second * 1000)


def red_cards(*updates: Update) -> int:
    phone, match = Phone(), Match("m")
    for item in updates:
        match, facts = reduce(match if match.ledgers else None, item)
        phone.hear(match, facts, item.received_at)
    phone.wait(updates[-1].received_at + 60_000)
    return phone.kinds.count(Kind.RED_CARD)


def test_a_red_card_that_the_next_source_tells_too_is_announced_once() -> None:
    first = red_card("a", 600, "a-1", 10), update("b", 610, score=Score(0, 0), status=Status.FIRST_HALF)
    switch = update("b", 620, score=Score(1, 0), status=Status.FIRST_HALF), tick(700)
    assert red_cards(*first, *switch, red_card("b", 720, "b-1", 11)) == 1


def test_another_red_card_of_the_next_source_is_announced() -> None:
    first = red_card("a", 600, "a-1", 10), update("b", 610, score=Score(0, 0), status=Status.FIRST_HALF)
    switch = update("b", 620, score=Score(1, 0), status=Status.FIRST_HALF), tick(700)
    of_away = red_card("b", 730, "b-2", 12, Side.AWAY)
    assert red_cards(*first, *switch, red_card("b", 720, "b-1", 11), of_away, red_card("b", 900, "b-3", 15)) == 3


def test_a_red_card_in_place_of_one_taken_back_is_announced() -> None:
    voided = update("a", 660, voids="a-1")
    assert red_cards(red_card("a", 600, "a-1", 10), voided, red_card("a", 700, "a-2", 10)) == 2
