"""What a phone says: words, merging, discretion, limits."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po
from firebase_admin import _messaging_encoder as messaging_encoder
from firebase_admin import messaging

from db.domain import Competition, Event, Kind, Match, Person, Score, Side, Stamp, Status, Team
from notify.content import payload
from notify.content.message import Message, compose
from notify.content.news import News
from notify.content.translations import CATALOGUES, LANGUAGES, language_of
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


def said(*news: News, match: Match = FINAL, locale: str = "en", **how: bool) -> Message:
    return compose(match, news, locale, now=NOW, **how)


def test_a_goal_names_team_score_minute_and_scorer() -> None:
    message = said(FIRST)
    assert message.title == "Goal! France"
    assert message.body == "Argentina 2–2 France\n80' Mbappé (pen.)"
    assert (message.kind, message.link, message.collapse_id) == (Kind.GOAL, "/match/wc-2022-final", "wc-2022-final")


def test_goals_of_one_window_become_one_message_with_the_score_as_it_stands() -> None:
    message = said(FIRST, SECOND)
    assert message.title == "2 goals! France"
    assert message.body == "Argentina 2–2 France\n80' Mbappé (pen.)\n81' Mbappé"


def test_merged_news_is_led_by_what_matters_most() -> None:
    card = News(Kind.RED_CARD, "c", 1, Side.HOME)
    message = said(card, SECOND)
    assert message.title == "Goal! France · Red card: Argentina"
    assert message.kind is Kind.GOAL


def test_added_time_and_own_goals_are_shown_as_on_a_scoreboard() -> None:
    assert said(News(Kind.GOAL, "og", 1, Side.HOME, "og")).body.endswith("90+4' Varane (own goal)")


def test_a_goal_without_a_scorer_has_its_minute() -> None:
    nobody = replace(FINAL, events={"g1": replace(FINAL.events["g1"], player=None)})
    assert said(FIRST, match=nobody).body == "Argentina 2–2 France\n80' (pen.)"
    assert said(News(Kind.GOAL, "away-2", 1, Side.AWAY), match=nobody).body == "Argentina 2–2 France"


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
    message = said(scored, match=derby)
    assert message.title == f"Goal! \u2068{home}\u2069"
    assert message.body == f"\u2068{home}\u2069 1–0 \u2068{away}\u2069\n23' \u2068{player}\u2069 (pen.)"
    assert said(scored, match=derby, spoiler_free=True).title == f"\u2068{home}\u2069 – \u2068{away}\u2069"
    # The app lays these out in fields of their own.
    assert (message.attributes["home_team"], message.attributes["away_team"]) == (home, away)


@pytest.mark.parametrize("name", ["Argentina", "1. FC Köln", "Ολυμπιακός", "Спартак", "浦和レッズ", "Schalke 04"])
def test_other_names_cost_no_byte_more(name: str) -> None:
    match = replace(FINAL, home=Team("h", name))
    assert said(FIRST, match=match).body.partition("\n")[0] == f"{name} 2–2 France"


def test_an_isolate_is_closed_where_a_name_is_cut() -> None:
    long = replace(FINAL, home=Team("h", "الهلال " * 10))
    line = said(FIRST, match=long).body.partition("\n")[0]
    assert line.endswith("…\u2069 2–2 France")
    assert line.count("\u2068") == line.count("\u2069") == 1


def test_the_shoot_out_stands_beside_the_score() -> None:
    over = replace(FINAL, status=Status.FINISHED, score=Score(3, 3), shootout=Score(4, 2), decided_by="penalties")
    message = said(News(Kind.FULL_TIME, "full_time"), match=over)
    assert (message.title, message.body) == ("Full-time, after penalties", "Argentina 3–3 France (4–2 pens)")
    assert message.over


def test_a_match_before_its_kick_off_has_no_score() -> None:
    before = replace(FINAL, status=Status.SCHEDULED, score=None)
    assert said(News(Kind.REMINDER, "r", minutes=15), match=before).title == "Kick-off in 15 minutes"
    assert said(News(Kind.REMINDER, "r", minutes=1), match=before).title == "Kick-off in 1 minute"
    assert said(News(Kind.LINEUPS, "l"), match=before).body == "Argentina – France"


@pytest.mark.parametrize(
    ("locale", "title", "detail"),
    [
        ("de", "2 Tore! France", "80' Mbappé (Elfmeter)"),
        ("es-MX", "¡2 goles! France", "80' Mbappé (pen.)"),
        ("fr_CA", "2 buts ! France", "80' Mbappé (pen.)"),
        ("pt", "2 golos! France", "80' Mbappé (g.p.)"),
        ("pt-BR", "2 gols! France", "80' Mbappé (pên.)"),
        ("ja", "2 goals! France", "80' Mbappé (pen.)"),
        ("", "2 goals! France", "80' Mbappé (pen.)"),
    ],
)
def test_the_message_speaks_the_followers_language_and_english_where_it_cannot(
    locale: str, title: str, detail: str
) -> None:
    message = said(FIRST, SECOND, locale=locale)
    assert message.title == title
    assert detail in message.body


def test_every_phrase_of_the_code_is_in_every_catalogue() -> None:
    keywords = {"_": None, "gettext": None, "ngettext": (1, 2), "plural": (1, 2)}
    source = ROOT / "notify" / "content" / "wording.py"
    found = {message for _, message, *_ in extract_from_file("python", source, keywords=keywords)}
    assert len(found) > 25
    for language in LANGUAGES[1:]:
        said_there = {message.id for message in _catalogue(language) if message.id and all(_strings(message.string))}
        assert said_there == found, language


def test_translations_fill_in_what_the_original_fills_in() -> None:
    for language in LANGUAGES[1:]:
        for message in _catalogue(language):
            originals = _strings(message.id)
            wanted = set(re.findall(r"{\w+}", originals[-1]))
            for string in _strings(message.string)[len(originals) - 1 :]:
                assert message.id == "" or set(re.findall(r"{\w+}", string)) == wanted, (language, string)


def _catalogue(language: str) -> Catalog:
    with (CATALOGUES / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


def _strings(text: str | tuple[str, ...] | list[str]) -> list[str]:
    return [text] if isinstance(text, str) else list(text)


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_has_words_in_every_language(kind: Kind, language: str) -> None:
    message = said(News(kind, "k", minutes=15), locale=language)
    assert message.title
    assert "{" not in message.title + message.body
    assert 0 < message.expires_at - NOW <= 600


@pytest.mark.parametrize("kind", list(Kind))
def test_a_spoiler_free_message_says_neither_score_nor_what_happened(kind: Kind) -> None:
    over = replace(FINAL, status=Status.FINISHED, score=Score(7, 6), shootout=Score(9, 8), decided_by="penalties")
    side = Side.HOME if kind in (Kind.GOAL, Kind.RED_CARD) else None
    message = said(News(kind, "g1", 1, side, "g1"), match=over, spoiler_free=True)
    aloud = said(News(kind, "g1", 1, side, "g1"), match=over)
    sent = json.loads(payload.apns_alert(message)) | payload.fcm(message, {"token": "t"}, now=NOW)
    text = json.dumps([sent, json.loads(payload.apns_activity(message))], ensure_ascii=False)
    for spoiler in ("7–6", "9–8", "Mbappé", "penalties", '"home_score": 7', '"kind"'):
        assert spoiler not in text
    if kind in (Kind.GOAL, Kind.GOAL_CANCELLED, Kind.RED_CARD, Kind.PENALTY_MISSED, Kind.EXTRA_TIME, Kind.SHOOTOUT):
        assert message.title == "Argentina – France"
        assert message.title != aloud.title


@pytest.mark.parametrize("letter", ["x", "ü", "山", "🏆"])
@pytest.mark.parametrize("length", [10, 1000, 5000])
def test_payloads_keep_their_limits_whatever_the_words(letter: str, length: int) -> None:
    message = replace(said(FIRST), title=letter * (length // 2), body=letter * length)
    forms = {
        4096: [payload.apns_alert(message), payload.apns_activity(message), payload.apns_start(message, "c" * 64)],
        3993: [payload.web(message)],
    }
    for limit, payloads in forms.items():
        for form in payloads:
            assert len(form) <= limit
            assert json.loads(form)
    for target, limit in (({"token": "t"}, 4096), ({"topic": "t"}, 2048), ({"condition": "'a' in topics"}, 2048)):
        form = payload.fcm(message, target, now=NOW)["message"]
        assert len(payload.encode({name: form[name] for name in form.keys() - target.keys()})) <= limit
        assert form["notification"]["title"]


def test_a_short_message_is_not_shortened() -> None:
    assert json.loads(payload.apns_alert(said(FIRST)))["aps"]["alert"]["body"] == said(FIRST).body


def test_long_names_leave_room_for_the_score() -> None:
    long = replace(FINAL, home=Team("a", "A" * 200), events={"g": goal("g", 1, Side.HOME, "P" * 500)})
    body = said(News(Kind.GOAL, "g", 1, Side.HOME, "g"), match=long).body
    assert " 2–2 France" in body
    assert len(body) < 150


def test_a_live_activity_is_updated_and_ended_with_the_words_of_the_score_body() -> None:
    running = json.loads(payload.apns_activity(said(SECOND)))["aps"]
    assert (running["event"], running["timestamp"]) == ("update", int(NOW))
    assert running["content-state"] == {
        "version": 7,
        "status": "second_half",
        "home_score": 2,
        "away_score": 2,
        "shootout": None,
        "minute": 81,
        "added_minute": None,
    }
    over = replace(FINAL, status=Status.FINISHED)
    ended = json.loads(payload.apns_activity(said(News(Kind.FULL_TIME, "f"), match=over)))["aps"]
    assert (ended["event"], ended["dismissal-date"]) == ("end", int(NOW) + 3600)


def test_a_start_names_its_channel_only_where_the_system_knows_channels() -> None:
    assert json.loads(payload.apns_start(said(FIRST), "c1"))["aps"]["input-push-channel"] == "c1"
    assert "input-push-channel" not in json.loads(payload.apns_start(said(FIRST), None))["aps"]


def test_a_silent_message_has_no_sound_on_any_phone() -> None:
    message = said(FIRST, silent=True)
    aps = json.loads(payload.apns_alert(message))["aps"]
    assert "sound" not in aps
    assert aps["interruption-level"] == "passive"
    assert payload.fcm(message, {"token": "t"}, now=NOW)["message"]["android"]["priority"] == "NORMAL"
    assert json.loads(payload.web(message))["silent"] is True
    assert "silent" not in json.loads(payload.web(said(FIRST)))


def test_the_ttl_for_fcm_is_what_is_left_and_the_topic_of_the_web_is_short() -> None:
    form = payload.fcm(said(FIRST), {"token": "t"}, now=NOW + 100)["message"]
    assert form["android"]["ttl"] == "200s"
    assert re.fullmatch(r"[A-Za-z0-9_-]{32}", form["webpush"]["headers"]["Topic"])


def test_what_is_sent_to_fcm_is_what_its_own_library_would_send() -> None:
    sent = payload.fcm(said(FIRST, SECOND), {"topic": "goals"}, now=NOW)["message"]
    android = sent["android"]
    shown = messaging.AndroidNotification(
        tag=android["notification"]["tag"], channel_id=android["notification"]["channel_id"], default_sound=True
    )
    theirs = messaging.Message(
        topic="goals",
        data=sent["data"],
        notification=messaging.Notification(**sent["notification"]),
        android=messaging.AndroidConfig(
            collapse_key=android["collapse_key"],
            priority=android["priority"].lower(),
            ttl=int(android["ttl"].removesuffix("s")),
            notification=shown,
        ),
        webpush=messaging.WebpushConfig(headers=sent["webpush"]["headers"]),
    )
    encoded = json.loads(messaging_encoder.MessageEncoder().encode(theirs))
    encoded["android"]["priority"] = encoded["android"]["priority"].upper()
    assert encoded == sent


def test_languages_are_chosen_by_the_closest_catalogue() -> None:
    asked = ["pt-BR", "pt_AO", "pt", "de-CH", "EN-gb", "zh-Hant", None]
    assert [language_of(locale) for locale in asked] == ["pt_BR", "pt", "pt", "de", "en", "en", "en"]
