"""Pictures of matches, each of its newest card alone, and the mailbox of those that are to be drawn."""

from __future__ import annotations

from db.live import keys
from db.live.client import guarded, text
from db.live.sharding import Queued, Shard, ShardedRedis, ShardScript

# s. Links are shared while a match is talked of. Later they show the picture that all share.
KEEP_S = 7 * 24 * 60 * 60
# Of all matches: the oldest go first. 16 KB each (bench/pictures.py), so 32 MB.
KEPT_MAX = 2_000
# One of 1200 by 630 in 64 colours takes 11 to 21 KB; what takes more is not ours.
BYTES_MAX = 128 * 1024
# ms. A picture takes 20. A worker that a name kills dies once a minute for it.
CLAIM_MS = 60_000
# Redis says since when a match waits, and each worker has a clock of its own. What is due within this (ms) is due.
SKEW_MS = 1_000


class Pictures:
    """Every method raises Unavailable without Redis."""

    def __init__(self, sharded: ShardedRedis) -> None:
        self.sharded = sharded
        self._claim = ShardScript(sharded, "picture_claim")
        self._put = ShardScript(sharded, "picture_put")
        self._silence = ShardScript(sharded, "bell_silence")

    @guarded
    def digest(self, match_id: str) -> str:
        """Of the picture that is kept; "" where there is none."""
        shard = self.sharded.of(match_id)
        return text(shard.redis.hget(shard.key(keys.picture(match_id)), "digest") or b"")

    @guarded
    def kept(self, match_id: str) -> tuple[str, bytes]:
        """The same, and its PNG."""
        shard = self.sharded.of(match_id)
        digest, png = shard.redis.hmget(shard.key(keys.picture(match_id)), "digest", "png")
        return text(digest or b""), png or b""

    @guarded
    def claim(self, *, now_ms: int) -> Queued | None:
        """The match that waits longest, taken for CLAIM_MS; its score is until when. None if none waits, or another
        worker was first."""
        for queued in self.sharded.queued(keys.PICTURES_PENDING, now_ms + SKEW_MS, 1):
            claimed = queued._replace(score=now_ms + CLAIM_MS)
            args = [queued.member, queued.score, claimed.score]
            if self._claim(queued.shard, [keys.PICTURES_PENDING], args):
                return claimed
        return None

    @guarded
    def put(self, claimed: Queued, digest: str, png: bytes | None) -> bool:
        """Keep it in place of the last; None keeps none. False if the match has changed meanwhile: then it waits."""
        assert len(png or b"") <= BYTES_MAX  # noqa: S101 - a picture of ours is smaller
        names = [keys.PICTURES_PENDING, keys.picture(claimed.member), keys.PICTURES_KEPT]
        args = [claimed.member, claimed.score, digest, png or b"", KEEP_S]
        return bool(self._put(claimed.shard, names, args))

    @guarded
    def trim(self, *, now_ms: int) -> int:
        """Drop the oldest beyond KEPT_MAX, and forget those that have expired. Returns how many were dropped."""
        dropped = 0
        for shard in self.sharded.shards:
            shard.redis.zremrangebyscore(shard.key(keys.PICTURES_KEPT), "-inf", now_ms - KEEP_S * 1000)
            beyond = -(KEPT_MAX // len(self.sharded.shards)) - 1
            oldest = shard.redis.zrange(shard.key(keys.PICTURES_KEPT), 0, beyond)
            dropped += len(oldest)
            self._drop(shard, [text(match_id) for match_id in oldest])
        return dropped

    def _drop(self, shard: Shard, match_ids: list[str]) -> None:
        with shard.redis.pipeline(transaction=True) as pipe:
            for match_id in match_ids:
                pipe.delete(shard.key(keys.picture(match_id)))
                pipe.zrem(shard.key(keys.PICTURES_KEPT), match_id)
            pipe.execute()

    @guarded
    def waiting(self) -> int:
        """Matches whose pictures are to be drawn."""
        return self.sharded.total(keys.PICTURES_PENDING)

    @guarded
    def next_ms(self) -> int | None:
        """Since when the longest waiting is due; None if none waits. In the future while all are claimed."""
        return self.sharded.first_at(keys.PICTURES_PENDING)

    @guarded
    def silence(self, *, now_ms: int) -> None:
        """Silence the bell where none is due; the clock rings for those that are claimed."""
        self.sharded.silence(self._silence, keys.PICTURES_PENDING, keys.PICTURES_BELL, now_ms + SKEW_MS)
