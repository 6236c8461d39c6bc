"""What a picture shows, and that its name follows from that alone."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

import pytest

from db.domain import Competition, Match, Score, Status, Team
from pictures.card import NAME_MAX, card_of, picture_path, plain

MATCH = Match(
    "m",
    home=Team("arg", "Argentina"),
    away=Team("fra", "France"),
    competition=Competition("wc", "World Cup"),
    status=Status.SECOND_HALF,
    score=Score(3, 1),
    minute=67,
)


def test_a_card_has_names_score_status_and_competition() -> None:
    card = card_of(MATCH)
    assert card
    assert (card.home, card.away, card.competition) == ("Argentina", "France", "World Cup")
    assert (card.score, card.kicks, card.status, card.is_live) == ("3–1", "", "Second half", True)


def test_after_a_shoot_out_the_kicks_are_on_it() -> None:
    card = card_of(replace(MATCH, status=Status.FINISHED, decided_by="penalties", shootout=Score(4, 2)))
    assert card
    assert (card.kicks, card.status, card.is_live) == ("4–2", "After penalties", False)


@pytest.mark.parametrize("status", [Status.SCHEDULED, Status.TIME_TBD, Status.REMOVED, Status.REPLACED])
def test_a_match_without_a_score_to_show_has_no_card(status: Status) -> None:
    assert card_of(replace(MATCH, status=status)) is None
    assert picture_path("/match/m", replace(MATCH, status=status)) == ""


def test_a_match_in_play_that_continues_as_another_has_none_of_its_own() -> None:
    """An operator replaces it, and its status stays what its sender said last."""
    assert card_of(replace(MATCH, replaced_by="m2")) is None
    assert card_of(replace(MATCH, replaced_by="m"))


def test_a_score_that_nobody_told_is_no_zero() -> None:
    card = card_of(replace(MATCH, score=None, home=None))
    assert card
    assert (card.score, card.home) == ("–", "")


def test_another_minute_has_the_same_picture_and_all_that_shows_has_another() -> None:
    path = picture_path("/match/m", MATCH)
    assert re.fullmatch(r"/match/m/[0-9a-f]{12}\.png", path)
    assert picture_path("/match/m", replace(MATCH, minute=68, version=9, venue="Lusail")) == path
    others = [
        replace(MATCH, score=Score(3, 2)),
        replace(MATCH, status=Status.FINISHED),
        replace(MATCH, home=Team("arg", "Argentinien")),
        replace(MATCH, competition=None),
        replace(MATCH, shootout=Score(0, 0)),
        # What stands in one field is not what stands in two.
        replace(MATCH, home=Team("arg", "ArgentinaFrance"), away=None),
    ]
    assert len({path, *(picture_path("/match/m", other) for other in others)}) == len(others) + 1


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("  a \t\n b ", "a b"),
        ("\x00a\x1b[31m\u202eb\u2066\ufeff", "a[31mb"),
        ("Z" + "\u0301" * 50, "Ź" + "\u0301" * 2),
        ("Nguyễn", unicodedata.normalize("NFC", "Nguyễn")),
        # A zero-width non-joiner is how Persian is spelled.
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("\ud800x", "x"),
    ],
)
def test_a_name_is_one_line_of_what_can_be_seen(text: str, line: str) -> None:
    assert plain(text) == line


def test_a_name_has_an_end() -> None:
    assert plain("a" * 10_000) == "a" * (NAME_MAX - 1) + "…"
    assert len(plain("é" * NAME_MAX)) == NAME_MAX
