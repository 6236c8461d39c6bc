"""Follows: of a match, a team or a competition, and what of it one wants to hear."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask import Blueprint, Response

from api import account_bodies as bodies
from api import auth
from api.openapi import documented
from api.render import private
from api.services import here, now_ms
from db.accounts import prefs_of
from db.domain import ID_PATTERN, Follow, Subject, mask_of, topics_for
from db.errors import Fault, Refused

blueprint = Blueprint("follows", __name__)


@blueprint.put("/api/me/follows/<subject>/<subject_id>")
@documented(
    "Follow", bodies.FollowOut, tag="follows", body=bodies.FollowIn, errors=(401, 409, 422, 429, 503), bearer=True
)
def follow(subject: str, subject_id: str) -> Response:
    """`matches`, `teams` or `competitions`. A follow of a match outweighs those of its teams and its competition:
    `muted` silences one match of a followed team. Following again replaces the preferences."""
    account, said = auth.writer(), bodies.read(bodies.FollowIn)
    made = _follow(subject, subject_id, mask_of(said.kinds))
    here().accounts.follow(account.id, made, now_ms=now_ms())
    profile = here().accounts.profile(account.id)
    return private(shown([made], topics_for(profile.account, profile.follows))[0])


@blueprint.delete("/api/me/follows/<subject>/<subject_id>")
@documented("Unfollow", tag="follows", status=204, errors=(401, 422, 429, 503), bearer=True)
def unfollow(subject: str, subject_id: str) -> Response:
    account, ended = auth.writer(), _follow(subject, subject_id, 0)
    here().accounts.unfollow(account.id, ended.subject, ended.id)
    return private(None)


def shown(follows: Sequence[Follow], topics: Mapping[Follow, list[str]] | None) -> list[dict[str, object]]:
    """Follows of one subject as the contract has them."""
    channels = here().audience.channels([one.id for one in follows if one.subject is Subject.MATCH])
    return [
        {
            "id": one.id,
            "notification_prefs": prefs_of(one.kinds),
            "muted": one.kinds == 0,
            "topics": topics[one] if topics is not None else None,
            "channels": [
                {"environment": channel.environment, "channel_id": channel.id}
                for channel in channels
                if one.subject is Subject.MATCH and channel.match_id == one.id
            ],
        }
        for one in follows
    ]


def _follow(subject: str, subject_id: str, kinds: int) -> Follow:
    if subject not in set(Subject):
        raise Refused("This cannot be followed.", "invalid", (Fault("subject", "matches, teams or competitions"),))
    if not ID_PATTERN.fullmatch(subject_id):
        raise Refused("This cannot be followed.", "invalid", (Fault("id", "not an id of ours"),))
    return Follow(Subject(subject), subject_id, kinds)
