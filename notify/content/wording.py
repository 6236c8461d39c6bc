"""One match in one language: the words of its news, with or without spoilers. Pure.

The title is the score, with the side that scored in brackets; the body says what happened, one sentence a line.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import groupby
from unicodedata import bidirectional

from db.domain import NAME_CHARS, Event, Kind, Match, Phase, Score, Side, Status, Team, clip
from notify.content.national_teams import localized
from notify.content.news import News
from notify.content.translations import catalogue

# Lines of merged news: a lock screen shows four, one of them the title.
LINES = 4
# What every match has: naming it gives nothing away.
_HARMLESS = frozenset(
    {Kind.REMINDER, Kind.LINEUPS, Kind.KICKOFF, Kind.HALF_TIME, Kind.SECOND_HALF, Kind.POSTPONED, Kind.INTERRUPTED}
)

_GOALS = (Kind.GOAL, Kind.SCORER)


class Wording:
    """One match in one language."""

    def __init__(self, match: Match, language: str) -> None:
        self.match = match
        self.language = language
        self.words = catalogue(language)

    def full(self, news: Sequence[News]) -> tuple[str, str]:
        """Title and body with everything that is known."""
        scorers = {item.team for item in news if item.kind in _GOALS and item.team}
        groups = groupby(news, key=lambda item: (item.kind, item.team, item.kind is Kind.SHOOTOUT_KICK and item.key))
        lines = [self._sentence(list(items)) for _, items in groups]
        return self.score_line(scorers), "\n".join(dict.fromkeys(lines[:LINES]))

    def spoiler_free(self, news: Sequence[News]) -> tuple[str, str]:
        """Title and body without spoilers: what every match has is named, anything else is only `news`."""
        _ = self.words.gettext
        if any(item.kind is Kind.FULL_TIME for item in news):
            return self.teams_line(), _("The match is over")
        if all(item.kind in _HARMLESS for item in news):
            return self.teams_line(), self._headline(news[0], 1)
        return self.teams_line(), _("There is news of this match")

    def teams_line(self) -> str:
        return f"{self.team(Side.HOME)} – {self.team(Side.AWAY)}"

    def score_line(self, scorers: Collection[Side] = ()) -> str:
        """`Argentina [3]–3 France (4–2 pens)`; only the names if no score is known or there cannot be one yet."""
        score = self.match.score
        if score is None or self.match.phase is Phase.SCHEDULED or self.match.status is Status.POSTPONED:
            return self.teams_line()
        figures = "–".join(f"[{score.of(side)}]" if side in scorers else str(score.of(side)) for side in Side)
        line = f"{self.team(Side.HOME)} {figures} {self.team(Side.AWAY)}"
        kicks = self.match.shootout
        if kicks is None:
            return line
        return line + " " + self.words.gettext("({score} pens)").format(score=_figures(kicks))

    def name(self, side: Side) -> str:
        """The team's name as a reader of the language knows it, "" if it has none."""
        team = self.match.home if side is Side.HOME else self.match.away
        return clip(localized(name_of(team), self.language), NAME_CHARS)

    def team(self, side: Side) -> str:
        _ = self.words.gettext
        return isolated(self.name(side)) or (_("Home team") if side is Side.HOME else _("Away team"))

    def _sentence(self, items: Sequence[News]) -> str:
        """`2 goals for France! 80' Mbappé (pen.), 81' Mbappé (assist: Thuram)`"""
        headline = self._headline(items[0], len(items))
        details = ", ".join(detail for item in items if (detail := self._detail(item)))
        if not details:
            return headline
        return f"{headline} {details}" if headline.endswith("!") else f"{headline} · {details}"

    def _headline(self, news: News, n: int) -> str:
        _, plural = self.words.gettext, self.words.ngettext
        if news.kind is Kind.REMINDER:
            minutes = news.minutes or 0
            return plural("Kick-off in {n} minute", "Kick-off in {n} minutes", minutes).format(n=minutes)
        if news.team is None:
            return self._names()[news.kind]
        team = self.team(news.team)
        if news.kind in _GOALS:
            return plural("Goal for {team}!", "{n} goals for {team}!", n).format(n=n, team=team)
        return self._of_team(news).format(team=team)

    def _of_team(self, news: News) -> str:
        _ = self.words.gettext
        match news.kind:
            case Kind.GOAL_CANCELLED:
                return _("Goal cancelled: {team}")
            case Kind.RED_CARD:
                return _("Red card for {team}")
            case Kind.PENALTY_MISSED:
                return _("Penalty missed by {team}")
            case Kind.PENALTY:
                return _("Penalty for {team}")
            case Kind.SHOOTOUT_KICK:
                event = self.match.events.get(news.event_id or "")
                scored = event is not None and event.type == "shootout_goal"
                return _("Shoot-out: goal by {team}") if scored else _("Shoot-out: {team} miss")
            case _:
                return self._names()[news.kind]

    def _names(self) -> dict[Kind, str]:
        _ = self.words.gettext
        return {
            **dict.fromkeys(_GOALS, _("Goal!")),
            Kind.GOAL_CANCELLED: _("Goal cancelled"),
            Kind.RED_CARD: _("Red card"),
            Kind.PENALTY_MISSED: _("Penalty missed"),
            Kind.PENALTY: _("Penalty awarded"),
            Kind.VAR_CHECK: _("VAR check"),
            Kind.SHOOTOUT_KICK: _("Shoot-out kick"),
            Kind.LINEUPS: _("Line-ups are in"),
            Kind.KICKOFF: _("Kick-off"),
            Kind.HALF_TIME: _("Half-time"),
            Kind.SECOND_HALF: _("Second half"),
            Kind.EXTRA_TIME: _("Extra time"),
            Kind.SHOOTOUT: _("Penalty shoot-out"),
            Kind.INTERRUPTED: _("Match interrupted"),
            Kind.POSTPONED: self._standing() or _("Match postponed"),
            Kind.FULL_TIME: self._standing() or self._end(),
        }

    def _standing(self) -> str | None:
        """How the match ended or was put off, if not by play."""
        _ = self.words.gettext
        return {
            Status.AWARDED: _("Result awarded"),
            Status.WALKOVER: _("Walkover"),
            Status.CANCELLED: _("Match cancelled"),
            Status.ABANDONED: _("Match abandoned"),
            Status.REMOVED: _("Match cancelled"),
            Status.DELAYED: _("Kick-off delayed"),
            Status.SCHEDULED: _("New kick-off time"),
            Status.TIME_TBD: _("New kick-off time"),
        }.get(self.match.status)

    def _end(self) -> str:
        _ = self.words.gettext
        decided = {"penalties": _("Full-time, after penalties"), "extra_time": _("Full-time, after extra time")}
        return decided.get(self.match.decided_by or "", _("Full-time"))

    def _detail(self, news: News) -> str:
        """`90+3' Messi (pen.)`, as far as it is known."""
        event = self.match.events.get(news.event_id) if news.event_id else None
        if event is None or news.kind is Kind.GOAL_CANCELLED:
            return ""
        return " ".join(part for part in (minute_of(event), player_of(event), self._manner(event)) if part)

    def _manner(self, event: Event) -> str:
        _ = self.words.gettext
        manners = {"penalty_goal": _("(pen.)"), "own_goal": _("(own goal)"), "second_yellow": _("(second yellow)")}
        if event.type == "goal" and event.assist:
            return _("(assist: {name})").format(name=isolated(clip(event.assist.name, NAME_CHARS)))
        return manners.get(event.type, "")


def minute_of(event: Event) -> str:
    if event.minute is None:
        return ""
    return f"{event.minute}+{event.added_minute}'" if event.added_minute else f"{event.minute}'"


def player_of(event: Event) -> str:
    return isolated(clip(event.player.name, NAME_CHARS)) if event.player else ""


def _figures(score: Score) -> str:
    return f"{score.home}–{score.away}"


def name_of(team: Team | None) -> str:
    return clip(team.name or team.id, NAME_CHARS) if team else ""


def isolated(name: str) -> str:
    """A name inside a sentence. A right-to-left name is put between FSI and PDI, or figures beside it would be drawn in
    the wrong order (Unicode Standard Annex 9, 2.4). Other names stay as they are."""
    return f"\u2068{name}\u2069" if any(bidirectional(letter) in ("R", "AL") for letter in name) else name
