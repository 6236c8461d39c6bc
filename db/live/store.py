"""All live state behind one Redis client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import redis

from db.domain import Match
from db.live.board import Boards
from db.live.client import guarded
from db.live.cluster import Cluster
from db.live.commits import Commits
from db.live.documents import Documents
from db.live.inbox import Inbox
from db.live.matches import Matches
from db.live.names import KnownNames
from db.live.outbox import Outbox
from db.live.outlet import Outlet
from db.live.refusals import Refusals
from db.live.room import Room
from db.live.sharding import ShardedRedis


class LiveStore:
    """One attribute a noun.

    message: what the outlet publishes of a match (db.live.commits).
    redis: the connection that all of them use.
    sharded: the same, with the shards that it is divided in.
    """

    def __init__(
        self,
        connection: redis.Redis | Cluster,
        shards: int,
        replica_wait_ms: int = 0,
        message: Callable[[Match], str] | None = None,
    ) -> None:
        self.redis: Any = connection
        self.sharded = sharded = ShardedRedis(connection, shards)
        self.inbox = Inbox(sharded, replica_wait_ms)
        self.matches = Matches(sharded)
        self.commits = Commits(sharded, message)
        self.board = Boards(sharded, self.matches)
        self.documents = Documents(sharded)
        self.names = KnownNames(sharded)
        self.outbox = Outbox(sharded)
        self.outlet = Outlet(sharded)
        self.refusals = Refusals(sharded)
        self.room = Room(sharded)

    @guarded
    def ping(self) -> int:
        """How many shards are out of reach; raises Unavailable where all are."""
        return self.sharded.ping()
