"""What the processes of workers check at their start."""

from __future__ import annotations

import sys

from cdn.backends import registry
from config import Settings
from db.domain.errors import Refused
from db.live.cluster import connect_live
from db.live.sharding import ShardedRedis
from db.live.shards import agree_at_start


def settings_at_start() -> Settings:
    """A missing setting, or one that contradicts Redis, ends the process with one sentence."""
    settings = Settings.at_start()
    try:
        registry.check(settings)
        connection = connect_live(settings.redis_url, is_cluster=settings.redis_cluster)
        agree_at_start(ShardedRedis(connection, settings.live_shards))
        connection.close()
    except Refused as error:
        sys.exit(error.message)
    return settings
