"""All live state behind one Redis client."""

from __future__ import annotations

from typing import Any

import redis

from db.live.board import Boards
from db.live.client import guarded
from db.live.commits import Commits
from db.live.documents import Documents
from db.live.inbox import Inbox
from db.live.matches import Matches
from db.live.names import KnownNames
from db.live.outbox import Outbox
from db.live.refusals import Refusals


class LiveStore:
    """One attribute a noun.

    redis: the client that all of them use.
    shards: into how many pending sets the inboxes are divided.
    """

    def __init__(self, client: redis.Redis, shards: int) -> None:
        self.redis: Any = client
        self.shards = shards
        self.inbox = Inbox(client, shards)
        self.matches = Matches(client)
        self.commits = Commits(client, shards)
        self.board = Boards(client, self.matches)
        self.documents = Documents(client)
        self.names = KnownNames(client)
        self.outbox = Outbox(client)
        self.refusals = Refusals(client)

    @guarded
    def ping(self) -> None:
        self.redis.ping()
