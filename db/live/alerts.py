"""Alerts in Redis, from a match's mailbox to a plan. Each step is atomic and can be repeated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import redis

from db.domain import Kind
from db.live import keys
from db.live.client import BELL_S, guarded, lua
from db.live.outbox import change_of
from db.outbox_entry import OutboxEntry

# The ledger outlives the longest match by far: a feed may repeat yesterday's goals.
WINDOW_S = 2 * 24 * 60 * 60
# An alert and its chunks are kept while its goal may be cancelled, and for `flask push status`.
ALERT_S = 2 * 60 * 60
# Alerts that `flask push status` can look back on.
RECENT = 500


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A match's push mailbox.

    window: the stored window, None if there is none yet.
    rev: its revision.
    changes: match versions that no worker has read.
    """

    window: bytes | None
    rev: str
    changes: tuple[OutboxEntry, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """An alert to store.

    alert: encoded.
    version: of the match in it. Amending raises it, so it separates who got the alert before from who gets it after.
    """

    id: str
    alert: bytes
    version: int


@dataclass(frozen=True, slots=True)
class Plan:
    """An alert that is not completely planned.

    alert: encoded.
    version: of the match in it.
    opened_at: when it was opened (ms).
    planned: number of chunks so far.
    place: where to continue, None at the start.
    published: topics that were sent to, by kind and variant.
    chunked: all its devices are in chunks.
    """

    id: str
    alert: bytes
    version: int
    opened_at: int
    planned: int
    place: str | None
    published: frozenset[str]
    chunked: bool


class Alerts:
    """Every method raises Unavailable without Redis."""

    def __init__(self, client: redis.Redis) -> None:
        # Any: redis-py types every answer as "bytes or str or …", for it cannot see decode_responses.
        self.redis: Any = client
        self._commit = client.register_script(lua("alerts_commit"))
        self._publish = client.register_script(lua("topics_start"))
        self._settle = client.register_script(lua("due_settle"))
        self._clear_bell = client.register_script(lua("bell_silence"))

    # Mailbox and window.

    @guarded
    def pending(self, limit: int) -> list[str]:
        """Matches with unread news, longest waiting first."""
        return _texts(self.redis.zrange(keys.PUSH_PENDING, 0, limit - 1))

    @guarded
    def park(self, match_id: str, *, now_ms: int) -> None:
        """Set aside a match whose news hits a bug, so that it does not block the others."""
        with self.redis.pipeline() as pipe:
            pipe.zrem(keys.PUSH_PENDING, match_id)
            pipe.zrem(keys.PUSH_WINDOWS, match_id)
            pipe.zadd(keys.PUSH_PARKED, {match_id: now_ms}, nx=True)
            pipe.execute()

    @guarded
    def unpark(self, *, before_ms: int) -> list[str]:
        """Put matches parked before a moment back among the pending; returns them."""
        match_ids = _texts(self.redis.zrangebyscore(keys.PUSH_PARKED, "-inf", before_ms))
        with self.redis.pipeline() as pipe:
            for match_id in match_ids:
                pipe.zadd(keys.PUSH_PENDING, {match_id: before_ms}, nx=True)
                pipe.zrem(keys.PUSH_PARKED, match_id)
            pipe.execute()
        return match_ids

    @guarded
    def parked(self) -> int:
        return int(self.redis.zcard(keys.PUSH_PARKED))

    @guarded
    def waiting_since(self) -> int | None:
        head = self.redis.zrange(keys.PUSH_PENDING, 0, 0, withscores=True)
        return int(head[0][1]) if head else None

    @guarded
    def due(self, now_ms: int) -> list[str]:
        """Matches whose window has ended."""
        return _texts(self.redis.zrangebyscore(keys.PUSH_WINDOWS, "-inf", now_ms))

    @guarded
    def mailbox(self, match_id: str, limit: int) -> Mailbox:
        with self.redis.pipeline() as pipe:
            pipe.hmget(keys.window(match_id), "window", "rev")
            pipe.xrange(keys.push(match_id), count=limit)
            (window, rev), entries = pipe.execute()
        changes = tuple(change_of(entry_id.decode(), fields) for entry_id, fields in entries)
        return Mailbox(window, (rev or b"0").decode(), changes)

    @guarded
    def commit(
        self,
        match_id: str,
        box: Mailbox,
        window: bytes,
        due: int | None,
        opened: Sequence[Draft],
        *,
        amended: Sequence[Draft] = (),
        stopped: Sequence[str] = (),
        broadcast: bool,
        newest: Mapping[str, int],
        now_ms: int,
    ) -> bool:
        """Store the window, open alerts, amend and stop others, drop the mailbox entries that were read.

        newest: by kind, the version it was last announced at. False if another worker committed first.
        """
        fixed = [keys.window(match_id), keys.push(match_id), keys.PUSH_PENDING, keys.PUSH_WINDOWS]
        fixed += [keys.PUSH_UNPLANNED, keys.PUSH_RECENT, keys.PUSH_BROADCASTS]
        drafts = [*opened, *amended]
        hashes = [*(keys.alert(draft.id) for draft in drafts), *map(keys.alert, stopped)]
        parts: list[Any] = [part for draft in drafts for part in (draft.id, draft.alert, draft.version)]
        ids = [change.id for change in box.changes]
        args: list[Any] = [match_id, box.rev, window, WINDOW_S, "" if due is None else due, now_ms]
        args += [int(broadcast), ALERT_S, RECENT, len(opened), len(amended), *parts, len(ids), *ids]
        args += [part for pair in newest.items() for part in pair]
        return bool(self._commit(keys=fixed + hashes, args=args))

    @guarded
    def active(self, alert_ids: Sequence[str]) -> list[bytes]:
        """Those of these alerts that still exist and are not stopped."""
        with self.redis.pipeline(transaction=False) as pipe:
            for alert_id in alert_ids:
                pipe.hmget(keys.alert(alert_id), "alert", "stopped")
            rows = pipe.execute() if alert_ids else []
        return [alert for alert, stopped in rows if alert and not stopped]

    # Broadcasts: only that a match has something to show is stored; what it shows is its present state.

    @guarded
    def broadcasts(self, now_ms: int) -> list[tuple[str, int]]:
        """Matches that are due, with the time they became due."""
        rows = self.redis.zrangebyscore(keys.PUSH_BROADCASTS, "-inf", now_ms, withscores=True)
        return [(match_id.decode(), int(at)) for match_id, at in rows]

    @guarded
    def broadcast_done(self, match_id: str, due: int) -> None:
        """Settled, unless the match has changed since `due`: then it stays due."""
        self._settle(keys=[keys.PUSH_BROADCASTS], args=[match_id, due, 0])

    @guarded
    def broadcast_again(self, match_id: str, due: int, *, at_ms: int) -> None:
        self._settle(keys=[keys.PUSH_BROADCASTS], args=[match_id, due, at_ms])

    @guarded
    def shown(self, match_id: str) -> str | None:
        """The score last published to lock screens, as given to `show`."""
        score = self.redis.hget(keys.window(match_id), "shown")
        return score.decode() if score else None

    @guarded
    def show(self, match_id: str, score: str) -> None:
        with self.redis.pipeline() as pipe:
            pipe.hset(keys.window(match_id), "shown", score)
            pipe.expire(keys.window(match_id), WINDOW_S)
            pipe.execute()

    # Plans.

    @guarded
    def unplanned(self) -> list[str]:
        return _texts(self.redis.zrange(keys.PUSH_UNPLANNED, 0, -1))

    @guarded
    def lease(self, name: str, seconds: int, *, again: bool = False) -> bool:
        """Whether this worker may do a piece of work, such as plan an alert, until the lease ends. A lease only saves
        work: of two planners, `put` lets one through."""
        return bool(self.redis.set(keys.lease(name), 1, ex=seconds, nx=not again))

    @guarded
    def plan(self, alert_id: str) -> Plan | None:
        """None if it is stopped or expired."""
        fields = self.redis.hgetall(keys.alert(alert_id))
        if not fields or b"stopped" in fields:
            return None
        place = fields.get(b"place")
        topics = {name.decode()[6:] for name in fields if name.startswith(b"topic:")}
        return Plan(
            alert_id,
            fields[b"alert"],
            int(fields[b"version"]),
            int(fields[b"told_at"]),
            int(fields[b"planned"]),
            place.decode() if place else None,
            frozenset(topics),
            b"chunked" in fields,
        )

    @guarded
    def publish(self, plan: Plan, topics: Sequence[str]) -> bool:
        """Start to publish to topics, named by kind and variant. False if the alert was stopped or amended since."""
        return bool(self._publish(keys=[keys.alert(plan.id)], args=[plan.version, *topics]))

    @guarded
    def published(self, alert_id: str, topic: str, counts: Iterable[str], *, sent: bool, again: bool) -> None:
        """Count the outcome of a publication.

        sent: the topic got it. again: it is to be repeated.
        """
        key = keys.alert(alert_id)
        with self.redis.pipeline() as pipe:
            if not sent:
                pipe.hdel(key, f"told:{topic}")
            if not again:
                pipe.hset(key, f"topic:{topic}", 1)
            for name in counts:
                pipe.hincrby(key, name, 1)
            pipe.execute()

    @guarded
    def chunked(self, alert_id: str) -> None:
        self.redis.hset(keys.alert(alert_id), "chunked", 1)

    @guarded
    def planned(self, alert_id: str, *, now_ms: int) -> None:
        with self.redis.pipeline() as pipe:
            pipe.zrem(keys.PUSH_UNPLANNED, alert_id)
            pipe.hsetnx(keys.alert(alert_id), "planned_at", now_ms)
            pipe.delete(keys.lease(alert_id))
            pipe.execute()

    @guarded
    def reached_variants(self, alert_id: str, kind: Kind, before: int) -> set[str]:
        """Topic variants that got an alert's news of a kind at a version below `before`."""
        fields = _words(self.redis.hgetall(keys.alert(alert_id)), f"told:{kind} ")
        return {variant for variant, version in fields.items() if int(version) < before}

    @guarded
    def work_at(self) -> int | None:
        """When the next piece of work is due (ms, may be in the past); None if there is none."""
        with self.redis.pipeline(transaction=False) as pipe:
            for name in keys.PUSH_WORK:
                pipe.zrange(name, 0, 0, withscores=True)
            heads = pipe.execute()
        return min((int(head[0][1]) for head in heads if head), default=None)

    # The doorbell, and what the operator sees.

    @guarded
    def clear_bell(self) -> bool:
        """Clear the doorbell if every mailbox is empty; False if one is filled."""
        return bool(self._clear_bell(keys=[keys.PUSH_PENDING, keys.PUSH_BELL]))

    @guarded
    def ring(self, *, now_ms: int) -> bool:
        """Set the doorbell; True if it was clear."""
        return bool(self.redis.set(keys.PUSH_BELL, now_ms, nx=True, ex=BELL_S))

    @guarded
    def recent(self, limit: int) -> list[tuple[str, dict[str, str]]]:
        """Alerts, newest first, with their counters."""
        ids = _texts(self.redis.zrange(keys.PUSH_RECENT, 0, limit - 1, desc=True))
        with self.redis.pipeline(transaction=False) as pipe:
            for alert_id in ids:
                pipe.hgetall(keys.alert(alert_id))
            rows = pipe.execute() if ids else []
        return [(alert_id, _counters(row)) for alert_id, row in zip(ids, rows, strict=True) if row]


def _texts(names: Iterable[bytes]) -> list[str]:
    return [name.decode() for name in names]


def _counters(row: dict[bytes, bytes]) -> dict[str, str]:
    inner = (b"chunk:", b"topic:", b"told:")
    return _words({name: value for name, value in row.items() if not name.startswith(inner)})


def _words(row: dict[bytes, bytes], prefix: str = "") -> dict[str, str]:
    """Fields whose names begin with a prefix, by the rest of the name."""
    fields = {name.decode(): value.decode() for name, value in row.items()}
    return {name.removeprefix(prefix): value for name, value in fields.items() if name.startswith(prefix)}
