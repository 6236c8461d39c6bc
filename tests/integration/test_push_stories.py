"""Stories on phones at the emulated Apple and Google: what stands on the screen, in every language."""

from __future__ import annotations

import struct
import time
import zoneinfo
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from db.domain import LANGUAGES, Device, Follow, Kind, Payload, Platform, Quiet, Status, Subject, mask_of
from dev.emulators.journal import PushJournal
from dev.emulators.phone import Phone, phone_of
from notify.content.national_teams import localized
from notify.content.translations import catalogue
from tests.support.emulators import Emulated
from tests.support.layouts import Layout
from tests.support.push import ALL, START, Ahead, headline, transports_to
from workers.push.quiet_hours import QuietHours

HOUR_S = 3_600


class Screens(Ahead):
    """A match of its own for each test, and the phones of its followers."""

    def __init__(self, layout: Layout, sql_url: str, emulated: Emulated, name: str) -> None:
        super().__init__(layout, sql_url, transports_to(emulated))
        self.emulated, self.match_id = emulated, f"{name}-{START}"
        self.announce(START + HOUR_S * 1000, self.match_id)

    def token(self, name: str) -> str:
        return f"{self.match_id}:{name}".encode().hex()

    def phone(self, token: str) -> Phone:
        journal = PushJournal(Path(self.emulated.ledger))
        phone = phone_of(journal.of(token), time.time() + 60)
        journal.close()
        return phone

    def happen(
        self, seconds: float, kind: str | None = None, score: tuple[int, int] | None = None, **more: object
    ) -> None:
        """Counted from kick-off."""
        self.say(HOUR_S + seconds, kind, score, match_id=self.match_id, **more)

    def wait(self, seconds: float) -> None:
        self.at(HOUR_S + seconds)


@pytest.fixture
def screens(layout: Layout, sqlite_url: str, emulators: Emulated, request: pytest.FixtureRequest) -> Iterator[Screens]:
    screens = Screens(layout, sqlite_url, emulators, request.node.originalname.removeprefix("test_")[:20])
    yield screens
    screens.close()


def test_a_premature_end_a_rebound_and_a_restored_goal_read_well_in_every_language(screens: Screens) -> None:
    for language in LANGUAGES:
        screens.fan(screens.token(language), to=screens.match_id, locale=language)
    screens.happen(0, "kickoff", (0, 0))
    screens.happen(600, "penalty_missed", id="p1", minute=10)
    screens.happen(603, "goal", (1, 0), id="g1", minute=10)
    screens.happen(660, "goal_cancelled", (0, 0), voids="g1", id="v1")
    screens.happen(720, "goal", (1, 0), id="g1", minute=10)
    screens.happen(6_000, status=Status.ENDED)
    screens.happen(6_300, status=Status.ET_FIRST)
    screens.happen(7_000, "goal", (2, 0), id="g2", minute=95)
    screens.happen(8_400, status=Status.FINISHED)
    for language in LANGUAGES:
        words = catalogue(language)
        home, away = localized("Argentina", language), localized("France", language)
        phone = screens.phone(screens.token(language))
        titles = [plain(entry.title) for entry in phone.alerts]
        assert titles == [
            f"{home} 0–0 {away}",
            f"{home} 0–0 {away}",
            f"{home} [1]–0 {away}",
            f"{home} 0–0 {away}",
            f"{home} [1]–0 {away}",
            f"{home} 1–0 {away}",
            f"{home} 1–0 {away}",
            f"{home} [2]–0 {away}",
            f"{home} 2–0 {away}",
        ], language
        heads = [headline(entry.body) for entry in phone.alerts]
        full_time = [heads[5], heads[8]]
        assert heads[6] == words.gettext("Extra time"), language
        assert all(text and "{" not in text for text in heads), language
        assert full_time[0] == words.gettext("Full-time"), language
        assert phone.rings == len(phone.alerts), language


