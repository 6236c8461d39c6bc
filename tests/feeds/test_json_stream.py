"""JSON values out of a stream, wherever it is cut."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.domain.errors import Refused
from feeds.json_stream import MESSAGE_BYTES_MAX, JsonStream

OBJECTS = st.dictionaries(
    st.text(max_size=5), st.none() | st.text(max_size=5) | st.integers() | st.lists(st.text()), max_size=4
)


def read(chunks: list[bytes]) -> list[Any]:
    stream = JsonStream()
    return [value for chunk in chunks for value in stream.values(chunk)]


@given(st.lists(OBJECTS, max_size=5), st.sampled_from(["", "\n", "\r\n  "]), st.booleans(), st.data())
def test_whatever_the_cuts_the_values_are_the_same(
    values: list[Any], between: str, escaped: bool, data: st.DataObject
) -> None:
    text = between.join(json.dumps(value, ensure_ascii=escaped, indent=2) for value in values)
    # Lone surrogates have no bytes.
    body = text.encode(errors="replace")
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=6)))
    chunks = [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    assert read(chunks) == read([body])
    assert len(read(chunks)) == len(values)


def test_each_value_comes_with_its_last_byte() -> None:
    stream = JsonStream()
    assert list(stream.values(b'{"a": "}{", "b": [1')) == []
    assert list(stream.values(b"]}{")) == [{"a": "}{", "b": [1]}]
    assert list(stream.values(b"}")) == [{}]


def test_a_value_that_never_ends_is_refused() -> None:
    chunks = [b"x" * 1000] * (MESSAGE_BYTES_MAX // 1000 + 1)
    with pytest.raises(Refused):
        read([b'"', *chunks])
