"""Names of FCM topics: the same for the app that subscribes and for the worker that publishes.

One topic per subject, kind and variant, for a topic's message is one text for all who listen. A device that has an
opinion of its own on a match also listens to `own.{match}`, which takes it out of what its teams would bring, and one
on a team to `own.t.{team}`, which takes it out of what the competition would bring.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from db.domain.follower import Account, Follow, Subject
from db.domain.kinds import kinds_of
from db.domain.match import Match
from db.domain.variant import Variant, language_of
from db.domain.vocabulary import Kind

# "Manage topics": one app instance takes 2,000 subscriptions; whoever needs more is written to by token.
TOPICS_MAX = 2_000

_LETTERS = {Subject.MATCH: "m", Subject.TEAM: "t", Subject.COMPETITION: "c"}


def variant_of(account: Account) -> str:
    """The variant that reads as the account's own alerts would. An app that takes data messages adds `-data` to it and
    to its topics."""
    return str(Variant(language_of(account.locale), account.spoiler_free))


def live_update_topic(match_id: str) -> str:
    """Where apps with data messages hear of each change of a match that they show (Android 16, Live Updates)."""
    return f"u.{quote(match_id, safe='')}"


def fits(variant: str, account: Account) -> bool:
    """Whether topics of a variant say to the account what it wants to hear, when it does."""
    return account.quiet is None and Variant.parse(variant).spoiler_free is account.spoiler_free


def topics_for(account: Account, follows: Iterable[Follow]) -> dict[Follow, list[str]] | None:
    """What an app subscribes to for each follow; None where topics cannot serve: they know neither quiet hours nor
    players, and an app has room for so many only."""
    follows, variant = tuple(follows), variant_of(account)
    if account.quiet or any(follow.subject is Subject.PLAYER for follow in follows):
        return None
    topics = {follow: _topics_of(follow, variant) for follow in follows}
    return None if sum(map(len, topics.values())) > TOPICS_MAX else topics


def _topics_of(follow: Follow, variant: str) -> list[str]:
    own = [] if follow.subject is Subject.COMPETITION else [_own(follow.subject, follow.id)]
    return own + [_topic(follow.subject, follow.id, kind, variant) for kind in kinds_of(follow.kinds)]


def conditions(match: Match, kind: Kind, variant: str) -> dict[str, str]:
    """Who listens to this kind of news of the match, each device once; by an ending that tells them apart. A condition
    names five topics at most (firebase.google.com/docs/cloud-messaging, "Send messages to topics"), so those who follow
    the competition, and neither the match nor its teams, are in one of their own."""
    teams = [team for team in (match.home, match.away) if team]
    nearer = _listens(_topic(Subject.MATCH, match.id, kind, variant))
    no_match = f"!({_listens(_own(Subject.MATCH, match.id))})"
    if teams:
        others = " || ".join(_listens(_topic(Subject.TEAM, team.id, kind, variant)) for team in teams)
        nearer += f" || (({others}) && {no_match})"
    if match.competition is None:
        return {"": nearer}
    no_teams = "".join(f" && !({_listens(_own(Subject.TEAM, team.id))})" for team in teams)
    competition = _listens(_topic(Subject.COMPETITION, match.competition.id, kind, variant))
    return {"": nearer, " cup": f"{competition} && {no_match}{no_teams}"}


def _topic(subject: Subject, name: str, kind: Kind, variant: str) -> str:
    return f"{_LETTERS[subject]}.{quote(name, safe='')}.{kind}.{variant}"


def _own(subject: Subject, name: str) -> str:
    """Who has a say on a match or a team, be it that they want nothing of it."""
    return f"own.{'' if subject is Subject.MATCH else 't.'}{quote(name, safe='')}"


def _listens(topic: str) -> str:
    return f"'{topic}' in topics"
