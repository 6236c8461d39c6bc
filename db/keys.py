"""Every Redis key of the live state: key, type, who writes it, what it holds.

match:{id}:state    hash     match_commit.lua  version rev updated_at, score time status, match; kept 24 h after the end
match:{id}:events   hash     match_commit.lua  event id → the event as JSON; expires with the state
match:{id}:inbox    stream   inbox_accept.lua  updates not yet applied, in order of arrival
match:{id}:outbox   stream   match_commit.lua  versions not yet written to history
ingest:{n}:pending  zset     accept, commit    match ids with a filled inbox, by time of the first (ms)
ingest:parked       zset     live.park         match ids whose drain met a bug, by time parked (ms)
ingest:refused      stream   live.keep_refused refused payloads on their way to SQL, 256 at most
history:pending     zset     commit, ack       match ids with a filled outbox, by time of the first (ms)
bell:{name}         string   accept, commit    a job is on its way to this group of mailboxes; 30 s
seen:{provider}:{id} string  inbox_accept.lua  a delivery already accepted; 15 min
live:matches        zset     match_commit.lua  ids of matches in phase live or break, by start (ms)
live:filled         string   live.mark_filled  live state was rebuilt since Redis was last empty
limit:{name}:{who}  hash     bucket_take.lua   tokens left of a rate limit; expires when it would be full
scores:changed      pub/sub  match_commit.lua  `{match_id} {version}` of each new version

The braces around a match id are a Redis Cluster hash tag: all keys of a match live in one slot.
"""

from __future__ import annotations

import zlib

CHANGED = "scores:changed"
MATCHES = "live:matches"
PARKED = "ingest:parked"
REFUSED = "ingest:refused"
FILLED = "live:filled"
HISTORY_PENDING = "history:pending"
HISTORY_BELL = "bell:history"


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


def bucket(name: str, who: str) -> str:
    return f"limit:{name}:{who}"


def shard_of(match_id: str, shards: int) -> int:
    """crc32, because Python's hash differs from process to process."""
    return zlib.crc32(match_id.encode()) % shards
