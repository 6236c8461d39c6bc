"""The types that the page's modules are checked with are those of the API's answers."""

from __future__ import annotations

import re

import pytest
from pydantic import BaseModel

from api.web import competition_schemas, document_schemas, schemas
from tests.support.paths import ROOT

BODIES = (ROOT / "api/static/bodies.js").read_text()
MODELS = (
    schemas.Named,
    schemas.MaybeNamed,
    schemas.Shootout,
    schemas.ScorelineEntryBody,
    schemas.Summary,
    schemas.LiveBoard,
    schemas.MatchList,
    schemas.Metadata,
    schemas.TimelinePerson,
    schemas.TimelineEvent,
    document_schemas.LineupPlayerBody,
    document_schemas.TeamLineupBody,
    document_schemas.LineupsBody,
    document_schemas.StatsBody,
    schemas.Timeline,
    schemas.SearchResult,
    competition_schemas.BalanceBody,
    competition_schemas.TableRowBody,
    competition_schemas.StandingsBody,
    competition_schemas.TieBody,
    competition_schemas.KnockoutRoundBody,
    competition_schemas.CompetitionTable,
    competition_schemas.ScorerBody,
    competition_schemas.TopScorers,
    competition_schemas.FormEntry,
    competition_schemas.TeamPage,
    competition_schemas.HeadToHead,
)


def properties(name: str) -> dict[str, bool]:
    """The fields of a typedef of bodies.js, and whether each may be null."""
    typedef = re.search(rf"@typedef {{object}} {name}\n((?: \* @property .*\n)+)", BODIES)
    assert typedef, f"bodies.js has no type {name}"
    return {field: "null" in kind for kind, field in re.findall(r"@property {(.+)} (\w+)", typedef[1])}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_type_of_the_page_has_the_fields_of_the_answer(model: type[BaseModel]) -> None:
    schema = model.model_json_schema()["properties"]
    assert properties(model.__name__) == {
        field: {"type": "null"} in property.get("anyOf", []) for field, property in schema.items()
    }


def test_every_type_with_fields_is_compared() -> None:
    assert set(re.findall(r"@typedef {object} (\w+)", BODIES)) == {model.__name__ for model in MODELS}
