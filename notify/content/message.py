"""News of a match → what a phone says: a Message in the follower's language, with or without the score. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from db.domain import (
    NAME_CHARS,
    Kind,
    Match,
    Payload,
    Phase,
    ScorelineEntry,
    Side,
    Status,
    Variant,
    cards_of,
    clip,
    scorers_of,
)
from notify.content.news import News
from notify.content.wording import Wording

# Apple, "Sending notification requests to APNs": apns-collapse-id.
COLLAPSE_BYTES = 64
# Late is worse than never: a goal is stale when the next may have been scored, the rest when play has moved on. Ten
# minutes at most, the promise to followers; the Guardian's football pushes live as long. A penalty and a check are over
# within two.
EXPIRY_MAX_S = 600
EXPIRY_S = dict.fromkeys(Kind, EXPIRY_MAX_S)
EXPIRY_S |= dict.fromkeys((Kind.GOAL, Kind.SCORER, Kind.GOAL_CANCELLED, Kind.PENALTY_MISSED), 300)
EXPIRY_S |= dict.fromkeys((Kind.PENALTY, Kind.VAR_CHECK, Kind.SHOOTOUT_KICK), 120)
# The most important first: it gives a merged message its kind, and the order of its sentences.
_RANK = (
    *(Kind.FULL_TIME, Kind.GOAL_CANCELLED, Kind.GOAL, Kind.SCORER, Kind.RED_CARD, Kind.PENALTY_MISSED),
    *(Kind.SHOOTOUT_KICK, *Kind),
)


@dataclass(frozen=True, slots=True)
class Message:
    """What to say, independent of the service (notify/content/payload.py gives it each service's form).

    version: of the match.
    kind: the most important of the news.
    link: the page's path on the site and in the app.
    collapse_id: names the fact. Of two messages with one id a phone shows the newer; those of a match form a thread.
    at, expires_at: seconds since the epoch.
    language: a key of notify.content.translations.
    silent: shown without a sound.
    urgent: delivered at once, even if that costs battery or budget.
    spoiler_free: says neither the score nor what happened.
    over: the match has ended, and the result is confirmed.
    state_at: the timestamp of a Live Activity's state (s): of two, phones show that with the higher one.
    state: a Live Activity's content-state.
    attributes: what does not change while a Live Activity runs.
    payload: of FCM, whether the system shows it or the app builds the notification.
    is_state: of a data message, that it brings a Live Update's state and no words.
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
    state_at: int = 0
    state: Mapping[str, object] = field(default_factory=dict)
    attributes: Mapping[str, object] = field(default_factory=dict)
    payload: Payload = Payload.NOTIFICATION
    is_state: bool = False


def compose(
    match: Match,
    news: Sequence[News],
    variant: Variant,
    *,
    now: float,
    fact: str = "",
    silent: bool = False,
    urgent: bool = True,
) -> Message:
    """One message of one match's news (at least one item); several are merged, with the present score.

    variant: language, payload, and whether neither the score nor what happened may be anywhere in the message.
    now: seconds since the epoch.
    fact: what a later message has to bear to take its place; the match if none is given. Spoiler-free messages of a
        match say the same over and over, so each takes the place of the one before.
    """
    ranked = sorted(news, key=lambda item: _RANK.index(item.kind))
    wording = Wording(match, variant.language)
    title, body = wording.spoiler_free(ranked) if variant.spoiler_free else wording.full(ranked)
    return Message(
        match_id=match.id,
        version=match.version,
        kind=ranked[0].kind,
        title=title,
        body=body,
        link=f"/match/{match.id}",
        collapse_id=match.id if variant.spoiler_free or not fact else _collapse_id(fact),
        at=now,
        expires_at=_expires_at(match, news, now, is_spoiler_free=variant.spoiler_free),
        language=variant.language,
        silent=silent,
        urgent=urgent,
        spoiler_free=variant.spoiler_free,
        over=match.phase in (Phase.FINISHED, Phase.OFF) and match.status is not Status.ENDED,
        state_at=match.version // 1000,
        state=_state(match, variant.spoiler_free),
        attributes=_attributes(match, wording),
        payload=variant.payload,
    )


def _collapse_id(fact: str) -> str:
    """In the 64 bytes that APNs takes."""
    return fact if len(fact.encode()) <= COLLAPSE_BYTES else sha256(fact.encode()).hexdigest()


def _expires_at(match: Match, news: Sequence[News], now: float, *, is_spoiler_free: bool) -> int:
    """A reminder expires with the kick-off it announces. Without spoilers a goal lives as long as anything else: to say
    less would tell it from a red card, and that there is news stays true."""
    lifetime_s = EXPIRY_MAX_S if is_spoiler_free else min(EXPIRY_S[item.kind] for item in news)
    expires_at = int(now) + lifetime_s
    if match.start_time and any(item.kind is Kind.REMINDER for item in news):
        return min(expires_at, max(int(now) + 1, match.start_time // 1000))
    return expires_at


def _state(match: Match, spoiler_free: bool) -> dict[str, object]:
    """The changing part of the score body under the same names, so a client decodes both with one type.

    minute_at: when that minute began for us (s since the epoch); the clock counts on from there.
    """
    score, kicks = (None, None) if spoiler_free else (match.score, match.shootout)
    return {
        "version": match.version,
        "status": match.status,
        "home_score": score.home if score else None,
        "away_score": score.away if score else None,
        "shootout": {"home": kicks.home, "away": kicks.away} if kicks else None,
        "minute": match.minute,
        "added_minute": match.added_minute,
        "minute_at": match.minute_at // 1000 if match.minute_at else None,
        "scorers": [] if spoiler_free else _bodies(scorers_of(match.timeline)),
        "cards": [] if spoiler_free else _bodies(cards_of(match.timeline)),
    }


def _bodies(entries: Iterable[ScorelineEntry]) -> list[dict[str, object]]:
    return [entry.body for entry in entries]


def _attributes(match: Match, wording: Wording) -> dict[str, object]:
    return {
        "match_id": match.id,
        "home_team": wording.name(Side.HOME),
        "away_team": wording.name(Side.AWAY),
        "competition": clip(match.competition.name, NAME_CHARS) if match.competition else None,
        "start_time": match.start_time // 1000 if match.start_time else None,
    }
