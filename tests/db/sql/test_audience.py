"""Whom to tell, asked of both databases: overlaps, order, pages, and addresses that are dead or renewed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event

from config import Settings
from db.domain import Account, Competition, Device, Follow, Kind, Match, Platform, Quiet, Subject, Team, mask_of
from db.sql import accounts
from db.sql.accounts import Accounts
from db.sql.audience import Audience, BroadcastChannel, DeadAddress
from db.sql.followers import PlanPosition
from db.sql.session import engine
from tests.support.accounts import set_up

MATCH = Match("final", home=Team("arg", "A"), away=Team("fra", "F"), competition=Competition("cup", "C"))
GOAL, ENDS = mask_of([Kind.GOAL]), mask_of([Kind.FULL_TIME])
DAY = 86_400_000


class Fans:
    def __init__(self, url: str) -> None:
        bind = engine(Settings(database_url=url).sql_url)
        self.accounts, self.audience = Accounts(bind), Audience(bind)

    def add(self, token: str, *follows: Follow, at: int = 1_700_000_000_000, **device: str) -> str:
        user_id, _ = self.accounts.create(now_ms=at)
        for follow in follows:
            self.accounts.follow(user_id, follow, now_ms=at)
        self.accounts.add_device(user_id, Device(Platform.ANDROID, token, **device), now_ms=at)
        return user_id

    def tokens(self, kinds: int = GOAL, size: int = 100, after: PlanPosition | None = None) -> list[str]:
        ids = [row[0] for page, _ in self.audience.followers(MATCH, kinds, size, after) for row in page]
        token_of = {recipient.id: recipient.device.token for recipient in self.audience.devices(ids)}
        return [token_of[device_id] for device_id in ids]


@pytest.fixture
def fans(database_url: str) -> Iterator[Fans]:
    fans = Fans(database_url)
    yield fans
    fans.audience.engine.dispose()


def match(kinds: int) -> Follow:
    return Follow(Subject.MATCH, "final", kinds)


def team(name: str, kinds: int) -> Follow:
    return Follow(Subject.TEAM, name, kinds)


def test_each_device_comes_once_and_wishes_for_the_match_outweigh_the_rest(fans: Fans) -> None:
    fans.add("match", match(GOAL))
    fans.add("both teams", team("arg", GOAL), team("fra", GOAL | ENDS))
    fans.add("all", match(GOAL), team("arg", GOAL), Follow(Subject.COMPETITION, "cup", GOAL))
    fans.add("muted", match(0), team("arg", GOAL))
    fans.add("ends only", match(ENDS), team("arg", GOAL))
    fans.add("elsewhere", team("bra", GOAL))
    fans.add("by topic", match(GOAL), topics="en")
    assert sorted(fans.tokens(GOAL)) == ["all", "both teams", "match"]
    assert sorted(fans.tokens(ENDS)) == ["both teams", "ends only"]
    (page,) = [page for page, _ in fans.audience.followers(MATCH, ENDS, 10)]
    assert sorted(row[1] for row in page) == sorted([ENDS, GOAL | ENDS])


def cup(kinds: int) -> Follow:
    return Follow(Subject.COMPETITION, "cup", kinds)


def test_what_is_nearer_to_the_match_decides(fans: Fans) -> None:
    fans.add("muted team", team("arg", 0), cup(GOAL))
    fans.add("narrow team", team("arg", ENDS), cup(GOAL | ENDS))
    fans.add("muted match", match(0), cup(GOAL))
    fans.add("other team", team("bra", 0), cup(GOAL))
    fans.add("one of two teams", team("arg", 0), team("fra", GOAL))
    assert sorted(fans.tokens(GOAL)) == ["one of two teams", "other team"]
    assert sorted(fans.tokens(ENDS)) == ["narrow team"]


def test_players_add_the_kinds_they_are_named_for(fans: Fans) -> None:
    messi, players = Follow(Subject.PLAYER, "p10", GOAL | ENDS), {"p10": GOAL, "p9": GOAL}
    fans.add("player", messi)
    fans.add("and cup", messi, cup(ENDS))
    fans.add("muted", messi, match(0))
    fans.add("other", Follow(Subject.PLAYER, "p7", GOAL))
    assert fans.audience.followed(players) == {"p10": GOAL}
    assert fans.audience.followed({}) == {}
    rows = [row for page, _ in fans.audience.followers(MATCH, GOAL | ENDS, 10, players=players) for row in page]
    assert sorted(row[1] for row in rows) == sorted([GOAL, GOAL | ENDS])
    ends = ((None, "u-a"), ("u-a", None))
    halves = [page for part in ends for page, _ in fans.audience.followers(MATCH, GOAL | ENDS, 10, None, part, players)]
    assert sorted(row for page in halves for row in page) == sorted(rows)
    assert fans.tokens(GOAL) == []


def test_slices_hold_everybody_once_each_in_order_of_activity(fans: Fans) -> None:
    for number in range(60):
        follow = (match(GOAL), team("arg", GOAL), cup(GOAL))[number % 3]
        fans.add(f"f{number}", follow, at=DAY * (1_000 + number))
    bounds = fans.audience.bounds(MATCH, GOAL, above=10, most=4)
    if fans.audience.engine.dialect.name == "sqlite":
        assert bounds == []
        bounds = ["u-I", "u-a"]
    else:
        assert len(bounds) == 3
        assert len(fans.audience.bounds(MATCH, GOAL, above=25, most=4)) == 2
    assert fans.audience.bounds(MATCH, GOAL, above=60, most=4) == []
    ends = list(zip([None, *bounds], [*bounds, None], strict=True))
    slices = [[row for page, _ in fans.audience.followers(MATCH, GOAL, 7, None, part) for row in page] for part in ends]
    ids = [row[0] for rows in slices for row in rows]
    assert len(ids) == len(set(ids)) == 60
    for rows in slices:
        active = [row[5] for row in rows]
        assert active == sorted(active, reverse=True)


def test_wishes_for_two_teams_add_up(fans: Fans) -> None:
    fans.add("both", team("arg", GOAL), team("fra", ENDS))
    ((row,), _) = next(fans.audience.followers(MATCH, GOAL | ENDS, 10))
    assert row[1] == GOAL | ENDS


def test_recently_active_come_first_and_a_plan_goes_on_after_any_page(fans: Fans) -> None:
    for number in range(7):
        fans.add(f"f{number}", match(GOAL), at=1_700_000_000_000 + (number // 2) * DAY)
    whole = fans.tokens()
    assert [name[1] for name in whole] == list("6543210")
    pages = list(fans.audience.followers(MATCH, GOAL, 3))
    assert [len(page) for page, _ in pages] == [3, 3, 1]
    assert fans.tokens(after=pages[0][1]) == whole[3:]
    assert fans.tokens(after=pages[1][1]) == whole[6:]


def test_quiet_hours_come_with_the_zone_and_only_where_there_are_some(fans: Fans) -> None:
    quiet = fans.add("quiet", match(GOAL))
    set_up(fans.accounts, Account(quiet, "Asia/Tokyo", Quiet(1380, 420)))
    loud = fans.add("loud", match(GOAL))
    set_up(fans.accounts, Account(loud, "Asia/Tokyo"))
    (page,) = [page for page, _ in fans.audience.followers(MATCH, GOAL, 10)]
    assert {tuple(row[2:5]) for row in page} == {("Asia/Tokyo", 1380, 420), (None, None, None)}


def test_a_match_without_teams_has_the_followers_it_has(fans: Fans) -> None:
    fans.add("match", match(GOAL))
    bare = Match("final")
    assert len([row for page, _ in fans.audience.followers(bare, GOAL, 10) for row in page]) == 1
    assert fans.audience.wanted(bare, GOAL)
    assert not fans.audience.wanted(replace(bare, id="friendly"), GOAL)


def test_a_device_speaks_its_own_language_or_its_users(fans: Fans) -> None:
    user_id = fans.add("own", match(GOAL), locale="fr")
    set_up(fans.accounts, Account(user_id, locale="de", spoiler_free=True))
    fans.accounts.add_device(user_id, Device(Platform.ANDROID, "users"), now_ms=1_700_000_000_000)
    settings = {
        recipient.device.token: (recipient.locale, recipient.spoiler_free)
        for recipient in fans.audience.of_user(user_id)
    }
    assert settings == {"own": ("fr", True), "users": ("de", True)}


def test_word_of_an_address_older_than_its_registration_is_stale(fans: Fans) -> None:
    at = 1_700_000_000_000
    user_id = fans.add("token", match(GOAL), at=at)
    (recipient,) = fans.audience.of_user(user_id)
    assert fans.audience.forget([DeadAddress(recipient.id, at - 1)]) == 0
    assert fans.audience.forget([DeadAddress(recipient.id, at)]) == 1
    assert fans.audience.of_user(user_id) == []


def test_a_chunk_of_dead_addresses_is_forgotten_in_one_statement_each_by_its_own_time(fans: Fans) -> None:
    at = 1_700_000_000_000
    users = [fans.add(f"token-{number}", at=at) for number in range(4)]
    ids = [recipient.id for user_id in users for recipient in fans.audience.of_user(user_id)]
    strangers = [DeadAddress(10_000 + number, at + number % 2) for number in range(1_000)]
    dead = [DeadAddress(ids[0], at - 1), DeadAddress(ids[1], at), DeadAddress(ids[2], None), *strangers]
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        statements.append(statement)

    event.listen(fans.audience.engine, "before_cursor_execute", note)
    assert fans.audience.forget(dead) == 2
    assert len(statements) == 1
    assert [len(fans.audience.of_user(user_id)) for user_id in users] == [1, 0, 0, 1]
    assert fans.audience.forget([]) == 0


def test_a_device_without_a_sign_of_life_goes_when_its_account_is_used(fans: Fans) -> None:
    at = 1_700_000_000_000
    user_id, token = fans.accounts.create(now_ms=at)
    for name, days in (("drawer", 0), ("pocket", 200)):
        fans.accounts.add_device(user_id, Device(Platform.ANDROID, name), now_ms=at + days * DAY)
    left = {}
    for day in (270, 271, 470, 471):
        fans.accounts.by_token(token, now_ms=at + day * DAY)
        left[day] = [device.token for device in fans.accounts.profile(user_id).devices]
    assert left == {270: ["drawer", "pocket"], 271: ["pocket"], 470: ["pocket"], 471: []}


def test_settings_that_topics_do_not_fit_end_them(fans: Fans) -> None:
    users = {variant: fans.add(variant, match(GOAL)) for variant in ("en", "de-calm", "fr")}
    set_up(fans.accounts, Account(users["de-calm"], spoiler_free=True))
    for variant, user_id in users.items():
        device = Device(Platform.ANDROID, variant, topics=variant)
        fans.accounts.add_device(user_id, device, now_ms=1_700_000_000_000)
    assert fans.tokens() == []
    set_up(fans.accounts, Account(users["fr"], locale="fr"))
    assert fans.tokens() == []
    set_up(fans.accounts, Account(users["en"], spoiler_free=True))
    assert fans.tokens() == ["en"]
    set_up(fans.accounts, Account(users["de-calm"]))
    set_up(fans.accounts, Account(users["fr"], quiet=Quiet(60, 120)))
    assert sorted(fans.tokens()) == ["de-calm", "en", "fr"]


def test_a_device_is_registered_without_topics_that_do_not_fit_its_users_settings(fans: Fans) -> None:
    at = 1_700_000_000_000
    settings = {
        "plain": Account(""),
        "calm": Account("", spoiler_free=True),
        "quiet": Account("", quiet=Quiet(60, 120)),
    }
    kept = set()
    for name, account in settings.items():
        user_id = fans.add(name, match(GOAL))
        set_up(fans.accounts, replace(account, id=user_id))
        for variant in ("de", "de-calm"):
            fans.accounts.add_device(user_id, Device(Platform.ANDROID, f"{name} {variant}", topics=variant), now_ms=at)
        kept |= {recipient.device.token for recipient in fans.audience.of_user(user_id) if recipient.device.topics}
    assert kept == {"plain de", "calm de-calm"}


def test_two_accounts_that_register_one_address_at_once_leave_it_to_one(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fans, others = Fans(postgresql_url), Fans(postgresql_url)
    write, raced = accounts._write, list[str]()

    def race(*args: Any) -> None:
        if not raced:
            raced.append("once")
            others.add("token", match(GOAL))
        write(*args)

    monkeypatch.setattr(accounts, "_write", race)
    user_id = fans.add("token", match(GOAL))
    assert fans.tokens() == ["token"]
    assert [device.token for device in fans.accounts.profile(user_id).devices] == ["token"]
    fans.audience.engine.dispose()
    others.audience.engine.dispose()


def test_variants_are_those_somebody_listens_to(fans: Fans) -> None:
    fans.add("a", topics="de")
    assert fans.audience.variants(["en", "de"]) == ["de"]


def test_channels_are_kept_found_by_age_and_dropped(fans: Fans) -> None:
    for environment in ("production", "sandbox"):
        fans.audience.keep_channel(BroadcastChannel("final", environment, f"id-{environment}"), now_ms=1_000)
    assert {channel.id for channel in fans.audience.channels(["final"])} == {"id-production", "id-sandbox"}
    assert fans.audience.channels([]) == []
    assert fans.audience.channels_before(1_000) == []
    old = fans.audience.channels_before(1_001)
    assert len(old) == 2
    fans.audience.drop_channel(old[0])
    assert fans.audience.channels(["final"]) == old[1:]


def test_sandbox_channels_are_for_where_somebody_debugs(fans: Fans) -> None:
    assert fans.audience.environments() == ["production"]
    fans.add("x", match(GOAL), environment="sandbox")
    assert fans.audience.environments() == ["production", "sandbox"]
