"""What a phone says: words, merging, discretion, limits."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po

from db.domain import (
    LANGUAGES,
    Competition,
    Event,
    Kind,
    Match,
    Person,
    Score,
    Side,
    Stamp,
    Status,
    Team,
    Variant,
    language_of,
)
from notify.content import payload
from notify.content.message import Message, compose
from notify.content.news import News
from notify.content.translations import CATALOGUES
from tests.support.paths import ROOT

NOW = 1_700_000_000.0


def goal(event_id: str, minute: int, side: Side, player: str, kind: str = "goal", added: int | None = None) -> Event:
    stamp = Stamp(minute)
    return Event(event_id, kind, stamp, stamp, None, side, minute, added, player=Person(player))


FINAL = Match(
    "wc-2022-final",
    version=7,
    home=Team("arg", "Argentina"),
    away=Team("fra", "France"),
    competition=Competition("wc", "World Cup"),
    status=Status.SECOND_HALF,
    score=Score(2, 2),
    minute=81,
    events={
        "g1": goal("g1", 80, Side.AWAY, "Mbappé", "penalty_goal"),
        "g2": goal("g2", 81, Side.AWAY, "Mbappé"),
        "og": goal("og", 90, Side.HOME, "Varane", "own_goal", 4),
    },
)
FIRST = News(Kind.GOAL, "g1", 1, Side.AWAY, "g1", "away-1")
SECOND = News(Kind.GOAL, "g2", 2, Side.AWAY, "g2", "away-2")


def message_of(
    *news: News, match: Match = FINAL, locale: str = "en", spoiler_free: bool = False, **how: Any
) -> Message:
    return compose(match, news, Variant(language_of(locale), spoiler_free), now=NOW, **how)


def test_a_goal_names_team_score_minute_and_scorer() -> None:
    message = message_of(FIRST, fact="wc-2022-final-7-goal")
    assert message.title == "Argentina 2–[2] France"
    assert message.body == "Goal for France! 80' Mbappé (pen.)"
    assert (message.kind, message.link) == (Kind.GOAL, "/match/wc-2022-final")
    assert message.collapse_id == "wc-2022-final-7-goal"


def test_goals_of_one_window_become_one_message_with_the_score_as_it_stands() -> None:
    message = message_of(FIRST, SECOND)
    assert message.title == "Argentina 2–[2] France"
    assert message.body == "2 goals for France! 80' Mbappé (pen.), 81' Mbappé"


def test_merged_news_is_led_by_what_matters_most() -> None:
    card = News(Kind.RED_CARD, "c", 1, Side.HOME)
    message = message_of(card, SECOND)
    assert message.body == "Goal for France! 81' Mbappé\nRed card for Argentina"
    assert message.kind is Kind.GOAL


def test_added_time_and_own_goals_are_shown_as_on_a_scoreboard() -> None:
    assert message_of(News(Kind.GOAL, "og", 1, Side.HOME, "og")).body.endswith("90+4' Varane (own goal)")


def test_a_goal_without_a_scorer_has_its_minute() -> None:
    nobody = replace(FINAL, events={"g1": replace(FINAL.events["g1"], player=None)})
    assert message_of(FIRST, match=nobody).body == "Goal for France! 80' (pen.)"
    assert message_of(News(Kind.GOAL, "away-2", 1, Side.AWAY), match=nobody).body == "Goal for France!"


@pytest.mark.parametrize(
    ("home", "away", "player"),
    [("الهلال", "النصر", "سالم الدوسري"), ("מכבי תל אביב", "הפועל באר שבע", "ערן זהבי")],
    ids=["arabic", "hebrew"],
)
def test_names_from_right_to_left_leave_the_figures_beside_them_alone(home: str, away: str, player: str) -> None:
    """A phone draws plain text by the Unicode Bidirectional Algorithm: without isolates 1–0 between two such names is
    drawn as 0–1, and the names change places."""
    first = goal("g1", 23, Side.HOME, player, "penalty_goal")
    derby = replace(FINAL, home=Team("h", home), away=Team("a", away), score=Score(1, 0), events={"g1": first})
    scored = News(Kind.GOAL, "g1", 1, Side.HOME, "g1", "home-1")
    message = message_of(scored, match=derby)
    assert message.title == f"\u2068{home}\u2069 [1]–0 \u2068{away}\u2069"
    assert message.body == f"Goal for \u2068{home}\u2069! 23' \u2068{player}\u2069 (pen.)"
    assert message_of(scored, match=derby, spoiler_free=True).title == f"\u2068{home}\u2069 – \u2068{away}\u2069"
    # The app lays these out in fields of their own.
    assert (message.attributes["home_team"], message.attributes["away_team"]) == (home, away)


@pytest.mark.parametrize("name", ["Argentina", "1. FC Köln", "Ολυμπιακός", "Спартак", "浦和レッズ", "Schalke 04"])
def test_other_names_cost_no_byte_more(name: str) -> None:
    match = replace(FINAL, home=Team("h", name))
    assert message_of(FIRST, match=match).title == f"{name} 2–[2] France"


def test_an_isolate_is_closed_where_a_name_is_cut() -> None:
    long = replace(FINAL, home=Team("h", "الهلال " * 10))
    line = message_of(FIRST, match=long).title
    assert line.endswith("…\u2069 2–[2] France")
    assert line.count("\u2068") == line.count("\u2069") == 1


def test_the_shoot_out_stands_beside_the_score() -> None:
    over = replace(FINAL, status=Status.FINISHED, score=Score(3, 3), shootout=Score(4, 2), decided_by="penalties")
    message = message_of(News(Kind.FULL_TIME, "full_time"), match=over)
    assert (message.title, message.body) == ("Argentina 3–3 France (4–2 pens)", "Full-time, after penalties")
    assert message.over


def test_a_match_before_its_kick_off_has_no_score() -> None:
    before = replace(FINAL, status=Status.SCHEDULED, score=None)
    assert message_of(News(Kind.REMINDER, "r", minutes=15), match=before).body == "Kick-off in 15 minutes"
    assert message_of(News(Kind.REMINDER, "r", minutes=1), match=before).body == "Kick-off in 1 minute"
    assert message_of(News(Kind.LINEUPS, "l"), match=before).title == "Argentina – France"


@pytest.mark.parametrize(
    ("locale", "title", "detail"),
    [
        ("de", "Argentinien 2–[2] Frankreich", "2 Tore für Frankreich! 80' Mbappé (Elfmeter), 81' Mbappé"),
        ("es-ES", "Argentina 2–[2] Francia", "¡2 goles de Francia! 80' Mbappé (pen.), 81' Mbappé"),
        ("es-MX", "Argentina 2–[2] Francia", "¡2 goles de Francia! 80' Mbappé (penal), 81' Mbappé"),
        ("fr_CA", "Argentine 2–[2] France", "2 buts pour France\u202f! 80' Mbappé (pen.), 81' Mbappé"),
        ("it", "Argentina 2–[2] Francia", "2 gol! Francia · 80' Mbappé (rig.), 81' Mbappé"),
        ("nl-BE", "Argentinië 2–[2] Frankrijk", "2 doelpunten voor Frankrijk! 80' Mbappé (strafschop), 81' Mbappé"),
        ("tr", "Arjantin 2–[2] Fransa", "2 gol! Fransa · 80' Mbappé (pen.), 81' Mbappé"),
        ("pl", "Argentyna 2–[2] Francja", "2 gole! Francja · 80' Mbappé (k.), 81' Mbappé"),
        ("pt", "Argentina 2–[2] França", "2 golos! França · 80' Mbappé (g.p.), 81' Mbappé"),
        ("pt-BR", "Argentina 2–[2] França", "2 gols! França · 80' Mbappé (pên.), 81' Mbappé"),
        ("ja", "Argentina 2–[2] France", "2 goals for France! 80' Mbappé (pen.), 81' Mbappé"),
        ("", "Argentina 2–[2] France", "2 goals for France! 80' Mbappé (pen.), 81' Mbappé"),
    ],
)
def test_the_message_speaks_the_followers_language_and_english_where_it_cannot(
    locale: str, title: str, detail: str
) -> None:
    message = message_of(FIRST, SECOND, locale=locale)
    assert (message.title, message.body) == (title, detail)


def test_every_phrase_of_the_code_is_in_every_catalogue() -> None:
    keywords = {"_": None, "gettext": None, "ngettext": (1, 2), "plural": (1, 2)}
    source = ROOT / "notify" / "content" / "wording.py"
    phrases = {message for _, message, *_ in extract_from_file("python", source, keywords=keywords)}
    assert len(phrases) > 25
    for language in LANGUAGES[1:]:
        translated = {message.id for message in _catalogue(language) if message.id and all(_strings(message.string))}
        assert translated == phrases, language


def test_translations_fill_in_what_the_original_fills_in() -> None:
    for language in LANGUAGES[1:]:
        for message in _catalogue(language):
            originals = _strings(message.id)
            wanted = set(re.findall(r"{\w+}", originals[-1]))
            for string in _strings(message.string)[len(originals) - 1 :]:
                # A language with a word for two needs no figure there.
                assert message.id == "" or set(re.findall(r"{\w+}", string)) | {"{n}"} == wanted | {"{n}"}, (
                    language,
                    string,
                )


def _catalogue(language: str) -> Catalog:
    with (CATALOGUES / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


def _strings(text: str | tuple[str, ...] | list[str]) -> list[str]:
    return [text] if isinstance(text, str) else list(text)


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_has_words_in_every_language(kind: Kind, language: str) -> None:
    message = message_of(News(kind, "k", minutes=15), locale=language)
    assert message.title
    assert "{" not in message.title + message.body
    assert 0 < message.expires_at - NOW <= 600


@pytest.mark.parametrize("kind", list(Kind))
def test_a_spoiler_free_message_says_neither_score_nor_what_happened(kind: Kind) -> None:
    over = replace(FINAL, status=Status.FINISHED, score=Score(7, 6), shootout=Score(9, 8), decided_by="penalties")
    side = Side.HOME if kind in (Kind.GOAL, Kind.RED_CARD) else None
    message = message_of(News(kind, "g1", 1, side, "g1"), match=over, spoiler_free=True)
    full = message_of(News(kind, "g1", 1, side, "g1"), match=over)
    sent = json.loads(payload.apns_alert(message)) | payload.fcm(message, {"token": "t"}, now=NOW)
    text = json.dumps([sent, json.loads(payload.apns_activity(message))], ensure_ascii=False)
    for spoiler in ("7–6", "9–8", "Mbappé", "penalties", '"home_score": 7', '"kind"'):
        assert spoiler not in text
    assert message.title == "Argentina – France"
    if kind in (Kind.GOAL, Kind.GOAL_CANCELLED, Kind.RED_CARD, Kind.PENALTY_MISSED, Kind.EXTRA_TIME, Kind.SHOOTOUT):
        assert message.body == "There is news of this match"
        assert message.body != full.body


def test_long_names_leave_room_for_the_score() -> None:
    long = replace(FINAL, home=Team("a", "A" * 200), events={"g": goal("g", 1, Side.HOME, "P" * 500)})
    message = message_of(News(Kind.GOAL, "g", 1, Side.HOME, "g"), match=long)
    assert " [2]–2 France" in message.title
    assert len(message.title + message.body) < 200


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        *[("pt-BR", "pt_BR"), ("pt_AO", "pt"), ("de-CH", "de"), ("EN-gb", "en"), ("zh-Hant", "en"), (None, "en")],
        *[("es", "es"), ("es-ES", "es"), ("es-419", "es_419"), ("es_AR", "es_419"), ("es-Latn-MX", "es_419")],
        ("ar-EG", "ar"),
    ],
)
def test_languages_are_chosen_by_the_closest_catalogue(locale: str | None, language: str) -> None:
    assert language_of(locale) == language


def test_a_second_yellow_and_an_assist_are_in_the_words() -> None:
    card = replace(FINAL.events["g2"], id="c", type="second_yellow", team=Side.HOME)
    assisted = replace(FINAL.events["g2"], assist=Person("Thuram"))
    match = replace(FINAL, events={"c": card, "g2": assisted})
    assert message_of(News(Kind.RED_CARD, "c", 1, Side.HOME, "c"), match=match).body == (
        "Red card for Argentina · 81' Mbappé (second yellow)"
    )
    assert message_of(SECOND, match=match).body == "Goal for France! 81' Mbappé (assist: Thuram)"


def test_kicks_of_a_shoot_out_name_the_taker_and_what_became_of_it() -> None:
    events = {name: goal(name, 120, Side.HOME, "Messi", name) for name in ("shootout_goal", "shootout_missed")}
    match = replace(FINAL, events=events, shootout=Score(1, 0))
    bodies = [message_of(News(Kind.SHOOTOUT_KICK, name, 1, Side.HOME, name), match=match).body for name in events]
    assert bodies == ["Shoot-out: goal by Argentina · 120' Messi", "Shoot-out: Argentina miss · 120' Messi"]


@pytest.mark.parametrize(
    ("name", "german"),
    [
        ("Germany", "Deutschland"),
        ("Germany U21", "Deutschland U21"),
        ("Korea Republic", "Südkorea"),
        ("Scotland Women", "Schottland Women"),
        ("Turkey", "Türkei"),
        ("Real Madrid", "Real Madrid"),
        ("Great Britain", "Great Britain"),
    ],
)
def test_national_teams_bear_the_name_the_reader_knows(name: str, german: str) -> None:
    match = replace(FINAL, home=Team("x", name))
    message = message_of(FIRST, match=match, locale="de")
    assert message.title == f"{german} 2–[2] Frankreich"
    assert message.attributes["home_team"] == german
    assert message_of(FIRST, match=match).title == f"{name} 2–[2] France"


def test_a_reminder_expires_with_the_kick_off_it_announces() -> None:
    before = replace(FINAL, status=Status.SCHEDULED, start_time=round((NOW + 90) * 1000))
    assert message_of(News(Kind.REMINDER, "r", minutes=2), match=before).expires_at == NOW + 90


def test_a_live_activity_ends_with_the_confirmed_end_alone() -> None:
    ended, finished = replace(FINAL, status=Status.ENDED), replace(FINAL, status=Status.FINISHED)
    assert [message_of(News(Kind.FULL_TIME, "f"), match=match).over for match in (ended, finished)] == [False, True]
