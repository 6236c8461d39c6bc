"""What the pages show of tables, scorers, a team's form and earlier meetings. The twin of
api/static/tables.js, table_parts.js and meetings.js."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from markupsafe import Markup

from api.pages.clock import Body, kicks
from pictures.words import sentence

SCORERS_MAX = 10
MEETINGS_MAX = 5
# Competitions in which a team's place is shown: each is a table of its own to read.
STANDINGS_MAX = 2

OUTCOMES = {"won": ("W", "Won"), "drawn": ("D", "Drawn"), "lost": ("L", "Lost")}
# Columns after the team: what a row calls it, its heading, the heading in full, and whether a phone has no room for it.
COLUMNS = (
    ("played", "P", "Played", False),
    ("won", "W", "Won", True),
    ("drawn", "D", "Drawn", True),
    ("lost", "L", "Lost", True),
    ("goals_for", "GF", "Goals for", True),
    ("goals_against", "GA", "Goals against", True),
    ("goal_difference", "GD", "Goal difference", False),
    ("points", "Pts", "Points", False),
)
_TIME = Markup('<time class="utc" datetime="{at}">{written}</time>')


def group_title(group: Body) -> str:
    """`Group A`, `Relegation`; "" of the one table of a league."""
    stage = sentence(group["stage"]) if group["stage"] else ""
    name = f"Group {group['group']}" if group["group"] else ""
    return ", ".join(part for part in (stage, name) if part)


def signed(number: int) -> str:
    return f"+{number}" if number > 0 else str(number).replace("-", "−")


def competitions_of(team: Body) -> list[str]:
    """Those in which it played last or plays next, the ones that come first in its document."""
    listed = [*team["live"], *team["results"], *team["fixtures"]]
    ids = dict.fromkeys(match["competition"]["id"] for match in listed if match["competition"])
    return list(ids)[:STANDINGS_MAX]


def row_of(table: Body, team_id: str) -> Body | None:
    """Its row, of the group that it plays in last."""
    rows: list[Body] = [row for group in table["groups"] for row in group["rows"] if row["team"]["id"] == team_id]
    return rows[-1] if rows else None


def meetings(body: Body) -> Sequence[Body]:
    """The last ones before this match."""
    earlier = [match for match in body["matches"] if match["match_id"] != body["match_id"]]
    return earlier[:MEETINGS_MAX]


def has_aggregate(tie: Body | None) -> bool:
    """Of one match, the score says it already."""
    return tie is not None and len(tie["matches"]) > 1 and tie["aggregate"] is not None


def leg(match: Body, first_id: str | None) -> str:
    """Its score with the tie's first team before the other; "" where it is not known yet."""
    if match["home_score"] is None or match["away_score"] is None:
        return ""
    turned = match if match["home_team"]["id"] == first_id else _turned(match)
    return f"{turned['home_score']}–{turned['away_score']} {kicks(turned)}".strip()


def _turned(match: Body) -> Body:
    shootout = match["shootout"]
    return {
        "home_score": match["away_score"],
        "away_score": match["home_score"],
        "shootout": {"home": shootout["away"], "away": shootout["home"]} if shootout else None,
    }


def day(match: Body) -> Markup:
    """25 Nov 2026; "" where nobody has said when."""
    start = match["start_time"]
    if not start:
        return Markup("")
    at = datetime.fromisoformat(start)
    return _TIME.format(at=start, written=f"{at.day} {at:%b %Y}")
