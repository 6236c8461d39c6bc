"""Refused payloads in Redis, on their way to SQL."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

from db.live import keys
from db.live.client import guarded, text
from db.live.sharding import ShardedRedis
from db.refusal import RefusedPayload

# Refused payloads that wait for SQL, and the memory that they may take: an endpoint takes 4 MB at most, and not all
# bodies pack as JSON does, ten to one.
REFUSED_MAX, BYTES_MAX = 256, 100_000_000


class Refusals:
    """A bounded queue of refused payloads."""

    def __init__(self, sharded: ShardedRedis) -> None:
        self.redis, self.key = sharded.home.redis, sharded.home.key(keys.REFUSED)

    @guarded
    def keep(self, refused: RefusedPayload) -> None:
        fields: dict[Any, Any] = {
            "id": refused.id,
            "provider": refused.provider,
            "received_at": refused.received_at,
            "code": refused.code,
            "reason": refused.reason,
            "body": zlib.compress(refused.body),
        }
        self.redis.xadd(self.key, fields, maxlen=REFUSED_MAX, approximate=False)
        while (self.redis.memory_usage(self.key, samples=0) or 0) > BYTES_MAX:
            self.redis.xtrim(self.key, maxlen=self.redis.xlen(self.key) // 2, approximate=False)

    @guarded
    def entries(self, limit: int) -> list[tuple[str, RefusedPayload | None]]:
        """Stream ids with their payloads, oldest first; None for what cannot be read."""
        return [(text(entry_id), _refused(fields)) for entry_id, fields in self.redis.xrange(self.key, count=limit)]

    @guarded
    def waiting(self) -> int:
        return int(self.redis.xlen(self.key))

    @guarded
    def ack(self, ids: Sequence[str]) -> None:
        if ids:
            self.redis.xdel(self.key, *ids)


def _refused(fields: dict[bytes, bytes]) -> RefusedPayload | None:
    values = {name.decode(): value for name, value in fields.items()}
    try:
        return RefusedPayload(
            text(values["id"]),
            text(values["provider"]),
            int(values["received_at"]),
            text(values["code"]),
            text(values["reason"]),
            zlib.decompress(values["body"]),
        )
    except (KeyError, ValueError, zlib.error):
        return None