def test_a_phone_that_was_offline_shows_the_newest_of_its_matches_in_every_language(screens: Screens) -> None:
    """Apple keeps one notification of an app, Google four of those the system shows: the newest are left."""
    matches, wanted = [f"{screens.match_id}-{number}" for number in range(10)], mask_of([Kind.GOAL])
    phones: dict[str, tuple[str, str]] = {}
    for language in LANGUAGES:
        phones[language] = screens.token(language), f"{screens.match_id}:{language}"
        for token, platform in zip(phones[language], (Platform.IOS, Platform.ANDROID), strict=True):
            user_id = screens.fan(token, to=matches[0], platform=platform, kinds=wanted, locale=language)
            for match_id in matches[1:]:
                screens.accounts.follow(user_id, Follow(Subject.MATCH, match_id, wanted), now_ms=START)
            screens.emulated.turn(token, "offline")
    for number, match_id in enumerate(matches):
        screens.say(HOUR_S, "kickoff", (0, 0), match_id=match_id)
        screens.say(HOUR_S + 60 + number, "goal", (number + 1, 0), match_id=match_id)
    for language, (iphone, pixel) in phones.items():
        words = catalogue(language)
        home, away = words.gettext("Home team"), words.gettext("Away team")
        for token in (iphone, pixel):
            screens.emulated.turn(token, "online")
        titles = [[entry.title for entry in screens.phone(token).alerts] for token in (iphone, pixel)]
        assert titles == [
            [f"{home} [10]–0 {away}"],
            [f"{home} [{goals}]–0 {away}" for goals in (7, 8, 9, 10)],
        ], language


def test_a_muted_team_is_silent_under_a_followed_competition_in_every_language(screens: Screens) -> None:
    for language in LANGUAGES:
        for name, team, kinds in (("muted", "arg", 0), ("narrow", "fra", mask_of([Kind.FULL_TIME])), ("all", "", 0)):
            token = screens.token(f"{name}-{language}")
            user_id = screens.fan(token, subject=Subject.COMPETITION, to="cup", locale=language)
            if team:
                screens.accounts.follow(user_id, Follow(Subject.TEAM, team, kinds), now_ms=START)
    screens.happen(0, "kickoff", (0, 0))
    screens.happen(600, "goal", (1, 0))
    screens.happen(6_000, "full_time", (1, 0))
    for language in LANGUAGES:
        words = catalogue(language)
        goal, end = goal_of("Argentina", language), words.gettext("Full-time")
        bodies = {
            name: [plain(entry.body) for entry in screens.phone(screens.token(f"{name}-{language}")).alerts]
            for name in ("muted", "narrow", "all")
        }
        assert bodies == {"muted": [], "narrow": [end], "all": [words.gettext("Kick-off"), goal, end]}, language


def goal_of(team: str, language: str) -> str:
    """The sentence of one goal."""
    words = catalogue(language).ngettext("Goal for {team}!", "{n} goals for {team}!", 1)
    return words.format(n=1, team=localized(team, language))


def plain(text: str) -> str:
    """Without the marks around names from right to left."""
    return text.replace("\u2068", "").replace("\u2069", "")


# Minutes of the story below: of its goals, and of the change of clocks, which is at three in the morning.
GOALS, CHANGE = (10, 30, 50, 65, 90, 110), 60


@pytest.fixture
def changing_zones(tmp_path: Path) -> Iterator[None]:
    """Two zones whose clocks change while the match is played: `Made/Back` by an hour back, `Made/Ahead` ahead."""
    change_s = START // 1000 + HOUR_S + CHANGE * 60
    offset_s = (3 * HOUR_S - change_s + 12 * HOUR_S) % (24 * HOUR_S) - 12 * HOUR_S
    (tmp_path / "Made").mkdir()
    for name, step_s, at_s in (("Back", -HOUR_S, 0), ("Ahead", HOUR_S, -HOUR_S)):
        # Ahead: two becomes three.
        (tmp_path / "Made" / name).write_bytes(zone_of(change_s, offset_s + at_s, offset_s + at_s + step_s))
    before = zoneinfo.TZPATH
    zoneinfo.reset_tzpath([str(tmp_path), *before])
    yield
    zoneinfo.reset_tzpath(before)
    ZoneInfo.clear_cache()


