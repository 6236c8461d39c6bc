"""A push worker is killed (SIGKILL) at random points of a fan-out: did every phone get the goal, and how many twice?

The whole system runs, and its pushes go to the emulated APNs, whose journal is the witness.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import redis
import requests
from sqlalchemy import Engine, insert

from db.domain import DEFAULT_KINDS, mask_of
from db.live import keys
from db.live.chunks import CLAIM_MS
from db.sql.audience import Audience, BroadcastChannel
from db.sql.models import DeviceRow, UserRow, UserSubscriptionRow
from db.sql.session import engine
from dev import system
from dev.emulators.journal import PushJournal
from dev.emulators.phone import history, phone_of
from dev.replay.ingest_client import signed
from dev.system import ROOT, System
from notify.content.opener import WINDOW_MS
from notify.transports.channels import Channels
from notify.transports.fcm import Fcm
from notify.transports.signature import Key, Signature
from workers.push.planner import CHUNK
from workers.queues import PUSH
from workers.worker import order_for

MATCH = "final"
# After the last push the fan-out is given so long to go on: a claim, some seconds of the clock, and the start of a
# worker, which takes half a minute where the machine does much else.
QUIET_S = 120.0
# What is left to plan and to send.
UNFINISHED = (keys.PUSH_UNPLANNED, keys.PUSH_SLICED, keys.PUSH_READY, keys.PUSH_CLAIMED, keys.PUSH_LATER)
# With topics: goals after the first, each beside a kill. Half a minute each, the window between two alerts.
TOPIC_GOALS = 3


@contextmanager
def emulated() -> Iterator[dict[str, str]]:
    """The settings that point at the emulators, while they run."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "dev.emulators", "--var", folder]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT)
        assert process.stdout
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()
            process.wait()
            process.stdout.close()


def load(bind: Engine, devices: int, *, activities: bool) -> None:
    now = datetime.now(UTC)
    users = [
        {"id": f"u-{n}", "time_zone": "UTC", "spoiler_free": False, "locale": "en", "created_at": now, "active_at": now}
        for n in range(devices)
    ]
    phones = [
        {"user_id": f"u-{n}", "digest": f"{n:064x}", "platform": "ios", "token": token(n), "kind": "token",
         "environment": "production", "registered_at": now, "active_at": now,
         "live_activity_token": start_token(n) if activities else None}
        for n in range(devices)
    ]  # fmt: skip
    follows = [
        {"user_id": f"u-{n}", "match_id": MATCH, "notification_prefs": {}, "kinds": mask_of(DEFAULT_KINDS)}
        for n in range(devices)
    ]
    with bind.begin() as connection:
        for table, rows in ((UserRow, users), (DeviceRow, phones), (UserSubscriptionRow, follows)):
            connection.execute(insert(table), rows)


def token(number: int) -> str:
    return f"{number:064x}"


def start_token(number: int) -> str:
    return f"{number:0160x}"


def subscribe(bind: Engine, settings: dict[str, str], phones: int) -> None:
    """As apps do: phones that listen to the topic of goals of the match, and say so with their device."""
    now = datetime.now(UTC)
    rows = [
        {"user_id": f"u-{n}", "digest": f"topic-{n}", "platform": "android", "token": topic_token(n), "kind": "token",
         "environment": "production", "registered_at": now, "active_at": now, "topics": "en"}
        for n in range(phones)
    ]  # fmt: skip
    with bind.begin() as connection:
        connection.execute(insert(DeviceRow), rows)
    fcm = Fcm(settings["fcm_credentials"], url=settings["fcm_url"], ca=settings["push_ca"])
    fcm.bearer.renew_if_due(time.monotonic())
    headers = dict(line.split(": ", 1) for line in fcm.bearer.headers)
    session = requests.Session()
    registrations = fcm.url.replace("/messages:send", "/registrations")
    for n in range(phones):
        url = f"{registrations}/{topic_token(n)}/topicSubscriptions"
        params = {"topic_name": f"m.{MATCH}.goal.en"}
        answer = session.post(url, params=params, headers=headers, verify=settings["push_ca"], timeout=10)
        answer.raise_for_status()
    fcm.close()


def topic_token(number: int) -> str:
    return f"topic-phone-{number:08d}"


