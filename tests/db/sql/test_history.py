"""History on SQLite and PostgreSQL: repeated writes, order of versions, lists, search, refused payloads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event as sa_event
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.codec import encode_facts
from db.domain import (
    Competition,
    Event,
    Fact,
    FactKind,
    Match,
    Person,
    Score,
    Side,
    Stamp,
    Status,
    Team,
)
from db.outbox_entry import OutboxEntry
from db.refusal import RefusedPayload, refused_id
from db.sql.history import History, MatchFilter, PageCursor
from db.sql.history_rows import FOLDED_MAX, fold
from db.sql.models import MatchEventRow, MatchRow, MatchScoreRow, TeamRow
from db.sql.session import engine
from tests.conftest import migrated_file

START = 1_700_000_000_000
HOUR = 3_600_000
SCORED = (Fact(FactKind.SCORE),)


@pytest.fixture
def history(database_url: str) -> Iterator[History]:
    from config import Settings

    history = History(engine(Settings.from_env({"DATABASE_URL": database_url}).sql_url))
    yield history
    history.engine.dispose()


def goal(id_: str, n: int, **fields: Any) -> Event:
    stamp = Stamp(START + n, source="generic")
    return Event(id_, "goal", stamp, since=stamp, team=Side.HOME, minute=n, created_at=START, **fields)


def match(id_: str = "m", version: int = START, **fields: Any) -> Match:
    defaults = {
        "home": Team("h", "Home"),
        "away": Team("a", "Away"),
        "competition": Competition("c", "Cup"),
        "start_time": START,
        "status": Status.FIRST_HALF,
        "score": Score(1, 0),
    }
    return Match(id_, version=version, updated_at=START, **(defaults | fields))


def change(changed: Match, *events: Event, facts: tuple[Fact, ...] = SCORED) -> OutboxEntry:
    return OutboxEntry("0-1", replace(changed, events={}), encode_facts(facts), events)


def rows(history: History, table: Any) -> list[Any]:
    with Session(history.engine) as session:
        return list(session.scalars(select(table)))


def test_a_match_comes_back_as_it_was(history: History) -> None:
    event = goal(
        "g1", 1, player=Person("Ségolène", "p1"), assist=Person("B"), detail="header", home_score=1, away_score=0
    )
    void = replace(goal("g2", 2), void_at=Stamp(START + 9, 4.5, "sr", 201))
    whole = match(
        minute=90,
        added_minute=6,
        period=2,
        venue="Parc",
        told=Score(1, 0),
        told_at=Stamp(START, None, "generic", 9006),
        events={"g1": event, "g2": void},
    )
    history.write([change(whole, event, void)])
    assert history.match("m") == whole
    assert history.match("nobody") is None


def test_the_columns_are_the_ones_that_were_asked_for(history: History) -> None:
    event = goal("g1", 7, player=Person("P"), detail="header")
    history.write([change(match(minute=7, venue="Park"), event)])
    [row] = rows(history, MatchRow)
    assert (row.id, row.home_team, row.away_team, row.competition) == ("m", "Home", "Away", "Cup")
    assert (row.status, row.venue, row.start_time.timestamp() * 1000) == ("first_half", "Park", START)
    [score] = rows(history, MatchScoreRow)
    assert (score.match_id, score.home_score, score.away_score, score.minute) == ("m", 1, 0, 7)
    [event_row] = rows(history, MatchEventRow)
    assert (
        event_row.id,
        event_row.match_id,
        event_row.event_type,
        event_row.minute,
        event_row.player,
        event_row.team,
        event_row.detail,
    ) == (
        "g1",
        "m",
        "goal",
        7,
        "P",
        "home",
        "header",
    )


def test_a_second_writing_changes_nothing(history: History) -> None:
    entries = [change(match(version=START + n), goal(f"g{n}", n)) for n in range(3)]
    for batch in (entries, entries, entries[:1]):
        history.write(batch)
    [row] = rows(history, MatchRow)
    assert row.version == START + 2
    assert len(rows(history, MatchScoreRow)) == 3
    assert len(rows(history, MatchEventRow)) == 3


def test_an_older_version_never_overwrites_a_newer_one(history: History) -> None:
    history.write([change(match(version=START + 2, score=Score(2, 0)), goal("g", 2, detail="new"))])
    history.write([change(match(version=START + 1, score=Score(1, 0)), goal("g", 1, detail="old"))])
    stored = history.match("m")
    assert stored
    assert (stored.version, stored.score, stored.events["g"].detail) == (START + 2, Score(2, 0), "new")
    assert len(rows(history, MatchScoreRow)) == 2


def test_an_event_keeps_the_moment_it_was_first_heard_of(history: History) -> None:
    history.write([change(match(version=START), goal("g", 1))])
    history.write([change(match(version=START + 1), replace(goal("g", 1), created_at=START + HOUR))])
    [row] = rows(history, MatchEventRow)
    assert row.created_at.timestamp() * 1000 == START


def test_the_voiding_of_an_event_nobody_has_told_is_kept_and_not_shown(history: History) -> None:
    ghost = Event("x", "", Stamp(0), since=Stamp(0), void_at=Stamp(START), created_at=START)
    history.write([change(match(), ghost)])
    kept = history.match("m")
    assert kept
    assert (kept.events, kept.timeline) == ({"x": ghost}, [])


def test_only_scores_and_statuses_make_a_score_row(history: History) -> None:
    history.write([change(match(), facts=(Fact(FactKind.INFO),))])
    assert (len(rows(history, MatchRow)), rows(history, MatchScoreRow)) == (1, [])


def test_a_match_of_which_only_its_id_is_known_is_written(history: History) -> None:
    history.write([change(Match("bare", version=START, updated_at=START))])
    stored = history.match("bare")
    assert stored
    assert (stored.home, stored.score, stored.start_time) == (None, None, None)


def test_what_was_live_when_last_written_is_found_and_what_was_written_lately(history: History) -> None:
    history.write(
        [
            change(match("playing"), goal("g", 1)),
            change(match("resting", status=Status.HALF_TIME)),
            change(match("over", status=Status.FINISHED)),
            change(match("ahead", status=Status.SCHEDULED)),
        ]
    )

    def recent(since: int, after: str = "", limit: int = 10) -> list[tuple[str, bool]]:
        stored = history.recent(limit, after, since=since, started_before=0, silent_since=0)
        return [(match.id, match.live) for match in stored]

    assert recent(START + HOUR) == [("playing", True), ("resting", True)]
    assert recent(0) == [("ahead", False), ("over", False), ("playing", True), ("resting", True)]
    assert recent(0, "over", 1) == [("playing", True)]


@pytest.mark.parametrize("name", ["ﷺ" * 200, "ß" * 200, "ﬃ" * 200, "Ǆ" * 200, "𝕳" * 200, "é" * 200, "x" * 200])
def test_the_longest_names_are_taken_whatever_their_letters(history: History, name: str) -> None:
    history.write([change(match(home=Team("h", name), competition=Competition("c", name), venue=name))])
    [team] = [row for row in rows(history, TeamRow) if row.id == "h"]
    assert (team.name, len(team.folded) <= FOLDED_MAX) == (name, True)
    assert [hit.id for hit in history.search(name[:5], 10).teams] == ["h"]


# Lists.


def listed(history: History, wanted: MatchFilter) -> list[str]:
    return [match.id for match in history.matches(wanted, 50)[0]]


def test_pages_follow_each_other_without_gap_or_repeat(history: History) -> None:
    history.write([change(match(f"m{n:02}", start_time=START + n // 3 * HOUR)) for n in range(20)])
    seen: list[str] = []
    page: PageCursor | None = None
    while True:
        matches, page = history.matches(MatchFilter(), 7, page)
        seen += [item.id for item in matches]
        if page is None:
            break
    assert seen == [f"m{n:02}" for n in range(20)]


def test_a_full_last_page_has_no_next(history: History) -> None:
    history.write([change(match(f"m{n}")) for n in range(4)])
    assert history.matches(MatchFilter(), 4)[1] is None
    assert history.matches(MatchFilter(), 3)[1] == PageCursor(START, "m2")


def test_a_match_without_a_start_is_listed_by_its_first_news(history: History) -> None:
    history.write([change(match("m", start_time=None))])
    history.write([change(replace(match("m", START + 1, start_time=None), updated_at=START + 48 * HOUR))])
    assert listed(history, MatchFilter(until=START + 1)) == ["m"]
    history.write([change(match("m", START + 2, start_time=START + HOUR))])
    assert listed(history, MatchFilter(since=START + HOUR)) == ["m"]


def test_filters_narrow_and_join(history: History) -> None:
    history.write(
        [
            change(match("a", start_time=START)),
            change(match("b", start_time=START + HOUR, status=Status.FINISHED)),
            change(match("c", start_time=START + 2 * HOUR, competition=Competition("d", "Other"))),
            change(match("e", start_time=START + 3 * HOUR, home=Team("x", "X"), away=Team("h", "Home"))),
        ]
    )
    cases = [
        (MatchFilter(since=START + HOUR), ["b", "c", "e"]),
        (MatchFilter(until=START + HOUR), ["a"]),
        (MatchFilter(since=START + HOUR, until=START + 2 * HOUR), ["b"]),
        (MatchFilter(competition="d"), ["c"]),
        (MatchFilter(team="h"), ["a", "b", "c", "e"]),
        (MatchFilter(team="x"), ["e"]),
        (MatchFilter(status="finished"), ["b"]),
        (MatchFilter(phase="live"), ["a", "c", "e"]),
        (MatchFilter(phase="live", team="x", competition="c"), ["e"]),
        (MatchFilter(status="postponed"), []),
    ]
    for wanted, ids in cases:
        assert listed(history, wanted) == ids, wanted


# Search.


def test_search_knows_no_accents_and_no_case(history: History) -> None:
    names = {"ci": "Côte d'Ivoire", "ko": "1. FC Köln", "gr": "Großaspach", "tr": "İstanbul Başakşehir"}
    history.write([change(match(f"m-{id_}", home=Team(id_, name))) for id_, name in names.items()])
    for words, id_ in (("cote", "ci"), ("CÔTE D", "ci"), ("koln", "ko"), ("grossa", "gr"), ("ISTANBUL BASAK", "tr")):
        results = history.search(words, 10)
        assert [team.id for team in results.teams] == [id_], words
        assert [hit.id for hit in results.matches] == [f"m-{id_}"], words


@pytest.mark.parametrize(("words", "ids"), [("50%", ["p"]), ("a_b", ["u"]), ("!!", ["x"]), ("\\", ["s"]), ("'", ["q"])])
def test_letters_that_sql_reads_specially_are_just_letters(history: History, words: str, ids: list[str]) -> None:
    names = {"p": "50% FC", "u": "a_b", "x": "Wham!!", "s": "back\\slash", "q": "O'Neill", "n": "50 acb ab plain"}
    history.write([change(match(f"m-{id_}", home=Team(id_, name))) for id_, name in names.items()])
    assert [team.id for team in history.search(words, 10).teams] == ids


def test_search_finds_competitions_and_the_latest_matches_first(history: History) -> None:
    history.write([change(match(f"m{n}", start_time=START + n)) for n in range(5)])
    assert [hit.id for hit in history.search("cup", 3).competitions] == ["c"]
    assert [hit.id for hit in history.search("home", 3).matches] == ["m4", "m3", "m2"]
    assert history.search("nobody", 3).matches == ()


@given(st.text(max_size=60))
def test_folding_is_done_once(name: str) -> None:
    assert fold(fold(name)) == fold(name)


# Refused payloads.


def payload(n: int, body: bytes = b"\x00\xff not json") -> RefusedPayload:
    return RefusedPayload(f"id{n}", "generic", START + n * HOUR, "invalid", "why\nevents[0]: no", body)


def test_a_refused_payload_lives_until_replayed_and_forgotten(history: History) -> None:
    history.refused_payloads.keep([])
    history.refused_payloads.keep([payload(1), payload(2)])
    history.refused_payloads.keep([payload(1)])
    assert [refused.id for refused in history.refused_payloads.newest(10)] == ["id2", "id1"]
    assert history.refused_payloads.newest(1) == [payload(2)]
    assert history.refused_payloads.find("id1") == payload(1)
    assert history.refused_payloads.find("nothing") is None
    history.refused_payloads.mark_replayed("id1", now_ms=START + 9 * HOUR)
    assert [refused.id for refused in history.refused_payloads.newest(10)] == ["id2"]
    assert {refused.id: refused.replayed_at for refused in history.refused_payloads.newest(10, replayed=True)} == {
        "id1": START + 9 * HOUR,
        "id2": None,
    }
    assert history.refused_payloads.forget(before_ms=START + 2 * HOUR) == 1
    assert [refused.id for refused in history.refused_payloads.newest(10, replayed=True)] == ["id2"]


def test_a_payload_refused_again_after_its_replay_waits_again(history: History) -> None:
    history.refused_payloads.keep([payload(1)])
    history.refused_payloads.mark_replayed("id1", now_ms=START + 5 * HOUR)
    history.refused_payloads.keep([payload(1)])
    assert history.refused_payloads.newest(10) == [], "the same telling written twice is no second refusal"
    again = replace(payload(1), received_at=START + 6 * HOUR, code="invalid", reason="still wrong")
    history.refused_payloads.keep([again])
    assert history.refused_payloads.newest(10) == [again]


def test_the_same_payload_twice_in_one_batch_is_one_row(history: History) -> None:
    history.refused_payloads.keep([payload(1), payload(1)])
    assert len(history.refused_payloads.newest(10)) == 1


def test_a_payload_is_known_by_its_content() -> None:
    assert refused_id("generic", b"x") == refused_id("generic", b"x")
    assert len({refused_id("generic", b"x"), refused_id("sportradar", b"x"), refused_id("generic", b"y")}) == 3


def test_lists_and_search_are_read_from_the_replica_or_from_the_primary_while_it_is_away(
    history: History, tmp_path: Path
) -> None:
    history.write([change(match())])
    away = History(history.engine, engine("postgresql+psycopg://u@127.0.0.1:1/none"))
    assert [listed.id for listed in away.matches(MatchFilter(), 10)[0]] == ["m"]
    assert [found.id for found in away.search("home", 10).matches] == ["m"]
    (tmp_path / "replica.db").write_bytes(migrated_file())
    behind = History(history.engine, engine(f"sqlite:///{tmp_path}/replica.db"))
    assert behind.matches(MatchFilter(), 10) == ([], None)
    assert behind.match("m"), "what a match goes on from is never old"
    for other in (away, behind):
        other.replica.dispose()


def test_search_gives_the_latest_matches_of_each_team_that_it_finds(history: History) -> None:
    teams = [Team(f"t{n}", f"United {n}") for n in range(3)]
    played = [
        match(f"m{n}", START + n, home=teams[n % 3], away=teams[(n + 1) % 3], start_time=START + n * HOUR)
        for n in range(9)
    ]
    history.write([change(one) for one in played])
    assert [found.id for found in history.search("united", 4).matches] == ["m8", "m7", "m6", "m5"]
    assert [found.id for found in history.search("united 1", 2).matches] == ["m7", "m6"]


def test_a_team_that_is_called_as_before_is_not_written_again(history: History) -> None:
    history.write([change(match())])
    written: list[str] = []

    def note(_connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        written.append(f"{statement.split()[2]} {max(0, cursor.rowcount)}")

    sa_event.listen(history.engine, "after_cursor_execute", note)
    history.write([change(match(version=START + 1))])
    assert {row for row in written if row.startswith(("teams", "competitions"))} == {"teams 0", "competitions 0"}


def test_refused_payloads_take_no_more_than_so_many_bytes(history: History) -> None:
    payloads = [RefusedPayload(f"p{n}", "generic", START + n, "invalid", "why", b"x" * 1_000) for n in range(5)]
    history.refused_payloads.keep(payloads)
    assert history.refused_payloads.forget(before_ms=0, bytes_max=3_000) == 2
    assert [kept.id for kept in history.refused_payloads.newest(10)] == ["p4", "p3", "p2"]


def test_timelines_and_scores_are_kept_for_so_long_and_matches_for_ever(history: History) -> None:
    day = 24 * HOUR
    for n in range(4):
        played = match(f"m{n}", START + n, start_time=START + n * day, events={"g": goal("g", 1)})
        history.write([change(played, goal("g", 1))])
    assert history.forget_details(before_ms=START + 3 * day, limit=2) == 2
    assert history.forget_details(before_ms=START + 3 * day, limit=2) == 1
    assert history.forget_details(before_ms=START + 3 * day, limit=2) == 0
    stored = [history.match(f"m{n}") for n in range(4)]
    assert [len(one.events) for one in stored if one] == [0, 0, 0, 1]
    with Session(history.engine) as session:
        assert session.scalars(select(MatchScoreRow.match_id)).all() == ["m3"]
