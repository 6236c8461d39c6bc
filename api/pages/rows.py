"""One match as a row of a list. The twin of api/static/row.js.

A board has 250 rows. A goal changes one of them, and a minute the clock of each. So a row is written once a version and
minute, and its sides once a score: a kept row takes a tenth of one whose clock moved, and that a third of a new one.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import lru_cache
from urllib.parse import quote

from markupsafe import Markup

from api.pages.badge import badge
from api.pages.clock import Body, clock_text, name_of, status_text, winner
from api.pages.scoreline import red_cards, scorer_lines, scorers, sent_off

# Rows kept by a process, of 1 KB.
KEPT_MAX = 4_096

# Markup escapes what is put into it, but for other Markup.
_ROW = Markup(
    '<li data-id="%s"><a class="row" href="%s" data-phase="%s">'
    '<span class="clock%s">%s</span>%s%s<span class="hidden">%s</span></a></li>'
)
_SIDE = Markup(
    '<span class="team %(side)s">%(badge)s<bdi class="name"%(lost)s>%(name)s</bdi>%(red_cards)s</span>'
    '<span class="points %(side)s"><span class="kick-score">%(kicks)s</span>'
    '<span class="score"%(lost)s>%(score)s</span></span>%(scorers)s'
)
_LOST, _NOT_LOST = Markup(' data-lost=""'), Markup("")

_kept: OrderedDict[tuple[str, int, str], Markup] = OrderedDict()


def row(match: Body, now_ms: int) -> Markup:
    clock = clock_text(match, now_ms)
    key = (match["match_id"], match["version"], clock)
    kept = _kept.get(key)
    if kept is None:
        kept = _kept[key] = _written(match, now_ms, clock)
        if len(_kept) > KEPT_MAX:
            _kept.popitem(last=False)
    return kept


def match_path(match_id: str) -> str:
    return f"/match/{quote(match_id, safe='')}"


def _written(match: Body, now_ms: int, clock: str) -> Markup:
    said = status_text(match, now_ms)
    is_scheduled = match["phase"] == "scheduled"
    # A time in UTC gives way to the reader's own.
    utc = " utc" if is_scheduled and match["status"] == "scheduled" else ""
    path = match_path(match["match_id"])
    home, away = (_side_of(match, side) for side in ("home", "away"))
    words = "" if is_scheduled or said == clock else said
    return _ROW % (match["match_id"], path, match["phase"], utc, clock, home, away, words)


def _side_of(match: Body, side: str) -> Markup:
    team, won, shootout = match[f"{side}_team"], winner(match), match["shootout"]
    kicks = f"({shootout[side]})" if shootout else ""
    lines, count = tuple(scorer_lines(match["scorers"], side)), sent_off(match["cards"], side)
    is_lost = bool(won and won != side)
    return _side(side, team["name"] or "", name_of(team), kicks, _points(match, side), is_lost, lines, count)


@lru_cache(maxsize=KEPT_MAX)
def _side(
    side: str, team: str, name: str, kicks: str, score: str, is_lost: bool, lines: tuple[str, ...], count: int
) -> Markup:
    lost = _LOST if is_lost else _NOT_LOST
    parts = {"side": side, "badge": badge(team), "name": name, "kicks": kicks, "score": score, "lost": lost}
    return _SIDE % (parts | {"scorers": scorers(lines, side), "red_cards": red_cards(count)})


def _points(match: Body, side: str) -> str:
    """– until it is known, and nothing before the start."""
    if match["home_score"] is None or match["away_score"] is None:
        return "–" if match["phase"] in ("live", "break", "finished") else ""
    return str(match[f"{side}_score"])
