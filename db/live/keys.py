"""Every Redis key of the live state: key, type, who writes it, what it holds.

match:{id}:state    hash     match_commit.lua  version rev updated_at, score time status, match, ledgers;
                                               shown, shown_at: the minute that readers of the board were told last;
                                               events_version: at which the timeline last changed, known of the version
                                               events_through; kept 24 h after the end, after leaving the board untold
                                               (board_drop.lua), after the start of a match that did not begin; a week
                                               without a start
match:{id}:events   hash     match_commit.lua  event id → the event as JSON; expires with the state
match:{id}:documents hash    document_put.lua  kind/source → "stamp version JSON" of line-ups and statistics; 2 days
match:{id}:inbox    stream   inbox_accept.lua  updates not yet applied, in order of arrival
match:{id}:outbox   stream   match_commit.lua  versions not yet written to history
match:{id}:outlet   stream   match_commit.lua  the newest 500 versions that Kafka has not; only with KAFKA_OUT; 1 day
match:{id}:push     stream   match_commit.lua  versions with facts that nobody has made into alerts yet
match:{id}:window   hash     alerts_commit.lua rev, window: what was told and what waits (notify.content.window); 2 days
match:{id}:picture  hash     picture_put.lua   digest and PNG of the picture beside its link; 7 days, less by pictures
ingest:{n}:pending  zset     accept, commit    match ids with a filled inbox, by time of the first (ms)
live:shards         string   accept, shards    number of shards, by which every process finds the keys of a match
ingest:due          zset     match_commit.lua  match ids that are to be worked out anew, by when (ms)
ingest:waiting      string   accept, commit    number of updates in all inboxes
ingest:parked       zset     live.park         match ids whose drain met a bug, by time parked (ms)
history:parked      zset     live.park_history match ids whose history met a bug, by time parked (ms)
ingest:refused      stream   live.keep_refused refused payloads on their way to SQL, 256 at most
history:pending     zset     commit, ack       match ids with a filled outbox, by time of the first (ms)
history:partial     zset     commit, partials  match ids of which SQL may know more, by when to compare them (ms)
documents:pending   zset     document_put.lua  match ids with documents that are not in SQL, by time of the change (ms)
outlet:pending      zset     match_commit.lua  match ids with a filled outlet, by time of the first (ms); 1 day
pictures:pending    zset     commit, claim     match ids whose picture is to be drawn, by since when, or until when a
                                               worker has claimed it (ms)
pictures:kept       zset     picture_put.lua   match ids that have a picture, by when it was drawn (ms)
purge:pending       zset     match_commit.lua  `{cache key} {lifetime s}` to purge, by time of the commit (ms)
purge:rebound       zset     purge_ack.lua     the same, purged once, by time of the second purge (ms)
names:{subject}     hash     live.names        other name of a match or team → its id; a copy of SQL's table
feeds               hash     live.feeds        feed name → its health as JSON (FeedHealth)
feeds:positions     hash     live.feeds        feed name → where its reader goes on, JSON
feeds:lease:{name}  string   lease_renew.lua   the process that reads the feed; seconds
push:pending        zset     commit, alerts    match ids with a filled push mailbox, by time of the first (ms)
push:windows        zset     alerts_commit.lua match ids where news waits, by the end of its window (ms)
push:parked         zset     alerts.park       match ids whose news met a bug, by time parked (ms)
push:broadcasts     zset     alerts_commit.lua match ids whose Live Activities are behind, by time (ms)
push:unplanned      zset     alerts_commit.lua alert ids not yet, or not wholly, made into chunks, by time (ms)
push:sliced         zset     plan_split.lua    alert ids whose plan is split into slices, by time of that (ms)
push:lease:{name}   string   plans.lease       a worker is planning this alert, or slice of it; seconds
push:alert:{id}     hash     alerts, chunks    alert, version, told_at, planned, place, devices, chunk:{n} states,
                                               told:{topic} versions, topic:{topic} begun, counters; of a plan in slices
                                               their bounds and place:{n}; of chunks begun:{n} and tries:{n}; 2 h
push:chunk:{alert} {n} string chunk_put.lua    devices and the kinds they want, 12 bytes each; 2 h
push:missed:{alert} {n} string chunk_done.lua  of those, whom it did not reach; 2 h
push:progress:{alert} {n} string chunk_*.lua   of those, who was handed over and who is settled; 2 h
push:health:{service} hash   chunks            recent pushes, delivered and dead; 1 day
push:ready          zset     chunk_*.lua       chunks to send, in order of turn (ms)
push:later          zset     chunk_*.lua       chunks to try again, by when (ms)
push:claimed        zset     chunk_*.lua       chunks a worker is sending, by when its claim runs out (ms)
push:recent         zset     alerts_commit.lua the last 500 alert ids, by time (ms)
bell:{name}         string   accept, commit    a job is on its way to this group of mailboxes; 30 s
metrics:totals      hash     metrics.report    [name, labels, part] → sum over all processes
metrics:gauges      hash     metrics.report    [process, name, labels] → "value ms"
seen:{provider}:{id} string  inbox_accept.lua  a delivery already accepted; 15 min
live:matches        zset     match_commit.lua  ids in phase live or break, by start (ms); less by board_drop.lua
live:undecodable    zset     live.read, board  match ids that could not be decoded, by when that was last met (ms); 1 h
live:filled         string   lineage.record    the Redis, by its start and its failovers, whose matches were last
                                               compared with SQL
surge               string   live.surge        until when (ms) readers are asked to come less often; expires then
kickoff:wanted       string   live.kickoffs     processes by type that were last asked for, JSON
kickoff:warmed       zset     live.kickoffs     `{match id} {start ms}` read through the edge, by when (ms); 1 day
kickoff:words        hash     live.kickoffs     `match:{id}` or `competition:{id}` → viewers that an operator expects
kickoff:peaks        hash     live.kickoffs     competition id → the most viewers a match of it had; 120 days
kickoff:lease:{name} string   live.kickoffs     a clock has taken this turn; seconds
limit:{name}:{who}  hash     bucket_take.lua   tokens left of a rate limit; expires when it would be full
live:version        string   board_advance.lua version of the board: grows with each change of a live match
live:changes        zset     board_advance.lua match ids by the board's version at their last change, of the last 10
                                               minutes; those not in live:matches have left the board
live:changes:bounds hash     board_advance.lua since, told, through: versions between which the changes are complete;
                                               redis: the Redis they are of (board_renew.lua)
scores:changed      pub/sub  match_commit.lua  `{match_id} {version} {board} {urgent}` of each new version; board is the
                                               board's version or 0, urgent 1 if the score or status changed, - if a
                                               list shows nothing new of it

With LIVE_SHARDS above 1 the tag of a shard (`{16.3.12}:`, db.live.sharding) stands before all of them but metrics:* and
limit:*. What belongs to no match is in the first shard: feeds*, push:health:*, live:undecodable and ingest:refused.
Redis Cluster hashes the first pair of braces, so a shard lives in one slot. `live:shards` is there both ways: without
a tag to be found, and in each shard, where scripts compare it.
"""

