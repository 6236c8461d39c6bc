"""Names of FCM topics: the same for the app that subscribes and for the worker that publishes.

One topic per subject, kind and variant, for a topic's message is one text for all who listen. A device that has an
opinion of its own on a match also listens to `own.{match}`, which takes it out of what its teams would bring.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from db.domain.follower import Account, Follow, Subject
from db.domain.kinds import kinds_of
from db.domain.match import Match
from db.domain.vocabulary import Kind

# The languages alerts are written in, each also without the score.
LANGUAGES = ("en", "de", "es", "fr", "pt", "pt_BR")
SPOILER_FREE = "-calm"
VARIANTS = tuple(language + ending for language in LANGUAGES for ending in ("", SPOILER_FREE))
# "Manage topics": one app instance takes 2,000 subscriptions; whoever needs more is written to by token.
TOPICS_MOST = 2_000

_LETTERS = {Subject.MATCH: "m", Subject.TEAM: "t", Subject.COMPETITION: "c"}


def variant_of(account: Account) -> str:
    """The variant that reads as the account's own alerts would."""
    subtags = account.locale.replace("-", "_").split("_")
    regional = "_".join([subtags[0].lower(), *(subtag.upper() for subtag in subtags[1:2])])
    language = next((name for name in (regional, subtags[0].lower()) if name in LANGUAGES), "en")
    return language + (SPOILER_FREE if account.spoiler_free else "")


def fits(variant: str, account: Account) -> bool:
    """Whether topics of a variant say to the account what it wants to hear, when it does."""
    return account.quiet is None and variant.endswith(SPOILER_FREE) is account.spoiler_free


def topics_for(account: Account, follows: Iterable[Follow]) -> dict[Follow, list[str]] | None:
    """What an app subscribes to for each follow; None where topics cannot serve: they know no quiet hours, and an app
    has room for so many only."""
    variant = variant_of(account)
    topics = {follow: _topics_of(follow, variant) for follow in follows}
    return None if account.quiet or sum(map(len, topics.values())) > TOPICS_MOST else topics


def _topics_of(follow: Follow, variant: str) -> list[str]:
    own = [_own(follow.id)] if follow.subject is Subject.MATCH else []
    return own + [_topic(follow.subject, follow.id, kind, variant) for kind in kinds_of(follow.kinds)]


def condition(match: Match, kind: Kind, variant: str) -> str:
    """Who listens to this kind of news of the match, each device once; five topics, the most a condition may name
    (firebase.google.com/docs/cloud-messaging, "Send messages to topics")."""
    wider = [(Subject.TEAM, team.id) for team in (match.home, match.away) if team]
    wider += [(Subject.COMPETITION, match.competition.id)] if match.competition else []
    expression = _listens(_topic(Subject.MATCH, match.id, kind, variant))
    if not wider:
        return expression
    others = " || ".join(_listens(_topic(subject, name, kind, variant)) for subject, name in wider)
    return f"{expression} || (({others}) && !({_listens(_own(match.id))}))"


def _topic(subject: Subject, name: str, kind: Kind, variant: str) -> str:
    return f"{_LETTERS[subject]}.{quote(name, safe='')}.{kind}.{variant}"


def _own(match_id: str) -> str:
    return f"own.{quote(match_id, safe='')}"


def _listens(topic: str) -> str:
    return f"'{topic}' in topics"
