"""Names of topics: legal, told apart, and the same for who subscribes and who publishes."""

from __future__ import annotations

import re

import pytest

from db.domain import (
    LANGUAGES,
    VARIANTS,
    Account,
    Competition,
    Follow,
    Kind,
    Match,
    Quiet,
    Subject,
    Team,
    conditions,
    mask_of,
    topics_for,
    variant_of,
)
from db.domain.topics import TOPICS_MAX
from dev.emulators.topics import Topics
from notify.content.translations import LANGUAGES as WRITTEN

MATCH = Match("sr:match:1", home=Team("arg", "A"), away=Team("fra", "F"), competition=Competition("cup", "C"))
GOAL = mask_of([Kind.GOAL])


def test_the_languages_of_topics_are_those_alerts_are_written_in() -> None:
    assert set(LANGUAGES) == set(WRITTEN)


@pytest.mark.parametrize(
    ("locale", "calm", "variant"),
    [("de-AT", False, "de"), ("pt-BR", False, "pt_BR"), ("PT_br", True, "pt_BR-calm"), ("zh-Hant", False, "en")],
)
def test_a_variant_is_language_and_manner(locale: str, calm: bool, variant: str) -> None:
    assert variant_of(Account("u", locale=locale, spoiler_free=calm)) == variant
    assert variant in VARIANTS


def listening(*follows: Follow) -> Topics:
    """FCM, with one phone that has subscribed to what its follows hand out."""
    topics = Topics()
    for names in (topics_for(Account("u"), follows) or {}).values():
        for name in names:
            assert re.fullmatch(r"[a-zA-Z0-9_.~%-]{1,900}", name)
            topics.add("phone", name)
    return topics


@pytest.mark.parametrize(
    ("follows", "hears"),
    [
        ([Follow(Subject.MATCH, MATCH.id, GOAL)], True),
        ([Follow(Subject.TEAM, "fra", GOAL), Follow(Subject.COMPETITION, "cup", GOAL)], True),
        ([Follow(Subject.TEAM, "fra", mask_of([Kind.KICKOFF]))], False),
        ([Follow(Subject.TEAM, "arg", GOAL), Follow(Subject.MATCH, MATCH.id, 0)], False),
        ([Follow(Subject.TEAM, "arg", GOAL), Follow(Subject.MATCH, MATCH.id, mask_of([Kind.FULL_TIME]))], False),
        ([Follow(Subject.TEAM, "arg", 0), Follow(Subject.MATCH, MATCH.id, GOAL)], True),
        ([Follow(Subject.MATCH, "sr:match:2", GOAL)], False),
        ([Follow(Subject.COMPETITION, "cup", GOAL)], True),
        ([Follow(Subject.TEAM, "arg", 0), Follow(Subject.COMPETITION, "cup", GOAL)], False),
        ([Follow(Subject.TEAM, "fra", mask_of([Kind.FULL_TIME])), Follow(Subject.COMPETITION, "cup", GOAL)], False),
        ([Follow(Subject.MATCH, MATCH.id, 0), Follow(Subject.COMPETITION, "cup", GOAL)], False),
    ],
)
def test_a_condition_finds_who_wants_to_hear(follows: list[Follow], hears: bool) -> None:
    phone = listening(*follows)
    messages = [phone.matching(expression) for expression in conditions(MATCH, Kind.GOAL, "en").values()]
    assert messages.count({"phone"}) == hears


def test_a_match_without_teams_has_a_condition_too() -> None:
    bare = Match(MATCH.id)
    (expression,) = conditions(bare, Kind.GOAL, "en").values()
    assert listening(Follow(Subject.MATCH, bare.id, GOAL)).matching(expression) == {"phone"}


def test_a_condition_names_no_more_topics_than_fcm_takes() -> None:
    assert all(expression.count(" in topics") <= 5 for expression in conditions(MATCH, Kind.GOAL, "en").values())


def test_topics_do_not_serve_quiet_hours_nor_more_than_an_app_has_room_for() -> None:
    every = mask_of(Kind)
    assert topics_for(Account("u", quiet=Quiet(0, 60)), []) is None
    most = TOPICS_MAX // (len(Kind) + 1)
    assert topics_for(Account("u"), [Follow(Subject.TEAM, str(n), every) for n in range(most)]) is not None
    assert topics_for(Account("u"), [Follow(Subject.TEAM, str(n), every) for n in range(most + 1)]) is None
