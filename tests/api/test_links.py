"""One match told under two names: linked by hand, joined by a worker, and found under either from then on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.services import now_ms
from db.domain import Lineups, Score, Subject, TeamLineup
from db.live.partials import Partials
from db.sql.models import FollowRow, TeamRow, UserSubscriptionRow
from tests.api.conftest import Site, event, fixture
from tests.support.users import User
from workers.boot import WorkerServices
from workers.clock import PARKED_MS, refill_names
from workers.history import write_batch

MA1 = {
    "matchInfo": {
        "id": "opta-1",
        "lastUpdated": "2026-05-01T18:20:00Z",
        "date": "2026-05-01Z",
        "time": "18:00:00Z",
        "contestant": [
            {"id": "oh", "name": "Ivory Coast", "position": "home"},
            {"id": "oa", "name": "France", "position": "away"},
        ],
    },
    "liveData": {
        "matchDetails": {"periodId": 1, "matchStatus": "Playing", "scores": {"total": {"home": 1, "away": 0}}},
        "goal": [
            {
                "contestantId": "oh",
                "periodId": 1,
                "timeMin": 12,
                "timestamp": "2026-05-01T18:12:00Z",
                "lastUpdated": "2026-05-01T18:12:00Z",
                "type": "G",
                "scorerId": "p",
                "scorerName": "Haller",
                "optaEventId": "77",
                "homeScore": 1,
                "awayScore": 0,
            }
        ],
    },
}


def with_both(site: Site) -> Site:
    """One match, told by the generic endpoint as `m` and by Stats Perform as `opta-1`."""
    site.tell(event("m", event_id="g1", team="home"), matches=(fixture("m", status="first_half"),))
    assert site.hand_over("statsperform", MA1).status_code == 202
    site.work()
    return site


@pytest.fixture
def both(site: Site) -> Site:
    return with_both(site)


def command(site: Site, *args: str) -> Result:
    return site.app.test_cli_runner().invoke(args=list(args))


def link(site: Site, name: str = "opta-1", match_id: str = "m") -> Result:
    linked = command(site, "matches", "link", name, match_id)
    # The join tells the other id that it continues as the match.
    site.work()
    site.work()
    return linked


def location(site: Site, path: str) -> tuple[int, str | None]:
    answer = site.get(path)
    return answer.status_code, answer.headers.get("Location")


def test_both_records_become_one_and_the_other_name_leads_there(both: Site) -> None:
    assert link(both).stdout == "opta-1 is m from now on.\n"
    match = both.services.live.matches.load("m").match
    assert match
    assert (set(match.ledgers), match.score, match.source) == ({"generic", "statsperform"}, Score(1, 0), "generic")
    assert location(both, "/api/score/opta-1") == (308, "/api/score/m")
    assert location(both, "/api/matches/opta-1") == (308, "/api/matches/m")
    assert location(both, "/api/matches/opta-1/events") == (308, "/api/matches/m/events")
    assert [shown["match_id"] for shown in both.get("/api/live").get_json()["matches"]] == ["m"]
    assert both.get("/api/matches?date=2026-05-01&status=live").get_json()["matches"][0]["match_id"] == "m"


def test_a_reader_who_comes_from_the_other_name_sees_a_higher_version(both: Site) -> None:
    before = both.get("/api/score/opta-1").get_json()["version"]
    link(both)
    assert both.get("/api/score/m").get_json()["version"] > before


def test_what_is_told_under_the_other_name_is_told_of_the_match(both: Site) -> None:
    link(both)
    details = MA1["liveData"]["matchDetails"] | {"scores": {"total": {"home": 2, "away": 0}}}
    later = {"matchInfo": MA1["matchInfo"] | {"lastUpdated": "2026-05-01T18:30:00Z"}}
    answer = both.hand_over("statsperform", later | {"liveData": MA1["liveData"] | {"matchDetails": details}})
    assert answer.status_code == 202
    both.work()
    match = both.services.live.matches.load("m").match
    assert match
    assert any("d2-0" in boards for boards in match.ledgers["statsperform"].boards.values())
    assert location(both, "/api/score/opta-1") == (308, "/api/score/m")


def test_linking_twice_or_after_a_crash_changes_nothing(both: Site) -> None:
    link(both)
    before = both.services.live.matches.load("m").match
    both.services.history.names.add(Subject.MATCH, "opta-1", "m", now_ms=1)
    Partials(both.services.live.sharded).add(["m"], now_ms=0)
    both.work()
    after = both.services.live.matches.load("m").match
    assert before
    assert after
    assert (after.score, after.events.keys()) == (before.score, before.events.keys())


def test_a_delivery_on_its_way_is_waited_for(both: Site) -> None:
    both.hand_over("statsperform", MA1)
    command(both, "matches", "link", "opta-1", "m")
    write_batch(both.services.live, both.services.history)
    assert both.services.history.names.unmerged(["m"]) == {"m": ["opta-1"]}
    assert Partials(both.services.live.sharded).count() == 1


def test_a_name_that_was_never_told_of_is_a_name_alone(both: Site) -> None:
    assert location(both, "/api/score/g918893")[0] == 404
    link(both, "g918893")
    for path in ("/api/score/{}", "/api/score/{}/wait/0.0", "/api/score/{}/stream", "/api/matches/{}/events"):
        assert location(both, path.format("g918893")) == (308, path.format("m"))
    both.tell(event("g918893", event_id="g2", home_score=2, timestamp="2026-05-01T18:40:00Z", team="home"))
    assert both.get("/api/score/m").get_json()["home_score"] == 2
    assert command(both, "matches", "unlink", "g918893").exit_code == 0
    assert location(both, "/api/score/g918893")[0] == 404


def test_the_spellings_of_sportradar_need_no_link(site: Site) -> None:
    site.tell(event("sr:match:5"))
    assert site.get("/api/score/sr:sport_event:5").status_code == 200
    assert location(site, "/api/score/sr:sport_event_id:5") == (308, "/api/score/sr:sport_event:5")


@pytest.mark.parametrize(
    ("name", "match_id", "reason"),
    [
        ("m", "m", "the match itself"),
        ("opta-1", "nobody", "no match nobody"),
        ("other", "m", "generic tells of both"),
    ],
)
def test_what_cannot_be_linked_is_refused(both: Site, name: str, match_id: str, reason: str) -> None:
    both.tell(matches=(fixture("other"),))
    refused = link(both, name, match_id)
    assert refused.exit_code == 1
    assert reason in refused.stderr
    assert both.services.history.names.names_of(Subject.MATCH, match_id) == []


def test_joined_records_cannot_be_taken_apart(both: Site) -> None:
    link(both)
    refused = command(both, "matches", "unlink", "opta-1")
    assert refused.exit_code == 1
    assert "cannot be taken apart" in refused.stderr


def test_names_of_a_name_follow(both: Site) -> None:
    link(both, "g1", "opta-1")
    link(both)
    assert location(both, "/api/score/g1") == (308, "/api/score/m")
    assert "g1" in command(both, "matches", "names", "m").stdout


def test_suggestions_are_made_and_confirmed(both: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.cli.matches.now_ms", lambda: 1_777_593_600_000)
    runner = both.app.test_cli_runner()
    assert "flask matches link" in runner.invoke(args=["matches", "suggest"]).stdout
    runner.invoke(args=["matches", "suggest", "--confirm"], input="y\n")
    both.work()
    [name] = both.services.history.names.names_of(Subject.MATCH, "m")
    assert (name.name, name.is_merged) == ("opta-1", True)


def follows(site: Site, table: Any, user: User) -> list[tuple[str, int]]:
    column = table.match_id if table is UserSubscriptionRow else table.subject_id
    with Session(site.services.history.engine) as session:
        rows = session.execute(select(column, table.kinds).where(table.user_id == user.id).order_by(column))
        return [(id_, kinds) for id_, kinds in rows]


def test_followers_of_the_other_name_follow_the_match(either: Site) -> None:
    both = with_both(either)
    alice, bob = User(both.app.test_client()), User(both.app.test_client())
    alice.ask("PUT", "/api/me/follows/matches/opta-1", {"notification_prefs": {"goal": True}})
    bob.ask("PUT", "/api/me/follows/matches/opta-1", {})
    bob.ask("PUT", "/api/me/follows/matches/m", {"muted": True})
    link(both)
    assert [id_ for id_, _ in follows(both, UserSubscriptionRow, alice)] == ["m"]
    # What somebody has chosen for the match itself stays.
    assert follows(both, UserSubscriptionRow, bob) == [("m", 0)]
    carol = User(both.app.test_client())
    carol.ask("PUT", "/api/me/follows/matches/opta-1", {})
    assert [id_ for id_, _ in follows(both, UserSubscriptionRow, carol)] == ["m"]


def test_followers_of_a_replaced_match_follow_both_and_may_leave(either: Site) -> None:
    either.tell(matches=(fixture("old", status="scheduled"), fixture("new", status="scheduled")))
    alice = User(either.app.test_client())
    alice.ask("PUT", "/api/me/follows/matches/old", {})
    assert command(either, "matches", "replace", "old", "new").exit_code == 0
    either.work()
    assert [id_ for id_, _ in follows(either, UserSubscriptionRow, alice)] == ["new", "old"]
    alice.ask("DELETE", "/api/me/follows/matches/new")
    either.tell(matches=({"id": "old", "status": "postponed", "replaced_by": "new"},))
    assert [id_ for id_, _ in follows(either, UserSubscriptionRow, alice)] == ["old"]
    assert location(either, "/api/score/old") == (308, "/api/score/new")
    assert "lead back" in command(either, "matches", "replace", "new", "old").stderr


def test_a_match_in_play_that_is_replaced_leaves_the_board_to_its_successor(either: Site) -> None:
    for match_id in ("old", "new"):
        either.tell(event(match_id), matches=(fixture(match_id),))
    assert command(either, "matches", "replace", "old", "new").exit_code == 0
    either.work()
    assert [match["match_id"] for match in either.get("/api/live").get_json()["matches"]] == ["new"]


def test_who_waits_for_a_replaced_match_is_sent_to_its_successor(site: Site) -> None:
    site.tell(matches=(fixture("old", status="scheduled"),))
    version = site.get("/api/score/old").get_json()["version"]
    site.tell(matches=({"id": "old", "replaced_by": "new"},))
    answer = site.get(f"/api/score/old/wait/{version}.0").get_json()
    assert (answer["held"], answer["next"]) == ("behind", "/api/score/new/wait/0.0")


def test_a_merged_team_is_one_in_lists_follows_and_search(either: Site) -> None:
    both = with_both(either)
    both.tell(matches=(fixture("next", start_time="2026-06-01T18:00:00Z", status="scheduled"),))
    alice = User(both.app.test_client())
    alice.ask("PUT", "/api/me/follows/teams/cote-d-ivoire", {})
    assert command(both, "teams", "merge", "cote-d-ivoire", "oh").exit_code == 0
    both.work()
    assert [id_ for id_, _ in follows(both, FollowRow, alice)] == ["oh"]
    assert both.get("/api/score/next").get_json()["home_team"] == {"id": "oh", "name": "Ivory Coast"}
    for team in ("oh", "cote-d-ivoire"):
        listed = both.get(f"/api/matches?team={team}").get_json()["matches"]
        assert {match["match_id"] for match in listed} == {"m", "opta-1", "next"}
    both.tell(matches=(fixture("third"),))
    assert both.get("/api/score/third").get_json()["home_team"]["id"] == "oh"
    with Session(both.services.history.engine) as session:
        assert session.get(TeamRow, "cote-d-ivoire") is None


def test_a_redis_that_lost_the_names_gets_them_back(both: Site, make_services: Callable[..., WorkerServices]) -> None:
    link(both)
    for shard in both.services.live.sharded.shards:
        shard.redis.delete(shard.key("names:matches"))
    assert both.services.live.names.of_match("opta-1") is None
    refill_names(make_services(both.services.settings.database_url), now_ms=now_ms())
    assert both.services.live.names.of_match("opta-1") == "m"


def test_a_link_whose_command_was_killed_is_completed_by_the_clock(
    both: Site, make_services: Callable[..., WorkerServices]
) -> None:
    """After SQL had it, and before Redis."""
    names = both.services.history.names
    then_ms = now_ms() - 2 * PARKED_MS
    names.add(Subject.MATCH, "opta-1", "m", now_ms=then_ms)
    clock = make_services(both.services.settings.database_url)
    refill_names(clock, now_ms=then_ms)
    assert Partials(both.services.live.sharded).count() == 0
    refill_names(clock, now_ms=now_ms())
    both.work()
    assert names.unmerged(["m"]) == {}
    match = both.services.live.matches.load("m").match
    assert match
    assert match.ledgers.keys() == {"generic", "statsperform"}


def test_line_ups_told_under_the_other_name_are_those_of_the_match(both: Site) -> None:
    both.services.live.documents.put("opta-1", Lineups(TeamLineup("3-5-2")), source="statsperform", at_ms=1)
    link(both)
    assert both.get("/api/matches/m/lineups").get_json()["home"]["formation"] == "3-5-2"
