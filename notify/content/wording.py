"""One match in one language: the words of its news, with or without spoilers. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from unicodedata import bidirectional

from db.domain import Event, Kind, Match, Phase, Score, Side, Status, Team
from notify.content.news import News
from notify.content.translations import catalogue

# A lock screen shows about 110 characters; longer names only crowd out the rest.
NAME_CHARS = 40
# Lines of merged news: a lock screen shows four.
LINES = 4


class Wording:
    """One match in one language. Names come after a colon or a mark, so no language has to inflect them."""

    def __init__(self, match: Match, language: str) -> None:
        self.match = match
        self.language = language
        self.words = catalogue(language)

    def full(self, news: Sequence[News]) -> tuple[str, str]:
        """Title and body with everything that is known."""
        titles = dict.fromkeys(self._headline(item, news) for item in news)
        details = [line for item in news if (line := self._detail(item))]
        return " · ".join(list(titles)[:LINES]), "\n".join([self.score_line(), *details[:LINES]])

    def spoiler_free(self, news: Sequence[News]) -> tuple[str, str]:
        """Title and body without spoilers: what every match has is named, anything else is only `news`."""
        _ = self.words.gettext
        harmless = {Kind.REMINDER, Kind.LINEUPS, Kind.KICKOFF, Kind.HALF_TIME, Kind.POSTPONED, Kind.INTERRUPTED}
        nameable = [item for item in news if item.kind in harmless]
        if any(item.kind is Kind.FULL_TIME for item in news):
            return _("The match is over"), self.teams_line()
        if len(nameable) == len(news):
            return self._headline(nameable[0], nameable), self.teams_line()
        return self.teams_line(), _("There is news of this match")

    def teams_line(self) -> str:
        return f"{self.team(Side.HOME)} – {self.team(Side.AWAY)}"

    def score_line(self) -> str:
        """`Argentina 3–3 France (4–2 pens)`; only the names if no score is known or there cannot be one yet."""
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
        return isolated(name_of(team)) or (_("Home team") if side is Side.HOME else _("Away team"))

    def _headline(self, news: News, among: Sequence[News]) -> str:
        if news.kind is Kind.GOAL:
            return self._goals(news.team, sum(item.kind is Kind.GOAL and item.team is news.team for item in among))
        if news.kind is Kind.REMINDER:
            n = news.minutes or 0
            plural = self.words.ngettext
            return plural("Kick-off in {n} minute", "Kick-off in {n} minutes", n).format(n=n)
        name = self._names()[news.kind]
        return f"{name}: {self.team(news.team)}" if news.team else name

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
        """How the match ended or was put off, if not by play."""
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
        """`90+3' Messi (pen.)`, as far as it is known."""
        event = self.match.events.get(news.event_id) if news.event_id else None
        if event is None:
            return ""
        name = isolated(clip(event.player.name, NAME_CHARS)) if event.player else ""
        return " ".join(part for part in (minute_of(event), name, self._manner(event)) if part)

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


def isolated(name: str) -> str:
    """A name inside a sentence. A right-to-left name is put between FSI and PDI, or figures beside it would be drawn in
    the wrong order (Unicode Standard Annex 9, 2.4). Other names stay as they are."""
    return f"\u2068{name}\u2069" if any(bidirectional(letter) in ("R", "AL") for letter in name) else name


def clip(text: str, length: int) -> str:
    return text if len(text) <= length else text[: max(0, length - 1)].rstrip() + "…"
