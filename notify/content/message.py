"""News of a match → what a phone says: a Message in the follower's language, with or without the score. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from db.domain import Kind, Match, Phase
from notify.content.news import News
from notify.content.translations import language_of
from notify.content.wording import NAME_CHARS, Wording, clip, name_of

# Late is worse than never: a goal is stale when the next may have been scored, the rest when play has moved on. Ten
# minutes at most, the promise to followers; the Guardian's football pushes live as long.
EXPIRY_S = dict.fromkeys(Kind, 600) | {Kind.GOAL: 300, Kind.GOAL_CANCELLED: 300, Kind.PENALTY_MISSED: 300}
# The most important first: it gives a merged message its kind.
_RANK = (Kind.FULL_TIME, Kind.GOAL_CANCELLED, Kind.GOAL, Kind.RED_CARD, Kind.PENALTY_MISSED, *Kind)


@dataclass(frozen=True, slots=True)
class Message:
    """What to say, independent of the service (notify/content/payload.py gives it each service's form).

    version: of the match.
    kind: the most important of the news.
    link: the page's path on the site and in the app.
    collapse_id: of two messages with one id a phone shows the newer.
    at, expires_at: seconds since the epoch.
    language: a key of notify.content.translations.
    silent: shown without a sound.
    urgent: delivered at once, even if that costs battery or budget.
    spoiler_free: says neither the score nor what happened.
    over: the match has ended.
    state: a Live Activity's content-state.
    attributes: what does not change while a Live Activity runs.
    """

    match_id: str
    version: int
    kind: Kind
    title: str
    body: str
    link: str
    collapse_id: str
    at: float
    expires_at: int
    language: str = "en"
    silent: bool = False
    urgent: bool = True
    spoiler_free: bool = False
    over: bool = False
    state: Mapping[str, object] = field(default_factory=dict)
    attributes: Mapping[str, object] = field(default_factory=dict)


def compose(
    match: Match,
    news: Sequence[News],
    locale: str | None,
    *,
    now: float,
    spoiler_free: bool = False,
    silent: bool = False,
    urgent: bool = True,
) -> Message:
    """One message of one match's news (at least one item); several are merged, with the present score.

    now: seconds since the epoch. spoiler_free: neither score nor what happened, anywhere in the message.
    """
    ranked = sorted(news, key=lambda item: _RANK.index(item.kind))
    wording = Wording(match, language_of(locale))
    title, body = wording.spoiler_free(ranked) if spoiler_free else wording.full(ranked)
    return Message(
        match_id=match.id,
        version=match.version,
        kind=ranked[0].kind,
        title=title,
        body=body,
        link=f"/match/{match.id}",
        collapse_id=match.id,
        at=now,
        expires_at=int(now) + min(EXPIRY_S[item.kind] for item in news),
        language=wording.language,
        silent=silent,
        urgent=urgent,
        spoiler_free=spoiler_free,
        over=match.phase in (Phase.FINISHED, Phase.OFF),
        state=_state(match, spoiler_free),
        attributes=_attributes(match),
    )


def _state(match: Match, spoiler_free: bool) -> dict[str, object]:
    """The changing part of the score body under the same names, so a client decodes both with one type."""
    score, kicks = (None, None) if spoiler_free else (match.score, match.shootout)
    return {
        "version": match.version,
        "status": match.status,
        "home_score": score.home if score else None,
        "away_score": score.away if score else None,
        "shootout": {"home": kicks.home, "away": kicks.away} if kicks else None,
        "minute": match.minute,
        "added_minute": match.added_minute,
    }


def _attributes(match: Match) -> dict[str, object]:
    return {
        "match_id": match.id,
        "home_team": name_of(match.home),
        "away_team": name_of(match.away),
        "competition": clip(match.competition.name, NAME_CHARS) if match.competition else None,
        "start_time": match.start_time // 1000 if match.start_time else None,
    }
