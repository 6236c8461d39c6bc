"""News of a match → what a phone says: a Message in the follower's language, with or without the score. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from db.domain import Event, Kind, Match, Phase, Score, Side, Status, Team
from notify.news import News
from notify.phrases import language_of, phrases

# Late is worse than never: a goal is stale when the next may have fallen, the rest when the half has gone on.
# Never over ten minutes, the promise to followers; the Guardian's football pushes live as long.
EXPIRY_S = dict.fromkeys(Kind, 600) | {Kind.GOAL: 300, Kind.GOAL_CANCELLED: 300, Kind.PENALTY_MISSED: 300}
# A lock screen shows about 110 characters; names of teams and players beyond this only crowd out the rest.
NAME_CHARS = 40
# Of merged news: a lock screen shows four lines.
LINES = 4
# The most telling first: it gives a merged message its title, its kind and its expiry.
_RANK = (Kind.FULL_TIME, Kind.GOAL_CANCELLED, Kind.GOAL, Kind.RED_CARD, Kind.PENALTY_MISSED, *Kind)


@dataclass(frozen=True, slots=True)
class Message:
    """What to say, ready to be put in any service's form (notify/payload.py).

    at, expires_at: seconds since the epoch. collapse_id: of two messages with one id a phone shows the newer. state: a
    Live Activity's content-state, attributes: what does not change while it runs. over: the match has ended. silent:
    shown without a sound. link: the page's path on the site and in the app.
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
) -> Message:
    """One message of one match's news, at least one; several are merged, with the score as it stands now.

    now: seconds since the epoch. spoiler_free: neither score nor what happened, anywhere in the message.
    """
    ranked = sorted(news, key=lambda item: _RANK.index(item.kind))
    voice = Voice(match, language_of(locale))
    title, body = voice.discreetly(ranked) if spoiler_free else voice.aloud(ranked)
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
        language=voice.language,
        silent=silent,
        spoiler_free=spoiler_free,
        over=match.phase in (Phase.FINISHED, Phase.OFF),
        state=_state(match, spoiler_free),
        attributes=_attributes(match),
    )


def _state(match: Match, spoiler_free: bool) -> dict[str, object]:
    """The moving part of the score body, in its words; a client decodes both with one type."""
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


class Voice:
    """One match in one language. Names come after a colon or a mark, so no language has to inflect them."""

    def __init__(self, match: Match, language: str) -> None:
        self.match = match
        self.language = language
        self.words = phrases(language)

    def aloud(self, news: Sequence[News]) -> tuple[str, str]:
        titles = dict.fromkeys(self._headline(item, news) for item in news)
        details = [line for item in news if (line := self._detail(item))]
        return " · ".join(list(titles)[:LINES]), "\n".join([self.score_line(), *details[:LINES]])

    def discreetly(self, news: Sequence[News]) -> tuple[str, str]:
        """What every match has may be named; anything else is only `news`."""
        _ = self.words.gettext
        harmless = {Kind.REMINDER, Kind.LINEUPS, Kind.KICKOFF, Kind.HALF_TIME, Kind.POSTPONED, Kind.INTERRUPTED}
        named = [item for item in news if item.kind in harmless]
        if any(item.kind is Kind.FULL_TIME for item in news):
            return _("The match is over"), self.teams_line()
        if len(named) == len(news):
            return self._headline(named[0], named), self.teams_line()
        return self.teams_line(), _("There is news of this match")

    def teams_line(self) -> str:
        return f"{self.team(Side.HOME)} – {self.team(Side.AWAY)}"

    def score_line(self) -> str:
        """`Argentina 3–3 France (4–2 pens)`; the names alone where no score is known, or before there can be one."""
        score = self.match.score
        if score is None or self.match.phase is Phase.SCHEDULED or self.match.status is Status.POSTPONED:
            return self.teams_line()
        line = f"{self.team(Side.HOME)} {_figures(score)} {self.team(Side.AWAY)}"
        kicks = self.match.shootout
        if kicks is None:
            return line
        return line + " " + self.words.gettext("({score} pens)").format(score=_figures(kicks))

    def team(self, side: Side) -> str:
        _ = self.words.gettext
        team = self.match.home if side is Side.HOME else self.match.away
        return name_of(team) or (_("Home team") if side is Side.HOME else _("Away team"))

    def _headline(self, news: News, among: Sequence[News]) -> str:
        if news.kind is Kind.GOAL:
            return self._goals(news.team, sum(item.kind is Kind.GOAL and item.team is news.team for item in among))
        if news.kind is Kind.REMINDER:
            n = news.minutes or 0
            plural = self.words.ngettext
            return plural("Kick-off in {n} minute", "Kick-off in {n} minutes", n).format(n=n)
        what = self._names()[news.kind]
        return f"{what}: {self.team(news.team)}" if news.team else what

    def _goals(self, side: Side | None, n: int) -> str:
        _, plural = self.words.gettext, self.words.ngettext
        if side is None:
            return _("Goal!")
        return plural("Goal! {team}", "{n} goals! {team}", n).format(n=n, team=self.team(side))

    def _names(self) -> dict[Kind, str]:
        _ = self.words.gettext
        return {
            Kind.GOAL_CANCELLED: _("Goal cancelled"),
            Kind.RED_CARD: _("Red card"),
            Kind.PENALTY_MISSED: _("Penalty missed"),
            Kind.LINEUPS: _("Line-ups are in"),
            Kind.KICKOFF: _("Kick-off"),
            Kind.HALF_TIME: _("Half-time"),
            Kind.EXTRA_TIME: _("Extra time"),
            Kind.SHOOTOUT: _("Penalty shoot-out"),
            Kind.INTERRUPTED: _("Match interrupted"),
            Kind.POSTPONED: self._standing() or _("Match postponed"),
            Kind.FULL_TIME: self._standing() or self._end(),
        }

    def _standing(self) -> str | None:
        """How the match came to rest, where that was not by play."""
        _ = self.words.gettext
        return {
            Status.AWARDED: _("Result awarded"),
            Status.WALKOVER: _("Walkover"),
            Status.CANCELLED: _("Match cancelled"),
            Status.ABANDONED: _("Match abandoned"),
            Status.DELAYED: _("Kick-off delayed"),
        }.get(self.match.status)

    def _end(self) -> str:
        _ = self.words.gettext
        decided = {"penalties": _("Full-time, after penalties"), "extra_time": _("Full-time, after extra time")}
        return decided.get(self.match.decided_by or "", _("Full-time"))

    def _detail(self, news: News) -> str:
        """`90+3' Messi (pen.)`; empty where the event is unknown or names nobody."""
        event = self.match.events.get(news.event_id) if news.event_id else None
        if event is None or event.player is None:
            return ""
        said = [minute_of(event), clip(event.player.name, NAME_CHARS), self._manner(event)]
        return " ".join(part for part in said if part)

    def _manner(self, event: Event) -> str:
        _ = self.words.gettext
        return {"penalty_goal": _("(pen.)"), "own_goal": _("(own goal)")}.get(event.type, "")


def minute_of(event: Event) -> str:
    if event.minute is None:
        return ""
    return f"{event.minute}+{event.added_minute}'" if event.added_minute else f"{event.minute}'"


def _figures(score: Score) -> str:
    return f"{score.home}–{score.away}"


def name_of(team: Team | None) -> str:
    return clip(team.name or team.id, NAME_CHARS) if team else ""


def clip(text: str, length: int) -> str:
    return text if len(text) <= length else text[: max(0, length - 1)].rstrip() + "…"
