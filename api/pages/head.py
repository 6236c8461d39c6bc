"""What search engines and link previews read of a page: its title, its address, and the match as schema.org has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from api.pages.bidi import isolate
from api.pages.clock import Body, figures, kicks, name_of, status_text
from api.pages.lists import competition_path, team_path
from api.pages.rows import match_path

SITE = "Live scores"
# schema.org, EventStatusType; there is none for what is in play or over.
_STATUS = {"postponed": "EventPostponed", "cancelled": "EventCancelled", "abandoned": "EventCancelled"}


@dataclass(frozen=True, slots=True)
class Head:
    """title: without the name of the site.
    path: the page's one address; "" where it has none.
    event: JSON-LD of the match, None on other pages.
    picture: path of its own, "" for the one that all share.
    """

    title: str
    description: str
    path: str
    event: dict[str, Any] | None = None
    picture: str = ""

    @property
    def full_title(self) -> str:
        return self.title if self.title == SITE else f"{self.title} · {SITE}"


def between(match: Body, middle: str) -> str:
    """Both names, home first whichever way they are read."""
    home, away = (isolate(name_of(match[side])) for side in ("home_team", "away_team"))
    return f"{home} {middle} {away}"


def match_head(match: Body, metadata: Body, now_ms: int, public_url: str, picture: str) -> Head:
    title = between(match, figures(match))
    competition = match["competition"]
    said = [title + (f" {kicks(match)}" if match["shootout"] else ""), status_text(match, now_ms)]
    said += [isolate(competition["name"])] if competition else []
    description = " · ".join(said)
    path = match_path(match["match_id"])
    event = _event(match, metadata, path, description, public_url)
    return Head(title, description, path, event, picture)


def _event(match: Body, metadata: Body, path: str, description: str, public_url: str) -> dict[str, Any]:
    """schema.org/SportsEvent. Addresses need the public one; without it they are left out."""
    url = public_url.rstrip("/")
    event: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "SportsEvent",
        "name": f"{name_of(match['home_team'])} – {name_of(match['away_team'])}",
        "description": description,
        "sport": match["sport"],
        "eventStatus": f"https://schema.org/{_STATUS.get(match['status'], 'EventScheduled')}",
        "homeTeam": _organization("SportsTeam", match["home_team"], url, team_path),
        "awayTeam": _organization("SportsTeam", match["away_team"], url, team_path),
        "competitor": [_organization("SportsTeam", match[side], url, team_path) for side in ("home_team", "away_team")],
    }
    if url:
        event |= {"@id": url + path, "url": url + path}
    if match["start_time"]:
        event["startDate"] = match["start_time"]
    if metadata["venue"]:
        event["location"] = {"@type": "Place", "name": metadata["venue"]}
    if match["competition"]:
        event["organizer"] = _organization("SportsOrganization", match["competition"], url, competition_path)
    return event


def _organization(type_: str, named: Body, url: str, path: Any) -> dict[str, Any]:
    known = {"@type": type_, "name": named["name"] or "To be decided"}
    return known | ({"url": url + path(named["id"])} if url and named["id"] else {})
