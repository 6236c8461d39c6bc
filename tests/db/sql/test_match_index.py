"""Which matches there are, on both databases: seasons, teams, pairs of teams, goals by their index."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from config import Settings
from db.codec import encode_facts
from db.domain import Competition, Event, Fact, FactKind, Match, Person, Score, Side, Stamp, Status, Subject, Team
from db.outbox_entry import OutboxEntry
from db.sql import match_index, timelines
from db.sql.history import History
from db.sql.session import begin, engine

DAY = 24 * 60 * 60 * 1000
NOW = 1_700_000_000_000


@pytest.fixture
def history(database_url: str) -> Iterator[History]:
    history = History(engine(Settings.from_env({"DATABASE_URL": database_url}).sql_url))
    yield history
    history.engine.dispose()


def write(history: History, *matches: Match) -> None:
    facts = encode_facts((Fact(FactKind.SCORE),))
    entries = [
        OutboxEntry("0-1", Match(**{**_fields(match), "events": {}}), facts, tuple(match.events.values()))
        for match in matches
    ]
    history.write(entries)


def _fields(match: Match) -> dict[str, Any]:
    return {name: getattr(match, name) for name in Match.__dataclass_fields__}


def played(id_: str, day: int, home: str = "a", away: str = "b", competition: str = "c", **fields: Any) -> Match:
    defaults = {
        "version": NOW + day,
        "updated_at": NOW,
        "home": Team(home, home.upper()),
        "away": Team(away, away.upper()),
        "competition": Competition(competition, "Cup"),
        "start_time": NOW + day * DAY,
        "status": Status.FINISHED,
        "score": Score(1, 0),
    }
    return Match(id_, **(defaults | fields))


def ids(listed: list[match_index.ListedMatch]) -> list[str]:
    return [match.id for match in listed]


def test_a_season_is_from_one_moment_to_another_and_of_one_competition(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(history, played("m5", 5), played("m0", 0), played("m9", 9), played("other", 1, competition="d"))
    write(history, played("m1", 1, status=Status.HALF_TIME), played("m4", 4))
    listed = history.index.season("c", NOW, NOW + 9 * DAY, NOW + 4 * DAY + 1)
    assert listed == [
        ("m0", NOW, True, False), ("m1", NOW + 1, True, True), ("m4", NOW + 4, True, True), ("m5", NOW + 5, False, True)
    ]  # fmt: skip
    monkeypatch.setattr(match_index, "SEASON_MAX", 3)
    assert history.index.season("c", NOW, NOW + 9 * DAY, NOW) == []
    assert [match.score for match in history.index.matches(["m0", "nobody"])] == [Score(1, 0)]
    assert history.index.competition("d") == Competition("d", "Cup")
    assert history.index.competition("nobody") is None


def test_the_nearest_start_is_the_newest_or_else_the_next(history: History) -> None:
    assert history.index.nearest_start("c", NOW) is None
    write(history, played("next", 5), played("later", 7))
    assert history.index.nearest_start("c", NOW) == NOW + 5 * DAY
    write(history, played("older", -9), played("newest", -2))
    assert history.index.nearest_start("c", NOW) == NOW - 2 * DAY


def test_a_team_is_found_under_all_its_names_with_what_was_last_and_what_is_next(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(match_index, "PAST_MAX", 2)
    match_index._around.cache_clear()
    write(history, *(played(f"m{day + 9}", day, *(("a", "b") if day % 2 else ("b", "a"))) for day in range(-9, 9)))
    write(history, played("old", -1, home="x", away="b"))
    history.names.add(Subject.TEAM, "x", "a", now_ms=NOW)
    for name in ("a", "x"):
        team, stored_ids, listed = history.index.team(name, NOW)
        assert (team, set(stored_ids)) == (Team("a", "A"), {"a", "x"})
        # Two of each side and name before, and all that are ahead.
        assert {match.id for match in listed if match.has_begun} == {"m6", "m7", "m8", "m9", "old"}
        assert len(listed) == 13
    assert history.index.team("nobody", NOW)[0] is None
    assert history.index.other_names(["x", "b"]) == {"x": "a"}
    match_index._around.cache_clear()


def test_two_teams_have_met_at_either_ground(history: History) -> None:
    write(history, played("m1", 1), played("m2", 2, "b", "a"), played("m3", 3, "a", "c"), played("m4", 4, "x", "b"))
    history.names.add(Subject.TEAM, "x", "a", now_ms=NOW)
    first, second, listed = history.index.between("a", "b", NOW)
    assert (set(first), second, ids(listed)) == ({"a", "x"}, ["b"], ["m4", "m2", "m1"])


def event(id_: str, type_: str, **fields: Any) -> Event:
    stamp = Stamp(NOW, source="generic")
    return Event(id_, type_, stamp, since=stamp, team=Side.HOME, player=Person("P"), created_at=NOW, **fields)


def test_goals_that_stand_are_found_by_their_index(history: History) -> None:
    goals = [
        event("g1", "goal"),
        event("g2", "penalty_goal"),
        event("g3", "goal", void_at=Stamp(NOW, source="generic")),
    ]
    # So many that no other index comes near, whatever the server has counted.
    passes = [event(f"p{n}", "pass") for n in range(1_000)]
    write(history, played("m", 0, events={entry.id: entry for entry in (*goals, *passes)}))
    found = history.index.goals(["m", "nobody"])
    assert {match_id: sorted(entry.id for entry in entries) for match_id, entries in found.items()} == {
        "m": ["g1", "g2"], "nobody": []
    }  # fmt: skip
    with begin(history.engine) as session:
        statement = timelines._goals(timelines._table(session)).params(ids=["m", "n"])
        query = statement.compile(session.connection(), compile_kwargs={"literal_binds": True})
        if session.get_bind().dialect.name == "postgresql":
            session.execute(text("SET LOCAL enable_seqscan = off"))
            session.execute(text(f"ANALYZE {timelines._table(session).name}"))
            plan = session.execute(text(f"EXPLAIN {query}"))
        else:
            plan = session.execute(text(f"EXPLAIN QUERY PLAN {query}"))
        assert "ix_match_events_goals" in str(plan.all())
