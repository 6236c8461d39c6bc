"""Alerts in Redis: a match's push mailbox, its window, and what is opened from them, in atomic steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import redis

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


class Alerts:
    """Every method raises Unavailable without Redis."""

    def __init__(self, client: redis.Redis) -> None:
        # Any: redis-py types every answer as "bytes or str or …", for it cannot see decode_responses.
        self.redis: Any = client
        self._commit = client.register_script(lua("alerts_commit"))
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
    def sliced(self) -> int:
        """Alerts whose plan is split and not finished."""
        return int(self.redis.zcard(keys.PUSH_SLICED))

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
    inner = (b"chunk:", b"topic:", b"told:", b"place:", b"tries:", b"slices")
    return {name.decode(): value.decode() for name, value in row.items() if not name.startswith(inner)}