from __future__ import annotations

import re

CHANGED = "scores:changed"
MATCHES = "live:matches"
BOARD = "live:version"
BOARD_CHANGES = "live:changes"
BOARD_BOUNDS = "live:changes:bounds"
WAITING = "ingest:waiting"
DUE = "ingest:due"
SHARDS = "live:shards"
PARKED = "ingest:parked"
HISTORY_PARKED = "history:parked"
REFUSED = "ingest:refused"
UNDECODABLE = "live:undecodable"
FILLED = "live:filled"
PARTIAL = "history:partial"
HISTORY_PENDING = "history:pending"
DOCUMENTS_PENDING = "documents:pending"
HISTORY_BELL = "bell:history"
OUTLET_PENDING = "outlet:pending"
PICTURES_PENDING = "pictures:pending"
PICTURES_KEPT = "pictures:kept"
PICTURES_BELL = "bell:pictures"
PURGE_PENDING = "purge:pending"
PURGE_REBOUND = "purge:rebound"
PURGE_BELL = "bell:purge"
FEEDS = "feeds"
SURGE = "surge"
KICKOFF_WANTED = "kickoff:wanted"
KICKOFF_WARMED = "kickoff:warmed"
KICKOFF_WORDS = "kickoff:words"
KICKOFF_PEAKS = "kickoff:peaks"
FEED_POSITIONS = "feeds:positions"
PUSH_PENDING = "push:pending"
PUSH_WINDOWS = "push:windows"
PUSH_PARKED = "push:parked"
PUSH_BROADCASTS = "push:broadcasts"
PUSH_UNPLANNED = "push:unplanned"
PUSH_SLICED = "push:sliced"
PUSH_READY = "push:ready"
PUSH_CLAIMED = "push:claimed"
PUSH_RECENT = "push:recent"
PUSH_LATER = "push:later"
PUSH_BELL = "bell:push"
# Each by the time from which there is something to do.
PUSH_WORK = (
    PUSH_PENDING,
    PUSH_WINDOWS,
    PUSH_BROADCASTS,
    PUSH_UNPLANNED,
    PUSH_SLICED,
    PUSH_READY,
    PUSH_LATER,
    PUSH_CLAIMED,
)


