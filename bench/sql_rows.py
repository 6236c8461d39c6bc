"""What SQL has of the matches of a bench, beside what was told of them and what is live; and what followers got."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import requests
from sqlalchemy import Engine, func, insert, select

from db.domain import DEFAULT_KINDS, mask_of
from db.sql.models import DeviceRow, MatchRow, MatchScoreRow, UserRow, UserSubscriptionRow
from db.sql.timelines import EVENT_VERSIONS
from dev.emulators.journal import PushJournal
from dev.push_kills import token
from dev.system import System


def followed(bind: Engine, match_ids: Sequence[str]) -> None:
    """A user with a phone for each match, who follows it."""
    now = datetime.now(UTC)
    users = [
        {"id": f"u-{n}", "time_zone": "UTC", "spoiler_free": False, "locale": "en", "created_at": now, "active_at": now}
        for n in range(len(match_ids))
    ]
    phones = [
        {"user_id": f"u-{n}", "digest": f"{n:064x}", "platform": "ios", "token": token(n), "kind": "token",
         "environment": "production", "registered_at": now, "active_at": now}
        for n in range(len(match_ids))
    ]  # fmt: skip
    follows = [
        {"user_id": f"u-{n}", "match_id": match_id, "notification_prefs": {}, "kinds": mask_of(DEFAULT_KINDS)}
        for n, match_id in enumerate(match_ids)
    ]
    with bind.begin() as connection:
        for table, rows in ((UserRow, users), (DeviceRow, phones), (UserSubscriptionRow, follows)):
            connection.execute(insert(table), rows)


def faults(bind: Engine, running: System, goals: Mapping[str, int], events: Mapping[str, Set[str]]) -> dict[str, int]:
    """goals, events: that were told, by match. Counts are 0 where SQL is complete, has nothing twice and is level with
    what readers see."""
    columns = EVENT_VERSIONS.c
    with bind.connect() as connection:
        ids: dict[str, Counter[str]] = {}
        for match_id, event_id, rows in connection.execute(
            select(columns.match_id, columns.id, func.count(func.distinct(columns.document)) - func.count()).group_by(
                columns.match_id, columns.id
            )
        ):
            ids.setdefault(match_id, Counter())[event_id] = -rows
        scores: dict[str, list[int | None]] = {}
        by_version = select(MatchScoreRow.match_id, MatchScoreRow.home_score).order_by(MatchScoreRow.version)
        for match_id, home in connection.execute(by_version):
            if home is not None:
                scores.setdefault(match_id, []).append(home)
        versions = {row.id: row.version for row in connection.execute(select(MatchRow.id, MatchRow.version))}
    lost = sum(len(told - ids.get(match_id, Counter()).keys()) for match_id, told in events.items())
    behind = wrong = 0
    for match_id in events:
        body = requests.get(f"{running.url}/api/score/{match_id}", timeout=30).json()
        behind += body["version"] != versions.get(match_id)
        wrong += scores.get(match_id) != list(range(goals.get(match_id, 0) + 1)) or body["home_score"] != goals.get(
            match_id, 0
        )
    return {
        "matches": len(versions), "goals": sum(goals.values()), "events": sum(map(len, events.values())),
        "events_lost": lost, "events_twice": sum(sum(counts.values()) for counts in ids.values()),
        "matches_behind_live": behind, "matches_with_other_scores": wrong,
    }  # fmt: skip


def told_of_goals(ledger: Path, goals: Mapping[str, int]) -> dict[str, int]:
    """Of matches with a goal: how many phones show the last of them; and pushes that said what an earlier one had."""
    with closing(PushJournal(ledger)) as journal:
        last = {push.target: json.dumps(push.payload, ensure_ascii=False) for push in journal.all()}
        repeated = sum(journal.repeats().values())
        pushes = sum(journal.counts().values())
    scored = {match_id: count for match_id, count in goals.items() if count}
    shown = sum(f"[{count}]–0" in last.get(token(number_of(match_id)), "") for match_id, count in scored.items())
    return {"pushes": pushes, "matches_with_goals": len(scored), "phones_right": shown, "pushes_repeated": repeated}


def number_of(match_id: str) -> int:
    return int(match_id.split("-")[1])
