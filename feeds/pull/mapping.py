"""A mapping file: how to ask a provider, and where its JSON has what we need. TOML, with JMESPath expressions.

feeds/pull/presets has two examples; docs/feeds.md explains each key. `load` checks the whole file, so that a mistake
stops the start and not a match.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection
from collections.abc import Mapping as Table
from contextlib import suppress
from dataclasses import dataclass, field, fields
from importlib import resources
from pathlib import Path
from string import Formatter
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import jmespath
from jmespath.exceptions import JMESPathError, JMESPathTypeError

from db.domain.errors import Refused
from feeds.generic.vocabulary import standing_of

# Placeholders of the lists' URLs.
LIST_PARTS = ("base", "item", "today", "yesterday", "tomorrow")
PRESETS = ("openligadb", "football_data")
NAME = re.compile(r"[a-z][a-z0-9_]{1,30}")


class Expression:
    """A compiled JMESPath expression. An expression that does not fit a document gives None.

    Raises JMESPathError where it is none, or names a function that there is not.
    """

    def __init__(self, expression: str) -> None:
        self.expression = expression
        self._compiled = jmespath.compile(expression)
        with suppress(JMESPathTypeError):
            self._compiled.search(None)

    def __call__(self, document: Any) -> Any:
        try:
            return self._compiled.search(document)
        except (JMESPathError, TypeError, ValueError, KeyError):
            return None


NOTHING = Expression("`null`")


@dataclass(frozen=True, slots=True)
class NamedPath:
    """A team, competition or person. id_prefix: put before its id."""

    id: Expression = NOTHING
    name: Expression = NOTHING
    id_prefix: str = ""


@dataclass(frozen=True, slots=True)
class PullRequest:
    """How to ask.

    base: URL of the provider; a preset's is a setting.
    items: what is followed, asked for one after another; a preset's are a setting.
    url: with {base}, {item}, {today}, {yesterday}, {tomorrow}.
    changed_url: gives a short answer that differs when the matches have changed; may use `changed`. "" for none.
    changed: placeholders of changed_url, taken from the last answer.
    match_url: gives one match, with {id} as the provider writes it; asked for a match to come that is no longer listed:
        it may have been moved, or is gone, which a 404 or an answer without a match says. "" for none.
    match_list: from that answer to its match.
    key_header: header of the key; "" where there is none.
    quota_header: answer header with the number of requests left; "" where there is none.
    live_s, idle_s: seconds between two requests while a match is in play or about to begin, and otherwise.
    per_minute: maximum requests a minute, all items together.
    """

    url: str
    base: str = ""
    items: list[str] = field(default_factory=list)
    changed_url: str = ""
    changed: Table[str, Expression] = field(default_factory=dict)
    match_url: str = ""
    match_list: Expression = field(default_factory=lambda: Expression("@"))
    key_header: str = ""
    quota_header: str = ""
    live_s: float = 10.0
    idle_s: float = 60.0
    per_minute: int = 10

    def __post_init__(self) -> None:
        _check_parts("url", self.url, LIST_PARTS)
        _check_parts("changed_url", self.changed_url, [*LIST_PARTS, *self.changed])
        _check_parts("match_url", self.match_url, ("base", "id"))


@dataclass(frozen=True, slots=True)
class MatchPaths:
    """list: from the answer to its matches. The other paths start at one match. zone: of times without one."""

    id: Expression
    list: Expression = field(default_factory=lambda: Expression("@"))
    id_prefix: str = ""
    sport: str = ""
    home: NamedPath = NamedPath()
    away: NamedPath = NamedPath()
    competition: NamedPath = NamedPath()
    venue: Expression = NOTHING
    stage: Expression = NOTHING
    round: Expression = NOTHING
    leg: Expression = NOTHING
    start_time: Expression = NOTHING
    updated_at: Expression = NOTHING
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class StatePaths:
    """words: the provider's status words → ours, beside the synonyms of docs/words.md.

    live_after_start: a match without a status word is in play from its start time on.
    """

    status: Expression = NOTHING
    home_score: Expression = NOTHING
    away_score: Expression = NOTHING
    home_shootout: Expression = NOTHING
    away_shootout: Expression = NOTHING
    decided_by: Expression = NOTHING
    minute: Expression = NOTHING
    added_minute: Expression = NOTHING
    words: Table[str, str] = field(default_factory=dict)
    live_after_start: bool = False

    def __post_init__(self) -> None:
        unknown = next((word for word in self.words.values() if not standing_of(word)[0]), None)
        if unknown is not None:
            raise ValueError(f"state.words has {unknown!r}, which is no status of docs/words.md")


@dataclass(frozen=True, slots=True)
class GoalPaths:
    """list: from a match to its goals; the other paths start at one goal. Scores are those after the goal."""

    list: Expression = NOTHING
    id: Expression = NOTHING
    home_score: Expression = NOTHING
    away_score: Expression = NOTHING
    minute: Expression = NOTHING
    added_minute: Expression = NOTHING
    player: NamedPath = NamedPath()
    assist: NamedPath = NamedPath()
    own_goal: Expression = NOTHING
    penalty: Expression = NOTHING


@dataclass(frozen=True, slots=True)
class Mapping:
    """name: of the feed; it is the source of its updates."""

    name: str
    request: PullRequest
    match: MatchPaths
    state: StatePaths
    goals: GoalPaths


def load(name: str) -> Mapping:
    """A preset by name, or a file by path. Raises Refused with the key that is wrong."""
    if name in PRESETS:
        return _mapping(name, resources.files(__package__).joinpath(f"presets/{name}.toml").read_text("utf-8"))
    path = Path(name)
    stem = path.name.removesuffix(".toml").replace("-", "_")
    if path.suffix != ".toml" or not NAME.fullmatch(stem):
        raise Refused(f"FEEDS names {name!r}, which is neither a feed nor a mapping file such as ./my_league.toml.")
    try:
        return _mapping(stem, path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"The mapping file {name} cannot be read: {error}.") from None


def _mapping(name: str, text: str) -> Mapping:
    try:
        document = tomllib.loads(text)
        tables = {key: document.pop(key, {}) for key in ("request", "match", "state", "goals")}
        if document:
            raise ValueError(f"unknown key {next(iter(document))}")
        return Mapping(
            name,
            _build(PullRequest, tables["request"], "request"),
            _build(MatchPaths, tables["match"], "match"),
            _build(StatePaths, tables["state"], "state"),
            _build(GoalPaths, tables["goals"], "goals"),
        )
    except (ValueError, TypeError, JMESPathError, ZoneInfoNotFoundError) as error:
        raise Refused(f"The mapping of {name} is wrong: {error}.") from None


def _check_parts(name: str, template: str, parts: Collection[str]) -> None:
    """Raises ValueError for a URL with other placeholders than these."""
    for _, part, _, _ in Formatter().parse(template):
        if part is not None and part not in parts:
            raise ValueError(f"request.{name} has {{{part}}}, and may have {', '.join(parts)}")


def _build(kind: type[Any], table: dict[str, Any], where: str) -> Any:
    """kind: one of the dataclasses above; each field is read by its annotation."""
    kinds = {field_.name: str(field_.type) for field_ in fields(kind)}
    for key in table:
        if key not in kinds:
            raise ValueError(f"unknown key {where}.{key}")
    values = {key: _value(kinds[key], value, f"{where}.{key}") for key, value in table.items()}
    if "zone" in values:
        ZoneInfo(values["zone"])
    return kind(**values)


def _value(kind: str, value: Any, where: str) -> Any:
    readers: dict[str, tuple[type | tuple[type, ...], Any]] = {
        "Expression": (str, Expression),
        "NamedPath": (dict, lambda table: _build(NamedPath, table, where)),
        "Table[str, Expression]": (dict, lambda table: {key: Expression(text) for key, text in table.items()}),
        "Table[str, str]": (dict, dict),
        "list[str]": (list, lambda entries: [str(entry) for entry in entries]),
        "str": (str, str),
        "bool": (bool, bool),
        "int": (int, _positive),
        "float": ((int, float), _positive),
    }
    wanted, read = readers[kind]
    if not isinstance(value, wanted):
        raise ValueError(f"{where} has the wrong type")
    return read(value)


def _positive(number: float) -> float:
    if number <= 0:
        raise ValueError("periods and limits must be above 0")
    return number