def zone_of(change_s: int, before_s: int, after_s: int) -> bytes:
    """A zone with one change, in the format of the time zone database (RFC 8536, version 1)."""
    counts = struct.pack(">4sx15x6l", b"TZif", 0, 0, 0, 1, 2, 4)
    types = struct.pack(">lBBlBB", before_s, 0, 0, after_s, 0, 0)
    return counts + struct.pack(">lB", change_s, 1) + types + b"LMT\0"


@pytest.mark.usefixtures("changing_zones")
def test_quiet_hours_over_a_change_of_clocks_keep_the_screen_dark_in_every_language(screens: Screens) -> None:
    """Goals at 02:10, 02:30 and 02:50, then at 02:05, 02:30 and 02:50 again; or at 01:10 to 01:50, then at 03:05, 03:30
    and 03:50."""
    nights = {"Back": (Quiet(2 * 60 + 15, 2 * 60 + 45), (1, 3, 4, 6)), "Ahead": (Quiet(120, 200), (1, 2, 3, 5, 6))}
    for language in LANGUAGES:
        for zone, (quiet, _) in nights.items():
            token = screens.token(f"{zone}-{language}")
            screens.fan(token, to=screens.match_id, locale=language, quiet=quiet, time_zone=f"Made/{zone}")
    screens.happen(0, "kickoff", (0, 0))
    for number, minute in enumerate(GOALS, 1):
        screens.happen(minute * 60, "goal", (number, 0))
    for language in LANGUAGES:
        home, away = localized("Argentina", language), localized("France", language)
        for zone, (_, heard) in nights.items():
            phone = screens.phone(screens.token(f"{zone}-{language}"))
            titles = [f"{home} 0–0 {away}", *(f"{home} [{number}]–0 {away}" for number in heard)]
            assert [plain(entry.title) for entry in phone.alerts] == titles, (language, zone)
            assert {plain(entry.body) for entry in phone.alerts[1:]} == {goal_of("Argentina", language)}
            assert phone.rings == len(titles)


@pytest.mark.parametrize(
    ("at", "is_quiet"),
    [
        # Berlin leaves summer time on 25 October 2026 at 03:00, which becomes 02:00; quiet from 02:30 to 03:15.
        ("2026-10-25T00:20:00Z", False),  # 02:20, the first time
        ("2026-10-25T00:40:00Z", True),  # 02:40, the first time
        ("2026-10-25T01:20:00Z", False),  # 02:20, the second time
        ("2026-10-25T01:40:00Z", True),  # 02:40, the second time
        ("2026-10-25T02:10:00Z", True),  # 03:10
        ("2026-10-25T02:20:00Z", False),  # 03:20
        # It enters it on 29 March 2026: 01:59 is followed by 03:00.
        ("2026-03-29T00:59:00Z", False),  # 01:59
        ("2026-03-29T01:01:00Z", True),  # 03:01
    ],
)
def test_quiet_hours_follow_the_clock_on_the_wall(at: str, is_quiet: bool) -> None:
    moment = datetime.fromisoformat(at.replace("Z", "+00:00"))
    assert moment.astimezone(ZoneInfo("Europe/Berlin")).utcoffset()
    quiet = Quiet(2 * 60 + 30, 3 * 60 + 15)
    hours = QuietHours(round(moment.astimezone(UTC).timestamp() * 1000))
    assert hours.is_active("Europe/Berlin", quiet.since, quiet.until) is is_quiet


def test_data_messages_of_a_phone_show_each_fact(screens: Screens) -> None:
    token = f"{screens.match_id}:data"
    user_id = screens.fan(token, to=screens.match_id, platform=Platform.ANDROID, kinds=ALL)
    device = Device(Platform.ANDROID, token, payload=Payload.DATA)
    screens.accounts.add_device(user_id, device, now_ms=START)
    screens.happen(0, "kickoff", (0, 0))
    screens.happen(600, "goal", (1, 0), minute=10)
    phone = screens.phone(token)
    assert [headline(entry.body) for entry in phone.alerts] == ["Kick-off", "Goal for Argentina!"]
    assert phone.rings == 2
