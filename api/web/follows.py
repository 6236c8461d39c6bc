"""Follows as the contract has them, for the routes of accounts and of follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from api.services import here
from db.domain import Follow, Subject
from db.sql.follows import prefs_of


def follows_body(follows: Sequence[Follow], topics: Mapping[Follow, list[str]] | None) -> list[dict[str, object]]:
    """Follows of one subject as the contract has them."""
    channels = here().audience.channels([follow.id for follow in follows if follow.subject is Subject.MATCH])
    return [
        {
            "id": follow.id,
            "notification_prefs": prefs_of(follow.kinds),
            "muted": follow.kinds == 0,
            "topics": topics[follow] if topics is not None else None,
            "channels": [
                {"environment": channel.environment, "channel_id": channel.id}
                for channel in channels
                if follow.subject is Subject.MATCH and channel.match_id == follow.id
            ],
        }
        for follow in follows
    ]
