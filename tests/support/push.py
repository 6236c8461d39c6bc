"""A running match, its followers and a push worker, in one process, at times that a test tells."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
import redis

from config import Settings
from db.domain import (
    Account,
    Competition,
    Device,
    Event,
    Follow,
    Kind,
    MatchInfo,
    Platform,
    Score,
    Side,
    Stamp,
    Status,
    Subject,
    Team,
    Update,
    mask_of,
)
from db.live import keys
from db.live.alerts import Alerts
from db.live.broadcasts import Broadcasts
from db.live.chunks import Chunks
from db.live.plans import Plans
from db.live.store import LiveStore
from db.sql.accounts import Accounts
from db.sql.audience import Audience
from db.sql.history import History
from db.sql.session import engine
from notify.content.message import Message
from notify.transports.base import ActivityStart, Envelope
from notify.transports.outcome import Delivered, Outcome
from tests.support.accounts import set_up
from tests.support.emulators import Emulated
from tests.support.layouts import Layout
from workers.history import write_batch
from workers.ingest import Drain
from workers.merge import Merger
from workers.push.job import PushJobs
from workers.push.live_activities import LiveActivities
from workers.push.planner import Planner
from workers.push.prematch import Prematch
from workers.push.sender import ChunkSender
from workers.push.transports import Transports
from workers.queues import Doorbells

FINAL = "final"
# The seconds of a story are counted from soon, for the store stamps versions with Redis' own clock; from ten minutes
# after the tests were read, for the emulators know the time, and drop a push that ran out while other tests ran.
START = round(datetime.now(UTC).timestamp() * 1000) + 600_000
ALL = mask_of(Kind)


def headline(body: str) -> str:
    """The first sentence without its details."""
    return re.split(r"(?<=!) | · |\n", body)[0]


class Recorder:
    """A transport: what was sent to which token, and what it is to answer."""

    name = "recorder"

    def __init__(self) -> None:
        self.sent: list[tuple[str, Message]] = []
        self.answers: dict[str, Outcome] = {}
        self.before: Callable[[Envelope], None] = lambda parcel: None

    def send(self, parcels: Iterable[Envelope]) -> Iterator[tuple[Envelope, Outcome]]:
        for parcel in parcels:
            self.before(parcel)
            token = parcel.address.token if isinstance(parcel.address, Device | ActivityStart) else str(parcel.address)
            outcome = self.answers.get(token, Delivered())
            if isinstance(outcome, Delivered):
                self.sent.append((token, parcel.message))
            yield parcel, outcome

    def close(self) -> None: ...

    def headlines(self, token: str) -> list[str]:
        """What each message says first."""
        return [headline(message.body) for to, message in self.sent if to == token]

    def scores(self, token: str) -> list[str]:
        """The score each message shows, without the brackets of the side that scored."""
        return [message.title.replace("[", "").replace("]", "") for to, message in self.sent if to == token]


class World:
    """A running match, its followers and a push worker, at a time that the test tells."""

    def __init__(self, layout: Layout, sql_url: str, transports: Transports | None = None) -> None:
        """transports: where pushes go, unless the Recorder `phones` is to keep them."""
        self.layout = layout
        self.use(layout.live())
        self.history = History(engine(sql_url))
        self.accounts, self.audience = Accounts(self.history.engine), Audience(self.history.engine)
        self.bells = Doorbells(redis.Redis.from_url(layout.plain_url))
        self.phones = Recorder()
        self.transports = transports or self._recording()
        self.push = self.worker()
        self.now_ms = START
        self.stamps = 0

    def use(self, live: LiveStore) -> None:
        """Go on with this live state."""
        self.live = live
        self.redis: Any = live.redis
        sharded = live.sharded
        self.alerts, self.chunks = Alerts(sharded), Chunks(sharded)
        self.plans, self.broadcasts = Plans(sharded), Broadcasts(sharded)
        if hasattr(self, "transports"):
            self.push = self.worker()

    def _recording(self) -> Transports:
        transports = Transports(Settings())
        transports.apns = {"production": self.phones, "sandbox": self.phones}
        vars(transports).update(android=self.phones, web=self.phones)
        return transports

    def end_leases(self, kind: str = "") -> None:
        """As if their time had run out."""
        for name in list(self.redis.scan_iter(f"*{keys.lease(kind)}*")):
            self.redis.delete(name)

    def worker(self) -> PushJobs:
        planning = Planner(self.plans, self.chunks, self.audience, self.transports, self.bells)
        sending = ChunkSender(self.chunks, self.audience, self.transports)
        casting = LiveActivities(self.broadcasts, self.audience, self.live, self.transports)
        return PushJobs(self.alerts, planning, sending, casting, self.bells)

    def fan(self, token: str, kinds: int = ALL, subject: Subject = Subject.MATCH, to: str = FINAL, **more: Any) -> str:
        """An account with one follow and one device."""
        user_id, _ = self.accounts.create(now_ms=START)
        self.accounts.follow(user_id, Follow(subject, to, kinds), now_ms=START)
        settings = {name: more.pop(name) for name in ("quiet", "time_zone", "spoiler_free") if name in more}
        set_up(self.accounts, Account(user_id, **settings))
        device = Device(more.pop("platform", Platform.IOS), token, **more)
        self.accounts.add_device(user_id, device, now_ms=START)
        return user_id

    def fans(self, count: int, **more: Any) -> list[str]:
        """`fan-0` and so on; returns their tokens."""
        tokens = [f"fan-{number}" for number in range(count)]
        for token in tokens:
            self.fan(token, **more)
        return tokens

    def close(self) -> None:
        self.history.engine.dispose()
        for transport in {*self.transports.apns.values(), self.transports.android}:
            if transport:
                transport.close()

    def meanwhile(self, after: int, seconds: float, score: tuple[int, int], **fields: Any) -> None:
        """The score changes while an alert goes out: once that many have been handed over."""

        def change(envelope: Envelope) -> None:
            nonlocal after
            after -= 1
            if after:
                return
            at_ms = START + round(seconds * 1000)
            update = Update(FINAL, Stamp(at_ms, source="test"), at_ms, score=Score(*score), **fields)
            self.live.inbox.accept([update], now_ms=at_ms)
            Drain(self.live, self.bells).match(FINAL)

        self.phones.before = change

    def say(self, seconds: float, kind: str | None = None, score: tuple[int, int] | None = None, **more: Any) -> None:
        """A provider speaks, and everything that follows from it happens."""
        self.now_ms = START + round(seconds * 1000)
        self.stamps += 1
        stamp = Stamp(more.pop("at", self.now_ms), source="test")
        event = None
        if kind:
            name = more.pop("id", f"e{self.stamps}")
            people = {role: more.pop(role, None) for role in ("player", "assist")}
            team = more.pop("team", Side.HOME)
            event = Event(name, kind, stamp, stamp, team=team, minute=more.get("minute"), **people)
        match_id = more.pop("match_id", FINAL)
        update = Update(match_id, stamp, self.now_ms, event=event, score=Score(*score) if score else None, **more)
        self.hear([update], self.now_ms)

    def hear(self, updates: Sequence[Update], now_ms: int) -> None:
        self.now_ms = now_ms
        self.live.inbox.accept(updates, now_ms=now_ms)
        for match_id in dict.fromkeys(update.match_id for update in updates):
            Drain(self.live, self.bells).match(match_id)
        Merger(self.live, self.history).batch()
        self.run()

    def at(self, seconds: float) -> None:
        self.now_ms = START + round(seconds * 1000)
        self.run()

    def run(self) -> None:
        for _ in range(100):
            if not self.push.turn(now_ms=self.now_ms):
                return
        pytest.fail("the worker finds no end")

    def kick_off(self) -> None:
        info = MatchInfo(home=Team("arg", "Argentina"), away=Team("fra", "France"))
        self.say(-3600, status=Status.SCHEDULED, info=info)
        self.say(0, "kickoff", score=(0, 0))
        self.phones.sent.clear()


class Ahead(World):
    """A world whose matches reach history."""

    def announce(self, start_ms: int, match_id: str = FINAL) -> None:
        info = MatchInfo(
            Team("arg", "Argentina"), Team("fra", "France"), Competition("cup", "Cup"), start_time=start_ms
        )
        self.stamps += 1
        stamp = Stamp(START + self.stamps, source="test")
        self.hear([Update(match_id, stamp, START, info=info, status=Status.SCHEDULED)], START)
        write_batch(self.live, self.history)

    def look(self, now_ms: int) -> None:
        self.now_ms = now_ms
        Prematch(self.alerts, self.plans, self.audience, self.history, self.transports, self.push).look(now_ms=now_ms)
        self.run()


def transports_to(emulated: Emulated) -> Transports:
    """To the emulated Apple and Google."""
    names = {name for name in Settings.__dataclass_fields__ if name in emulated.settings}
    return Transports(Settings(**{name: emulated.settings[name] for name in names}))


class Killed(BaseException):
    """kill -9, as seen from inside."""


def counters(world: World) -> dict[str, int]:
    """Of the newest alert."""
    ((_, fields),) = world.alerts.recent(1)
    return {name: int(value) for name, value in fields.items() if value.isdecimal()}