def open_channel(bind: Engine, settings: dict[str, str]) -> None:
    """As it is before kick-off."""
    signature = Signature(Key(settings["apns_team"], settings["apns_key_id"], settings["apns_key"]))
    channels = Channels(signature, settings["apns_bundle"], url=settings["apns_channels_url"], ca=settings["push_ca"])
    channel_id = channels.create()
    assert isinstance(channel_id, str)
    Audience(bind).keep_channel(BroadcastChannel(MATCH, "production", channel_id), now_ms=time.time_ns() // 1_000_000)


def send_event(running: System, kind: str, home: int) -> None:
    """A provider's event, by the signed ingest endpoint."""
    now = datetime.now(UTC)
    event = {"match_id": MATCH, "event_type": kind, "event_id": f"{kind}-{home}", "home_score": home, "away_score": 0,
             "minute": 1, "team": "home", "timestamp": now.isoformat()}  # fmt: skip
    body = json.dumps({"events": [event]}).encode()
    headers = signed(system.SECRET, f"{kind}-{home}", body, now)
    requests.post(f"{running.url}/api/ingest/generic", body, headers=headers, timeout=10).raise_for_status()


class Witness:
    """What the emulated Apple has accepted, read from its journal as it grows."""

    def __init__(self, path: str, *, activities: bool) -> None:
        self.journal = PushJournal(Path(path))
        self.activities = activities

    def counts(self) -> dict[str, int]:
        """Pushes by phone, without what was broadcast and what came by topics."""
        counts = self.journal.counts()
        return {name: n for name, n in counts.items() if not name.startswith(("channel:", "topic-"))}

    def topic_figures(self, phones: int, goals: int) -> dict[str, int]:
        """Of phones that listen to topics: messages of goals that reached all, and that any got twice."""
        seen = [Counter(push.collapse for push in self.journal.of(topic_token(n))) for n in range(phones)]
        return {
            "topic_goals": goals,
            "topic_reached": min(map(len, seen), default=0),
            "topic_twice": sum(count > 1 for counts in seen for count in counts.values()),
        }

    def taken(self) -> int:
        return sum(self.counts().values())

    def _rings(self) -> Counter[str]:
        """Pushes with a sound, by phone: what its owner hears, whatever the screen shows."""
        return Counter(push.target for push in self.journal.all() if "sound" in push.payload.get("aps", {}))

    def reached(self, devices: int) -> bool:
        return len(self.counts()) >= devices

    def figures(self, devices: int) -> dict[str, int]:
        counts = self.counts()
        phones = [phone_of(history(self.journal, token(n), start_token(n)), time.time()) for n in range(devices)]
        shown = [phone.activities if self.activities else phone.alerts for phone in phones]
        return {
            "reached": sum(map(bool, shown)),
            "resent": sum(counts.values()) - len(counts),
            "shown_twice": sum(len(phone.alerts) > 1 or len(phone.activities) > 1 for phone in phones),
            "rung_twice": sum(rings > 1 for rings in self._rings().values()),
        }


def kill_at_random(running: System, witness: Witness, devices: int, kills: int, rng: random.Random) -> int:
    """Kill and restart the worker that pushes, each time after it has got somewhere, until it was killed often enough
    or all is sent; returns how often."""
    count = running.settings.worker_processes
    victim = next(name for index, name in enumerate(running.workers) if PUSH in order_for(index, count))
    done = killed_at = before = 0
    quiet_since = time.monotonic()
    while time.monotonic() - quiet_since < QUIET_S and not witness.reached(devices):
        time.sleep(rng.uniform(0.05, 0.6))
        now = witness.taken()
        if now != before:
            quiet_since, before = time.monotonic(), now
        if done < kills and now > killed_at:
            running.kill(victim)
            running.restart(victim)
            done, killed_at = done + 1, witness.taken()
            print(f"killed {done}, {killed_at} pushes taken", file=sys.stderr)
    return done


def wait_for_end(running: System) -> None:
    """What a killed worker held is sent again once its claim has run out, which may be after everybody was reached."""
    client, deadline = redis.Redis.from_url(running.redis_url), time.monotonic() + QUIET_S
    while any(client.zcard(name) for name in UNFINISHED) and time.monotonic() < deadline:
        time.sleep(0.2)


def kill_beside_topics(running: System, goals: int, rng: random.Random) -> int:
    """Goals in windows of their own, and the worker killed some ms after each; returns how often."""
    count = running.settings.worker_processes
    victim = next(name for index, name in enumerate(running.workers) if PUSH in order_for(index, count))
    for goal in range(2, goals + 2):
        time.sleep(WINDOW_MS / 1000 + 1)
        send_event(running, "goal", goal)
        time.sleep(rng.uniform(0.0, 0.3))
        running.kill(victim)
        running.restart(victim)
        print(f"goal {goal}, killed", file=sys.stderr)
    time.sleep(2 * CLAIM_MS / 1000)
    return goals


def run(devices: int, kills: int, seed: int, *, activities: bool = False, topics: int = 0) -> dict[str, Any]:
    """activities: it is kick-off, and every phone is to get a Live Activity. topics: so many phones more listen to FCM
    topics, and goals are announced one after the other while the worker is killed."""
    rng = random.Random(seed)
    with emulated() as settings:
        env = {name.upper(): value for name, value in settings.items()}
        with system.running(**env) as running:
            bind = engine(running.env["DATABASE_URL"])
            load(bind, devices, activities=activities)
            if activities:
                open_channel(bind, settings)
            if topics:
                subscribe(bind, settings, topics)
            bind.dispose()
            witness = Witness(settings["ledger"], activities=activities)
            started = time.monotonic()
            send_event(running, "kickoff" if activities else "goal", 0 if activities else 1)
            done = kill_at_random(running, witness, devices, kills, rng)
            lasted = time.monotonic() - started
            wait_for_end(running)
            figures = witness.figures(devices)
            if topics:
                goals = kill_beside_topics(running, TOPIC_GOALS, rng)
                done += goals
                figures |= witness.topic_figures(topics, goals + 1)
            witness.journal.db.close()
    return {"devices": devices, "kills": done, "chunk": CHUNK, **figures, "seconds": round(lasted, 1)}
