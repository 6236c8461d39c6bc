"""Every Redis key of the live state: key, type, who writes it, what it holds.

match:{id}:state    hash     match_commit.lua  version rev updated_at, score time status, match; kept 24 h after the end
match:{id}:events   hash     match_commit.lua  event id → the event as JSON; expires with the state
match:{id}:inbox    stream   inbox_accept.lua  updates not yet applied, in order of arrival
match:{id}:outbox   stream   match_commit.lua  versions not yet written to history
ingest:{n}:pending  zset     accept, commit    match ids with a filled inbox, by time of the first (ms)
ingest:waiting      string   accept, commit    number of updates in all inboxes
ingest:parked       zset     live.park         match ids whose drain met a bug, by time parked (ms)
history:parked      zset     live.park_history match ids whose history met a bug, by time parked (ms)
ingest:refused      stream   live.keep_refused refused payloads on their way to SQL, 256 at most
history:pending     zset     commit, ack       match ids with a filled outbox, by time of the first (ms)
purge:pending       zset     match_commit.lua  `{cache key} {lifetime s}` to purge, by time of the commit (ms)
purge:rebound       zset     purge_ack.lua     the same, purged once, by time of the second purge (ms)
bell:{name}         string   accept, commit    a job is on its way to this group of mailboxes; 30 s
metrics:totals      hash     metrics.report    [name, labels, part] → sum over all processes
metrics:gauges      hash     metrics.report    [process, name, labels] → "value ms"
seen:{provider}:{id} string  inbox_accept.lua  a delivery already accepted; 15 min
live:matches        zset     match_commit.lua  ids of matches in phase live or break, by start (ms)
live:filled         string   live.mark_filled  live state was rebuilt since Redis was last empty
live:version        string   match_commit.lua  version of the board: grows with each change of a live match
scores:changed      pub/sub  match_commit.lua  `{match_id} {version} {board} {urgent}` of each new version; board is the
                                               board's version or 0, urgent 1 if the score or status changed

The braces around a match id are a Redis Cluster hash tag: all keys of a match live in one slot.
"""

from __future__ import annotations

import zlib

CHANGED = "scores:changed"
MATCHES = "live:matches"
BOARD = "live:version"
WAITING = "ingest:waiting"
PARKED = "ingest:parked"
HISTORY_PARKED = "history:parked"
REFUSED = "ingest:refused"
FILLED = "live:filled"
HISTORY_PENDING = "history:pending"
HISTORY_BELL = "bell:history"
PURGE_PENDING = "purge:pending"
PURGE_REBOUND = "purge:rebound"
PURGE_BELL = "bell:purge"


def state(match_id: str) -> str:
    return f"match:{{{match_id}}}:state"


def events(match_id: str) -> str:
    return f"match:{{{match_id}}}:events"


def inbox(match_id: str) -> str:
    return f"match:{{{match_id}}}:inbox"


def outbox(match_id: str) -> str:
    return f"match:{{{match_id}}}:outbox"


def pending(shard: int) -> str:
    return f"ingest:{shard}:pending"


def bell(shard: int) -> str:
    return f"bell:ingest:{shard}"


def seen(provider: str, delivery_id: str) -> str:
    return f"seen:{provider}:{delivery_id}"


def shard_of(match_id: str, shards: int) -> int:
    """crc32, because Python's hash differs from process to process."""
    return zlib.crc32(match_id.encode()) % shards
