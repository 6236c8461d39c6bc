"""The wire contract of what whole documents tell of a match: line-ups and statistics."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from api.web.schemas import Body, Id, TimelinePerson


class LineupPlayerBody(Body):
    id: str | None
    name: str
    number: Annotated[int | None, Field(description="on the shirt")]
    position: Annotated[str | None, Field(description="goalkeeper, defender, midfielder, forward, or another word")]
    place: Annotated[int | None, Field(description="in the formation, 1 is the goalkeeper")]
    starter: bool
    captain: bool


class TeamLineupBody(Body):
    formation: Annotated[str | None, Field(description="such as 4-3-3")]
    coach: TimelinePerson | None
    players: Annotated[list[LineupPlayerBody], Field(description="starters by their place, then the bench")]


class LineupsBody(Body):
    match_id: Id
    version: Annotated[int, Field(description="of this document; 0 while nobody has told it")]
    confirmed: bool
    home: TeamLineupBody | None
    away: TeamLineupBody | None


class StatsBody(Body):
    match_id: Id
    version: Annotated[int, Field(description="of this document; 0 while nobody has told it")]
    home: dict[str, float]
    away: dict[str, float]
