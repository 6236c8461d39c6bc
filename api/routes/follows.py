"""Follows of matches, teams, competitions and players, and which kinds of news each wants."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, Response

from api.names import meant_subject
from api.services import here, now_ms
from api.web import account_schemas as bodies
from api.web import auth
from api.web.follows import follows_body
from api.web.openapi import documented
from api.web.responses import private
from db.domain import ID_PATTERN, Follow, Kind, Subject, mask_of, topics_for
from db.domain.errors import Fault, Refused

blueprint = Blueprint("follows", __name__)


@blueprint.put("/api/me/follows/<subject>/<subject_id>")
@documented(
    "Follow",
    bodies.FollowOut,
    tag="follows",
    body=bodies.FollowIn,
    errors=(400, 401, 409, 413, 422, 429, 503),
    bearer=True,
)
def follow(subject: str, subject_id: str) -> Response:
    """`matches`, `teams`, `competitions` or `players`. A follow of a match overrides those of its teams and its
    competition: `muted` silences one match of a followed team. A follow of a player adds the news that names the
    player. Following again replaces the preferences."""
    account, body = auth.writer(), bodies.read(bodies.FollowIn)
    kinds = body.kinds
    if subject == Subject.PLAYER and Kind.GOAL in kinds:
        kinds.append(Kind.SCORER)
    named = _follow(subject, subject_id, mask_of(kinds))
    new_follow = replace(named, id=meant_subject(here(), named.subject, named.id))
    here().accounts.follow(account.id, new_follow, now_ms=now_ms())
    profile = here().accounts.profile(account.id)
    return private(follows_body([new_follow], topics_for(profile.account, profile.follows))[0])


@blueprint.delete("/api/me/follows/<subject>/<subject_id>")
@documented("Unfollow", tag="follows", status=204, errors=(401, 422, 429, 503), bearer=True)
def unfollow(subject: str, subject_id: str) -> Response:
    account, ended = auth.writer(), _follow(subject, subject_id, 0)
    for id_ in {ended.id, meant_subject(here(), ended.subject, ended.id)}:
        here().accounts.unfollow(account.id, ended.subject, id_)
    return private(None)


def _follow(subject: str, subject_id: str, kinds: int) -> Follow:
    if subject not in set(Subject):
        raise Refused("This cannot be followed.", "invalid", (Fault("subject", f"one of {', '.join(Subject)}"),))
    if not ID_PATTERN.fullmatch(subject_id):
        raise Refused("This cannot be followed.", "invalid", (Fault("id", "not a valid id"),))
    return Follow(Subject(subject), subject_id, kinds)