def state(match_id: str) -> str:
    return f"match:{{{match_id}}}:state"


def events(match_id: str) -> str:
    return f"match:{{{match_id}}}:events"


def documents(match_id: str) -> str:
    return f"match:{{{match_id}}}:documents"


def inbox(match_id: str) -> str:
    return f"match:{{{match_id}}}:inbox"


def outbox(match_id: str) -> str:
    return f"match:{{{match_id}}}:outbox"


def outlet(match_id: str) -> str:
    return f"match:{{{match_id}}}:outlet"


def picture(match_id: str) -> str:
    return f"match:{{{match_id}}}:picture"


def push(match_id: str) -> str:
    return f"match:{{{match_id}}}:push"


def window(match_id: str) -> str:
    return f"match:{{{match_id}}}:window"


def alert(alert_id: str) -> str:
    return f"push:alert:{alert_id}"


def names(subject: str) -> str:
    """subject: `matches` or `teams`."""
    return f"names:{subject}"


def feed_lease(name: str) -> str:
    return f"feeds:lease:{name}"


def kickoff_lease(name: str) -> str:
    return f"kickoff:lease:{name}"


def lease(name: str) -> str:
    return f"push:lease:{name}"


def chunk(name: str) -> str:
    return f"push:chunk:{name}"


def missed(name: str) -> str:
    return f"push:missed:{name}"


def progress(name: str) -> str:
    return f"push:progress:{name}"


def health(service: str) -> str:
    return f"push:health:{service}"


def pending(shard: int) -> str:
    return f"ingest:{shard}:pending"


def bell(shard: int) -> str:
    return f"bell:ingest:{shard}"


def seen(provider: str, delivery_id: str) -> str:
    return f"seen:{provider}:{delivery_id}"


def bucket(name: str, who: str) -> str:
    return f"limit:{name}:{who}"


# What an alert's id adds to its match's (notify.content.window): the version, and kinds or classes of news; and what
# names a slice of its plan, or a chunk.
_ALERT_ID = re.compile(r"(.+?)-\d+(?:-(?:reminder-\d+|[a-z_]+\d*))*(?:[/ ][\d.]+)?")


def match_of(name: str) -> str:
    """The match whose alert, slice or chunk has this name. Any other name stands for itself."""
    alert = _ALERT_ID.fullmatch(name)
    return alert[1] if alert else name
