"""Updates and commits for tests of live state on a real Redis."""

from __future__ import annotations

from collections.abc import Callable

import redis

from db.domain import Event, Person, Score, Side, Stamp, Status, Update, reduce
from db.live.commits import CommitResult
from db.live.matches import StoredMatch
from db.live.store import LiveStore
from db.refusal import RefusedPayload
from workers.ingest import Drain, drain_pending

NOW = 1_700_000_000_000


def goal(match_id: str, n: int, at: int = NOW) -> Update:
    stamp = Stamp(at + n * 1_000, source="generic")
    event = Event(f"g{n}", "goal", stamp, since=stamp, team=Side.HOME, minute=n, player=Person("Zoë"), created_at=at)
    return Update(match_id, stamp, at, event=event, score=Score(n, 0), minute=n)


def whistle(match_id: str, status: Status, at: int = NOW + 100_000) -> Update:
    return Update(match_id, Stamp(at, source="generic"), at, status=status)


def apply(
    live: LiveStore, *updates: Update, held: StoredMatch | None = None, ids: tuple[str, ...] = ()
) -> CommitResult:
    held = held or live.matches.load(updates[0].match_id)
    after, facts = held.match, ()
    for update in updates:
        after, new = reduce(after, update)
        facts += new
    assert after
    return live.commits.commit(held, after, facts, ids, visible=bool(facts))


def board(live: LiveStore) -> list[str]:
    return [match.id for match in live.board.read().matches]


def redis_now(client: redis.Redis) -> int:
    seconds, micros = client.time()  # type: ignore[misc]
    return int(seconds) * 1_000 + int(micros) // 1_000


def payload(n: int) -> RefusedPayload:
    return RefusedPayload(f"id{n}", "generic", NOW + n, "invalid", "why\nevents[0].minute: no", bytes(range(256)))


def drain_all(drain: Drain) -> None:
    """Every shard in which something waits."""
    for shard in drain.live.inbox.overdue(2**53):
        drain_pending(drain, shard)


def key_of(live: LiveStore, match_id: str, name: str | Callable[[str], str]) -> str:
    """A key of a match, or the key of this name in the match's shard."""
    return live.sharded.of(match_id).key(name if isinstance(name, str) else name(match_id))
