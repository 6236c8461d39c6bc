"""Matches under headings, as the board, a day, a team and a competition list them. The twin of api/static/lists.js and
of what board.js puts where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from urllib.parse import quote

from markupsafe import Markup

from api.pages.clock import Body
from api.pages.rows import row

_IN_PLAY = frozenset({"live", "break"})
_GONE = frozenset({"removed", "replaced"})


@dataclass(frozen=True, slots=True)
class Group:
    """Rows under one competition or day. href: of its own page, "" where it has none."""

    title: str
    href: str
    rows: list[Markup] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with groups under it. id: as style.css names it."""

    id: str
    title: str
    groups: list[Group]

    @property
    def size(self) -> int:
        return sum(len(group.rows) for group in self.groups)


def board(matches: Iterable[Body], now_ms: int) -> list[Section]:
    """Today: what is live, what comes, what is over, and what was put off."""
    titles = {"live": "Live now", "next": "Upcoming", "done": "Finished", "off": "Postponed and cancelled"}
    parted: dict[str, list[Body]] = {id_: [] for id_ in titles}
    for match in _in_order(matches):
        parted[section_of(match)].append(match)
    return [Section(id_, titles[id_], _by_competition(part, now_ms)) for id_, part in parted.items()]


def day(matches: Iterable[Body], title: str, now_ms: int) -> list[Section]:
    return [Section("all", title, _by_competition(_in_order(matches), now_ms))]


def around(matches: Iterable[Body], today: str, now_ms: int) -> list[Section]:
    """Of a team or a competition: what comes in order of days, what is over with the latest day first."""
    parted: dict[str, list[Body]] = {"next": [], "done": []}
    for match in _in_order(matches):
        parted["done" if section_of(match) == "done" else "next"].append(match)
    results = _by_day(parted["done"], today, now_ms)[::-1]
    coming = Section("next", "Now and next", _by_day(parted["next"], today, now_ms))
    return [coming, Section("done", "Results", results)]


def section_of(match: Body) -> str:
    status, phase = match["status"], match["phase"]
    if phase in _IN_PLAY:
        return "live"
    if phase == "finished" or status == "abandoned":
        return "done"
    return "off" if phase == "off" else "next"


def long_name(day_: str, today: str) -> str:
    """Today, Yesterday, Tomorrow, or Wednesday 25 November."""
    when, now = date.fromisoformat(day_), date.fromisoformat(today)
    near = {now - timedelta(1): "Yesterday", now: "Today", now + timedelta(1): "Tomorrow"}
    return near.get(when) or f"{when:%A} {when.day} {when:%B}"


def competition_path(competition_id: str) -> str:
    return f"/competition/{quote(competition_id, safe='')}"


def team_path(team_id: str) -> str:
    return f"/team/{quote(team_id, safe='')}"


def _in_order(matches: Iterable[Body]) -> list[Body]:
    shown = (match for match in matches if match["status"] not in _GONE)
    return sorted(shown, key=lambda match: (match["start_time"] or "~", match["match_id"]))


def _by_competition(matches: Iterable[Body], now_ms: int) -> list[Group]:
    groups: dict[tuple[str, str], Group] = {}
    for match in matches:
        competition = match["competition"]
        id_ = competition["id"] if competition else ""
        title = competition["name"] if competition else "Other matches"
        href = competition_path(id_) if competition else ""
        groups.setdefault((title, id_), Group(title, href)).rows.append(row(match, now_ms))
    return [groups[key] for key in sorted(groups)]


def _by_day(matches: Iterable[Body], today: str, now_ms: int) -> list[Group]:
    groups: dict[str, Group] = {}
    for match in matches:
        day_ = (match["start_time"] or "~")[:10]
        title = "To be decided" if day_ == "~" else long_name(day_, today)
        groups.setdefault(day_, Group(title, "")).rows.append(row(match, now_ms))
    return [groups[key] for key in sorted(groups)]
