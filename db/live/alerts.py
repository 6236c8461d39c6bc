"""Alerts in Redis: a match's push mailbox, its window, and what is opened from them, in atomic steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from db.live import keys
from db.live.client import guarded
from db.live.outbox import change_of
from db.live.sharding import ShardedRedis, ShardScript
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

    def __init__(self, sharded: ShardedRedis) -> None:
        self.sharded = sharded
        self._commit = ShardScript(sharded, "alerts_commit")
        self._silence = ShardScript(sharded, "bell_silence")

    # Mailbox and window.

    @guarded
    def pending(self, limit: int) -> list[str]:
        """Matches with unread news, longest waiting first."""
        return [queued.member for queued in self.sharded.queued(keys.PUSH_PENDING, limit=limit)]

    @guarded
    def park(self, match_id: str, *, now_ms: int) -> None:
        """Set aside a match whose news hits a bug, so that it does not block the others."""
        shard = self.sharded.of(match_id)
        with shard.redis.pipeline(transaction=True) as pipe:
            pipe.zrem(shard.key(keys.PUSH_PENDING), match_id)
            pipe.zrem(shard.key(keys.PUSH_WINDOWS), match_id)
            pipe.zadd(shard.key(keys.PUSH_PARKED), {match_id: now_ms}, nx=True)
            pipe.execute()

    @guarded
    def unpark(self, *, before_ms: int) -> list[str]:
        """Put matches parked before a moment back among the pending; returns them."""
        return self.sharded.unpark(keys.PUSH_PARKED, lambda shard: shard.key(keys.PUSH_PENDING), before_ms=before_ms)

    @guarded
    def parked(self) -> int:
        return self.sharded.total(keys.PUSH_PARKED)

    @guarded
    def sliced(self) -> int:
        """Alerts whose plan is split and not finished."""
        return self.sharded.total(keys.PUSH_SLICED)

    @guarded
    def waiting_since(self) -> int | None:
        return self.sharded.first_at(keys.PUSH_PENDING)

    @guarded
    def due(self, now_ms: int) -> list[str]:
        """Matches whose window has ended."""
        return [queued.member for queued in self.sharded.queued(keys.PUSH_WINDOWS, now_ms)]

    @guarded
    def mailbox(self, match_id: str, limit: int) -> Mailbox:
        shard = self.sharded.of(match_id)
        with shard.redis.pipeline(transaction=True) as pipe:
            pipe.hmget(shard.key(keys.window(match_id)), "window", "rev")
            pipe.xrange(shard.key(keys.push(match_id)), count=limit)
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
        drafts = [*opened, *amended]
        _check_names(match_id, [draft.id for draft in drafts])
        fixed = [keys.window(match_id), keys.push(match_id), keys.PUSH_PENDING, keys.PUSH_WINDOWS]
        fixed += [keys.PUSH_UNPLANNED, keys.PUSH_RECENT, keys.PUSH_BROADCASTS]
        hashes = [*(keys.alert(draft.id) for draft in drafts), *map(keys.alert, stopped)]
        parts: list[Any] = [part for draft in drafts for part in (draft.id, draft.alert, draft.version)]
        ids = [change.id for change in box.changes]
        args: list[Any] = [match_id, box.rev, window, WINDOW_S, "" if due is None else due, now_ms]
        args += [int(broadcast), ALERT_S, RECENT, len(opened), len(amended), *parts, len(ids), *ids]
        args += [part for pair in newest.items() for part in pair]
        shard = self.sharded.of(match_id)
        return bool(self._commit(shard, fixed + hashes, args))

    @guarded
    def active(self, alert_ids: Sequence[str]) -> list[bytes]:
        """Those of these alerts that still exist and are not stopped."""
        rows = self.sharded.of_each_alert(
            alert_ids, lambda pipe, shard, alert_id: pipe.hmget(shard.key(keys.alert(alert_id)), "alert", "stopped")
        )
        return [alert for alert, stopped in rows if alert and not stopped]

    @guarded
    def work_at(self) -> int | None:
        """When the next piece of work is due (ms, may be in the past); None if there is none."""
        return self.sharded.first_at(*keys.PUSH_WORK)

    # The doorbell, and what the operator sees.

    @guarded
    def clear_bell(self) -> bool:
        """Clear the doorbell if every mailbox is empty; False if one is filled."""
        return self.sharded.silence(self._silence, keys.PUSH_PENDING, keys.PUSH_BELL)

    @guarded
    def recent(self, limit: int) -> list[tuple[str, dict[str, str]]]:
        """Alerts, newest first, with their counters."""
        rows = self.sharded.each(
            lambda pipe, shard: pipe.zrange(shard.key(keys.PUSH_RECENT), 0, limit - 1, desc=True, withscores=True),
            instead=(),
        )
        newest = sorted((entry for row in rows for entry in row), key=lambda entry: entry[1], reverse=True)
        ids = [alert_id.decode() for alert_id, _ in newest[:limit]]
        rows = self.sharded.of_each_alert(
            ids, lambda pipe, shard, alert_id: pipe.hgetall(shard.key(keys.alert(alert_id)))
        )
        return [(alert_id, _counters(row)) for alert_id, row in zip(ids, rows, strict=True) if row]


def _check_names(match_id: str, alert_ids: Sequence[str]) -> None:
    """An alert whose name leads to another match would be looked for in the shard of that one."""
    strange = [alert_id for alert_id in alert_ids if keys.match_of(alert_id) != match_id]
    if strange:
        raise ValueError(f"{strange} are no names of alerts of {match_id}")


def _counters(row: dict[bytes, bytes]) -> dict[str, str]:
    inner = (b"chunk:", b"topic:", b"told:", b"place:", b"tries:", b"begun:", b"slices")
    return {name.decode(): value.decode() for name, value in row.items() if not name.startswith(inner)}
